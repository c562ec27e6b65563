"""The poller of a connection: it polls jobs and conditions for all waits, and gives each wait its results."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Self, TypeVar

from airflow_provider_tuya_ota.core.errors import ApiError, TuyaOTAError
from airflow_provider_tuya_ota.core.model.verdict import Verdict
from airflow_provider_tuya_ota.core.status.condition_schedule import PollCondition
from airflow_provider_tuya_ota.core.status.conditions import fetch_condition
from airflow_provider_tuya_ota.core.status.job_snapshot import COMMON_ERRORS, fetch_job_listing, fetch_job_snapshot
from airflow_provider_tuya_ota.core.status.poll_events import PollFailed
from airflow_provider_tuya_ota.core.status.poll_scheduler import ListJobs, PollJob, PollScheduler
from airflow_provider_tuya_ota.core.status.wait import LAST_POLL, JobWait
from airflow_provider_tuya_ota.core.status.wait_state import KeyRefusedError
from airflow_provider_tuya_ota.polling.dispatcher import Dispatcher
from airflow_provider_tuya_ota.polling.subscription import ConditionSubscription, JobSubscription

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import datetime

    from airflow_provider_tuya_ota.client import AsyncTuyaOTAClient
    from airflow_provider_tuya_ota.core.status.condition_wait import ConditionWait
    from airflow_provider_tuya_ota.core.status.conditions import Condition, ConditionSnapshot
    from airflow_provider_tuya_ota.core.status.job_snapshot import EarlierPoll, JobSnapshot
    from airflow_provider_tuya_ota.core.status.wait import WaitOptions
    from airflow_provider_tuya_ota.core.status.wait_state import WaitState
    from airflow_provider_tuya_ota.polling.subscription import Subscription
    from airflow_provider_tuya_ota.transports.interfaces import Listener
    from airflow_provider_tuya_ota.transports.runtime import Runtime

T = TypeVar("T")


class PollerBrokenError(Exception):
    """The poller has ended by an error of its own, which says nothing about any job.

    :param reason: the error.
    :param waits: how many waits poll separately from now on, within the same rate limit.
    """

    def __init__(self, reason: str, waits: int) -> None:
        super().__init__(reason)
        self.waits = waits


class Poller:
    """Polls for all waits of a connection.

    :param client: how to send; the poller closes it.
    """

    def __init__(self, client: AsyncTuyaOTAClient) -> None:
        self._client = client
        self._scheduler = PollScheduler(client.settings.requests_per_second)
        self._jobs: dict[str, set[JobSubscription]] = {}
        self._conditions: dict[Condition, set[ConditionSubscription]] = {}
        self._under_way: Counter[str | Condition] = Counter()
        self._broken: BaseException | None = None
        self._stranded = 0
        self._dispatcher = Dispatcher(client, self._scheduler, self._carry_out, self._break)
        self._clock = self._dispatcher.clock

    @property
    def is_broken(self) -> bool:
        """Whether it does not poll any more."""
        return self._broken is not None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Stop polling and release the connections."""
        try:
            await self._dispatcher.close()
        finally:
            await self._client.close()

    async def wait_for_job(
        self,
        job_id: str,
        options: WaitOptions,
        *,
        firmware_id: str = "",
        earlier: EarlierPoll | None = None,
        listener: Listener,
        runtime: Runtime,
        state: WaitState | None = None,
    ) -> Verdict:
        """Wait as :func:`~airflow_provider_tuya_ota.core.status.wait.wait_for_job` does.

        :param firmware_id: the job's firmware, if it is known; otherwise the first poll finds it out.
        :param earlier: what the first poll may take from a query before the wait; None otherwise.
        :param state: of earlier polls, continued by this wait; a new one by default.
        :raises KeyRefusedError: the AccessKey pair is refused: read the connection again, then continue the wait.
        :raises PollerBrokenError: this poller does not poll any more; poll separately.
        """
        wait = JobWait(job_id, options, state)
        subscription = JobSubscription(options)

        def take(now: datetime) -> Verdict | None:
            match subscription.take(wait, now):
                case PollFailed() as event:
                    listener.event(event)
                case Verdict() as verdict:
                    listener.report(verdict)
                    if wait.record(verdict, now):
                        return verdict
            return None

        with self._job_subscribed(wait, firmware_id, earlier, subscription):
            return await self._wait(wait, job_id, subscription, take, runtime)

    async def wait_for_condition(self, wait: ConditionWait, *, listener: Listener, runtime: Runtime) -> None:
        """Wait as :func:`~airflow_provider_tuya_ota.core.status.condition_wait.wait_for_condition` does.

        :raises KeyRefusedError: as :meth:`wait_for_job`.
        :raises PollerBrokenError: as :meth:`wait_for_job`.
        """
        subscription = ConditionSubscription()

        def take(now: datetime) -> bool | None:
            is_met, events = subscription.take(wait, now)
            for event in events:
                listener.event(event)
            return is_met or None

        with self._condition_subscribed(wait, subscription):
            await self._wait(wait, wait.condition, subscription, take, runtime)

    async def _wait(
        self,
        wait: JobWait | ConditionWait,
        subject: str | Condition,
        subscription: Subscription,
        take: Callable[[datetime], T | None],
        runtime: Runtime,
    ) -> T:
        """Give a wait its news until it has a result or its deadline has passed; one last poll follows the deadline.

        :param take: gives the wait its news, and returns its result, or None.
        """
        while True:
            now = runtime.context().steady
            if is_last := wait.is_last(now):
                until = self._clock() + LAST_POLL
                if subject in self._under_way:
                    # Its result may be enough, and another poll beside it would slow down both.
                    await self._wait_until(subscription.news, until - LAST_POLL / 2)
                    self._require_unbroken()
                    if (result := take(runtime.context().steady)) is not None:
                        return result
                await self._poll_now(subject, subscription, until)
            self._require_unbroken()
            has_news = subscription.news.is_set()
            if (result := take(now)) is not None:
                return result
            if is_last and wait.is_last(now):
                raise wait.timeout()
            if has_news and wait.state.is_key_refused:
                raise KeyRefusedError(wait.pause(now))
            await runtime.asleep(wait.pause(now), unless=subscription.news)

    @contextmanager
    def _job_subscribed(
        self, wait: JobWait, firmware_id: str, earlier: EarlierPoll | None, subscription: JobSubscription
    ) -> Iterator[None]:
        job_id, poll_interval = wait.job_id, wait.options.poll_interval
        subscriptions = self._jobs.setdefault(job_id, set())
        subscriptions.add(subscription)
        self._scheduler.add(
            job_id,
            firmware_id=firmware_id or None,
            poll_interval=poll_interval,
            now=self._clock(),
            earlier=earlier,
        )
        self._dispatcher.wake_up()
        try:
            yield
        finally:
            subscriptions.discard(subscription)
            self._scheduler.remove(job_id, poll_interval)
            if not subscriptions:
                del self._jobs[job_id]

    @contextmanager
    def _condition_subscribed(self, wait: ConditionWait, subscription: ConditionSubscription) -> Iterator[None]:
        condition, poll_interval = wait.condition, wait.poll_interval
        subscriptions = self._conditions.setdefault(condition, set())
        subscriptions.add(subscription)
        self._scheduler.add_condition(condition, poll_interval=poll_interval, now=self._clock())
        self._dispatcher.wake_up()
        try:
            yield
        finally:
            subscriptions.discard(subscription)
            self._scheduler.remove_condition(condition, poll_interval)
            if not subscriptions:
                del self._conditions[condition]

    async def _poll_now(self, subject: str | Condition, subscription: Subscription, until: float) -> None:
        self._require_unbroken()
        subscription.ask(self._clock())
        self._scheduler.prioritize(subject, self._clock())
        self._dispatcher.wake_up()
        await self._wait_until(subscription.polled_as_asked, until)

    async def _wait_until(self, event: asyncio.Event, until: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout_at(until):
                await event.wait()

    def _require_unbroken(self) -> None:
        if self._broken is not None:
            raise PollerBrokenError(f"{type(self._broken).__name__}: {self._broken}", self._stranded)

    def _break(self, error: BaseException) -> None:
        self._broken = error
        jobs = [one for subscriptions in self._jobs.values() for one in subscriptions]
        conditions = [one for subscriptions in self._conditions.values() for one in subscriptions]
        self._stranded = len(jobs) + len(conditions)
        for subscription in (*jobs, *conditions):
            subscription.wake_up()

    async def _carry_out(self, poll: PollJob | ListJobs | PollCondition) -> None:
        match poll:
            case PollJob():
                await self._poll_job(poll)
            case ListJobs():
                await self._list_jobs(poll)
            case PollCondition():
                await self._poll_condition(poll.condition)

    async def _poll_job(self, poll: PollJob) -> None:
        begun = self._clock()
        snapshot: JobSnapshot | None = None
        failure: TuyaOTAError | None = None
        waiting = self._jobs.get(poll.job_id, ())
        flow = fetch_job_snapshot(
            self._client.settings,
            poll.job_id,
            earlier=poll.earlier,
            expected=max((subscription.expected for subscription in waiting), default=0),
            holds_success=all(subscription.holds_success for subscription in waiting),
        )
        try:
            snapshot = await self._dispatcher.fetch(flow, f"job {poll.job_id}")
        except TuyaOTAError as error:
            failure = error
        self._scheduler.job_polled(poll, snapshot, self._clock())
        for subscription in self._jobs.get(poll.job_id, ()):
            if failure is not None:
                subscription.fail(failure, is_listing=False)
            elif snapshot is not None:
                subscription.show(snapshot)
            subscription.poll_ended(begun)

    async def _list_jobs(self, at: ListJobs) -> None:
        flow = fetch_job_listing(self._client.settings, at.firmware_id, at.job_ids, pages=at.pages)
        try:
            listing = await self._dispatcher.fetch(flow, f"the jobs of firmware {at.firmware_id}")
        except TuyaOTAError as error:
            if at.firmware_id and isinstance(error, ApiError) and not isinstance(error, COMMON_ERRORS):
                self._scheduler.poll_singly(at.firmware_id, self._clock())
                return
            self._scheduler.jobs_listed(at, None, self._clock())
            self._fail_listed(dict.fromkeys(at.job_ids, error))
        else:
            for job_id in self._scheduler.jobs_listed(at, listing, self._clock()):
                for subscription in self._jobs[job_id]:
                    subscription.record_listed()
            self._fail_listed(listing.failed)

    def _fail_listed(self, errors: Mapping[str, TuyaOTAError]) -> None:
        for job_id, error in errors.items():
            for subscription in self._jobs.get(job_id, ()):
                subscription.fail(error, is_listing=True)

    @contextmanager
    def _noted(self, condition: Condition) -> Iterator[None]:
        self._under_way[condition] += 1
        try:
            yield
        finally:
            self._under_way -= Counter([condition])

    async def _poll_condition(self, condition: Condition) -> None:
        begun = self._clock()
        snapshot: ConditionSnapshot | None = None
        failure: TuyaOTAError | None = None
        flow = fetch_condition(self._client.settings, condition)
        try:
            with self._noted(condition):
                snapshot = await self._dispatcher.fetch(flow, condition.subject)
        except TuyaOTAError as error:
            failure = error
        self._scheduler.condition_polled(condition, self._clock())
        for subscription in self._conditions.get(condition, ()):
            if failure is not None:
                subscription.fail(failure)
            elif snapshot is not None:
                subscription.show(snapshot)
            subscription.poll_ended(begun)
