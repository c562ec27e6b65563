"""A job's device tasks at one poll: all of them where they fit on a page, counted by status where they do not."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from airflow_provider_tuya_ota.core.actions import ListOTATaskByJob
from airflow_provider_tuya_ota.core.flows.calls import call
from airflow_provider_tuya_ota.core.flows.lists import list_tasks, list_tasks_to_poll
from airflow_provider_tuya_ota.core.flows.pages import Listing, identity_of, whole_list
from airflow_provider_tuya_ota.core.model.states import TaskStatus
from airflow_provider_tuya_ota.core.model.task_counts import count_by_status
from airflow_provider_tuya_ota.core.status.task_counts import total_of

if TYPE_CHECKING:
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
"""The order in which a task changes its status. Statuses are read in this order, so a task that changes its status
meanwhile is read twice and never missed."""
FULL: Final = ListOTATaskByJob.largest_page
SAMPLE: Final = 50
"""Tasks of each status that are read one by one where a job is large."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskSnapshot:
    """A job's device tasks as one poll read them.

    :param counts: number of tasks by status. Each task is counted once.
    :param read: the tasks that were read one by one: all tasks of a small job, up to 50 of each status of a large one.
    :param is_large: whether the tasks do not fit on a page; passed to the next poll, it saves a request.
    :param missing: number of tasks that the platform counts and does not list. Nothing may be concluded then from the
        tasks that were read being all.
    :param is_whole: False if no page behind the one that was read was requested.
    """

    counts: dict[str, int]
    read: list[DeviceTask]
    is_large: bool
    missing: int = 0
    is_whole: bool = True

    @property
    def goes_on(self) -> bool:
        """Whether any task has not ended."""
        return any(not TaskStatus(status).has_ended for status in self.counts)


def fetch_tasks(
    settings: Settings, job_id: str, *, is_large: bool = False, expected: int = 0, holds_success: bool = False
) -> Flow[TaskSnapshot]:
    """Read a job's device tasks: one request for up to 100 tasks, two where all have ended, eight for more tasks.

    The eight are one for each of the seven statuses and one for all tasks. Every task is read where the platform gives
    no totals, does not filter by status, returns shorter pages than it was asked for, or contradicts itself.

    A task that changes its status meanwhile is counted under the status that was read last.

    :param is_large: whether an earlier poll found more tasks than fit on a page.
    :param expected: number of devices that were asked for by name. So many tasks, and a total of so many, are all.
    :param holds_success: True if the caller does not conclude from this poll that all tasks have succeeded. Then the
        request for the page behind them is left out.
    """
    if not is_large:
        first = ListOTATaskByJob(job_id=job_id, current_page=1, page_size=FULL)
        page = yield from call(settings, first)
        if len(page.items) < FULL and (page.total or 0) <= len(page.items):
            if holds_success and _have_succeeded(page):
                return replace(_all(Listing(first.name, page.items), is_large=False), is_whole=False)
            if _have_ended(page) and not len(page.items) == page.total == expected:
                # The platform may return a shorter page than it was asked for, with more tasks behind it.
                return _all((yield from whole_list(settings, first, first_page=page)), is_large=False)
            return _all(Listing(first.name, page.items), is_large=False)
    counts: dict[str, int] = {}
    read: dict[tuple[str, ...], DeviceTask] = {}
    for status in ORDER:
        page = yield from call(
            settings, ListOTATaskByJob(job_id=job_id, current_page=1, page_size=SAMPLE, task_status=status.value)
        )
        if page.is_cut_short(SAMPLE) or any(task.status != status for task in page.items):
            return _all((yield from list_tasks(settings, job_id)), is_large=True)
        number = total_of(page, SAMPLE)
        counts[status.value] = (
            len((yield from list_tasks_to_poll(settings, job_id, status))) if number is None else number
        )
        for task in page.items:
            if (earlier := read.get(identity_of(task))) is not None:
                counts[earlier.status.value] -= 1
            read[identity_of(task)] = task
    whole = yield from call(settings, ListOTATaskByJob(job_id=job_id, current_page=1, page_size=SAMPLE))
    once = _counted_once(counts, total_of(whole, SAMPLE))
    if once is None or (len(whole.items) < SAMPLE and _have_ended(whole)) or _shows_an_uncounted_end(whole, once):
        return _all((yield from list_tasks(settings, job_id)), is_large=True)
    return TaskSnapshot(counts=once, read=list(read.values()), is_large=True)


def _have_ended(page: Page[DeviceTask]) -> bool:
    return bool(page.items) and all(task.status.has_ended for task in page.items)


def _shows_an_uncounted_end(page: Page[DeviceTask], counts: dict[str, int]) -> bool:
    """Whether all counted tasks have ended, and a page shows a task with a status that none of them has."""
    has_ended = all(TaskStatus(status).has_ended for status in counts)
    return has_ended and any(task.status.value not in counts for task in page.items)


def _have_succeeded(page: Page[DeviceTask]) -> bool:
    return bool(page.items) and all(task.status == TaskStatus.SUCCEEDED for task in page.items)


def _counted_once(counts: dict[str, int], total: int | None) -> dict[str, int] | None:
    """Subtract tasks that were counted twice from the status that was read first, which is the older one.

    :param counts: by status, in the order in which they were read.
    :param total: number of all tasks, read after them.
    :returns: None where that does not explain the difference, or where some tasks may be in no count although all
        counted ones have ended.
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
    # A task with an undocumented status is in none of the counts.
    if excess > 0 or (excess < 0 and not goes_on):
        return None
    return {status: number for status, number in once.items() if number}


def _all(found: Listing[DeviceTask], *, is_large: bool) -> TaskSnapshot:
    # A page may contain a task twice.
    tasks: dict[tuple[str, ...], DeviceTask] = {}
    for task in found.items:
        earlier = tasks.get(identity_of(task))
        tasks[identity_of(task)] = task if earlier is None else task.read_after(earlier)
    read = list(tasks.values())
    return TaskSnapshot(counts=count_by_status(read), read=read, is_large=is_large, missing=found.missing)
