"""Confirming device tasks in batches, without failing over an answer that was lost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from airflow_provider_tuya_ota.core.actions import ConfirmOTATask
from airflow_provider_tuya_ota.core.calls import call
from airflow_provider_tuya_ota.core.errors import ConflictError
from airflow_provider_tuya_ota.core.flow import Flow, Note
from airflow_provider_tuya_ota.core.lists import list_tasks
from airflow_provider_tuya_ota.core.states import TaskStatus

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow_provider_tuya_ota.core.settings import Settings

MOST_AT_ONCE: Final = 10
"""Tasks that one call confirms."""


def confirm_tasks(settings: Settings, task_ids: Sequence[str]) -> Flow[list[str]]:
    """Confirm device tasks, ten at a time.

    A batch in which some wait for no confirmation any more, as after a lost answer, is confirmed one by one.

    :returns: ids of the tasks that this call confirmed.
    :raises NotFoundError: a task does not exist.
    """
    confirmed: list[str] = []
    for begin in range(0, len(task_ids), MOST_AT_ONCE):
        batch = list(task_ids[begin : begin + MOST_AT_ONCE])
        try:
            yield from call(settings, ConfirmOTATask(task_id=batch))
        except ConflictError as error:
            yield Note(f"{error.sentence} Confirming these one by one.", warning=True)
            confirmed += yield from _one_by_one(settings, batch)
        else:
            confirmed += batch
    return confirmed


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
            yield Note(f"{error.sentence} Task {task_id} waits for no confirmation.", warning=True)
        else:
            confirmed.append(task_id)
    return confirmed
