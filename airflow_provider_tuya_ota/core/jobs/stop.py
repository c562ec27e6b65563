"""Stopping what a job has not begun: a device that is flashing cannot be stopped."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from airflow_provider_tuya_ota.core.actions import CancelOTATaskByJob, ListOTATaskByJob, QueryOTAJob
from airflow_provider_tuya_ota.core.errors import ConflictError, NotFoundError, TuyaOTAError
from airflow_provider_tuya_ota.core.flows.calls import call
from airflow_provider_tuya_ota.core.flows.effects import Flow, ReadContext, Sleep
from airflow_provider_tuya_ota.core.jobs.stop_events import (
    CancelRefused,
    CancelRepeated,
    CancelSent,
    JobStopped,
    OldJobUnfinished,
)
from airflow_provider_tuya_ota.core.jobs.stopped import UNCOUNTED, Stopped
from airflow_provider_tuya_ota.core.model.outcome_errors import WaitTimeoutError
from airflow_provider_tuya_ota.core.model.states import TaskStatus
from airflow_provider_tuya_ota.core.status.task_counts import count_tasks

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from airflow_provider_tuya_ota.core.policy.retry import RetryPolicy
    from airflow_provider_tuya_ota.core.settings import Settings

WAITING = (TaskStatus.CONFIRM, TaskStatus.QUEUED, TaskStatus.NOTIFIED)
"""Statuses in which a device task can still be cancelled."""
UNFINISHED = (*WAITING, TaskStatus.IN_PROGRESS)
SAMPLE: Final = 50
"""Device tasks that are looked at where none was counted."""
CANCEL_AGAIN_AFTER: Final = (3.0, 6.0, 12.0)
"""Seconds before each further cancel of a job that has no device tasks yet: together less than the minute that Airflow
leaves a task that it kills."""


def stop_job(settings: Settings, job_id: str) -> Flow[Stopped]:
    """Cancel every device task of a job that waits for confirmation, for the device or for its first report.

    The cancel is the first request: whoever stops a job may have seconds left to live. Doing it twice does no more than
    once.
    """
    is_cancelled = yield from cancel_job(settings, job_id)
    return (yield from count_stopped(settings, job_id, is_cancelled=is_cancelled))


def cancel_job(settings: Settings, job_id: str, retry: RetryPolicy | None = None) -> Flow[bool]:
    """Send the cancel alone.

    :param retry: patience; the default bridges about fifteen seconds.
    :returns: False where the platform had nothing to cancel, which is as good where the job has ended; count to know.
        True also where it refused a cancel that was repeated after a lost answer: the lost one may have been taken.
    """
    try:
        yield from call(
            settings,
            CancelOTATaskByJob(
                job_id=job_id, cancel_queued_task=True, cancel_notified_task=True, cancel_unconfirmed_task=True
            ),
            retry,
        )
    except ConflictError as error:
        yield CancelRefused(job_id, error.sentence)
        return error.in_doubt
    yield CancelSent(job_id)
    return True


def count_stopped(
    settings: Settings, job_id: str, *, is_cancelled: bool, again_after: Sequence[float] | None = None
) -> Flow[Stopped]:
    """Count what the cancel came to; a count that fails takes nothing from a cancel that was carried out.

    The vendor does not say what becomes of a job that is cancelled before its device tasks are planned, or while they
    are. So such a job is cancelled again a few times.

    :param is_cancelled: what :func:`cancel_job` gave.
    :param again_after: seconds before each further cancel; by default 3, 6 and 12.
    """
    stopped = yield from _count(settings, job_id, is_cancelled=is_cancelled)
    for pause in CANCEL_AGAIN_AFTER if again_after is None else again_after:
        if not stopped.may_change:
            break
        yield CancelRepeated(job_id, stopped.waiting, pause)
        yield Sleep(pause)
        is_cancelled = (yield from cancel_job(settings, job_id)) or is_cancelled
        stopped = yield from _count(settings, job_id, is_cancelled=is_cancelled)
    yield JobStopped(job_id, stopped)
    return stopped


def _count(settings: Settings, job_id: str, *, is_cancelled: bool) -> Flow[Stopped]:
    try:
        after = yield from count_tasks(settings, job_id, (*UNFINISHED, TaskStatus.CANCELED))
        is_planned = not any(after.values()) and (yield from may_begin(settings, job_id))
    except TuyaOTAError:
        if not is_cancelled:
            raise
        return UNCOUNTED
    return Stopped(
        cancelled=after[TaskStatus.CANCELED],
        waiting=_waiting(after),
        flashing=after[TaskStatus.IN_PROGRESS],
        is_planned=is_planned,
        is_taken=is_cancelled,
    )


def poll_after_cancel(settings: Settings, job_id: str) -> Flow[Stopped]:
    """Look after an accepted cancel whether the job may still begin, and cancel it again where it may.

    That costs one request where a count costs five.
    """
    try:
        has_to_be_counted = yield from may_begin(settings, job_id)
    except TuyaOTAError:
        has_to_be_counted = False
    if has_to_be_counted:
        return (yield from count_stopped(settings, job_id, is_cancelled=True))
    return UNCOUNTED


def may_begin(settings: Settings, job_id: str) -> Flow[bool]:
    """Tell whether a job of which nothing unfinished was counted may begin device tasks all the same.

    It shows no device task of any status and has not ended; or it shows some that were planned after the count.
    """
    page = yield from call(settings, ListOTATaskByJob(job_id=job_id, current_page=1, page_size=SAMPLE))
    if page.items:
        return any(task.status in UNFINISHED for task in page.items)
    return (yield from _goes_on(settings, job_id, if_missing=True))


def _goes_on(settings: Settings, job_id: str, *, if_missing: bool) -> Flow[bool]:
    """Tell whether a job has not ended.

    :param if_missing: what to say of one that the platform does not show: it may be too young to be shown.
    """
    try:
        job = yield from call(settings, QueryOTAJob(job_id=job_id))
    except NotFoundError:
        return if_missing
    return not job.status.has_ended


def not_stopped(job_id: str) -> str:
    """Say what a person has to do now."""
    return f"Job {job_id} was not stopped; cancel its device tasks in the vendor's console"


class StillDrainingError(Exception):
    """No failure: devices are at an old job still, and whoever asked for it waits for that job elsewhere.

    :param job_id: the old job.
    """

    def __init__(self, job_id: str) -> None:
        super().__init__(f"waiting for job {job_id}, from before this task was cleared")
        self.job_id = job_id


def drain(
    settings: Settings, job_id: str, *, may_cancel: bool, deadline: datetime, poll_interval: float, here: bool = True
) -> Flow[None]:
    """Wait until no device is in an unfinished task of a job.

    :param may_cancel: stop what has not begun; without it everything takes its course.
    :param here: wait; without it only look, and stop what may be stopped.
    :raises StillDrainingError: devices are at it still, and the wait is not to be here.
    :raises WaitTimeoutError: devices were still at it at the deadline.
    """
    while True:
        now = (yield ReadContext()).steady
        counts = yield from count_tasks(settings, job_id, UNFINISHED)
        if may_cancel and _waiting(counts):
            yield from stop_job(settings, job_id)
            counts = yield from count_tasks(settings, job_id, UNFINISHED)
        left = sum(counts.values())
        # Other device tasks may be planned or listed later, so the job itself has to have ended.
        goes_on = not left and (yield from _goes_on(settings, job_id, if_missing=False))
        if goes_on and may_cancel:
            yield from cancel_job(settings, job_id)
        if not left and not goes_on:
            return
        rest = f"has {left} unfinished device tasks" if left else "has not ended, although no device task goes on"
        if now >= deadline:
            raise WaitTimeoutError(
                f"job {job_id}, which this task started before it was cleared, still {rest}; a new job would fail on"
                " those devices at once. Clear the task again when they are done"
            )
        yield OldJobUnfinished(job_id, rest)
        if not here:
            raise StillDrainingError(job_id)
        yield Sleep(min(poll_interval, (deadline - now).total_seconds()))


def _waiting(counts: Mapping[TaskStatus, int]) -> int:
    return sum(counts[status] for status in WAITING)
