"""The loop that starts polls: the most urgent one that is due, whenever the rate limiter lets a request leave."""

from __future__ import annotations

import asyncio
from contextvars import Context
from typing import TYPE_CHECKING, Final, TypeAlias, TypeVar

from airflow_provider_tuya_ota.core.errors import TuyaOTAError
from airflow_provider_tuya_ota.core.flows.bounded_poll import endless_poll_error, poll_time_limit, unexpected_error
from airflow_provider_tuya_ota.core.policy.rate import RateLimitGroup
from airflow_provider_tuya_ota.core.status.condition_schedule import PollCondition
from airflow_provider_tuya_ota.core.status.poll_scheduler import ListJobs, PollJob, PollScheduler
from airflow_provider_tuya_ota.transports.limiter import ReservedLimiter

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from airflow_provider_tuya_ota.client import AsyncTuyaOTAClient
    from airflow_provider_tuya_ota.core.flows.effects import Flow
    from airflow_provider_tuya_ota.core.status.conditions import Condition

T = TypeVar("T")
Poll: TypeAlias = PollJob | ListJobs | PollCondition

BRIEF: Final = 0.001
NEVER: Final = float("inf")
LISTINGS_AT_ONCE: Final = 4
"""Listings under way at the same time, so that long lists leave requests for polls. The number of polls of jobs is not
limited: the rate limit bounds them, and a poll that hangs, or whose list does not end, delays no other poll."""
LARGE_AT_ONCE: Final = 4
"""Large polls of conditions under way at the same time. With dozens, each would end only when all do."""
LARGE_MARGIN: Final = 15.0
"""Seconds beyond what the rate limit explains after which another large poll begins beside a slow one. A poll that
hangs delays the others by this time at most."""


class Dispatcher:
    """Starts polls within the rate limit, for as long as it is open.

    :param client: how to send.
    :param scheduler: what is due.
    :param carry_out: carries out one poll, and reports its end to the scheduler.
    :param on_failure: called if this loop ends by an error of its own, which says nothing about any job.
    """

    def __init__(
        self,
        client: AsyncTuyaOTAClient,
        scheduler: PollScheduler,
        carry_out: Callable[[Poll], Coroutine[None, None, None]],
        on_failure: Callable[[BaseException], None],
    ) -> None:
        self._client = client
        self._scheduler = scheduler
        self._carry_out = carry_out
        self._on_failure = on_failure
        self._wake_up = asyncio.Event()
        self._listing_count = 0
        self._turns: dict[Condition, float] = {}
        self.clock = asyncio.get_running_loop().time
        # A new context: that of the first wait holds the log and the variables of its Airflow task.
        self._runner = asyncio.get_running_loop().create_task(self._run(), context=Context())

    def wake_up(self) -> None:
        """Ask the scheduler again: something may be due earlier than before."""
        self._wake_up.set()

    async def close(self) -> None:
        """Stop polling."""
        self._runner.cancel()
        await asyncio.gather(self._runner, return_exceptions=True)

    async def fetch(self, flow: Flow[T], subject: str) -> T:
        """Run one poll, whose first request is reserved already.

        :raises TuyaOTAError: this poll failed, for any reason; nothing else did.
        """
        longest = poll_time_limit(self._client.settings)
        try:
            async with asyncio.timeout(longest):
                return await self._client.run(flow, limiter=ReservedLimiter(self._client.limiter))
        except TuyaOTAError:
            raise
        except TimeoutError:
            failure = endless_poll_error(subject, longest)
        except Exception as error:  # noqa: BLE001 - as it says
            failure = unexpected_error(subject, error)
        # Raised outside the handlers: text and locals of the first error may hold secrets.
        raise failure

    async def _run(self) -> None:
        try:
            async with asyncio.TaskGroup() as group:
                while True:
                    group.create_task(self._start(await self._next()))
        except Exception as error:  # noqa: BLE001 - after any error each wait polls separately
            self._on_failure(error.exceptions[0] if isinstance(error, ExceptionGroup) else error)

    async def _start(self, poll: Poll) -> None:
        try:
            await self._carry_out(poll)
        finally:
            self._listing_count -= _reads_a_list(poll)
            if isinstance(poll, PollCondition):
                self._turns.pop(poll.condition, None)
            self._wake_up.set()

    async def _next(self) -> Poll:
        is_reserved = False
        while True:
            self._wake_up.clear()
            poll: Poll | float = (due := self._scheduler.due())
            if due <= self.clock() and not is_reserved:
                # The poll is chosen when a request may leave: a more urgent one may come up during this pause.
                with self._client.limiter.reserve(RateLimitGroup.CALLS) as pause:
                    await asyncio.sleep(pause)
                is_reserved = True
            if is_reserved:
                poll = self._scheduler.next(
                    self.clock(),
                    may_list=self._listing_count < LISTINGS_AT_ONCE,
                    may_poll_large=len(self._turns_left()) < LARGE_AT_ONCE,
                )
            if isinstance(poll, (PollJob, ListJobs, PollCondition)):
                self._listing_count += _reads_a_list(poll)
                self._take_turn(poll)
                return poll
            # A clock and a sum of seconds differ in the last digits: without a minimum this would be a busy loop.
            await self._rest(max(BRIEF, min(poll, *self._turns_left(), NEVER) - self.clock()))

    def _take_turn(self, poll: Poll) -> None:
        if isinstance(poll, PollCondition) and poll.is_large:
            # Twice, because jobs get half of the requests.
            seconds = 2 * LARGE_AT_ONCE * poll.condition.requests / self._client.settings.requests_per_second
            self._turns[poll.condition] = self.clock() + seconds + LARGE_MARGIN

    def _turns_left(self) -> list[float]:
        now = self.clock()
        return [end for end in self._turns.values() if end > now]

    async def _rest(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds if seconds != NEVER else None):
                await self._wake_up.wait()
        except TimeoutError:
            return


def _reads_a_list(poll: Poll) -> bool:
    # Jobs without a known firmware are polled one by one: if such a poll hangs, it must not delay the listings.
    return isinstance(poll, ListJobs) and bool(poll.firmware_id)
