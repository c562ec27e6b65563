"""Stopping what a job has not begun: a device that is flashing cannot be stopped."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from airflow_provider_tuya_ota.core.actions import CancelOTATaskByJob
from airflow_provider_tuya_ota.core.calls import call
from airflow_provider_tuya_ota.core.counting import count_tasks
from airflow_provider_tuya_ota.core.errors import ConflictError, TuyaOTAError, WaitTimeoutError
from airflow_provider_tuya_ota.core.flow import Flow, Look, Note, Sleep
from airflow_provider_tuya_ota.core.states import TaskStatus

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from airflow_provider_tuya_ota.core.retry import RetryPolicy
    from airflow_provider_tuya_ota.core.settings import Settings

WAITING = (TaskStatus.CONFIRM, TaskStatus.QUEUED, TaskStatus.NOTIFIED)
"""Statuses in which a device task can still be cancelled."""
UNFINISHED = (*WAITING, TaskStatus.IN_PROGRESS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stopped:
    """What stopping a job came to.

    :param cancelled: device tasks that never begin, those that were cancelled before among them.
    :param waiting: device tasks that could not be cancelled and may still begin.
    :param flashing: device tasks that go on.
    :param is_counted: False where these numbers were not read after the cancel.
    """

    cancelled: int
    waiting: int
    flashing: int
    is_counted: bool = True

    def line(self, job_id: str) -> str:
        """Say it in a sentence."""
        if not self.is_counted:
            return f"job {job_id}: what had not begun is cancelled, not counted; devices that are flashing go on"
        text = f"job {job_id}: {self.cancelled} device tasks cancelled"
        if self.waiting:
            text += f", {self.waiting} could not be cancelled and may still begin"
        return f"{text}, {self.flashing} are flashing and cannot be stopped"


UNCOUNTED: Final = Stopped(cancelled=0, waiting=0, flashing=0, is_counted=False)


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
        yield Note(f"{error.sentence} Looking at job {job_id}.", warning=True)
        return False
    yield Note(f"What job {job_id} had not begun is cancelled.")
    return True


def count_stopped(settings: Settings, job_id: str, *, is_cancelled: bool) -> Flow[Stopped]:
    """Count what the cancel came to; a count that fails takes nothing from a cancel that was carried out.

    :param is_cancelled: what :func:`cancel_job` gave.
    """
    try:
        after = yield from count_tasks(settings, job_id, (*UNFINISHED, TaskStatus.CANCELED))
    except TuyaOTAError:
        if not is_cancelled:
            raise
        stopped = UNCOUNTED
    else:
        stopped = Stopped(
            cancelled=after[TaskStatus.CANCELED], waiting=_waiting(after), flashing=after[TaskStatus.IN_PROGRESS]
        )
    yield Note(stopped.line(job_id), warning=bool(stopped.waiting or stopped.flashing or not stopped.is_counted))
    return stopped


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
        now = (yield Look()).steady
        counts = yield from count_tasks(settings, job_id, UNFINISHED)
        if may_cancel and _waiting(counts):
            yield from stop_job(settings, job_id)
            counts = yield from count_tasks(settings, job_id, UNFINISHED)
        left = sum(counts.values())
        if not left:
            return
        if now >= deadline:
            raise WaitTimeoutError(
                f"job {job_id}, which this task started before it was cleared, still has {left} unfinished device"
                " tasks; a new job would fail on those devices at once. Clear the task again when they are done"
            )
        yield Note(f"waiting for {left} device tasks of job {job_id}, from before this task was cleared")
        if not here:
            raise StillDrainingError(job_id)
        yield Sleep(min(poll_interval, (deadline - now).total_seconds()))


def _waiting(counts: Mapping[TaskStatus, int]) -> int:
    return sum(counts[status] for status in WAITING)
