"""Device tasks by status, without reading them all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_tuya_ota.core.actions import ListOTATaskByJob
from airflow_provider_tuya_ota.core.flows.calls import call
from airflow_provider_tuya_ota.core.flows.lists import list_tasks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow_provider_tuya_ota.core.flows.effects import Flow
    from airflow_provider_tuya_ota.core.model.states import TaskStatus
    from airflow_provider_tuya_ota.core.settings import Settings


def count_tasks(settings: Settings, job_id: str, statuses: Sequence[TaskStatus]) -> Flow[dict[TaskStatus, int]]:
    """Count a job's device tasks by status: a request for each, unless the platform tells no totals.

    A total that is smaller than what one page can show may be the page's own, so it is trusted only beyond that.
    """
    counts: dict[TaskStatus, int] = {}
    for status in statuses:
        size = ListOTATaskByJob.largest_page
        page = yield from call(
            settings, ListOTATaskByJob(job_id=job_id, task_status=status.value, current_page=1, page_size=size)
        )
        if any(task.status != status for task in page.items):
            # The platform does not filter: what it shows first says nothing of what it has.
            everything = yield from list_tasks(settings, job_id)
            return {wanted: sum(task.status == wanted for task in everything) for wanted in statuses}
        if len(page.items) < size and not page.tells_more(size):
            counts[status] = len(page.items)
        elif len(page.items) == size and page.total is not None and page.total > size:
            counts[status] = page.total
        else:
            counts[status] = len((yield from list_tasks(settings, job_id, status=status)))
    return counts
