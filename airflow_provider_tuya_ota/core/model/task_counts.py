"""Device tasks counted by status."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from airflow_provider_tuya_ota.core.model.states import WAITING, TaskStatus

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from airflow_provider_tuya_ota.core.model.entities import DeviceTask

LOST: Final = (TaskStatus.FAILED.value, TaskStatus.CANCELED.value)
"""Statuses of a device task that has ended without success."""
UNKNOWN_STATUSES: Final = 10
"""Undocumented statuses that are counted by name; all others are counted together as ``OTHER``."""
OTHER: Final = "OTHER"
_ORDER: Final = ("FAILED", "CANCELED", "IN_PROGRESS", "CONFIRM", "NOTIFIED", "QUEUED", "SUCCEEDED")


def count_by_status(tasks: Iterable[DeviceTask]) -> dict[str, int]:
    """Count device tasks by status; statuses that no task has are left out."""
    return dict(Counter(task.status.value for task in tasks))


def bound_counts(counts: Mapping[str, int]) -> dict[str, int]:
    """Put the statuses that matter most first, and limit those that the platform has not documented."""
    ordered = sorted(counts, key=rank_status)
    documented = sum(status in _ORDER for status in ordered)
    named, others = ordered[: documented + UNKNOWN_STATUSES], ordered[documented + UNKNOWN_STATUSES :]
    bounded = {status: counts[status] for status in named}
    if others:
        # OTHER is itself an undocumented status: a job that has such tasks has not ended.
        bounded[OTHER] = bounded.get(OTHER, 0) + sum(counts[status] for status in others)
    return bounded


def sum_counts(counts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    """Add up the counts of several jobs; a device task belongs to one job, so each is counted once."""
    return bound_counts(sum(map(Counter, counts), Counter()))


def count_waiting(counts: Mapping[str, int] | Mapping[TaskStatus, int]) -> int:
    """Add up the device tasks that can still be cancelled."""
    # A TaskStatus and its text are the same key.
    return sum(number for status, number in counts.items() if status in WAITING)


def rank_status(status: str) -> tuple[int, str]:
    """Give a sort key: failed tasks first, succeeded ones behind all other documented statuses, the rest last."""
    return (_ORDER.index(status) if status in _ORDER else len(_ORDER), status)


def render_counts(counts: Mapping[str, int] | Mapping[TaskStatus, int], if_none: str = "") -> str:
    """Write counts as ``2 FAILED, 40 SUCCEEDED``.

    :param if_none: what to write where all of them are 0.
    """
    return ", ".join(f"{number} {status}" for status, number in counts.items() if number) or if_none
