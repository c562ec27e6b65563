"""One stopper for all jobs of a connection that an event loop has to stop: every cancel first, counts afterwards."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from contextlib import asynccontextmanager
from contextvars import Context
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Final
from weakref import WeakKeyDictionary

from airflow_provider_tuya_ota.client import AsyncTuyaOTAClient, LogListener
from airflow_provider_tuya_ota.core.errors import TRANSIENT_ERRORS, ThrottledError, TuyaOTAError
from airflow_provider_tuya_ota.core.jobs.cancel import cancel_job
from airflow_provider_tuya_ota.core.jobs.stop import count_stopped, poll_after_cancel
from airflow_provider_tuya_ota.core.jobs.stop_events import JobStopped
from airflow_provider_tuya_ota.core.jobs.stopped import NotCounted
from airflow_provider_tuya_ota.core.policy.rate import RateLimitGroup
from airflow_provider_tuya_ota.core.policy.retry import RetryPolicy
from airflow_provider_tuya_ota.polling.paced import paced

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop
    from collections.abc import AsyncIterator

    from airflow_provider_tuya_ota.core.flows.events import FlowEvent
    from airflow_provider_tuya_ota.core.jobs.stopped import StopResult
    from airflow_provider_tuya_ota.core.model.verdict import Verdict
    from airflow_provider_tuya_ota.core.settings import Settings
    from airflow_provider_tuya_ota.transports.interfaces import Listener

AT_ONCE: Final = 4
"""Cancels under way at the same time: enough for five a second where an answer takes most of one."""
SLOW: Final = 1.0
"""Seconds after which a cancel without an answer no longer counts among those: it must not hold up other jobs."""
RETRY_SECONDS: Final = 600.0
"""How long a job's cancel is repeated after its first try, unless the platform refuses it for good. The wait before the
first try is not counted: it depends on the queue."""
PAUSE: Final = 3.0
"""Seconds before the next cancel if the platform was not reached."""
FEW: Final = 10
"""Jobs that may still wait for their cancel while others are counted: a count needs up to six requests."""
_ONCE: Final = RetryPolicy(attempts=1)


@dataclass(slots=True, eq=False)
class _Order:
    """A job to cancel, with its events for the log of its task.

    :param may_be_accepted: whether the answer to a try was lost; then a later refusal may come from that try.
    :param problem: error of the last try, as a sentence; empty if none has failed.
    """

    job_id: str
    is_cancelled: asyncio.Future[bool] = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    first_tried_at: float | None = None
    may_be_accepted: bool = False
    problem: str = ""
    events: list[FlowEvent] = field(default_factory=list)

    def event(self, event: FlowEvent) -> None:
        """Keep an event."""
        self.events.append(event)

    def report(self, verdict: Verdict) -> None:
        """Take a job's state; a cancel reads none."""


class Stopper:
    """Cancel jobs one after the other within the account's limit, as long as it takes.

    Processes that share an account do not know of each other. If the platform throttles a cancel, the pace slows down.
    A cancel that failed is sent again after those of all other jobs, so that no job holds up the others.

    :param client: sends the requests; the stopper closes it.
    """

    def __init__(self, client: AsyncTuyaOTAClient) -> None:
        self._client = client
        self._queue: deque[_Order] = deque()
        self._tries: set[asyncio.Task[None]] = set()
        self._counted: dict[_Order, asyncio.TimerHandle] = {}
        self._orders: set[_Order] = set()
        self._is_calm = asyncio.Event()

    @property
    def unfinished(self) -> int:
        """How many jobs are not cancelled yet."""
        return len(self._orders)

    def explain(self, job_id: str) -> str:
        """Say why a job is not cancelled yet, as the end of a sentence."""
        order = next((order for order in self._orders if order.job_id == job_id), None)
        if order is None or order.first_tried_at is None:
            return f"{self.unfinished} jobs are being stopped at once"
        if order.problem:
            return f"its last cancel failed: {order.problem.removesuffix('.')}"
        return "its cancel is not answered yet"

    async def close(self) -> None:
        """Send nothing more and release the connections."""
        self._queue.clear()
        for one in self._tries:
            one.cancel()
        try:
            await asyncio.gather(*self._tries, return_exceptions=True)
        finally:
            await self._client.close()

    async def stop(self, job_id: str, *, listener: Listener) -> StopResult:
        """Cancel the device tasks of a job that have not begun, and count them.

        :param listener: receives the events of this job.
        :returns: its effect, not counted if many other jobs wait to be cancelled.
        :raises TuyaOTAError: it could not be cancelled.
        """
        is_cancelled = await self.cancel(job_id, listener=listener)
        return await self.count(job_id, is_cancelled=is_cancelled, listener=listener)

    async def cancel(self, job_id: str, *, listener: Listener) -> bool:
        """Cancel the device tasks of a job that have not begun; first come, first served.

        :param listener: receives the events of this job.
        :returns: what :func:`~airflow_provider_tuya_ota.core.jobs.cancel.cancel_job` returns.
        :raises TuyaOTAError: it could not be cancelled.
        """
        order = _Order(job_id)
        self._queue.append(order)
        self._orders.add(order)
        self._update_calm()
        try:
            self._begin_tries()
            return await order.is_cancelled
        finally:
            self._orders.discard(order)
            self._update_calm()
            for event in order.events:
                listener.event(event)

    async def count(self, job_id: str, *, is_cancelled: bool, listener: Listener) -> StopResult:
        """Count the effect of a cancel, and cancel again while the job may still begin.

        :param is_cancelled: what :meth:`cancel` returned.
        :param listener: receives the events of this job.
        :returns: not counted if many other jobs wait to be cancelled; then call :meth:`poll_stopped` later.
        :raises TuyaOTAError: the platform had accepted no cancel, and the device tasks could not be counted.
        """
        if is_cancelled and self.unfinished > FEW:
            not_counted = NotCounted()
            listener.event(JobStopped(job_id, not_counted))
            return not_counted
        count = count_stopped(self._client.settings, job_id, is_cancelled=is_cancelled)
        return await self._client.run(count, listener=listener)

    async def poll_stopped(self, job_id: str, *, listener: Listener) -> StopResult:
        """Poll a job that was cancelled and not counted, as soon as few others wait for their cancel.

        :param listener: receives the events of this job.
        :returns: that it may still begin, where it may.
        """
        await self._is_calm.wait()
        backlog = partial(self._client.limiter.backlog, RateLimitGroup.CALLS)
        poll = paced(poll_after_cancel(self._client.settings, job_id), backlog)
        return await self._client.run(poll, listener=listener)

    def _update_calm(self) -> None:
        if self.unfinished > FEW:
            self._is_calm.clear()
        else:
            self._is_calm.set()

    def _begin_tries(self) -> None:
        while self._queue and len(self._counted) < AT_ONCE:
            order = self._queue.popleft()
            if order.is_cancelled.done():
                continue
            # A new context: that of the first caller holds the log and the variables of its Airflow task.
            one = asyncio.get_running_loop().create_task(self._try(order), context=Context())
            self._tries.add(one)
            one.add_done_callback(partial(self._end_try, order))
            self._count(order)

    def _count(self, order: _Order) -> None:
        self._counted[order] = asyncio.get_running_loop().call_later(SLOW, self._discount, order)

    def _discount(self, order: _Order) -> None:
        if self._client.limiter.backlog(RateLimitGroup.CANCELS):
            # It may still wait for its turn, and more cancels would be given turns at today's pace, which may fall.
            self._count(order)
            return
        self._stop_counting(order)

    def _stop_counting(self, order: _Order) -> None:
        if slow := self._counted.pop(order, None):
            slow.cancel()
        self._begin_tries()

    def _end_try(self, order: _Order, one: asyncio.Task[None]) -> None:
        self._tries.discard(one)
        if not (one.cancelled() or order.is_cancelled.done()):
            self._queue.append(order)
        self._stop_counting(order)

    async def _try(self, order: _Order) -> None:
        now = asyncio.get_running_loop().time()
        order.first_tried_at = order.first_tried_at or now
        try:
            cancel = cancel_job(self._client.settings, order.job_id, _ONCE)
            is_cancelled = await self._client.run(cancel, listener=order)
        except TRANSIENT_ERRORS as error:
            order.may_be_accepted = error.in_doubt = order.may_be_accepted or error.in_doubt
            order.problem = error.sentence
            if now - order.first_tried_at >= RETRY_SECONDS:
                _settle(order, error)
                return
            if isinstance(error, ThrottledError):
                # The limiter makes the next request wait.
                self._client.limiter.slow_down(RateLimitGroup.CANCELS)
            else:
                self._stop_counting(order)
                await asyncio.sleep(PAUSE)
        except Exception as error:  # noqa: BLE001 - the caller that waits for this job gets the error
            if isinstance(error, TuyaOTAError):
                error.in_doubt = order.may_be_accepted or error.in_doubt
            _settle(order, error)
        else:
            _settle(order, is_cancelled or order.may_be_accepted)


def _settle(order: _Order, outcome: bool | Exception) -> None:  # noqa: FBT001 - one of two outcomes, not a switch
    # The caller may have been cancelled.
    if order.is_cancelled.done():
        return
    if isinstance(outcome, Exception):
        order.is_cancelled.set_exception(outcome)
    else:
        order.is_cancelled.set_result(outcome)


class _Shared:
    """A stopper and the number of its users."""

    def __init__(self, settings: Settings) -> None:
        self.stopper = Stopper(AsyncTuyaOTAClient(settings, listener=LogListener(logging.getLogger(__name__))))
        self.users = 0


_STOPPERS: Final[WeakKeyDictionary[AbstractEventLoop, dict[Settings, _Shared]]] = WeakKeyDictionary()


@asynccontextmanager
async def shared_stopper(settings: Settings) -> AsyncIterator[Stopper]:
    """Use the stopper of a connection in this event loop; the last user closes it.

    :raises ConfigurationError: the connection's ``ca_bundle`` cannot be read.
    """
    stoppers = _STOPPERS.setdefault(asyncio.get_running_loop(), {})
    shared = stoppers.get(settings)
    if shared is None:
        shared = stoppers[settings] = _Shared(settings)
    shared.users += 1
    try:
        yield shared.stopper
    finally:
        shared.users -= 1
        if not shared.users:
            del stoppers[settings]
            await shared.stopper.close()
