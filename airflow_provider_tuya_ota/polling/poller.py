"""The poller: it looks for everybody, and tells each wait what concerns it."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager, suppress
from contextvars import Context
from copy import copy
from typing import TYPE_CHECKING, Final, Self, TypeVar

from airflow_provider_tuya_ota.core.errors import ApiError, TuyaOTAError
from airflow_provider_tuya_ota.core.flows.bounded_poll import endless, longest_poll, odd_answer
from airflow_provider_tuya_ota.core.model.verdict import Verdict
from airflow_provider_tuya_ota.core.policy.rate import RateLimitGroup
from airflow_provider_tuya_ota.core.status.job_snapshot import COMMON_ERRORS, fetch_job_listing, fetch_job_snapshot
from airflow_provider_tuya_ota.core.status.poll_events import PollFailed
from airflow_provider_tuya_ota.core.status.poll_scheduler import ListJobs, PollJob, PollScheduler
from airflow_provider_tuya_ota.core.status.wait import LAST_POLL, JobWait
from airflow_provider_tuya_ota.core.status.wait_state import KeyRefusedError
from airflow_provider_tuya_ota.transports.limiter import ReservedLimiter

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from airflow_provider_tuya_ota.client import AsyncTuyaOTAClient
    from airflow_provider_tuya_ota.core.flows.effects import Flow
    from airflow_provider_tuya_ota.core.status.job_snapshot import JobSnapshot
    from airflow_provider_tuya_ota.core.status.wait import WaitOptions
    from airflow_provider_tuya_ota.core.status.wait_state import WaitState
    from airflow_provider_tuya_ota.transports.interfaces import Listener
    from airflow_provider_tuya_ota.transports.runtime import Runtime

T = TypeVar("T")

BRIEF: Final = 0.001
NEVER: Final = float("inf")
LISTINGS_AT_ONCE: Final = 4
"""Glances under way at the same time, so that long lists leave requests for looks. Looks are not counted: what is
scarce is the request, and a look whose answer hangs, or whose list does not end, holds no place that another needs."""


class PollerBrokenError(Exception):
    """The poller has ended by an error of its own, which says nothing about any job.

    :param reason: what the error was.
    :param waits: how many waits poll by themselves from now on, within the same budget.
    """

    def __init__(self, reason: str, waits: int) -> None:
        super().__init__(reason)
        self.waits = waits


class _Subscription:
    """What one wait has not taken yet.

    :param expected: how many devices it asked for by name.
    """

    def __init__(self, expected: int) -> None:
        self.expected = expected
        self.news = asyncio.Event()
        self._sight: JobSnapshot | None = None
        self._error: TuyaOTAError | None = None
        self._was_polled = False
        self._was_listed = False
        self._is_of_listing = False
        self.was_polled_since = asyncio.Event()
        self.asked_at = float("-inf")

    def show(self, snapshot: JobSnapshot) -> None:
        """Take a poll that succeeded."""
        self._sight, self._error = snapshot, None
        self._was_polled = True
        self.news.set()

    def record_listed(self) -> None:
        """Take a listing that showed that the job goes on; it tells nothing of a poll that failed."""
        self._was_listed = True
        if self._is_of_listing:
            self._error = None

    def fail(self, error: TuyaOTAError, *, is_listing: bool) -> None:
        """Take a poll or a listing that failed; of its error each wait raises an instance of its own."""
        if is_listing and self._error is not None and not self._is_of_listing:
            return
        self._error, self._is_of_listing = copy(error), is_listing
        self.news.set()

    def poll_ended(self, begun: float) -> None:
        """Note that a whole look has ended; one that began before it was asked for says nothing of the time since."""
        if begun >= self.asked_at:
            self.was_polled_since.set()

    def take(self, job_wait: JobWait, now: datetime) -> Verdict | PollFailed | None:
        """Let the wait take what is new.

        :returns: its verdict, or what it makes of a failure, or None where there is nothing to tell.
        """
        self.news.clear()
        error, snapshot = self._error, self._sight
        # Also where a poll has failed since: what was well before that is not forgotten.
        if self._was_polled:
            job_wait.state.record()
        elif self._was_listed:
            job_wait.state.record_listing()
        self._error = self._sight = None
        self._was_polled = self._was_listed = False
        if error is not None:
            return job_wait.record_failure(error, now, is_listing=self._is_of_listing)
        return None if snapshot is None else job_wait.assess(snapshot, now)


class Poller:
    """Look at jobs for all who wait for them.

    :param client: how to ask; the poller closes it.
    """

    def __init__(self, client: AsyncTuyaOTAClient) -> None:
        self._client = client
        self._scheduler = PollScheduler(client.settings.requests_per_second)
        self._subscriptions: dict[str, set[_Subscription]] = {}
        self._wake_up = asyncio.Event()
        self._listing_count = 0
        self._clock = asyncio.get_running_loop().time
        self._broken: BaseException | None = None
        self._stranded = 0
        # A context of its own: that of whoever waits first carries the log and the variables of that one wait.
        self._runner = asyncio.get_running_loop().create_task(self._run(), context=Context())

    @property
    def is_broken(self) -> bool:
        """Whether it looks no more."""
        return self._broken is not None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Stop looking and release the connections."""
        self._runner.cancel()
        try:
            await asyncio.gather(self._runner, return_exceptions=True)
        finally:
            await self._client.close()

    async def run(self, flow: Flow[T], *, listener: Listener, runtime: Runtime) -> T:
        """Carry out a wait of another kind over the same connections and within the same budget."""
        return await self._client.run(flow, listener=listener, runtime=runtime)

    async def watch(
        self,
        job_id: str,
        options: WaitOptions,
        *,
        firmware_id: str = "",
        listener: Listener,
        runtime: Runtime,
        state: WaitState | None = None,
    ) -> Verdict:
        """Wait for a job as :func:`~airflow_provider_tuya_ota.core.status.wait.wait_for_job` does.

        :param firmware_id: its firmware, where it is known: then the first look is not needed to find it out.
        :param state: what was seen before, and from now on; nothing by default.
        :raises KeyRefusedError: the wait goes on, once the connection was read again.
        :raises PollerBrokenError: nobody looks any more; look yourself.
        """
        job_wait = JobWait(job_id, options, state)
        with self._subscribe(job_wait, firmware_id) as subscription:
            while True:
                now = runtime.context().steady
                if is_last := job_wait.is_last(now):
                    await self._poll_now(job_id, subscription)
                self._require_whole()
                match news := subscription.take(job_wait, now):
                    case PollFailed() as event:
                        listener.event(event)
                    case Verdict() as verdict:
                        listener.report(verdict)
                        if job_wait.record(verdict, now):
                            return verdict
                if is_last:
                    raise job_wait.timeout()
                if news is not None and job_wait.state.is_key_refused:
                    raise KeyRefusedError(job_wait.pause(now))
                await runtime.asleep(job_wait.pause(now), unless=subscription.news)

    @contextmanager
    def _subscribe(self, job_wait: JobWait, firmware_id: str) -> Iterator[_Subscription]:
        job_id, poll_interval = job_wait.job_id, job_wait.options.poll_interval
        subscription = _Subscription(len(job_wait.options.expected))
        subscriptions = self._subscriptions.setdefault(job_id, set())
        subscriptions.add(subscription)
        self._scheduler.add(job_id, firmware_id=firmware_id, poll_interval=poll_interval, now=self._clock())
        self._wake_up.set()
        try:
            yield subscription
        finally:
            subscriptions.discard(subscription)
            self._scheduler.remove(job_id, poll_interval)
            if not subscriptions:
                del self._subscriptions[job_id]

    async def _poll_now(self, job_id: str, subscription: _Subscription) -> None:
        self._require_whole()
        subscription.was_polled_since.clear()
        subscription.asked_at = self._clock()
        self._scheduler.prioritize(job_id, self._clock())
        self._wake_up.set()
        with suppress(TimeoutError):
            async with asyncio.timeout(LAST_POLL):
                await subscription.was_polled_since.wait()

    def _require_whole(self) -> None:
        if self._broken is not None:
            raise PollerBrokenError(f"{type(self._broken).__name__}: {self._broken}", self._stranded)

    async def _run(self) -> None:
        try:
            async with asyncio.TaskGroup() as group:
                while True:
                    group.create_task(self._carry_out(await self._next()))
        except Exception as error:  # noqa: BLE001 - whatever it is, those who wait look for themselves then
            self._broken = error.exceptions[0] if isinstance(error, ExceptionGroup) else error
            everybody = self._everybody()
            self._stranded = len(everybody)
            for subscription in everybody:
                subscription.was_polled_since.set()
                subscription.news.set()

    async def _carry_out(self, errand: PollJob | ListJobs) -> None:
        match errand:
            case PollJob():
                await self._poll_job(errand)
            case ListJobs():
                await self._list_jobs(errand)

    async def _next(self) -> PollJob | ListJobs:
        is_paid = False
        while True:
            self._wake_up.clear()
            errand: PollJob | ListJobs | float = (due := self._scheduler.due())
            if due <= self._clock() and not is_paid:
                # What is urgent by the time a request may leave goes first, so nothing is chosen before.
                with self._client.limiter.reserve(RateLimitGroup.CALLS) as pause:
                    await asyncio.sleep(pause)
                is_paid = True
            if is_paid:
                errand = self._scheduler.next(self._clock(), may_list=self._listing_count < LISTINGS_AT_ONCE)
            if isinstance(errand, (PollJob, ListJobs)):
                self._listing_count += _reads_a_list(errand)
                return errand
            # A clock and a sum of its seconds differ in the last digits: without the least of rests that is a loop.
            await self._rest(max(BRIEF, errand - self._clock()))

    async def _rest(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds if seconds != NEVER else None):
                await self._wake_up.wait()
        except TimeoutError:
            return

    async def _poll_job(self, look: PollJob) -> None:
        begun = self._clock()
        snapshot: JobSnapshot | None = None
        failure: TuyaOTAError | None = None
        expected = max((subscription.expected for subscription in self._subscriptions.get(look.job_id, ())), default=0)
        flow = fetch_job_snapshot(self._client.settings, look.job_id, is_large=look.is_large, expected=expected)
        try:
            snapshot = await self._poll(flow, f"job {look.job_id}")
        except TuyaOTAError as error:
            failure = error
        self._scheduler.job_polled(look, snapshot, self._clock())
        for subscription in self._subscriptions.get(look.job_id, ()):
            if failure is not None:
                subscription.fail(failure, is_listing=False)
            elif snapshot is not None:
                subscription.show(snapshot)
            subscription.poll_ended(begun)
        self._wake_up.set()

    async def _list_jobs(self, at: ListJobs) -> None:
        flow = fetch_job_listing(self._client.settings, at.firmware_id, at.job_ids, pages=at.pages)
        try:
            listing = await self._poll(flow, f"the jobs of firmware {at.firmware_id}")
        except TuyaOTAError as error:
            if at.firmware_id and isinstance(error, ApiError) and not isinstance(error, COMMON_ERRORS):
                self._scheduler.poll_singly(at, self._clock())
                return
            self._scheduler.jobs_listed(at, None, self._clock())
            self._fail(dict.fromkeys(at.job_ids, error))
        else:
            for job_id in self._scheduler.jobs_listed(at, listing, self._clock()):
                for subscription in self._subscriptions[job_id]:
                    subscription.record_listed()
            self._fail(listing.failed)
        finally:
            self._listing_count -= _reads_a_list(at)
            self._wake_up.set()

    def _fail(self, errors: Mapping[str, TuyaOTAError]) -> None:
        for job_id, error in errors.items():
            for subscription in self._subscriptions.get(job_id, ()):
                subscription.fail(error, is_listing=True)

    async def _poll(self, flow: Flow[T], subject: str) -> T:
        """Carry out one poll whose first request is paid for.

        :raises TuyaOTAError: whatever went wrong: it is the end of this poll and of nothing else.
        """
        longest = longest_poll(self._client.settings)
        try:
            async with asyncio.timeout(longest):
                return await self._client.run(flow, limiter=ReservedLimiter(self._client.limiter))
        except TuyaOTAError:
            raise
        except TimeoutError:
            failure = endless(subject, longest)
        except Exception as error:  # noqa: BLE001 - as it says
            failure = odd_answer(subject, error)
        # Raised outside the handlers: the original's text and locals may hold what must not be shown.
        raise failure

    def _everybody(self) -> list[_Subscription]:
        return [subscription for subscriptions in self._subscriptions.values() for subscription in subscriptions]


def _reads_a_list(errand: PollJob | ListJobs) -> bool:
    # Jobs whose firmware is not known are asked for one by one: where they hang, they must not hold up the lists.
    return isinstance(errand, ListJobs) and bool(errand.firmware_id)
