"""When each condition is polled, and how much of the requests that takes from jobs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from airflow_provider_tuya_ota.core.status.due_queue import DueQueue

if TYPE_CHECKING:
    from airflow_provider_tuya_ota.core.status.conditions import Condition


@dataclass(frozen=True, slots=True)
class PollCondition:
    """Poll one condition."""

    condition: Condition


class ConditionSchedule:
    """The conditions that are waited for.

    No request reads many conditions at once, so each is polled by itself. Where jobs have to be polled too, conditions
    get half of the requests at most: a poll of so many requests waits until jobs have had as many.
    """

    def __init__(self) -> None:
        self._intervals: dict[Condition, list[float]] = {}
        self._queue: DueQueue[Condition] = DueQueue()
        self._owed = 0

    def add(self, condition: Condition, *, poll_interval: float, now: float) -> None:
        """Poll a condition for one more wait, now and then at the shortest interval of its waits."""
        self._intervals.setdefault(condition, []).append(poll_interval)
        self._queue.set(condition, now)

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
        self._queue.drop(condition)
        return True

    def due(self) -> float:
        """Return when the first condition is due."""
        return self._queue.due()

    def yields_to_jobs(self) -> bool:
        """Whether jobs that are due come first."""
        return self._owed > 0

    def job_requests(self, requests: int) -> None:
        """Note that jobs had so many requests."""
        self._owed = max(0, self._owed - requests)

    def pop(self) -> PollCondition:
        """Take the first condition."""
        condition = self._queue.pop()
        self._owed = condition.requests
        return PollCondition(condition)

    def take(self, condition: Condition) -> PollCondition:
        """Take a condition before its turn."""
        self._queue.drop(condition)
        return PollCondition(condition)

    def polled(self, condition: Condition, now: float) -> None:
        """Note that a poll has ended."""
        if intervals := self._intervals.get(condition):
            self._queue.set(condition, now + min(intervals))
