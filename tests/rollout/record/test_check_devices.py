from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_tuya_ota.rollout.gate.evidence import Evidence
from airflow_provider_tuya_ota.rollout.gate.gate import Gate
from airflow_provider_tuya_ota.rollout.gate.outcomes import CODES, DeviceOutcome
from airflow_provider_tuya_ota.rollout.record.begin import FrozenPlan
from airflow_provider_tuya_ota.rollout.record.canonical import digest_of_devices
from airflow_provider_tuya_ota.rollout.record.check_completeness import check_completeness
from airflow_provider_tuya_ota.rollout.record.check_devices import check_devices
from airflow_provider_tuya_ota.rollout.record.check_receipt import check_receipt
from airflow_provider_tuya_ota.rollout.record.course import (
    ControlNote,
    ControlVerb,
    JobCreated,
    JobPurpose,
    VerdictGiven,
)
from airflow_provider_tuya_ota.rollout.record.evidence_part import EvidencePart, part_since
from airflow_provider_tuya_ota.rollout.record.finding import FindingKind
from airflow_provider_tuya_ota.rollout.record.finish import (
    HaltReceipt,
    LandedCheck,
    ReleaseEnded,
    ReleaseOutcome,
    VersionFound,
)
from airflow_provider_tuya_ota.rollout.record.record_file import read_record
from airflow_provider_tuya_ota.rollout.record.recorded_devices import RecordedDevices
from airflow_provider_tuya_ota.rollout.record.verify import evidence_of, verify_record
from tests.rollout.gate.fleet import DAY, START, places, tasks
from tests.rollout.record.forgery import changed, first, found, rewritten, with_entry, without
from tests.rollout.record.story import Story, good, halted, story

if TYPE_CHECKING:
    from airflow_provider_tuya_ota.rollout.record.release_record import ReleaseRecord

GOOD, HALTED = good(200), halted(400)
FILE = read_record(HALTED.seal(None))
STRATA = ("a", "b", "c", "d", "e", "f", "g", "h")
RECEIPT: HaltReceipt = first(HALTED, HaltReceipt)
END: ReleaseEnded = first(GOOD, ReleaseEnded)


def texts(data: bytes, kind: FindingKind) -> list[str]:
    return [text for one, text in found(data) if one == kind]


def job(job_id: str, devices: int | None, names: list[str], wave: int = 1) -> JobCreated:
    return JobCreated(
        job_id=job_id,
        firmware_id="1",
        purpose=JobPurpose.WAVE,
        wave=wave,
        pulse=1,
        devices=devices,
        devices_digest="" if devices is None else digest_of_devices(names),
    )


def devices_of(evidence: Evidence, *jobs: JobCreated) -> RecordedDevices:
    last = {name: place for place, name in enumerate(evidence.devices)}
    return RecordedDevices(evidence, {one.job_id: one for one in jobs}, last, frozenset())


def polled(*letters: str) -> Evidence:
    """Give evidence of one round for each text; each is a job of its own."""
    evidence = Evidence()
    for number, text in enumerate(letters, start=1):
        evidence.record(tasks(text, job=f"{number}"), places(9), now=START, silent_after=DAY)
    return evidence


NAMES = ["d00000", "d00001", "d00002"]


def problems(devices: RecordedDevices) -> list[str]:
    return [str(finding) for finding in check_devices(devices)]


def test_a_device_that_was_busy_may_be_in_a_second_job() -> None:
    evidence = polled("SSB", "QQS")

    assert problems(devices_of(evidence, job("1", 3, NAMES), job("2", 1, NAMES[2:]))) == []


def test_a_device_that_was_tried_may_be_in_no_second_job() -> None:
    evidence = polled("SSF")
    evidence.devices += ["d00002"]
    for column in (evidence.outcomes, evidence.stratum_of, evidence.wave_of, evidence.job_of, evidence.started):
        column.append(column[-1])
    evidence.ended.append(evidence.ended[-1])
    said = problems(devices_of(evidence, job("1", 4, NAMES)))

    assert said == [
        "device in two jobs: tried in two jobs: 'd00002' (1 in all)",
        "wrong devices: the evidence has a device of job 1 twice",
        "wrong devices: job 1 was created for other devices than those that the evidence has",
    ]


@pytest.mark.parametrize(
    ("jobs", "problem"),
    [
        ([], "the evidence names job 1, and no entry says that a wave created it"),
        ([job("1", 3, NAMES, wave=2)], "the evidence has devices of job 1 in another wave than 2"),
        ([job("1", 2, NAMES)], "job 1 was created for 2 devices, and the evidence has 3 of it"),
        ([job("1", 3, ["x", *NAMES[1:]])], "job 1 was created for other devices than those that the evidence has"),
    ],
)
def test_a_job_has_the_devices_for_which_it_was_created(jobs: list[JobCreated], problem: str) -> None:
    assert problems(devices_of(polled("SSF"), *jobs)) == [f"wrong devices: {problem}"]


def test_a_job_may_have_a_device_that_the_plan_does_not_name() -> None:
    evidence = polled("SSF")
    evidence.wave_of[1] = 0

    assert problems(devices_of(evidence, job("1", 3, NAMES))) == []


@pytest.mark.parametrize("one", [job("1", 3, NAMES), job("1", 4, [*NAMES, "d9"]), job("1", None, [])])
def test_a_job_may_have_devices_that_nobody_has_heard_of_yet(one: JobCreated) -> None:
    assert problems(devices_of(polled("SSF"), one)) == []


def test_a_device_that_was_excluded_is_in_no_job() -> None:
    evidence = polled("SSF")
    evidence.exclude(["d00007"], DeviceOutcome.REMOVED, places(9), now=START)
    devices = devices_of(evidence, job("1", 3, NAMES))

    assert problems(devices) == []
    assert devices.in_jobs == NAMES


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
        ({"rounds": 9}, "the halt was after round 9, and the evidence has"),
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
    (said, *_) = texts(changed(HALTED, HaltReceipt, rounds=1), FindingKind.WRONG_RECEIPT)
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


def test_a_device_that_the_plan_does_not_name_is_no_planned_one() -> None:
    told = story(40, lambda rank: "bad" if rank == 5 else "good")
    told.evidence.exclude(["stranger"], DeviceOutcome.REMOVED, {}, now=told.now)
    told.add(part_since(told.evidence))

    assert found(told.tell().seal(None)) == []


def test_devices_that_the_platform_chose_are_no_planned_ones() -> None:
    devices = devices_of(polled("SSF"), job("1", None, []))

    assert (devices.has_chosen, devices.created, devices.in_jobs) == (True, 0, [])


def test_no_job_takes_a_device_that_was_excluded_before() -> None:
    name = first(GOOD, EvidencePart, 2).devices[0]
    note = ControlNote(verb=ControlVerb.EXCLUDE, who="ada", why="in a museum", devices=(name,))
    hold = replace(note, verb=ControlVerb.ADVANCE)
    later = with_entry(GOOD, note, before=LandedCheck)

    assert texts(with_entry(GOOD, note, before=JobCreated, which=1), FindingKind.EXCLUDED_DEVICE) == [
        f"excluded by a person, and in a job that was created later: '{name}' (1 in all)"
    ]
    assert found(later) == []
    assert texts(with_entry(GOOD, hold, before=JobCreated, which=1), FindingKind.EXCLUDED_DEVICE) == []


def test_no_job_takes_a_device_of_a_stratum_that_is_held() -> None:
    told = story(2000, lambda rank: "bad" if rank % 8 == 0 else "good", strata=STRATA)
    told.tell_wave(told.plan.waves[0])
    held = told.record
    assert told.halted is None
    assert told.held == first(held, VerdictGiven, -1).verdict.held_strata == ("a",)
    told.honours_held, told.held = False, ()
    told.tell_wave(told.plan.waves[1])
    names = [name for name, place in told.places.items() if place.stratum == "a" and place.wave == 2]

    assert held_problems(held) == []
    (said,) = held_problems(told.record)
    assert said.startswith("of a stratum that was held, and in a job that was created later: 'lamp-")
    assert said.endswith(f"({len(names)} in all)")


def test_a_stratum_that_the_gate_only_observes_is_not_held() -> None:
    gate = Gate(observe_only=True)
    told = story(2000, lambda rank: "bad" if rank % 8 == 0 else "good", gate, strata=STRATA)
    told.honours_held = False
    record = told.tell()

    assert "a" in first(record, VerdictGiven, -1).verdict.held_strata
    assert found(record.seal(None)) == []


def test_a_release_may_end_without_a_stratum_and_names_its_devices() -> None:
    record = story(2000, lambda rank: "bad" if rank % 8 == 0 else "good", strata=STRATA).tell()
    end = first(record, ReleaseEnded)

    assert (end.outcome, end.in_no_job) == (ReleaseOutcome.WITH_EXCEPTIONS, len(end.left_out))
    assert len(end.left_out) > 100
    assert found(record.seal(None)) == []
    assert FindingKind.WRONG_DEVICES in {kind for kind, _ in found(changed(record, ReleaseEnded, left_out=()))}


def held_problems(record: ReleaseRecord) -> list[str]:
    verification = verify_record(record.to_bytes())
    return [one.text for one in verification.findings if one.text.startswith("of a stratum")]


def test_an_excluded_device_may_be_spared() -> None:
    told = story(400, fate=lambda rank: "bad" if rank % 2 else "good")
    rounds = len(told.evidence.rounds)
    name = list(told.places)[-1]
    told.add(ControlNote(verb=ControlVerb.EXCLUDE, who="ada", why="in a museum", devices=(name,)))
    told.evidence.exclude([name], DeviceOutcome.REMOVED, told.places, now=told.now)
    told.add(part_since(told.evidence, rounds=rounds))
    record = told.tell()

    assert name in first(record, HaltReceipt).spared
    assert found(record.seal(None)) == []


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
    data = rewritten(HALTED, lambda contents: contents.insert(4, job("p", None, [], wave=3)))
    file = read_record(data)
    devices = RecordedDevices.of(file, evidence_of(file))

    assert devices.in_receipt == frozenset()
    (finding,) = check_completeness(file, devices, first(HALTED, FrozenPlan))
    assert finding.text.endswith("the receipt of a halt 0 more")


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
        devices_digest=digest_of_devices(NAMES),
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
