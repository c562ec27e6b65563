from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from airflow_provider_tuya_ota.rollout.gate.gate import Gate
from airflow_provider_tuya_ota.rollout.record.canonical import digest_of_devices
from airflow_provider_tuya_ota.rollout.record.course import (
    ControlNote,
    ControlVerb,
    JobCreated,
    JobPurpose,
)
from airflow_provider_tuya_ota.rollout.record.evidence_part import EvidencePart
from airflow_provider_tuya_ota.rollout.record.finding import FindingKind
from airflow_provider_tuya_ota.rollout.record.finish import (
    HaltReceipt,
    LandedCheck,
    ReleaseEnded,
    ReleaseOutcome,
    VersionFound,
)
from tests.rollout.record.forgery import changed, first, found, rewritten, texts, with_entry, without
from tests.rollout.record.story import Story, good, halted, story

GOOD, HALTED = good(200), halted(400)


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"checked": 200}, "194 on the version and 4 others are not 200 checked devices"),
        ({"checked": 190, "on_target": 186}, "190 devices were checked, and 198 have reported success"),
        ({"checked": 199, "on_target": 195}, "199 devices were checked, and 198 have reported success"),
        ({"not_known": ("lamp-0001", "lamp-0001"), "on_target": 192}, "a device is there twice"),
    ],
)
def test_a_landed_check_adds_up(fields: dict[str, Any], problem: str) -> None:
    assert problem in texts(changed(GOOD, LandedCheck, **fields), FindingKind.WRONG_LANDED_CHECK)


def test_a_sample_may_be_smaller_than_what_reported_success() -> None:
    assert found(changed(GOOD, LandedCheck, checked=190, on_target=186, is_sample=True)) == []


def test_a_device_that_lies_is_listed_by_name_and_no_success() -> None:
    check: LandedCheck = first(GOOD, LandedCheck)
    names = [one.device for one in check.elsewhere]
    assert len(names) == 4
    honest = next(name for name in first(GOOD, EvidencePart).devices if name not in names)
    more = (*check.elsewhere, VersionFound(device=honest, version="1.0.0"))
    on_target = (*check.elsewhere[1:], VersionFound(device=names[0], version="2.0.0"))

    (said,) = texts(changed(GOOD, LandedCheck, elsewhere=more, on_target=193), FindingKind.WRONG_LANDED_CHECK)
    assert said == f"on another version, and succeeded in the evidence: '{honest}' (1 in all)"
    (said,) = texts(changed(GOOD, LandedCheck, elsewhere=on_target), FindingKind.WRONG_LANDED_CHECK)
    assert said == "a device with version 2.0.0 is among those that run another version"


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"counts": {"succeeded": 200}}, "it says 200 succeeded; the evidence says 194 succeeded, 2 flash, 4 wrong"),
        ({"counts": {}}, "it says no device; the evidence says"),
        ({"planned": 201}, "planned devices: it says 201; the plan says 200"),
        ({"in_no_job": 1}, "planned devices in no job: it says 1; the entries say 0"),
        ({"succeeded_on_retry": 1}, "1 cannot have succeeded in a retry: nothing was retried"),
        ({"outcome": ReleaseOutcome.COMPLETE}, "it is complete, and there are devices that do not run the version: 6"),
        ({"outcome": ReleaseOutcome.NOT_STARTED}, "the outcome is not started, and a wave began"),
        ({"outcome": ReleaseOutcome.HALTED}, "the outcome is halted, and the release was not halted"),
    ],
)
def test_the_final_counts_are_those_of_the_evidence(fields: dict[str, Any], problem: str) -> None:
    said = texts(changed(GOOD, ReleaseEnded, **fields), FindingKind.WRONG_COUNTS)

    assert [text for text in said if text.startswith(problem)], said


def test_exceptions_need_an_exception() -> None:
    record = story(40).tell()

    assert first(record, ReleaseEnded).outcome is ReleaseOutcome.COMPLETE
    assert texts(changed(record, ReleaseEnded, outcome=ReleaseOutcome.WITH_EXCEPTIONS), FindingKind.WRONG_COUNTS) == [
        "it is complete with exceptions, and there is none"
    ]


def test_a_halt_needs_its_receipt_and_its_outcome() -> None:
    assert "there is no receipt of a halt, and the release was halted" in texts(
        without(HALTED, HaltReceipt), FindingKind.WRONG_COUNTS
    )
    complete = changed(HALTED, ReleaseEnded, outcome=ReleaseOutcome.WITH_EXCEPTIONS)
    assert "the outcome is complete with exceptions, and the release was halted" in texts(
        complete, FindingKind.WRONG_COUNTS
    )


def test_failed_devices_may_succeed_in_a_retry() -> None:
    retry = JobCreated(
        job_id="retry",
        firmware_id="1",
        purpose=JobPurpose.RETRY,
        wave=3,
        pulse=0,
        devices=6,
        devices_digest=digest_of_devices(["a", "b"]),
    )

    def change(contents: list[Any], succeeded: int, outcome: ReleaseOutcome) -> None:
        place = next(place for place, one in enumerate(contents) if isinstance(one, LandedCheck))
        contents.insert(place + 1, retry)
        contents[-1] = replace(contents[-1], succeeded_on_retry=succeeded, outcome=outcome)

    all_of_them = rewritten(GOOD, lambda contents: change(contents, 6, ReleaseOutcome.COMPLETE))
    too_many = rewritten(GOOD, lambda contents: change(contents, 7, ReleaseOutcome.COMPLETE))

    assert found(all_of_them) == []
    assert texts(too_many, FindingKind.WRONG_COUNTS) == ["7 cannot have succeeded in a retry: 6 failed"]


def test_a_release_that_ends_before_its_first_wave_has_not_started() -> None:
    told: Story = story(40, gate=Gate())
    told.add(
        ReleaseEnded(
            outcome=ReleaseOutcome.NOT_STARTED, reason="verification failed", planned=40, in_no_job=40, counts={}
        )
    )
    record = told.record

    assert found(record.seal(None)) == []
    halted_before = with_entry(
        record, ControlNote(verb=ControlVerb.HALT, who="ada", why="wrong file"), before=ReleaseEnded
    )
    assert found(halted_before) == []
    assert texts(changed(record, ReleaseEnded, outcome=ReleaseOutcome.HALTED), FindingKind.WRONG_COUNTS) == [
        "the outcome is halted, and no wave began"
    ]
