"""What the poller has for one wait and the wait has not taken yet."""

from __future__ import annotations

import asyncio
from copy import copy
from datetime import timedelta
from typing import TYPE_CHECKING

from airflow_provider_tuya_ota.core.status.condition_wait import record_failure, record_snapshot

if TYPE_CHECKING:
    from datetime import datetime

    from airflow_provider_tuya_ota.core.errors import TuyaOTAError
    from airflow_provider_tuya_ota.core.model.verdict import Verdict
    from airflow_provider_tuya_ota.core.status.condition_wait import ConditionWait
    from airflow_provider_tuya_ota.core.status.conditions import ConditionSnapshot
    from airflow_provider_tuya_ota.core.status.job_snapshot import JobSnapshot
    from airflow_provider_tuya_ota.core.status.poll_events import ConditionChanged, PollFailed
    from airflow_provider_tuya_ota.core.status.wait import JobWait, WaitOptions


class Subscription:
    """Wakes its wait when there is news."""

    def __init__(self) -> None:
        self.news = asyncio.Event()
        self.polled_as_asked = asyncio.Event()
        """Set once a poll has ended that began after :meth:`ask`."""
        self._asked_at = float("-inf")

    def ask(self, now: float) -> None:
        """Ask for a poll that begins from now on."""
        self.polled_as_asked.clear()
        self._asked_at = now

    def poll_ended(self, begun: float) -> None:
        """Note that a poll has ended; one that began before it was asked for is not the one that was asked for."""
        if begun >= self._asked_at:
            self.polled_as_asked.set()

    def wake_up(self) -> None:
        """Wake the wait, whatever it waits for."""
        self.polled_as_asked.set()
        self.news.set()


class JobSubscription(Subscription):
    """News of a job.

    :param options: of the wait.
    """

    def __init__(self, options: WaitOptions) -> None:
        super().__init__()
        self.expected = len(options.expected)
        """How many devices the wait asked for by name."""
        self.holds_success = not options.expected
        """Whether the wait goes on although the next poll shows that the job has succeeded."""
        self._snapshot: JobSnapshot | None = None
        self._error: TuyaOTAError | None = None
        self._was_polled = False
        self._was_listed = False
        self._is_of_listing = False

    def show(self, snapshot: JobSnapshot) -> None:
        """Take a poll that succeeded."""
        self._snapshot, self._error = snapshot, None
        self._was_polled = True
        self.news.set()

    def record_listed(self) -> None:
        """Take a listing that showed that the job goes on; it does not make up for a poll that failed."""
        self._was_listed = True
        if self._is_of_listing:
            self._error = None

    def fail(self, error: TuyaOTAError, *, is_listing: bool) -> None:
        """Take a poll or a listing that failed. Each wait raises a copy of the error."""
        if is_listing and self._error is not None and not self._is_of_listing:
            return
        self._error, self._is_of_listing = copy(error), is_listing
        self.news.set()

    def take(self, job_wait: JobWait, now: datetime) -> Verdict | PollFailed | None:
        """Hand the news to the wait.

        :returns: the verdict, or the failure, or None where there is no news.
        """
        self.news.clear()
        error, snapshot = self._error, self._snapshot
        # Also where a poll has failed since then: the success before it counts.
        if self._was_polled:
            job_wait.state.record()
        elif self._was_listed:
            job_wait.state.record_listing()
        self._error = self._snapshot = None
        self._was_polled = self._was_listed = False
        if error is not None:
            return job_wait.record_failure(error, now, is_listing=self._is_of_listing)
        if snapshot is None:
            return None
        verdict = job_wait.assess(snapshot, now)
        self.holds_success = job_wait.holds_success(now + timedelta(seconds=job_wait.options.poll_interval))
        return verdict


class ConditionSubscription(Subscription):
    """News of a condition."""

    def __init__(self) -> None:
        super().__init__()
        self._snapshot: ConditionSnapshot | None = None
        self._error: TuyaOTAError | None = None

    def show(self, snapshot: ConditionSnapshot) -> None:
        """Take a poll that succeeded."""
        self._snapshot, self._error = snapshot, None
        self.news.set()

    def fail(self, error: TuyaOTAError) -> None:
        """Take a poll that failed. Each wait raises a copy of the error."""
        self._error = copy(error)
        self.news.set()

    def take(self, wait: ConditionWait, now: datetime) -> tuple[bool, list[ConditionChanged | PollFailed]]:
        """Hand the news to the wait.

        :returns: whether the condition holds, and the events for the log.
        :raises TuyaOTAError: as :func:`~airflow_provider_tuya_ota.core.status.condition_wait.record_failure`.
        """
        self.news.clear()
        snapshot, error = self._snapshot, self._error
        self._snapshot = self._error = None
        events: list[ConditionChanged | PollFailed] = []
        if snapshot is not None and (change := record_snapshot(wait.state, wait.condition, snapshot)):
            events.append(change)
        is_met = snapshot is not None and snapshot.is_met
        if error is not None and not is_met:
            events.append(record_failure(wait.state, wait.condition, error, now))
        return is_met, events
