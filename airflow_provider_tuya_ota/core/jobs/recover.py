"""Find the job that an earlier try of a task created.

The stored intent says how far that try came. Without a job id the firmware's jobs are searched. No match after the
grace period: create one. Several: raise ``AmbiguousOutcomeError``.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from airflow_provider_tuya_ota.core.actions import QueryOTAJob
from airflow_provider_tuya_ota.core.errors import AmbiguousOutcomeError, JobMissingError, NotFoundError
from airflow_provider_tuya_ota.core.flows.calls import call
from airflow_provider_tuya_ota.core.flows.effects import Flow, LoadState, SavedState, SaveState
from airflow_provider_tuya_ota.core.flows.eventually import wait_to_appear
from airflow_provider_tuya_ota.core.flows.lists import list_jobs
from airflow_provider_tuya_ota.core.jobs.conflict import stop_later
from airflow_provider_tuya_ota.core.jobs.drain import wait_until_drained
from airflow_provider_tuya_ota.core.jobs.events import (
    FailedJobReplaced,
    IntentMissing,
    MissingJobReplaced,
    OtherTaskCleared,
)
from airflow_provider_tuya_ota.core.jobs.intent import NEVER, Attempt, Intent, OnFailedJob, Stage
from airflow_provider_tuya_ota.core.jobs.search import find_job
from airflow_provider_tuya_ota.core.jobs.target import fingerprint_of
from airflow_provider_tuya_ota.core.jobs.tracked_job import JobOrigin
from airflow_provider_tuya_ota.core.model.states import JobStatus, TaskStatus
from airflow_provider_tuya_ota.core.status.task_counts import count_tasks
from airflow_provider_tuya_ota.core.status.wait import WaitOptions, has_failed

if TYPE_CHECKING:
    from airflow_provider_tuya_ota.core.jobs.job_request import JobRequest
    from airflow_provider_tuya_ota.core.jobs.tracked_job import TrackedJob
    from airflow_provider_tuya_ota.core.model.entities import Job

_TO_GO_ON: Final = "Look at the firmware's jobs in the vendor's console; to create another one, clear this task"


def recover_job(request: JobRequest, attempt: Attempt) -> Flow[TrackedJob | None]:
    """Find the job that an earlier try created, and wait until a job from before a clear has ended.

    :returns: None if this try has to create a job.
    :raises AlreadyUnderWayError: another program created the same job first; says whether this task's was stopped.
    :raises AmbiguousOutcomeError: several jobs may be the one, or it is not known whether one is.
    :raises JobMissingError: the stored job is not on the platform.
    :raises StillDrainingError: the job from before a clear goes on, and ``attempt.drain_here`` is False.
    :raises WaitTimeoutError: the job from before a clear had not ended at ``attempt.drained_by``.
    """
    saved: SavedState = yield LoadState()
    if saved.value is None:
        return (yield from _recover_without_intent(request, attempt, is_durable=saved.is_durable))
    intent = Intent.from_dict(saved.value)
    if intent.stage in {Stage.NOTHING, Stage.PREPARING}:
        return None
    found = yield from _find(request, attempt, intent)
    if found is None:
        # A job that is missing may appear again, and belongs to the request from before a clear.
        yield SaveState(intent.put_aside().to_dict())
        return None
    job, intent = found
    was_cleared = yield from _check_cleared(request, attempt, intent, job)
    if intent.earlier_job and not was_cleared:
        yield from stop_later(request.settings, intent, earlier=f"job {intent.earlier_job}")
    if not was_cleared and intent.fingerprint == fingerprint_of(request.action):
        return (yield from _resume(request, attempt, replace(intent, clear_number=attempt.clear_number), job))
    # A clear asks for a new release; an edited request does not ask to stop the old one.
    may_cancel = was_cleared and attempt.may_cancel and intent.is_own
    yield from _drain(request, attempt, job, may_cancel=may_cancel)
    yield SaveState(intent.put_aside().to_dict())
    return None


def _check_cleared(request: JobRequest, attempt: Attempt, intent: Intent, job: Job) -> Flow[bool]:
    """Check whether this task was cleared since the intent was saved, and not only another task of its run.

    Airflow counts clears by run. It raises max_tries when it clears a deferred or finished task. For a running task it
    leaves no trace, so a clear is inferred from cancelled device tasks: the kill that comes with it stops the job.
    """
    if intent.clear_number == attempt.clear_number:
        return False
    if was_surely_cleared(attempt, intent):
        return True
    tasks = yield from count_tasks(request.settings, job.job_id, [TaskStatus.CANCELED])
    if job.status == JobStatus.CANCELED or tasks[TaskStatus.CANCELED]:
        return True
    yield OtherTaskCleared(job.job_id)
    return False


def was_surely_cleared(attempt: Attempt, intent: Intent) -> bool:
    """Whether Airflow shows that this task was cleared since the intent was saved."""
    is_known = attempt.cleared_after is None or intent.cleared_after != attempt.cleared_after
    return intent.clear_number != attempt.clear_number and is_known


def _recover_without_intent(request: JobRequest, attempt: Attempt, *, is_durable: bool) -> Flow[TrackedJob | None]:
    has_run = attempt.is_retry or bool(attempt.clear_number and attempt.cleared_after != 0)
    if attempt.run_started_at is None or not has_run:
        # A first try has sent nothing, and saves that before it does anything: an intent that is missing later was
        # removed.
        yield SaveState((yield from request.new_intent(attempt, Stage.NOTHING)).to_dict())
        return None
    intent = replace((yield from request.new_intent(attempt, Stage.LOST)), started_at=attempt.run_started_at)
    if is_durable:
        yield IntentMissing(request.action.firmware_id)
    job = yield from find_job(request.settings, intent, was_sent=False, is_cleared=not attempt.is_retry)
    if job is None:
        return None
    if attempt.is_retry and attempt.clear_number and not intent.is_older_than(job.utc_create):
        raise AmbiguousOutcomeError(
            f"job {job.job_id} may be from before this task was cleared or from the try before this one; without a"
            " stored intent that is not known. Look at it in the vendor's console"
        )
    if not attempt.is_retry:
        # The job may be another program's: without a stored intent this task must not cancel it.
        yield from _drain(request, attempt, job, may_cancel=False)
        yield SaveState(intent.at(Stage.FOUND, job.job_id).put_aside().to_dict())
        return None
    return (yield from _resume(request, attempt, intent.at(Stage.FOUND, job.job_id), job))


def _resume(request: JobRequest, attempt: Attempt, intent: Intent, job: Job) -> Flow[TrackedJob | None]:
    if attempt.on_failed_job is OnFailedJob.NEW_JOB:
        expected = tuple(request.action.target_device_name or ())
        options = WaitOptions(deadline=NEVER, poll_interval=attempt.poll_interval, expected=expected)
        if (yield from has_failed(request.settings, job.job_id, options)):
            yield FailedJobReplaced(job.job_id)
            yield SaveState(intent.put_aside().to_dict())
            return None
    yield SaveState(intent.to_dict())
    origin = JobOrigin.RESUMED if intent.is_own else JobOrigin.FOUND
    return request.tracked(job.job_id, origin, utc_create=job.utc_create)


def _drain(request: JobRequest, attempt: Attempt, job: Job, *, may_cancel: bool) -> Flow[None]:
    return wait_until_drained(
        request.settings,
        job.job_id,
        may_cancel=may_cancel,
        deadline=attempt.drained_by,
        poll_interval=attempt.poll_interval,
        here=attempt.drain_here,
    )


def _find(request: JobRequest, attempt: Attempt, intent: Intent) -> Flow[tuple[Job, Intent] | None]:
    """Query the stored job, or search for it if no id is stored."""
    if intent.entity_id:
        job = yield from query_stored(request, attempt, intent)
        return (job, intent) if job is not None else None
    job = yield from search_stored(request, attempt, intent)
    return None if job is None else (job, intent.found(job.job_id))


def search_stored(request: JobRequest, attempt: Attempt, intent: Intent) -> Flow[Job | None]:
    """Search for the job of a stored intent that has no id.

    :returns: the job, which is saved as found; None if there is none, so that another one may be created.
    :raises AmbiguousOutcomeError: several jobs may be the one, or it is not known whether one is.
    :raises JobMissingError: the platform accepted the request, and no list shows its job.
    """
    if intent.stage is Stage.ASKING:
        # The process that sent the request has ended, so its answer is lost.
        intent = intent.at(Stage.LOST)
        yield SaveState(intent.to_dict())
    # An intent that begins with the run was recovered by a try that left its job to another task.
    was_sent = intent.started_at != attempt.run_started_at
    is_cleared = was_surely_cleared(attempt, intent)
    job = yield from find_job(request.settings, intent, was_sent=was_sent, is_cleared=is_cleared)
    if job is None and intent.stage is Stage.ACCEPTED and intent.clear_number == attempt.clear_number:
        raise JobMissingError(
            f"the {request.label} that this task created is in no list, and the platform named no id for it. Nothing"
            f" was created again. {_TO_GO_ON}"
        )
    return job


def query_stored(request: JobRequest, attempt: Attempt, intent: Intent) -> Flow[Job | None]:
    """Query the job whose id is stored, and give it time to appear.

    :returns: None where the platform does not have it and a clear asks for another one.
    :raises JobMissingError: the platform does not have it, or it is another one.
    """

    def query() -> Flow[Job | None]:
        try:
            return (yield from call(request.settings, QueryOTAJob(job_id=intent.entity_id)))
        except NotFoundError:
            return None

    job = yield from wait_to_appear(query)
    if job is None:
        # A platform may list a job that it says it does not have. Another one beside it would upgrade devices twice.
        listing = yield from list_jobs(request.settings, intent.target.firmware_id)
        job = next((one for one in listing.items if one.job_id == intent.entity_id), None)
    problem = ""
    if job is None:
        problem = "is not on the platform"
    elif job.type != intent.target.kind or job.firmware_id not in {intent.target.firmware_id, ""}:
        problem = f"is not the {request.label}"
    if not problem:
        return job
    if intent.clear_number != attempt.clear_number:
        yield MissingJobReplaced(intent.entity_id, problem)
        return None
    raise JobMissingError(
        f"job {intent.entity_id}, which this task stored, {problem}. Nothing was created. {_TO_GO_ON}"
    )
