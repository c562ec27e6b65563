from __future__ import annotations

import pytest

from airflow_provider_tuya_ota.core.flows.events import FlowEvent, Level
from airflow_provider_tuya_ota.core.jobs.events import (
    FailedJobReplaced,
    JobAdopted,
    JobCreated,
    JobUnnamed,
    VerificationSkipped,
    start_event,
)
from airflow_provider_tuya_ota.core.jobs.stop_events import (
    CancelNotRepeated,
    CancelRepeated,
    CancelSent,
    JobStopped,
    OldJobUnfinished,
)
from airflow_provider_tuya_ota.core.jobs.stopped import NotCounted, Stopped, StopResult
from airflow_provider_tuya_ota.core.jobs.task_events import (
    CancelNotCounted,
    ConfirmInterrupted,
    TasksConfirmed,
    TasksCounted,
)
from airflow_provider_tuya_ota.core.jobs.tracked_job import JobOrigin, TrackedJob
from airflow_provider_tuya_ota.core.model.states import JobType, TaskStatus

NOTHING_LEFT = Stopped(cancelled=2, waiting=0, flashing=0)


@pytest.mark.parametrize(
    ("event", "level", "line"),
    [
        (FailedJobReplaced("9"), "warning", "Job 9 has failed and on_failed_job is 'new_job', so a new job is created"),
        (
            JobUnnamed("CreateOTAVerifyJob"),
            "warning",
            "CreateOTAVerifyJob succeeded, but its answer names no new job. Searching the firmware's jobs for it",
        ),
        (CancelRepeated("9", 0, 3.0), "warning", "Job 9 still has not ended. Cancelling again in 3 s"),
        (CancelRepeated("9", 2, 3.0), "warning", "Job 9 still has 2 device tasks that wait. Cancelling again in 3 s"),
        (
            CancelNotRepeated("9", "HTTP 503."),
            "warning",
            "Cancelling job 9 again failed, an earlier cancel may have been accepted. HTTP 503.",
        ),
        (
            OldJobUnfinished("9", "has not ended"),
            "info",
            "Waiting for job 9, from before this task was cleared: it still has not ended",
        ),
        (
            CancelNotCounted("9"),
            "warning",
            "The platform accepted the cancel of job 9; its effect could not be counted",
        ),
        (ConfirmInterrupted(("1", "2")), "warning", "2 device tasks were confirmed before the error: 1, 2"),
        (TasksConfirmed(("1", "2")), "info", "Confirmed 2 device tasks: 1, 2"),
        (
            TasksConfirmed(("1",), is_answer_lost=True),
            "warning",
            "Confirmed 1 device tasks: 1. None of them waits, so the request whose answer was lost has confirmed them",
        ),
        (CancelSent("9"), "info", "The platform accepted the cancel of job 9"),
        (
            TasksCounted("9", {TaskStatus.QUEUED: 2, TaskStatus.IN_PROGRESS: 0}, is_after_cancel=False),
            "info",
            "Before the cancel, job 9 has 2 QUEUED",
        ),
        (
            TasksCounted("9", {TaskStatus.QUEUED: 0}, is_after_cancel=True),
            "info",
            "After the cancel, job 9 has no unfinished device task",
        ),
    ],
)
def test_an_event_is_a_line_with_a_level(event: FlowEvent, level: str, line: str) -> None:
    assert (event.level, event.line()) == (level, line)


@pytest.mark.parametrize(
    ("stopped", "level"),
    [
        (NOTHING_LEFT, Level.INFO),
        (NotCounted(), Level.WARNING),
        (Stopped(cancelled=0, waiting=1, flashing=0), Level.WARNING),
        (Stopped(cancelled=0, waiting=0, flashing=1), Level.WARNING),
        (Stopped(cancelled=0, waiting=0, flashing=0, is_planned=True), Level.WARNING),
    ],
)
def test_a_stop_deserves_attention_where_anything_may_go_on(stopped: StopResult, level: Level) -> None:
    assert JobStopped("9", stopped).level is level


@pytest.mark.parametrize(
    ("origin", "kind"),
    [
        (JobOrigin.CREATED, JobCreated),
        (JobOrigin.RESUMED, JobAdopted),
        (JobOrigin.FOUND, JobAdopted),
        (JobOrigin.FOLLOWED, JobAdopted),
        (JobOrigin.VERIFIED_BEFORE, VerificationSkipped),
        (JobOrigin.NOT_NEEDED, VerificationSkipped),
    ],
)
def test_the_event_of_a_start_says_whether_the_job_is_new(origin: JobOrigin, kind: type[FlowEvent]) -> None:
    job = TrackedJob(job_id="9", firmware_id="178", kind=JobType.VERIFY_FIRMWARE, origin=origin)

    event = start_event(job)

    assert type(event) is kind
    assert event.line() == job.line()


def test_a_later_count_cannot_change_what_was_not_counted() -> None:
    assert (NotCounted().may_change, NotCounted().is_complete) == (False, False)
