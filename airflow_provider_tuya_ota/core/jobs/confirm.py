"""Confirming device tasks in batches, without failing over an answer that was lost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from airflow_provider_tuya_ota.core.actions import ConfirmOTATask
from airflow_provider_tuya_ota.core.errors import ConflictError, TuyaOTAError
from airflow_provider_tuya_ota.core.flows.calls import call
from airflow_provider_tuya_ota.core.flows.lists import list_tasks
from airflow_provider_tuya_ota.core.jobs.task_events import (
    BatchConfirmRefused,
    ConfirmInterrupted,
    TaskNotWaiting,
    TasksConfirmed,
)
from airflow_provider_tuya_ota.core.model.states import TaskStatus

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow_provider_tuya_ota.core.flows.effects import Flow
    from airflow_provider_tuya_ota.core.settings import Settings

MOST_AT_ONCE: Final = 10
"""Tasks that one call confirms."""


def confirm_tasks(settings: Settings, task_ids: Sequence[str]) -> Flow[list[str]]:
    """Confirm device tasks, ten at a time.

    The platform confirms all of a batch or none, so a batch in which some wait no longer is confirmed one by one. Where
    an answer was lost before and then none of the batch waits, the request that nobody answered has confirmed it.

    :returns: ids of the tasks that this call confirmed.
    :raises NotFoundError: a task does not exist; ``in_doubt`` where others were confirmed before.
    """
    confirmed: list[str] = []
    for begin in range(0, len(task_ids), MOST_AT_ONCE):
        batch = list(task_ids[begin : begin + MOST_AT_ONCE])
        try:
            confirmed += yield from _confirm_batch(settings, batch)
        except TuyaOTAError as error:
            if confirmed:
                yield ConfirmInterrupted(tuple(confirmed))
                error.in_doubt = True
            raise
    return confirmed


def _confirm_batch(settings: Settings, batch: list[str]) -> Flow[list[str]]:
    try:
        yield from call(settings, ConfirmOTATask(task_id=batch))
    except ConflictError as error:
        yield BatchConfirmRefused(error.sentence)
        left = yield from _one_by_one(settings, batch)
        if error.in_doubt and not left:
            yield TasksConfirmed(tuple(batch), is_answer_lost=True)
            return batch
        return left
    yield TasksConfirmed(tuple(batch))
    return batch


def confirm_job(settings: Settings, job_id: str) -> Flow[list[str]]:
    """Confirm every device task of a job that waits for confirmation now."""
    waiting = yield from list_tasks(settings, job_id, status=TaskStatus.CONFIRM)
    return (yield from confirm_tasks(settings, [task.task_id for task in waiting if task.status == TaskStatus.CONFIRM]))


def _one_by_one(settings: Settings, task_ids: list[str]) -> Flow[list[str]]:
    confirmed = []
    for task_id in task_ids:
        try:
            yield from call(settings, ConfirmOTATask(task_id=[task_id]))
        except ConflictError as error:
            yield TaskNotWaiting(task_id, error.sentence)
            if not error.in_doubt:
                continue
        confirmed.append(task_id)
        yield TasksConfirmed((task_id,))
    return confirmed
