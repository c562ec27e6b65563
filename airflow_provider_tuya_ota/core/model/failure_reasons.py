"""Why the device tasks of a job failed, counted over every failed task that was read."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from airflow_provider_tuya_ota.core.model.states import TaskStatus
from airflow_provider_tuya_ota.core.texts import cut

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from airflow_provider_tuya_ota.core.model.entities import DeviceTask

MOST_REASONS: Final = 20
"""Reasons that are counted by name. They travel through trigger events and XCom, as the devices do."""
LONGEST_REASON: Final = 200
"""Characters of one reason."""


@dataclass(frozen=True, slots=True)
class ReasonCount:
    """One reason and how many failed device tasks have it.

    :param reason: the platform's ``TaskDesc``, redacted and cut after 200 characters; empty where it gives none.
    :param number: failed device tasks with this reason.
    """

    reason: str
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FailureReasons:
    """How many failed device tasks of a job have which reason.

    All numbers together are the failed device tasks of the job. Cancelled tasks are not counted here.

    :param most_frequent: up to 20 reasons, the most frequent one first.
    :param others: failed device tasks with any other reason.
    :param unread: failed device tasks whose reason was not read: of a job with more than 100 device tasks, only the
        first 50 of each status are read one by one.
    """

    most_frequent: tuple[ReasonCount, ...] = field(default=(), metadata={"maxItems": MOST_REASONS})
    others: int = 0
    unread: int = 0

    def __str__(self) -> str:
        parts = [f"{one.number} x {one.reason or 'no reason given'}" for one in self.most_frequent]
        if self.others:
            parts.append(f"{self.others} with other reasons")
        if self.unread:
            parts.append(f"{self.unread} not read")
        return "; ".join(parts)

    def to_dict(self) -> dict[str, Any]:
        """Give plain JSON values."""
        return {
            "most_frequent": [{"reason": one.reason, "number": one.number} for one in self.most_frequent],
            "others": self.others,
            "unread": self.unread,
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> FailureReasons:
        """Rebuild what :meth:`to_dict` gave; unknown names are ignored.

        :raises KeyError: a name is missing.
        """
        return cls(
            most_frequent=tuple(ReasonCount(one["reason"], one["number"]) for one in values["most_frequent"]),
            others=values["others"],
            unread=values["unread"],
        )


def count_reasons(tasks: Iterable[DeviceTask], failed: int) -> FailureReasons:
    """Count the reasons of failed device tasks.

    :param tasks: every device task that was read; those that have not failed are skipped.
    :param failed: failed device tasks of the job, read or not.
    """
    reasons = Counter(cut(task.reason, LONGEST_REASON) for task in tasks if task.status == TaskStatus.FAILED)
    return _most_frequent(reasons, unread=max(0, failed - reasons.total()))


def sum_reasons(tables: Iterable[FailureReasons]) -> FailureReasons:
    """Add up the reasons of several jobs; a device task belongs to one job, so each is counted once.

    Reasons that a job counts under ``others`` stay there, also where another job names them.
    """
    reasons: Counter[str] = Counter()
    others = unread = 0
    for table in tables:
        reasons.update({one.reason: one.number for one in table.most_frequent})
        others += table.others
        unread += table.unread
    return _most_frequent(reasons, others=others, unread=unread)


def _most_frequent(reasons: Counter[str], *, others: int = 0, unread: int) -> FailureReasons:
    # Sorted by text as well: two polls of the same tasks in another order give the same table.
    ordered = sorted(reasons.items(), key=lambda one: (-one[1], one[0]))
    return FailureReasons(
        most_frequent=tuple(ReasonCount(*one) for one in ordered[:MOST_REASONS]),
        others=others + sum(number for _, number in ordered[MOST_REASONS:]),
        unread=unread,
    )
