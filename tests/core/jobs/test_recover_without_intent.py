from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_tuya_ota.core.errors import AmbiguousOutcomeError
from airflow_provider_tuya_ota.core.jobs.intent import Attempt
from tests.core.jobs.upgrades import JUST_NOW, NAMED, OF_NAMED, OWN, UPGRADE, creates, jobs, script_for, stage, start
from tests.core.script import NOW, job, lasting, ok, task

if TYPE_CHECKING:
    from airflow_provider_tuya_ota.core.jobs.tracked_job import TrackedJob
    from tests.core.script import Script


def without_a_note(script: Script, **changes: Any) -> TrackedJob:
    return start(script, replace(Attempt(run_started_at=NOW, is_retry=True), **changes))


def test_a_first_try_without_a_note_creates_at_once() -> None:
    script = script_for()

    assert without_a_note(script, is_retry=False).job_id == "10"
    assert script.sleeps == []


def test_a_task_that_was_cleared_before_it_ever_ran_creates_at_once() -> None:
    script = script_for()

    assert without_a_note(script, is_retry=False, clear_number=1, cleared_after=0).job_id == "10"
    assert script.sleeps == []


@pytest.mark.parametrize("is_durable", [True, False])
def test_a_retry_without_a_note_goes_on_with_the_job_that_this_run_can_have_created(is_durable: bool) -> None:
    old = job("8", kind=UPGRADE, utcCreate="2026-02-01T00:00:00.000Z", targetSelection="ALL")
    script = script_for(ListOTAJobByFirmware=jobs(OWN, old))
    script.is_durable = is_durable

    assert without_a_note(script).job_id == "9"
    assert (creates(script), stage(script)) == (0, ("found", "9"))
    assert any("No intent of an earlier try is stored" in text for text in script.warnings) is is_durable


def test_a_retry_without_a_note_that_finds_nothing_creates() -> None:
    assert without_a_note(script_for()).job_id == "10"


@pytest.mark.parametrize(("created", "is_taken"), [("2026-03-01T11:59:59.000Z", False), (JUST_NOW, True)])
def test_a_retry_without_a_note_after_a_clear_takes_no_job_from_before_it(created: str, is_taken: bool) -> None:
    script = script_for(ListOTAJobByFirmware=jobs(OWN | {"utcCreate": created}))

    if is_taken:
        assert without_a_note(script, clear_number=1).job_id == "9"
    else:
        with pytest.raises(AmbiguousOutcomeError, match="job 9 may be from before"):
            without_a_note(script, clear_number=1)


@pytest.mark.parametrize("status", ["IN_PROGRESS", "COMPLETED"])
@pytest.mark.parametrize("minutes", [0, 29, 31, 600])
def test_a_job_on_some_of_the_devices_may_be_this_task_s_however_late_in_its_run_it_was_created(
    minutes: int, status: str
) -> None:
    """A task may begin hours after its run, and the platform leaves out devices that run the version already."""
    created = (NOW + timedelta(minutes=minutes)).isoformat()
    listed = job("9", status, UPGRADE, utcCreate=created, targetSelection="SPECIFIC")
    devices = ok(data=[task("d1", "QUEUED" if status == "IN_PROGRESS" else "FAILED")])
    script = script_for(ListOTAJobByFirmware=jobs(listed), QueryOTAJob=ok(data=listed), ListOTATaskByJob=devices)
    script.now = NOW + timedelta(minutes=minutes + 5)

    with pytest.raises(AmbiguousOutcomeError, match="9 has some of the devices and no other"):
        start(script, Attempt(run_started_at=NOW, is_retry=True), NAMED)
    assert creates(script) == 0


@pytest.mark.parametrize(("run_started_at", "is_created"), [(NOW, False), (NOW - timedelta(seconds=1), True)])
def test_a_recovered_intent_that_was_stored_bounds_the_age_of_no_job(
    run_started_at: datetime, is_created: bool
) -> None:
    """A try stores it when it leaves the job that it found to another task."""
    created = (NOW + timedelta(minutes=31)).isoformat()
    listed = job("9", "COMPLETED", UPGRADE, utcCreate=created, targetSelection="SPECIFIC")
    devices = ok(data=[task("d1", "FAILED")])
    script = script_for(ListOTAJobByFirmware=jobs(listed), QueryOTAJob=ok(data=listed), ListOTATaskByJob=devices)
    script.now = NOW + timedelta(minutes=36)
    script.saved = OF_NAMED.to_dict()
    attempt = Attempt(run_started_at=run_started_at, is_retry=True)

    if is_created:
        assert start(script, attempt, NAMED).job_id == "10"
    else:
        with pytest.raises(AmbiguousOutcomeError, match="9 has some of the devices and no other"):
            start(script, attempt, NAMED)
    assert creates(script) == is_created


BEFORE = "2026-03-01T11:59:59.000Z"


@pytest.mark.parametrize(
    ("created", "status", "is_taken"),
    [
        (BEFORE, "COMPLETED", False),
        (BEFORE, "CANCELED", False),
        ("", "COMPLETED", False),
        (BEFORE, "IN_PROGRESS", True),
        (JUST_NOW, "COMPLETED", True),
    ],
)
def test_a_retry_without_a_note_takes_no_job_that_may_have_ended_before_its_run_began(
    created: str, status: str, is_taken: bool
) -> None:
    listed = OWN | {"utcCreate": created, "jobStatus": status}
    script = script_for(ListOTAJobByFirmware=jobs(listed), QueryOTAJob=ok(data=listed))

    if is_taken:
        assert without_a_note(script).job_id == "9"
    else:
        with pytest.raises(AmbiguousOutcomeError, match="whether 9 had ended before this task's run began"):
            without_a_note(script)
    assert creates(script) == 0


def test_clearing_a_task_whose_job_may_be_from_before_its_run_creates_a_new_one() -> None:
    listed = OWN | {"utcCreate": BEFORE, "jobStatus": "COMPLETED"}
    script = script_for(ListOTAJobByFirmware=jobs(listed), QueryOTAJob=ok(data=listed))

    assert without_a_note(script, is_retry=False, clear_number=1, cleared_after=1).job_id == "10"


def test_a_clear_without_a_note_waits_for_what_is_under_way_and_stops_nothing() -> None:
    rounds = [
        ok(data=[task("d1", "QUEUED")] if status == "QUEUED" and number == 0 else [])
        for number in range(2)
        for status in ("CONFIRM", "QUEUED", "NOTIFIED", "IN_PROGRESS")
    ]
    ended = jobs(OWN | {"jobStatus": "COMPLETED"})
    script = script_for(
        ListOTAJobByFirmware=lasting(jobs(OWN), ended),
        ListOTATaskByJob=rounds,
        QueryOTAJob=ok(data=OWN | {"jobStatus": "COMPLETED"}),
    )

    assert without_a_note(script, is_retry=False, clear_number=1, cleared_after=2).job_id == "10"
    assert "CancelOTATaskByJob" not in script.actions
