"""A job's device tasks at one look: all of them where they fit on a page, counted by status where they do not."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from airflow_provider_tuya_ota.core.actions import ListOTATaskByJob
from airflow_provider_tuya_ota.core.calls import call
from airflow_provider_tuya_ota.core.lists import list_tasks
from airflow_provider_tuya_ota.core.states import TaskStatus

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow_provider_tuya_ota.core.flow import Flow
    from airflow_provider_tuya_ota.core.models import DeviceTask, Page
    from airflow_provider_tuya_ota.core.settings import Settings

ORDER: Final = (
    TaskStatus.CONFIRM,
    TaskStatus.QUEUED,
    TaskStatus.NOTIFIED,
    TaskStatus.IN_PROGRESS,
    TaskStatus.SUCCEEDED,
    TaskStatus.FAILED,
    TaskStatus.CANCELED,
)
"""In which tasks go through their statuses: read in it, one that moves meanwhile may count twice, and is not missed."""
FULL: Final = ListOTATaskByJob.largest_page
SHOWN: Final = 50
"""Tasks of a status that a look at a large job reads one by one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tasks:
    """What a look found.

    :param counts: by status, complete.
    :param shown: all tasks of a small job, up to 50 of each status of a large one.
    :param is_large: whether they do not fit on a page; the next look need not find that out again.
    """

    counts: dict[str, int]
    shown: list[DeviceTask]
    is_large: bool


def read_tasks(settings: Settings, job_id: str, *, is_large: bool = False) -> Flow[Tasks]:
    """Read a job's device tasks: with one request up to a hundred, with one for each of the seven statuses beyond.

    Where the platform tells no totals, or does not filter, everything is read.
    """
    if not is_large:
        page = yield from call(settings, ListOTATaskByJob(job_id=job_id, current_page=1, page_size=FULL))
        if len(page.items) < FULL and (page.total or 0) <= len(page.items):
            return _all(page.items, is_large=False)
    counts: dict[str, int] = {}
    shown: list[DeviceTask] = []
    for status in ORDER:
        page = yield from call(
            settings, ListOTATaskByJob(job_id=job_id, current_page=1, page_size=SHOWN, task_status=status.value)
        )
        if any(task.status != status for task in page.items):
            return _all((yield from list_tasks(settings, job_id)), is_large=True)
        shown += page.items
        counts[status.value] = yield from _count(settings, job_id, status, page)
    found = {status: number for status, number in counts.items() if number}
    if any(found.get(status.value) for status in ORDER if not status.has_ended):
        return Tasks(counts=found, shown=shown, is_large=True)
    return (yield from _with_those_that_nobody_documented(settings, job_id, found, shown))


def _count(settings: Settings, job_id: str, status: TaskStatus, page: Page[DeviceTask]) -> Flow[int]:
    if len(page.items) < SHOWN:
        return len(page.items)
    if page.total is not None and page.total > SHOWN:
        return page.total
    # Nothing told, or the page's own size.
    return len((yield from list_tasks(settings, job_id, status=status)))


def _with_those_that_nobody_documented(
    settings: Settings, job_id: str, counts: dict[str, int], shown: list[DeviceTask]
) -> Flow[Tasks]:
    """Before everything is said to have ended: a task in a status that is not known would be in none of the counts."""
    page = yield from call(settings, ListOTATaskByJob(job_id=job_id, current_page=1, page_size=SHOWN))
    if page.total is not None and page.total > SHOWN and page.total <= sum(counts.values()):
        return Tasks(counts=counts, shown=shown, is_large=True)
    return _all((yield from list_tasks(settings, job_id)), is_large=True)


def _all(tasks: Sequence[DeviceTask], *, is_large: bool) -> Tasks:
    counts = Counter(task.status.value for task in tasks)
    return Tasks(counts=dict(counts), shown=list(tasks), is_large=is_large)
