"""When each condition is polled, and how much of the requests that takes from jobs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from airflow_provider_tuya_ota.core.status.due_queue import DueQueue

if TYPE_CHECKING:
    from airflow_provider_tuya_ota.core.status.conditions import Condition

FIRST: Final = float("-inf")
NEVER: Final = float("inf")
MOST_OF_SMALL: Final = 10
"""Requests of the largest poll that is not large: a second of the default rate limit, or five hundred devices."""


@dataclass(frozen=True, slots=True)
class PollCondition:
    """Poll one condition."""

    condition: Condition

    @property
    def is_large(self) -> bool:
        """Whether many of them at the same time would all end late."""
        return is_large(self.condition)


class ConditionSchedule:
    """The conditions that are waited for.

    No request reads many conditions at once, so each is polled by itself. Where jobs have to be polled too, conditions
    get half of the requests at most: a poll of so many requests waits until jobs have had as many.

    Many large polls at the same time would all end late, so a caller that has enough of them under way leaves them out.
    """

    def __init__(self) -> None:
        self._intervals: dict[Condition, list[float]] = {}
        self._small: DueQueue[Condition] = DueQueue()
        self._large: DueQueue[Condition] = DueQueue()
        self._first: set[Condition] = set()
        self._owed = 0

    def add(self, condition: Condition, *, poll_interval: float, now: float) -> None:
        """Poll a condition for one more wait, now and then at the shortest interval of its waits."""
        self._intervals.setdefault(condition, []).append(poll_interval)
        self._set(condition, now)

    def remove(self, condition: Condition, *, poll_interval: float) -> bool:
        """Poll a condition for one wait less.

        :param poll_interval: of that wait.
        :returns: whether no wait is left, and it is not polled any more.
        """
        intervals = self._intervals[condition]
        intervals.remove(poll_interval)
        if intervals:
            return False
        del self._intervals[condition]
        self._drop(condition)
        return True

    def prioritize(self, condition: Condition) -> None:
        """Poll a condition before all others."""
        self._first.add(condition)
        self._set(condition, FIRST)

    def due(self, *, may_poll_large: bool = True) -> float:
        """Return when the first condition is due."""
        return min(self._small.due(), self._large.due() if may_poll_large else NEVER)

    def yields_to_jobs(self) -> bool:
        """Whether jobs that are due come first."""
        return self._owed > 0

    def job_requests(self, requests: int) -> None:
        """Note that jobs had so many requests."""
        self._owed = max(0, self._owed - requests)

    def pop(self, *, may_poll_large: bool = True) -> PollCondition:
        """Take the first condition."""
        is_large = may_poll_large and self._large.due() < self._small.due()
        condition = (self._large if is_large else self._small).pop()
        self._first.discard(condition)
        self._owed = condition.requests
        return PollCondition(condition)

    def take(self, condition: Condition) -> PollCondition:
        """Take a condition before its turn."""
        self._drop(condition)
        return PollCondition(condition)

    def polled(self, condition: Condition, now: float) -> None:
        """Note that a poll has ended."""
        if intervals := self._intervals.get(condition):
            self._set(condition, now + min(intervals))

    def _set(self, condition: Condition, due: float) -> None:
        queue = self._large if is_large(condition) else self._small
        # Who asked while a poll was under way wants another one.
        queue.set(condition, FIRST if condition in self._first else due)

    def _drop(self, condition: Condition) -> None:
        self._first.discard(condition)
        self._small.drop(condition)
        self._large.drop(condition)


def is_large(condition: Condition) -> bool:
    """Whether a poll of a condition is large."""
    return condition.requests > MOST_OF_SMALL
