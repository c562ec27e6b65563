"""Count a job's device tasks by status from the totals of its lists, without reading every task."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_tuya_ota.core.actions import ListOTATaskByJob
from airflow_provider_tuya_ota.core.flows.calls import call
from airflow_provider_tuya_ota.core.flows.lists import list_tasks
from airflow_provider_tuya_ota.core.flows.pages import whole_list
from airflow_provider_tuya_ota.core.model.task_counts import count_by_status

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow_provider_tuya_ota.core.flows.effects import Flow
    from airflow_provider_tuya_ota.core.model.entities import DeviceTask, Page
    from airflow_provider_tuya_ota.core.model.states import TaskStatus
    from airflow_provider_tuya_ota.core.settings import Settings


def count_tasks(settings: Settings, job_id: str, statuses: Sequence[TaskStatus]) -> Flow[dict[TaskStatus, int]]:
    """Count a job's device tasks of some statuses: one request for each, and one more for each that has some tasks.

    A total that is not larger than a full page may be the number of tasks on that page, so the next page is read too.

    :returns: a number for each of the statuses, 0 included.
    :raises IncompleteListError: the platform counts more device tasks than it lists, so that they cannot be counted.
    """
    counts: dict[TaskStatus, int] = {}
    for status in statuses:
        size = ListOTATaskByJob.largest_page
        first = ListOTATaskByJob(job_id=job_id, task_status=status.value, current_page=1, page_size=size)
        page = yield from call(settings, first)
        number = total_of(page, size)
        if number is not None and number > size and _is_filtered(page.items, status):
            counts[status] = number
            continue
        listing = yield from whole_list(settings, first, first_page=page)
        if listing.missing or not _is_filtered(listing.items, status):
            # The platform does not filter by status, so its totals are of all tasks.
            counted = count_by_status((yield from list_tasks(settings, job_id)).require_complete())
            return {wanted: counted.get(wanted.value, 0) for wanted in statuses}
        counts[status] = len(listing.items)
    return counts


def _is_filtered(tasks: Sequence[DeviceTask], status: TaskStatus) -> bool:
    return all(task.status == status for task in tasks)


def total_of(page: Page[DeviceTask], size: int) -> int | None:
    """Give the number of device tasks on all pages, as far as the first page shows it.

    :param page: the first page.
    :param size: number of tasks that were asked for.
    :returns: None where only reading every page shows it. A total that is not larger than a full page may be the number
        of tasks on that page.
    """
    if len(page.items) < size:
        return None if page.is_cut_short(size) else len(page.items)
    return page.total if page.total is not None and page.total > size else None
