"""Stopping what a job has not begun: a device that is flashing cannot be stopped."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from airflow_provider_tuya_ota.core.actions import CancelOTATaskByJob
from airflow_provider_tuya_ota.core.calls import call
from airflow_provider_tuya_ota.core.counting import count_tasks
from airflow_provider_tuya_ota.core.errors import ConflictError, WaitTimeoutError
from airflow_provider_tuya_ota.core.flow import Flow, Look, Note, Sleep
from airflow_provider_tuya_ota.core.states import TaskStatus

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from airflow_provider_tuya_ota.core.settings import Settings

WAITING = (TaskStatus.CONFIRM, TaskStatus.QUEUED, TaskStatus.NOTIFIED)
"""Statuses in which a device task can still be cancelled."""
UNFINISHED = (*WAITING, TaskStatus.IN_PROGRESS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stopped:
    """What stopping a job came to.

    :param cancelled: device tasks that had not begun and never will.
    :param waiting: device tasks that could not be cancelled and may still begin.
    :param flashing: device tasks that go on.
    """

    cancelled: int
    waiting: int
    flashing: int

    def line(self, job_id: str) -> str:
        """Say it in a sentence."""
        text = f"job {job_id}: {self.cancelled} device tasks cancelled"
        if self.waiting:
            text += f", {self.waiting} could not be cancelled and may still begin"
        return f"{text}, {self.flashing} are flashing and cannot be stopped"


def stop_job(settings: Settings, job_id: str) -> Flow[Stopped]:
    """Cancel every device task of a job that waits for confirmation, for the device or for its first report.

    Nothing is sent where nothing waits; doing it twice does no more than once.
    """
    before = yield from count_tasks(settings, job_id, UNFINISHED)
    after = before
    if _waiting(before):
        try:
            yield from call(
                settings,
                CancelOTATaskByJob(
                    job_id=job_id, cancel_queued_task=True, cancel_notified_task=True, cancel_unconfirmed_task=True
                ),
            )
        except ConflictError as error:
            # The job has ended meanwhile, which is as good.
            yield Note(f"{error.sentence} Looking at job {job_id}.", warning=True)
        after = yield from count_tasks(settings, job_id, UNFINISHED)
    stopped = Stopped(
        cancelled=max(0, _waiting(before) - _waiting(after) - _began(before, after)),
        waiting=_waiting(after),
        flashing=after[TaskStatus.IN_PROGRESS],
    )
    yield Note(stopped.line(job_id), warning=bool(stopped.waiting or stopped.flashing))
    return stopped


def drain(settings: Settings, job_id: str, *, may_cancel: bool, deadline: datetime, poll_interval: float) -> Flow[None]:
    """Wait until no device is in an unfinished task of a job.

    :param may_cancel: stop what has not begun; without it everything takes its course.
    :raises WaitTimeoutError: devices were still at it at the deadline.
    """
    while True:
        now = (yield Look()).now
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
        yield Sleep(min(poll_interval, (deadline - now).total_seconds()))


def _waiting(counts: Mapping[TaskStatus, int]) -> int:
    return sum(counts[status] for status in WAITING)


def _began(before: Mapping[TaskStatus, int], after: Mapping[TaskStatus, int]) -> int:
    return max(0, after[TaskStatus.IN_PROGRESS] - before[TaskStatus.IN_PROGRESS])
