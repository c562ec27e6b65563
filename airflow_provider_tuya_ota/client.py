"""Clients for the OTA API, usable without Airflow."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Self, TypeVar

from airflow_provider_tuya_ota.core.actions import ALL_ACTIONS
from airflow_provider_tuya_ota.core.flows.calls import call, call_by_name, require_operation
from airflow_provider_tuya_ota.core.flows.pages import Reading, read_page
from airflow_provider_tuya_ota.core.policy.rate import RateLimitGroup
from airflow_provider_tuya_ota.core.policy.retry import Repeat
from airflow_provider_tuya_ota.core.settings import Settings
from airflow_provider_tuya_ota.operations import Operations
from airflow_provider_tuya_ota.transports.driver import adrive, drive
from airflow_provider_tuya_ota.transports.interfaces import NULL_STORE
from airflow_provider_tuya_ota.transports.limiter import limiter_of
from airflow_provider_tuya_ota.transports.runtime import Runtime

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Mapping

    from airflow_provider_tuya_ota.core.actions import Action
    from airflow_provider_tuya_ota.core.flows.effects import Flow
    from airflow_provider_tuya_ota.core.flows.events import FlowEvent
    from airflow_provider_tuya_ota.core.model.entities import Page
    from airflow_provider_tuya_ota.core.model.verdict import Verdict
    from airflow_provider_tuya_ota.core.wire.encoding import Value
    from airflow_provider_tuya_ota.core.wire.reply import Reply
    from airflow_provider_tuya_ota.transports.interfaces import AsyncTransport, Listener, StateStore, Transport
    from airflow_provider_tuya_ota.transports.limiter import RateLimiter

__all__ = ["AsyncTuyaOTAClient", "Listeners", "LogListener", "Settings", "TuyaOTAClient"]

T = TypeVar("T")
Item = TypeVar("Item")


class LogListener:
    """Write a flow's events to a log, each as a line with its level, and a job's state only when it changes.

    :param log: where to write.
    :param last: the state that was written last.
    """

    def __init__(self, log: Any, last: str = "") -> None:
        self._log = log
        self._last = last

    def event(self, event: FlowEvent) -> None:
        """Write what has happened as one line."""
        getattr(self._log, event.level)("%s", event.line())

    def report(self, verdict: Verdict) -> None:
        """Write the state unless it was written last."""
        line = verdict.line()
        if line != self._last:
            self._last = line
            self._log.info("%s", line)


class Listeners:
    """Hand everything to several listeners in turn, e.g. to a log and to a page that shows progress.

    :param listeners: who receives it; what one of them raises ends the flow.
    """

    def __init__(self, *listeners: Listener) -> None:
        self._listeners = listeners

    def event(self, event: FlowEvent) -> None:
        """Hand on what has happened."""
        for listener in self._listeners:
            listener.event(event)

    def report(self, verdict: Verdict) -> None:
        """Hand on the state of a job."""
        for listener in self._listeners:
            listener.report(verdict)


def _by_name(settings: Settings, name: str, parameters: Mapping[str, Value]) -> Flow[Reply]:
    require_operation(name)
    known = ALL_ACTIONS.get(name)
    # Repeating an unknown operation may do harm.
    repeat = known.repeat if known else Repeat.DUPLICATES
    rate_limit_group = known.rate_limit_group if known else RateLimitGroup.CALLS
    return call_by_name(settings, name, parameters, repeat=repeat, rate_limit_group=rate_limit_group)


class TuyaOTAClient(Operations):
    """A blocking client; close it, or use it as a context manager.

    :param settings: service instance and AccessKey pair.
    :param transport: how to send; ``requests`` by default.
    :param listener: receives events and the states of jobs; the module's logger by default.
    :param runtime: clock and chance; the real ones by default.
    :param limiter: how often to send; what all clients of this process share by default.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        transport: Transport | None = None,
        listener: Listener | None = None,
        runtime: Runtime | None = None,
        limiter: RateLimiter | None = None,
    ) -> None:
        if transport is None:
            # A Dag file is parsed often and calls nothing while it is.
            from airflow_provider_tuya_ota.transports.requests_transport import (  # noqa: PLC0415 - a process loads the one HTTP library that it uses
                RequestsTransport,
            )

            transport = RequestsTransport(settings)
        self.settings = settings
        self._transport = transport
        self._listener = listener or LogListener(logging.getLogger(__name__))
        self._world = runtime or Runtime()
        self._limiter = limiter or limiter_of(settings)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Release the connections."""
        self._transport.close()

    def run(self, flow: Flow[T], *, state_store: StateStore = NULL_STORE) -> T:
        """Carry out a flow.

        :param state_store: where the flow writes down what must survive a crash; nowhere by default.
        """
        return drive(
            flow,
            transport=self._transport,
            limiter=self._limiter,
            runtime=self._world,
            listener=self._listener,
            state_store=state_store,
        )

    def do(self, action: Action[T]) -> T:
        """Carry out one operation.

        :param action: an operation with its parameters, already checked.
        :returns: what the operation's answer amounts to.
        :raises TuyaOTAError: see :mod:`airflow_provider_tuya_ota.core.errors`.
        """
        return self.run(call(self.settings, action))

    def iterate(self, first: Action[Page[Item]]) -> Iterator[Item]:
        """Give the items of a paged list one by one, from the page of the given request on, none twice.

        A list that changed meanwhile is read back to that page, for what moved to a page that had been read.

        :param first: e.g. ``ListOTATaskByJob(job_id=…, current_page=1, page_size=100)``; each list has a largest page.
        :raises TuyaOTAError: see :mod:`airflow_provider_tuya_ota.core.errors`.
        """
        reading = Reading(first)
        while reading.request is not None:
            yield from reading.take(self.run(read_page(self.settings, reading, reading.request)))

    def call(self, action: str, params: Mapping[str, Value] | None = None) -> Reply:
        """Sign and send any operation, also one that this package does not know.

        Known reads are repeated when an answer is lost; anything that may create is sent once.

        :param action: name on the wire, e.g. ``QueryOTAJob``.
        :param params: its own parameters by their names on the wire; lists become ``Name.1…N``. Nothing is checked.
        :returns: the whole answer; keys are found in any case.
        """
        return self.run(_by_name(self.settings, action, params or {}))


class AsyncTuyaOTAClient(Operations):
    """The same client for event loops; build and close it inside one.

    :param settings: service instance and AccessKey pair.
    :param transport: how to send; ``aiohttp`` by default.
    :param listener: receives events and the states of jobs; the module's logger by default.
    :param runtime: clock and chance; the real ones by default.
    :param limiter: how often to send; what all clients of this process share by default.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        transport: AsyncTransport | None = None,
        listener: Listener | None = None,
        runtime: Runtime | None = None,
        limiter: RateLimiter | None = None,
    ) -> None:
        if transport is None:
            # A Dag file is parsed often and calls nothing while it is.
            from airflow_provider_tuya_ota.transports.aiohttp_transport import (  # noqa: PLC0415 - a process loads the one HTTP library that it uses
                AiohttpTransport,
            )

            transport = AiohttpTransport(settings)
        self.settings = settings
        self._transport = transport
        self._listener = listener or LogListener(logging.getLogger(__name__))
        self._world = runtime or Runtime()
        self.limiter = limiter or limiter_of(settings)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Release the connections."""
        await self._transport.close()

    async def run(
        self,
        flow: Flow[T],
        *,
        listener: Listener | None = None,
        limiter: RateLimiter | None = None,
        runtime: Runtime | None = None,
    ) -> T:
        """Carry out a flow; see :meth:`TuyaOTAClient.run`.

        :param listener: receives the events of this flow; the client's by default.
        :param limiter: how often to send; the client's by default.
        :param runtime: clock and chance; the client's by default.
        """
        return await adrive(
            flow,
            transport=self._transport,
            limiter=limiter or self.limiter,
            runtime=runtime or self._world,
            listener=listener or self._listener,
        )

    async def do(self, action: Action[T]) -> T:
        """Carry out one operation; see :meth:`TuyaOTAClient.do`."""
        return await self.run(call(self.settings, action))

    async def iterate(self, first: Action[Page[Item]]) -> AsyncIterator[Item]:
        """Give the items of a paged list one by one; see :meth:`TuyaOTAClient.iterate`."""
        reading = Reading(first)
        while reading.request is not None:
            for item in reading.take(await self.run(read_page(self.settings, reading, reading.request))):
                yield item

    async def call(self, action: str, params: Mapping[str, Value] | None = None) -> Reply:
        """Sign and send any operation; see :meth:`TuyaOTAClient.call`."""
        return await self.run(_by_name(self.settings, action, params or {}))
