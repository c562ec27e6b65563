"""Answer the effects of a flow, blocking or in an event loop."""

from __future__ import annotations

import asyncio
import random
import time
import uuid
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar

from airflow_provider_tuya_ota.core.errors import Delivery, TransportError, TuyaOTAError
from airflow_provider_tuya_ota.core.flows.effects import (
    Digest,
    End,
    Flow,
    FlowContext,
    LoadState,
    Neighbours,
    Note,
    ReadContext,
    ReadNeighbours,
    Report,
    SavedState,
    SaveState,
    Send,
    Sleep,
    SlowDown,
    advance,
)
from airflow_provider_tuya_ota.transports.clock import steady_seconds
from airflow_provider_tuya_ota.transports.limits import CHUNK_SIZE

if TYPE_CHECKING:
    from airflow_provider_tuya_ota.core.model.verdict import Verdict
    from airflow_provider_tuya_ota.core.wire.http import Request, Response
    from airflow_provider_tuya_ota.transports.limiter import RateLimiter

T = TypeVar("T")


class Transport(Protocol):
    """Send one request; blocking."""

    def send(self, request: Request) -> Response:
        """Exchange, or raise TransportError or ProtocolError."""

    def close(self) -> None:
        """Release connections."""


class AsyncTransport(Protocol):
    """Send one request; in an event loop."""

    async def send(self, request: Request) -> Response:
        """Exchange, or raise TransportError or ProtocolError."""

    async def close(self) -> None:
        """Release connections."""


class Listener(Protocol):
    """Whoever wants to hear what a flow has to say."""

    def note(self, note: Note) -> None:
        """Take a line for the log."""

    def report(self, verdict: Verdict) -> None:
        """Take the state of a job."""


class StateStore(Protocol):
    """Where a task writes down what must survive it."""

    def load_state(self) -> SavedState:
        """Give what was written last."""

    def save_state(self, value: Any) -> None:
        """Write durably; what raises here stops the flow before it goes on."""

    def neighbours(self, mask: str | None) -> Neighbours:
        """Give what other tasks have written about the same firmware."""


class NullStore:
    """A memory that keeps nothing."""

    def load_state(self) -> SavedState:
        """Give nothing."""
        return SavedState()

    def save_state(self, value: Any) -> None:
        """Keep nothing."""

    def neighbours(self, mask: str | None) -> Neighbours:  # noqa: ARG002 - the protocol's signature
        """Know nobody."""
        return Neighbours()


NULL_STORE: Final = NullStore()


class Runtime:
    """Time and chance as they are; a test gives others.

    Take one for a whole wait: what it calls steady time is the wall clock's at its first look, and goes on from there.
    """

    @cached_property
    def _anchor(self) -> tuple[datetime, float]:
        return datetime.now(UTC), steady_seconds()

    def context(self) -> FlowContext:
        """Read the clocks and draw a nonce."""
        began_at, began = self._anchor
        steady = began_at + timedelta(seconds=steady_seconds() - began)
        jitter = random.random()  # noqa: S311 - it spreads retries and protects nothing
        return FlowContext(now=datetime.now(UTC), steady=steady, nonce=uuid.uuid4().hex, jitter=jitter)

    def sleep(self, seconds: float) -> None:
        """Block."""
        time.sleep(seconds)

    async def asleep(self, seconds: float, *, unless: asyncio.Event | None = None) -> None:
        """Let other coroutines run.

        :param unless: ends the sleep when it is set.
        """
        if unless is None:
            await asyncio.sleep(seconds)
            return
        try:
            async with asyncio.timeout(seconds):
                await unless.wait()
        except TimeoutError:
            return


def drive(
    flow: Flow[T],
    *,
    transport: Transport,
    limiter: RateLimiter,
    runtime: Runtime,
    listener: Listener,
    state_store: StateStore = NULL_STORE,
) -> T:
    """Run a flow to its end, blocking."""
    answer: Any = None
    failure: Exception | None = None
    while True:
        effect = advance(flow, answer, failure)
        answer = failure = None
        match effect:
            case End():
                return effect.value
            case Send():
                try:
                    with limiter.reserve(effect.rate_limit_group) as pause:
                        request = _in_turn(effect.request, pause)
                        if pause > 0:
                            runtime.sleep(pause)
                        _require_soon(effect, pause, runtime)
                    answer = transport.send(request)
                except TuyaOTAError as error:
                    failure = error
            case Digest():
                try:
                    answer = read_digests(effect)
                except TuyaOTAError as error:
                    failure = error
            case Sleep():
                runtime.sleep(effect.seconds)
            case SlowDown():
                limiter.slow_down(effect.rate_limit_group)
            case _:
                answer = _answer_at_once(effect, runtime, listener, state_store)


async def adrive(
    flow: Flow[T],
    *,
    transport: AsyncTransport,
    limiter: RateLimiter,
    runtime: Runtime,
    listener: Listener,
    state_store: StateStore = NULL_STORE,
) -> T:
    """Run a flow to its end in an event loop."""
    answer: Any = None
    failure: Exception | None = None
    while True:
        effect = advance(flow, answer, failure)
        answer = failure = None
        match effect:
            case End():
                return effect.value
            case Send():
                try:
                    with limiter.reserve(effect.rate_limit_group) as pause:
                        request = _in_turn(effect.request, pause)
                        if pause > 0:
                            await runtime.asleep(pause)
                        _require_soon(effect, pause, runtime)
                    answer = await transport.send(request)
                except TuyaOTAError as error:
                    failure = error
            case Digest():
                try:
                    answer = await asyncio.to_thread(read_digests, effect)
                except TuyaOTAError as error:
                    failure = error
            case Sleep():
                await runtime.asleep(effect.seconds)
            case SlowDown():
                limiter.slow_down(effect.rate_limit_group)
            case _:
                answer = _answer_at_once(effect, runtime, listener, state_store)


def read_digests(effect: Digest) -> dict[str, str]:
    """Read a file to its end."""
    with closing(effect.open_file()) as file:
        while file.read(CHUNK_SIZE):
            pass
        return file.digests()


def _in_turn(request: Request, pause: float) -> Request:
    """Take the time until a request's turn from what its exchange may take.

    :raises TransportError: its turn comes too late.
    """
    if request.longest is None:
        return request
    if pause >= request.longest:
        raise TransportError("its turn came too late", endpoint=request.endpoint, delivery=Delivery.NEVER_SENT)
    return replace(request, longest=request.longest - pause)


def _require_soon(send: Send, pause: float, runtime: Runtime) -> None:
    """Look at the clocks last of all before a request leaves that must leave soon.

    :raises TransportError: this process stood still meanwhile.
    """
    if send.since is not None and send.is_late(runtime.context(), pause):
        raise TransportError(
            "this process stood still before it was sent", endpoint=send.request.endpoint, delivery=Delivery.NEVER_SENT
        )


def _answer_at_once(
    effect: ReadContext | Note | Report | LoadState | SaveState | ReadNeighbours,
    runtime: Runtime,
    listener: Listener,
    state_store: StateStore,
) -> FlowContext | SavedState | Neighbours | None:
    match effect:
        case ReadContext():
            return runtime.context()
        case Note():
            listener.note(effect)
        case Report():
            listener.report(effect.verdict)
        case LoadState():
            return state_store.load_state()
        case SaveState():
            state_store.save_state(effect.value)
        case ReadNeighbours():
            return state_store.neighbours(effect.mask)
    return None
