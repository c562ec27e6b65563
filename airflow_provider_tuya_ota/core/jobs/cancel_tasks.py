"""Cancel waiting tasks of a job or of named devices; a lost answer is no failure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from airflow_provider_tuya_ota.core.actions import ListOTAUnfinishedTaskByDevice, QueryOTAJob
from airflow_provider_tuya_ota.core.errors import ConflictError, NotFoundError, OutcomeError, TuyaOTAError
from airflow_provider_tuya_ota.core.flows.calls import call
from airflow_provider_tuya_ota.core.flows.effects import Flow, Sleep
from airflow_provider_tuya_ota.core.jobs.cancel import check_may_begin
from airflow_provider_tuya_ota.core.jobs.stop import CANCEL_AGAIN_AFTER
from airflow_provider_tuya_ota.core.jobs.stop_events import CancelRefused, CancelRepeated
from airflow_provider_tuya_ota.core.jobs.task_events import (
    CancelNotCounted,
    DeviceCancelUnknown,
    DevicesFlashing,
    NothingCancelled,
    TasksCounted,
)
from airflow_provider_tuya_ota.core.model.states import UNFINISHED, TaskStatus
from airflow_provider_tuya_ota.core.model.task_counts import count_waiting, render_counts
from airflow_provider_tuya_ota.core.policy.retry import RetryPolicy
from airflow_provider_tuya_ota.core.status.task_counts import count_tasks

if TYPE_CHECKING:
    from airflow_provider_tuya_ota.core.actions import CancelOTATaskByDevice, CancelOTATaskByJob
    from airflow_provider_tuya_ota.core.model.states import JobStatus
    from airflow_provider_tuya_ota.core.settings import Settings

_IN_DOUBT: Final = "an answer was lost, so whether this request cancelled anything is not known"


@dataclass(frozen=True, slots=True, kw_only=True)
class JobCancel:
    """What became of a job whose tasks were cancelled.

    :param left: unfinished device tasks afterwards, by status.
    :param summary: the end of a sentence that begins with the job.
    """

    left: dict[TaskStatus, int]
    summary: str


def cancel_tasks_of_job(settings: Settings, action: CancelOTATaskByJob) -> Flow[JobCancel]:
    """Cancel tasks of a job by status, and report whether anything was cancelled.

    The platform may refuse a cancel in a job that has ended, also if this request ended it and its answer was lost.

    :raises ConflictError: the platform refused, and tasks are left that could be cancelled.
    :raises OutcomeError: the job had no device tasks, and may still begin.
    """
    job_id = action.job_id
    status = yield from _status(settings, job_id)
    before = yield from count_tasks(settings, job_id, UNFINISHED)
    yield TasksCounted(job_id, before, is_after_cancel=False)
    refusal: ConflictError | None = None
    try:
        yield from call(settings, action)
    except ConflictError as error:
        refusal = error
    try:
        left = yield from count_tasks(settings, job_id, UNFINISHED)
        had_some, has_some = any(before.values()), any(left.values())
        if refusal is None and not (had_some and has_some) and not _ended(status):
            left = yield from _cancel_what_begins(settings, action)
    except TuyaOTAError as error:
        if refusal is None:
            yield CancelNotCounted(job_id)
            error.in_doubt = True
        raise
    if refusal is not None:
        if refusal.in_doubt and count_waiting(left):
            left = yield from _count_again(settings, job_id)
        if count_waiting(left):
            raise refusal
        # The job may have ended between the first query and the request.
        status = status if _ended(status) else (yield from _status(settings, job_id))
    if refusal is None and not (_ended(status) and not count_waiting(before)):
        summary = f"was asked to cancel what has not begun; {render_counts(left, 'nothing')} is left unfinished"
        yield TasksCounted(job_id, left, is_after_cancel=True)
    else:
        in_doubt = refusal is not None and refusal.in_doubt and count_waiting(before) > 0
        summary = _nothing_cancelled(status, in_doubt=in_doubt)
        yield NothingCancelled(job_id, summary)
    if left[TaskStatus.IN_PROGRESS]:
        yield DevicesFlashing(job_id, left[TaskStatus.IN_PROGRESS])
    return JobCancel(left=left, summary=summary)


def _count_again(settings: Settings, job_id: str) -> Flow[dict[TaskStatus, int]]:
    """Count again for a while: a cancel whose answer was lost may take effect later."""
    left: dict[TaskStatus, int] = {}
    for pause in CANCEL_AGAIN_AFTER:
        yield Sleep(pause)
        left = yield from count_tasks(settings, job_id, UNFINISHED)
        if not count_waiting(left):
            break
    return left


def _cancel_what_begins(settings: Settings, action: CancelOTATaskByJob) -> Flow[dict[TaskStatus, int]]:
    """Cancel again in a job that had no unfinished device tasks, or has none after its cancel: others may be planned.

    :returns: unfinished device tasks, by status.
    :raises OutcomeError: the job may still begin.
    """
    job_id = action.job_id
    for pause in CANCEL_AGAIN_AFTER:
        if not (yield from check_may_begin(settings, job_id)):
            return (yield from count_tasks(settings, job_id, UNFINISHED))
        yield CancelRepeated(job_id, 0, pause)
        yield Sleep(pause)
        try:
            yield from call(settings, action)
        except ConflictError as error:
            # The first cancel was accepted; its effect may come later.
            yield CancelRefused(job_id, error.sentence)
    if (yield from check_may_begin(settings, job_id)):
        raise OutcomeError(
            f"job {job_id} may still begin: it was asked to cancel {len(CANCEL_AGAIN_AFTER) + 1} times and has not"
            " ended. Run this task again when it has device tasks that wait"
        )
    return (yield from count_tasks(settings, job_id, UNFINISHED))


def _nothing_cancelled(status: JobStatus | None, *, in_doubt: bool) -> str:
    if in_doubt:
        return f"{f'has ended as {status}' if _ended(status) else 'has nothing left to cancel'}; {_IN_DOUBT}"
    ended = f"had already ended as {status}" if _ended(status) else "had nothing left to cancel"
    return f"{ended}; nothing was cancelled"


def _status(settings: Settings, job_id: str) -> Flow[JobStatus | None]:
    """Query the job's status for the report; an error here must not prevent the cancel."""
    try:
        job = yield from call(settings, QueryOTAJob(job_id=job_id), RetryPolicy(attempts=1))
    except TuyaOTAError:
        return None
    return job.status


def _ended(status: JobStatus | None) -> bool:
    return status is not None and status.has_ended


def cancel_tasks_of_devices(settings: Settings, action: CancelOTATaskByDevice) -> Flow[None]:
    """Cancel the tasks of named devices, all or none.

    The platform refuses devices that have no waiting task. If that refusal follows a lost answer, each device is
    queried, and the cancel is sent again for those that still have a task of the firmware.

    :raises ConflictError: a device is flashing.
    :raises NotFoundError: a device does not exist, or had no waiting task.
    """
    try:
        yield from call(settings, action)
    except (ConflictError, NotFoundError) as error:
        if not error.in_doubt:
            raise
        yield DeviceCancelUnknown(error.sentence)
        left = yield from _with_a_task(settings, action)
        if left:
            yield from call(settings, replace(action, device_name=left))


def _with_a_task(settings: Settings, action: CancelOTATaskByDevice) -> Flow[list[str]]:
    left = []
    for name in action.device_name:
        tasks = yield from call(
            settings, ListOTAUnfinishedTaskByDevice(product_key=action.product_key, device_name=name)
        )
        # A task without an id may be one of the firmware and job, or not.
        if any(
            task.firmware_id in {action.firmware_id, ""} and action.job_id in {None, task.job_id or action.job_id}
            for task in tasks
        ):
            left.append(name)
    return left
