from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from airflow_provider_tuya_ota.rollout.gate.evidence import Evidence
from airflow_provider_tuya_ota.rollout.gate.gate import Gate
from airflow_provider_tuya_ota.rollout.gate.outcomes import DeviceOutcome
from airflow_provider_tuya_ota.rollout.record.canonical import digest_of_devices
from airflow_provider_tuya_ota.rollout.record.check_devices import check_devices
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
    LandedCheck,
    ReleaseEnded,
    ReleaseOutcome,
)
from airflow_provider_tuya_ota.rollout.record.recorded_devices import RecordedDevices
from airflow_provider_tuya_ota.rollout.record.verify import verify_record
from tests.rollout.gate.fleet import DAY, START, places, tasks
from tests.rollout.record.forgery import changed, first, found, texts, with_entry
from tests.rollout.record.story import good, story

if TYPE_CHECKING:
    from airflow_provider_tuya_ota.rollout.record.release_record import ReleaseRecord

GOOD = good(200)
STRATA = ("a", "b", "c", "d", "e", "f", "g", "h")


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


def test_a_device_that_the_plan_does_not_name_is_no_planned_one() -> None:
    told = story(40, lambda rank: "bad" if rank == 5 else "good")
    told.add(ControlNote(verb=ControlVerb.EXCLUDE, who="ada", why="in a museum", devices=("stranger",)))
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
