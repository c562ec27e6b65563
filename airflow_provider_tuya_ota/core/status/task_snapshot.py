"""A job's device tasks at one look: all of them where they fit on a page, counted by status where they do not."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from airflow_provider_tuya_ota.core.actions import ListOTATaskByJob
from airflow_provider_tuya_ota.core.flows.calls import call
from airflow_provider_tuya_ota.core.flows.lists import list_tasks
from airflow_provider_tuya_ota.core.flows.pages import identity_of
from airflow_provider_tuya_ota.core.model.states import TaskStatus

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow_provider_tuya_ota.core.flows.effects import Flow
    from airflow_provider_tuya_ota.core.model.entities import DeviceTask, Page
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
"""In which tasks go through their statuses: read in it, one that moves meanwhile is met twice, and is not missed."""
FULL: Final = ListOTATaskByJob.largest_page
SHOWN: Final = 50
"""Tasks of a status that a look at a large job reads one by one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tasks:
    """What a look found.

    :param counts: by status; each task once, so that they never exceed what the job has.
    :param shown: all tasks of a small job, up to 50 of each status of a large one.
    :param is_large: whether they do not fit on a page; the next look need not find that out again.
    """

    counts: dict[str, int]
    shown: list[DeviceTask]
    is_large: bool


def read_tasks(settings: Settings, job_id: str, *, is_large: bool = False) -> Flow[Tasks]:
    """Read a job's device tasks: with one request up to a hundred, with eight beyond.

    Those are one for each of the seven statuses and one for the whole. Where the platform tells no totals, does not
    filter, shows fewer tasks on a page than it was asked for, or contradicts itself, everything is read.

    A device that moves on meanwhile is counted where it was read last.
    """
    if not is_large:
        page = yield from call(settings, ListOTATaskByJob(job_id=job_id, current_page=1, page_size=FULL))
        if len(page.items) < FULL and (page.total or 0) <= len(page.items):
            tasks = page.items
            if page.total is None and tasks and all(task.status.has_ended for task in tasks):
                # The platform may show fewer tasks than it was asked for: then others are behind these.
                tasks = yield from list_tasks(settings, job_id, until_empty=True)
            return _all(tasks, is_large=False)
    counts: dict[str, int] = {}
    shown: dict[tuple[str, ...], DeviceTask] = {}
    for status in ORDER:
        page = yield from call(
            settings, ListOTATaskByJob(job_id=job_id, current_page=1, page_size=SHOWN, task_status=status.value)
        )
        if page.tells_more(SHOWN) or any(task.status != status for task in page.items):
            return _all((yield from list_tasks(settings, job_id, until_empty=True)), is_large=True)
        number = _number(page)
        counts[status.value] = (
            len((yield from list_tasks(settings, job_id, status=status))) if number is None else number
        )
        for task in page.items:
            if (earlier := shown.get(identity_of(task))) is not None:
                counts[earlier.status.value] -= 1
            shown[identity_of(task)] = task
    whole = yield from call(settings, ListOTATaskByJob(job_id=job_id, current_page=1, page_size=SHOWN))
    once = None if whole.tells_more(SHOWN) else _counted_once(counts, _number(whole))
    if once is None:
        return _all((yield from list_tasks(settings, job_id, until_empty=True)), is_large=True)
    return Tasks(counts=once, shown=list(shown.values()), is_large=True)


def _number(page: Page[DeviceTask]) -> int | None:
    """Give how many tasks there are on all pages; None where nothing is told, or the page's own size."""
    if len(page.items) < SHOWN:
        return len(page.items)
    return page.total if page.total is not None and page.total > SHOWN else None


def _counted_once(counts: dict[str, int], total: int | None) -> dict[str, int] | None:
    """Take what was counted twice from where it was counted first: that reading is the older one.

    :param total: of all tasks, read last.
    :returns: None where that does not explain the difference, or where tasks may be missing from what has ended.
    """
    if total is None:
        return None
    once = dict(counts)
    excess = sum(counts.values()) - total
    for status in ORDER:
        if not status.has_ended:
            taken = max(0, min(excess, once[status.value]))
            once[status.value] -= taken
            excess -= taken
    goes_on = any(once[status.value] for status in ORDER if not status.has_ended)
    # A task in a status that nobody documented is in none of the counts.
    if excess > 0 or (excess < 0 and not goes_on):
        return None
    return {status: number for status, number in once.items() if number}


def _all(found: Sequence[DeviceTask], *, is_large: bool) -> Tasks:
    # A page may show a task twice; its later state counts.
    tasks = {identity_of(task): task for task in found}.values()
    counts = Counter(task.status.value for task in tasks)
    return Tasks(counts=dict(counts), shown=list(tasks), is_large=is_large)
