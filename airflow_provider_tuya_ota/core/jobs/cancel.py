"""Cancel a job's device tasks that have not begun, and count what is left."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from airflow_provider_tuya_ota.core.actions import CancelOTATaskByJob, ListOTATaskByJob, QueryOTAJob
from airflow_provider_tuya_ota.core.errors import ConflictError, NotFoundError, ThrottledError, TuyaOTAError
from airflow_provider_tuya_ota.core.flows.calls import call
from airflow_provider_tuya_ota.core.flows.effects import Flow, ReadContext, Sleep, SlowDown
from airflow_provider_tuya_ota.core.flows.events import RequestRetried
from airflow_provider_tuya_ota.core.jobs.stop_events import CancelRefused, CancelSent
from airflow_provider_tuya_ota.core.jobs.stopped import NotCounted, Stopped
from airflow_provider_tuya_ota.core.model.states import UNFINISHED, TaskStatus
from airflow_provider_tuya_ota.core.model.task_counts import count_waiting
from airflow_provider_tuya_ota.core.policy.rate import RateLimitGroup
from airflow_provider_tuya_ota.core.policy.retry import CANCEL_RETRY, Repeat, RetryPolicy
from airflow_provider_tuya_ota.core.status.task_counts import count_tasks

if TYPE_CHECKING:
    from collections.abc import Iterable

    from airflow_provider_tuya_ota.core.jobs.stopped import StopResult
    from airflow_provider_tuya_ota.core.settings import Settings

SAMPLE: Final = 50
"""Device tasks that are listed if none was counted."""
_ONCE: Final = RetryPolicy(attempts=1)


def cancel_job(settings: Settings, job_id: str, retry: RetryPolicy | None = None) -> Flow[bool]:
    """Send one cancel, and count nothing.

    :param retry: how often to send it again; the default bridges about fifteen seconds.
    :returns: whether the platform may have accepted the cancel. False: it refused because nothing could be cancelled,
        as in a job that has ended; count to know. True also if it refused a cancel that was repeated after a lost
        answer, because the first one may have been accepted.
    :raises TuyaOTAError: the cancel could not be sent, or was refused for another reason.
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


def cancel_jobs(settings: Settings, job_ids: Iterable[str]) -> Flow[dict[str, bool | TuyaOTAError]]:
    """Send one cancel for each job, and only then again for those whose cancel failed.

    So a job whose cancels are not answered keeps no other waiting for longer than one of its requests.

    :returns: by job id, what :func:`cancel_job` returns or raises.
    """
    outcomes: dict[str, bool | TuyaOTAError] = {}
    in_doubt: set[str] = set()
    left = list(job_ids)
    attempt = 0
    while left:
        attempt += 1
        jitter = (yield ReadContext()).jitter
        delays: dict[str, float] = {}
        for job_id in left:
            try:
                is_cancelled = yield from cancel_job(settings, job_id, _ONCE)
                outcomes[job_id] = is_cancelled or job_id in in_doubt
            except TuyaOTAError as error:
                outcomes[job_id] = error
                if error.in_doubt:
                    in_doubt.add(job_id)
                error.in_doubt = job_id in in_doubt
                delay = CANCEL_RETRY.delay(error, Repeat.HARMLESS, attempt=attempt, jitter=jitter)
                if delay is None:
                    continue
                if isinstance(error, ThrottledError):
                    yield SlowDown(RateLimitGroup.CANCELS)
                yield RequestRetried("CancelOTATaskByJob", error.sentence, delay)
                delays[job_id] = delay
        left = list(delays)
        if left:
            yield Sleep(max(delays.values()))
    return outcomes


def count_after_cancel(settings: Settings, job_id: str, *, is_cancelled: bool) -> Flow[StopResult]:
    """Count a job's device tasks once.

    :param is_cancelled: what :func:`cancel_job` returned.
    :raises TuyaOTAError: the tasks could not be counted, and the platform had accepted no cancel.
    """
    try:
        counts = yield from count_tasks(settings, job_id, (*UNFINISHED, TaskStatus.CANCELED))
        is_planned = not any(counts[status] for status in UNFINISHED) and (
            # Device tasks that were cancelled show nothing about others that are planned later.
            yield from check_unfinished(settings, job_id, if_missing=True)
            if counts[TaskStatus.CANCELED]
            else check_may_begin(settings, job_id)
        )
    except TuyaOTAError:
        if not is_cancelled:
            raise
        return NotCounted()
    return Stopped(
        cancelled=counts[TaskStatus.CANCELED],
        waiting=count_waiting(counts),
        flashing=counts[TaskStatus.IN_PROGRESS],
        is_planned=is_planned,
        is_taken=is_cancelled,
    )


def check_may_begin(settings: Settings, job_id: str) -> Flow[bool]:
    """Ask whether a job may still begin device tasks although no unfinished one was counted.

    It may if it shows some that were planned after the count, or if it has not ended: then others may be planned.
    """
    page = yield from call(settings, ListOTATaskByJob(job_id=job_id, current_page=1, page_size=SAMPLE))
    if any(task.status in UNFINISHED for task in page.items):
        return True
    return (yield from check_unfinished(settings, job_id, if_missing=True))


def check_unfinished(settings: Settings, job_id: str, *, if_missing: bool) -> Flow[bool]:
    """Ask whether a job has not ended.

    :param if_missing: what to return if the platform does not show the job, which may be too young for that.
    """
    try:
        job = yield from call(settings, QueryOTAJob(job_id=job_id))
    except NotFoundError:
        return if_missing
    return not job.status.has_ended
