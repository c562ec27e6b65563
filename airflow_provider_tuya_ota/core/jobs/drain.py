"""Wait for the job from before a clear: a new job would fail at once on every device that the old one still holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_tuya_ota.core.flows.effects import Flow, ReadContext, Sleep
from airflow_provider_tuya_ota.core.jobs.cancel import cancel_job, check_unfinished
from airflow_provider_tuya_ota.core.jobs.stop import stop_job
from airflow_provider_tuya_ota.core.jobs.stop_events import OldJobUnfinished
from airflow_provider_tuya_ota.core.model.outcome_errors import WaitTimeoutError
from airflow_provider_tuya_ota.core.model.states import UNFINISHED
from airflow_provider_tuya_ota.core.model.task_counts import count_waiting
from airflow_provider_tuya_ota.core.status.task_counts import count_tasks

if TYPE_CHECKING:
    from datetime import datetime

    from airflow_provider_tuya_ota.core.settings import Settings


class StillDrainingError(Exception):
    """The old job has not ended, and the caller waits for it by other means; this is no failure.

    :param job_id: the old job.
    """

    def __init__(self, job_id: str) -> None:
        super().__init__(f"waiting for job {job_id}, from before this task was cleared")
        self.job_id = job_id


def wait_until_drained(
    settings: Settings, job_id: str, *, may_cancel: bool, deadline: datetime, poll_interval: float, here: bool = True
) -> Flow[None]:
    """Wait until a job has ended and no device has an unfinished task of it.

    :param may_cancel: cancel what has not begun; without it everything takes its course.
    :param here: wait in this flow; without it poll once, cancel what may be cancelled, and raise.
    :raises StillDrainingError: the job goes on, and ``here`` is False.
    :raises WaitTimeoutError: the job still went on at the deadline.
    """
    while True:
        now = (yield ReadContext()).steady
        counts = yield from count_tasks(settings, job_id, UNFINISHED)
        if may_cancel and count_waiting(counts):
            yield from stop_job(settings, job_id)
            counts = yield from count_tasks(settings, job_id, UNFINISHED)
        left = sum(counts.values())
        # Other device tasks may be planned or listed later, so the job itself has to have ended.
        is_unfinished = not left and (yield from check_unfinished(settings, job_id, if_missing=False))
        if is_unfinished and may_cancel:
            yield from cancel_job(settings, job_id)
        if not left and not is_unfinished:
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
