"""Confirm device tasks in batches; a lost answer is no failure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from airflow_provider_tuya_ota.core.actions import ConfirmOTATask
from airflow_provider_tuya_ota.core.errors import ConflictError, OutcomeError, TuyaOTAError
from airflow_provider_tuya_ota.core.flows import eventually
from airflow_provider_tuya_ota.core.flows.calls import call
from airflow_provider_tuya_ota.core.flows.effects import Sleep
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
"""Tasks that one request confirms."""


def confirm_tasks(settings: Settings, task_ids: Sequence[str]) -> Flow[list[str]]:
    """Confirm device tasks, ten at a time.

    The platform confirms all tasks of a batch or none, so a batch in which some do not wait is confirmed one by one. If
    an answer was lost and then no task of the batch waits, the request without an answer has confirmed them.

    :returns: ids of the tasks that this call confirmed.
    :raises NotFoundError: a task does not exist; ``in_doubt`` is set if other tasks were confirmed before.
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
    """Confirm every device task of a job that waits for confirmation, until a complete list shows no other one.

    A task that is confirmed leaves the list, so a list that shows some of them shows others afterwards.

    :returns: ids of the tasks that this call confirmed.
    :raises OutcomeError: the platform counts more waiting tasks than it shows; says how many were not reached.
    """
    confirmed: list[str] = []
    tried: set[str] = set()
    pauses = list(eventually.GRACE_PAUSES)
    while True:
        listing = yield from list_tasks(settings, job_id, status=TaskStatus.CONFIRM)
        waiting = dict.fromkeys(task.task_id for task in listing.items if task.status == TaskStatus.CONFIRM)
        if new := [task_id for task_id in waiting if task_id not in tried]:
            tried.update(new)
            confirmed += yield from _confirm_more(settings, new, confirmed)
        elif not listing.missing:
            return confirmed
        elif pauses:
            yield Sleep(pauses.pop(0))
        else:
            raise _not_reached(job_id, confirmed, listing.missing)


def _confirm_more(settings: Settings, task_ids: list[str], before: list[str]) -> Flow[list[str]]:
    try:
        return (yield from confirm_tasks(settings, task_ids))
    except TuyaOTAError as error:
        error.in_doubt = error.in_doubt or bool(before)
        raise


def _not_reached(job_id: str, confirmed: list[str], missing: int) -> OutcomeError:
    error = OutcomeError(
        f"job {job_id}: {missing} device tasks may still wait for confirmation, and the platform does not show them;"
        f" {len(confirmed)} were confirmed. Run this task again, or confirm them in the vendor's console"
    )
    error.in_doubt = bool(confirmed)
    return error


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
