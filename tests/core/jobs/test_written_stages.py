"""What a task writes down on its way to a job, step by step: whoever reads it after a crash goes by the last word."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_tuya_ota.core.errors import JobMissingError
from airflow_provider_tuya_ota.core.flows.effects import SaveState
from airflow_provider_tuya_ota.core.jobs.events import (
    FailedJobReplaced,
    JobAdopted,
    JobCreated,
    JobOutcomeUnknown,
    JobUnnamed,
)
from airflow_provider_tuya_ota.core.jobs.intent import Attempt, Intent, OnFailedJob, Stage
from airflow_provider_tuya_ota.core.jobs.target import describe_job
from airflow_provider_tuya_ota.core.model.entities import Job
from airflow_provider_tuya_ota.core.model.states import JobStatus, JobType
from tests.core.jobs.upgrades import ACTION, CREATED, JUST_NOW, NOTE, OWN, creates, jobs, script_for, start
from tests.core.script import NOW, Script, gateway, job, lasting, lost, ok, task

if TYPE_CHECKING:
    from airflow_provider_tuya_ota.core.actions import CreateOTAStaticUpgradeJob
    from airflow_provider_tuya_ota.core.jobs.tracked_job import TrackedJob

CREATING = ["preparing", "asking", "created"]
ENDED = ok(data=OWN | {"jobStatus": "COMPLETED"})


class Written(Script):
    """Keeps each stage that is written."""

    def __init__(self, script: Script, saved: Any = None) -> None:
        super().__init__(script.answers, saved=saved)
        self.stages: list[str] = []

    def _answer(self, effect: object) -> object:
        if isinstance(effect, SaveState):
            self.stages.append(effect.value["stage"])
        return super()._answer(effect)


def written(
    saved: Any, attempt: Attempt | None = None, action: CreateOTAStaticUpgradeJob = ACTION, **answers: Any
) -> tuple[Written, TrackedJob]:
    script = Written(script_for(**answers), saved)
    return script, start(script, attempt, action)


def test_a_request_that_came_to_nothing_is_done_with_before_the_next_one_is_prepared() -> None:
    script, _ = written(NOTE.to_dict())

    assert script.stages == ["nothing", *CREATING]


def test_a_request_that_a_dead_process_had_sent_is_lost_before_anybody_looks_for_its_job() -> None:
    script, _ = written(NOTE.at(Stage.ASKING).to_dict(), ListOTAJobByFirmware=jobs(OWN))

    assert script.stages[:2] == ["lost", "found"]


@pytest.mark.parametrize("changes", [{"fingerprint": "of another request"}, {"clear_number": -1}])
def test_a_job_that_was_waited_for_is_done_with_before_the_next_one_is_prepared(changes: dict[str, Any]) -> None:
    script, found = written(replace(CREATED, **changes).to_dict(), QueryOTAJob=ENDED, ListOTATaskByJob=ok(data=[]))

    assert (script.stages, found.job_id) == (["nothing", *CREATING], "10")


def test_after_a_clear_without_a_note_what_was_found_is_waited_for_and_then_done_with() -> None:
    going_on = [ok(data=[task("d1", "IN_PROGRESS")] if number == 3 else []) for number in range(4)]

    script, found = written(
        None,
        Attempt(run_started_at=NOW, clear_number=1, cleared_after=2),
        ListOTAJobByFirmware=lasting(*[jobs(OWN)] * 6, jobs(OWN | {"jobStatus": "COMPLETED"})),
        ListOTATaskByJob=lasting(*going_on, ok(data=[])),
        QueryOTAJob=ENDED,
    )

    assert (script.stages[-4:], found.job_id) == (["nothing", *CREATING], "10")
    assert 15.0 in script.sleeps


def test_a_failed_job_is_done_with_where_a_new_one_is_asked_for_and_that_is_said() -> None:
    script, found = written(
        CREATED.to_dict(),
        Attempt(on_failed_job=OnFailedJob.NEW_JOB),
        QueryOTAJob=ENDED,
        ListOTATaskByJob=ok(data=[task("d1", "FAILED")]),
    )

    assert (script.stages, found.job_id) == (["nothing", *CREATING], "10")
    assert FailedJobReplaced("9") in script.events


def test_a_job_that_contradicts_itself_is_looked_at_in_the_interval_of_the_task() -> None:
    script, _ = written(
        CREATED.to_dict(),
        Attempt(on_failed_job=OnFailedJob.NEW_JOB, poll_interval=60.0),
        QueryOTAJob=ENDED,
        ListOTATaskByJob=ok(data=[]),
    )

    assert set(script.sleeps) == {60.0}


def test_a_retry_without_a_note_looks_for_what_was_created_since_its_run_began() -> None:
    early = OWN | {"utcCreate": "2026-03-01T11:30:00.000Z"}

    _, found = written(
        None,
        Attempt(run_started_at=NOW - timedelta(hours=1), is_retry=True),
        ListOTAJobByFirmware=jobs(early),
        QueryOTAJob=ok(data=early),
    )

    assert found.job_id == "9"


def test_of_the_jobs_that_were_there_only_those_of_the_same_kind_are_written_down() -> None:
    script, _ = written(None, ListOTAJobByFirmware=jobs(job("7", "COMPLETED", "VERIFY_FIRMWARE", utcCreate=JUST_NOW)))

    assert script.saved["known"] == ""


def test_a_job_that_cannot_be_looked_at_after_its_create_is_taken_for_the_task_s_at_the_first_failure() -> None:
    script, found = written(None, QueryOTAJob=gateway("ServiceUnavailable", 503))

    assert (found.job_id, script.actions.count("QueryOTAJob")) == ("10", 1)


@pytest.mark.parametrize(
    ("create", "event"),
    [(ok(data={}), JobUnnamed), (lost(), JobOutcomeUnknown)],
)
def test_whoever_looks_for_a_job_says_so(create: Any, event: type) -> None:
    script, found = written(
        None, CreateOTAStaticUpgradeJob=create, ListOTAJobByFirmware=lasting(jobs(), jobs(), jobs(OWN))
    )

    assert found.job_id == "9"
    assert event in map(type, script.events)


def test_a_note_that_was_written_in_another_time_zone_is_read_in_utc() -> None:
    there = NOTE.to_dict() | {"started_at": "2026-03-01T20:00:00+08:00"}

    assert Intent.from_dict(there) == NOTE
    assert Intent.from_dict(there).started_at.tzinfo is UTC


def test_a_job_that_was_there_before_the_request_is_never_taken_for_it_however_often_a_retry_searches() -> None:
    script = script_for(ListOTAJobByFirmware=jobs(OWN | {"jobId": "1", "jobStatus": "COMPLETED"}))
    script.saved = NOTE.to_dict()

    assert start(script, Attempt(is_retry=True)).job_id == "10"
    assert creates(script) == 1


def test_the_job_that_a_task_goes_on_with_is_reported_as_created_or_adopted() -> None:
    new, own = written(None)[0], written(CREATED.to_dict())[0]

    assert [type(script.events[-1]) for script in (new, own)] == [JobCreated, JobAdopted]


def test_an_intent_is_of_the_first_try_unless_it_says_otherwise() -> None:
    first = Intent(fingerprint="f", target=NOTE.target, stage=Stage.LOST, started_at=NOW)

    assert (first.clear_number, first.cleared_after) == (0, None)


def test_a_job_that_is_missing_is_named_by_its_kind_and_firmware() -> None:
    with pytest.raises(JobMissingError, match="the upgrade job of firmware 178 that this task"):
        written(NOTE.at(Stage.ACCEPTED).to_dict())


@pytest.mark.parametrize(("minutes", "is_too_old"), [(29, False), (30, True), (31, True)])
def test_a_request_that_was_saved_half_an_hour_before_a_job_was_created_did_not_create_it(
    minutes: int, is_too_old: bool
) -> None:
    created_at = (NOW + timedelta(minutes=minutes)).isoformat().replace("+00:00", "Z")
    found = Job(
        job_id="9",
        firmware_id="178",
        status=JobStatus.IN_PROGRESS,
        type=JobType.UPGRADE_FIRMWARE,
        utc_create=created_at,
    )

    assert NOTE.is_too_old_for(found) is is_too_old


def test_a_target_is_described_by_what_it_names() -> None:
    job = Job(
        job_id="9",
        firmware_id="178",
        status=JobStatus.IN_PROGRESS,
        type=JobType.UPGRADE_FIRMWARE,
        product_key="p",
        target_selection="GROUP",
        group_id="g1",
        src_versions=("1.0", "1.1"),
    )
    target = replace(NOTE.target, kind="UPGRADE", firmware_id="178", product_key="p", selection="GROUP", group_id="g1")

    assert describe_job(job) == "UPGRADE_FIRMWARE, firmware 178, product p, devices GROUP, group g1, from 1.0, 1.1"
    assert target.describe() == "UPGRADE, firmware 178, product p, devices GROUP, group g1"
