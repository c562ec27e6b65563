from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from airflow_provider_tuya_ota.rollout.gate.outcomes import CODES, DeviceOutcome
from airflow_provider_tuya_ota.rollout.record.begin import FrozenPlan
from airflow_provider_tuya_ota.rollout.record.check_completeness import check_completeness
from airflow_provider_tuya_ota.rollout.record.check_receipt import check_receipt
from airflow_provider_tuya_ota.rollout.record.course import (
    ControlNote,
    ControlVerb,
    JobCreated,
)
from airflow_provider_tuya_ota.rollout.record.evidence_part import EvidencePart, part_since
from airflow_provider_tuya_ota.rollout.record.finding import FindingKind
from airflow_provider_tuya_ota.rollout.record.finish import (
    HaltReceipt,
    ReleaseEnded,
)
from airflow_provider_tuya_ota.rollout.record.record_file import read_record
from airflow_provider_tuya_ota.rollout.record.recorded_devices import RecordedDevices
from airflow_provider_tuya_ota.rollout.record.verify import evidence_of
from tests.rollout.record.forgery import changed, first, found, rewritten, texts, without
from tests.rollout.record.story import halted, story

HALTED = halted(400)
FILE = read_record(HALTED.seal(None))
RECEIPT: HaltReceipt = first(HALTED, HaltReceipt)


def test_the_receipt_of_a_true_halt_is_right() -> None:
    assert {kind.value: len(names) for kind, names in RECEIPT.by_receipt.items()} == {
        "cancelled": 10,
        "could not be cancelled": 5,
        "landed after the halt": 5,
        "failed": 0,
        "spared": 350,
    }
    assert found(HALTED.seal(None)) == []


CANCELLED, LANDED = RECEIPT.cancelled, RECEIPT.landed


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"landed": LANDED[1:]}, f"not listed, and without an outcome at the halt: '{LANDED[0]}' (1 in all)"),
        ({"landed": (*LANDED, LANDED[0])}, f"listed twice: '{LANDED[0]}' (1 in all)"),
        ({"failed": LANDED, "landed": ()}, "listed as failed, and the evidence has another outcome: 'lamp-"),
        (
            {"landed": (*LANDED, "nobody")},
            "listed as landed after the halt, and the evidence has another outcome: 'nobody' (1 in all)",
        ),
        ({"rounds": 9}, "it says 9 rounds were recorded at the halt; the entries say 2"),
        ({"rounds": 1}, "(30 in all)"),
        ({"spared": (*RECEIPT.spared, CANCELLED[0])}, "listed twice: "),
        (
            {"cancelled": (*CANCELLED, first(HALTED, EvidencePart).devices[0])},
            "listed, and with an outcome before the halt: ",
        ),
    ],
)
def test_a_receipt_covers_exactly_the_devices_without_an_outcome(fields: dict[str, Any], problem: str) -> None:
    said = texts(changed(HALTED, HaltReceipt, **fields), FindingKind.WRONG_RECEIPT)

    assert [text for text in said if problem in text], said


def test_a_device_that_was_found_busy_after_the_halt_needs_no_receipt_and_may_have_one() -> None:
    def problems(receipt: HaltReceipt) -> list[str]:
        data = changed(HALTED, HaltReceipt, cancelled=receipt.cancelled)
        file = read_record(data)
        devices = RecordedDevices.of(file, evidence_of(file))
        devices.evidence.outcomes[devices.last[name]] = CODES[DeviceOutcome.BUSY]
        return [finding.text for finding in check_receipt(file, devices)]

    name = next(name for name in CANCELLED if name in RecordedDevices.of(FILE, evidence_of(FILE)).last)

    assert problems(RECEIPT) == []
    assert problems(replace(RECEIPT, cancelled=tuple(one for one in CANCELLED if one != name))) == []


def test_a_long_list_of_names_is_cut() -> None:
    (said, *_) = texts(changed(HALTED, HaltReceipt, cancelled=(), not_cancelled=()), FindingKind.WRONG_RECEIPT)

    assert said.startswith("not listed, and without an outcome at the halt: 'lamp-")
    (_, said, *_) = texts(changed(HALTED, HaltReceipt, rounds=1), FindingKind.WRONG_RECEIPT)
    assert said.endswith(" … (30 in all)")
    assert said.count("lamp-") == 10


def test_a_spared_device_was_in_no_job_and_each_one_is_listed() -> None:
    said = texts(changed(HALTED, HaltReceipt, spared=RECEIPT.spared[1:]), FindingKind.WRONG_COUNTS)

    assert said == ["planned devices in no job: 350; spared in the receipt: 349"]


def test_the_record_names_the_devices_of_the_plan_and_no_other_one() -> None:
    other = (*RECEIPT.spared[:-1], "stranger")

    assert "400 devices are named, and they are not the 400 that are planned" in texts(
        changed(HALTED, HaltReceipt, spared=other), FindingKind.WRONG_DEVICES
    )


def test_an_excluded_device_may_be_spared_and_may_be_left_out() -> None:
    told = story(400, fate=lambda rank: "bad" if rank % 2 else "good")
    rounds = len(told.evidence.rounds)
    name = list(told.places)[-1]
    told.add(ControlNote(verb=ControlVerb.EXCLUDE, who="ada", why="in a museum", devices=(name,)))
    told.evidence.exclude([name], DeviceOutcome.REMOVED, told.places, now=told.now)
    told.add(part_since(told.evidence, rounds=rounds))
    record = told.tell()

    spared = first(record, HaltReceipt).spared
    assert name in spared
    assert found(record.seal(None)) == []
    assert found(changed(record, HaltReceipt, spared=tuple(one for one in spared if one != name))) == []
    other = tuple(one for one in spared if one not in {name, spared[0]})
    assert FindingKind.WRONG_COUNTS in {kind for kind, _ in found(changed(record, HaltReceipt, spared=other))}


def test_devices_of_which_nothing_is_known_are_missing_at_the_end() -> None:
    fewer = changed(HALTED, HaltReceipt, cancelled=tuple(name for name in CANCELLED if "x" in name))

    assert [text for text in texts(fewer, FindingKind.WRONG_DEVICES) if "the jobs were created for 50 devices" in text]
    assert [one for one in found(HALTED.to_bytes()) if one[0] == FindingKind.WRONG_DEVICES] == []
    open_record = b"".join(HALTED.to_bytes().splitlines(keepends=True)[:-2])
    assert {kind for kind, _ in found(open_record)} == {FindingKind.NOT_CLOSED}


def test_a_device_that_never_started_may_be_listed_without_its_job() -> None:
    fates = {7: "asleep", 90: "asleep"}
    record = story(200, lambda rank: fates.get(rank, "good")).tell()

    assert first(record, ReleaseEnded).counts == {"succeeded": 198, "offline before start": 2}
    assert found(record.seal(None)) == []
    assert FindingKind.WRONG_DEVICES in {kind for kind, _ in found(without(record, EvidencePart, which=-1))}


def test_a_receipt_says_nothing_about_devices_that_the_platform_chose() -> None:
    chosen = replace(first(HALTED, JobCreated, 1), job_id="p", wave=3, devices=None, devices_digest="")
    data = rewritten(HALTED, lambda contents: contents.insert(4, chosen))
    file = read_record(data)
    devices = RecordedDevices.of(file, evidence_of(file))

    assert devices.in_receipt == frozenset()
    (finding,) = check_completeness(file, devices, first(HALTED, FrozenPlan))
    assert finding.text.endswith("the receipt of a halt 0 more")
