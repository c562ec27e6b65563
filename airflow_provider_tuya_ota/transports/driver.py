"""Run a flow, blocking or in an event loop.

:func:`_steps` makes every decision and yields only what takes time: a sleep, a request to send, a file to read. The two
drivers carry these out and differ only in their awaits.
"""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from airflow_provider_tuya_ota.core.errors import Delivery, TransportError, TuyaOTAError
from airflow_provider_tuya_ota.core.flows.effects import (
    Digest,
    End,
    LoadState,
    ReadContext,
    ReadOtherIntents,
    Report,
    SaveState,
    Send,
    Sleep,
    SlowDown,
    advance,
)
from airflow_provider_tuya_ota.core.flows.events import FlowEvent
from airflow_provider_tuya_ota.core.wire.http import Request
from airflow_provider_tuya_ota.transports.interfaces import NULL_STORE
from airflow_provider_tuya_ota.transports.limits import CHUNK_SIZE

if TYPE_CHECKING:
    from airflow_provider_tuya_ota.core.flows.effects import Flow, FlowContext, OtherIntents, SavedState
    from airflow_provider_tuya_ota.transports.interfaces import AsyncTransport, Listener, StateStore, Transport
    from airflow_provider_tuya_ota.transports.limiter import RateLimiter
    from airflow_provider_tuya_ota.transports.runtime import Runtime

T = TypeVar("T")
Steps: TypeAlias = Generator[Sleep | Request | Digest, Any, T]


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
    steps = _steps(flow, limiter, runtime, listener, state_store)
    try:
        while not isinstance(step := advance(steps, answer, failure), End):
            answer = failure = None
            try:
                match step:
                    case Request():
                        answer = transport.send(step)
                    case Sleep():
                        runtime.sleep(step.seconds)
                    case Digest():
                        answer = read_digests(step)
            except TuyaOTAError as error:
                failure = error
        return step.value
    finally:
        steps.close()


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
    steps = _steps(flow, limiter, runtime, listener, state_store)
    try:
        while not isinstance(step := advance(steps, answer, failure), End):
            answer = failure = None
            try:
                match step:
                    case Request():
                        answer = await transport.send(step)
                    case Sleep():
                        await runtime.asleep(step.seconds)
                    case Digest():
                        answer = await asyncio.to_thread(read_digests, step)
            except TuyaOTAError as error:
                failure = error
        return step.value
    finally:
        steps.close()


def read_digests(effect: Digest) -> dict[str, str]:
    """Read a file to its end."""
    with closing(effect.open_file()) as file:
        while file.read(CHUNK_SIZE):
            pass
        return file.digests()


def _steps(
    flow: Flow[T], limiter: RateLimiter, runtime: Runtime, listener: Listener, state_store: StateStore
) -> Steps[T]:
    """Run a flow, and yield what takes time.

    Only the failure of a request or a file is thrown into the flow. Any other ends it: e.g. one of ``save_state``.
    """
    answer: Any = None
    failure: Exception | None = None
    while not isinstance(effect := advance(flow, answer, failure), End):
        answer = failure = None
        match effect:
            case Send():
                try:
                    answer = yield from _send(effect, limiter, runtime)
                except TuyaOTAError as error:
                    failure = error
            case Digest():
                try:
                    answer = yield effect
                except TuyaOTAError as error:
                    failure = error
            case Sleep():
                yield effect
            case SlowDown():
                limiter.slow_down(effect.rate_limit_group)
            case _:
                answer = _answer_at_once(effect, runtime, listener, state_store)
    return effect.value


def _send(send: Send, limiter: RateLimiter, runtime: Runtime) -> Steps[Any]:
    # Where the sleep is broken off, the driver closes its steps, and the request is given back to the limiter.
    with limiter.reserve(send.rate_limit_group) as pause:
        request = _shorten(send.request, pause)
        if pause > 0:
            yield Sleep(pause)
        _require_soon(send, pause, runtime)
    return (yield request)


def _shorten(request: Request, pause: float) -> Request:
    """Subtract the pause from what the exchange may take.

    :raises TransportError: nothing is left.
    """
    if request.longest is None:
        return request
    if pause >= request.longest:
        raise TransportError("its turn came too late", endpoint=request.endpoint, delivery=Delivery.NEVER_SENT)
    return replace(request, longest=request.longest - pause)


def _require_soon(send: Send, pause: float, runtime: Runtime) -> None:
    """Check the clocks once more, right before a request leaves that must leave soon.

    :raises TransportError: this process was stalled meanwhile.
    """
    if send.since is not None and send.is_late(runtime.context(), pause):
        raise TransportError(
            "this process stood still before it was sent", endpoint=send.request.endpoint, delivery=Delivery.NEVER_SENT
        )


def _answer_at_once(
    effect: ReadContext | FlowEvent | Report | LoadState | SaveState | ReadOtherIntents,
    runtime: Runtime,
    listener: Listener,
    state_store: StateStore,
) -> FlowContext | SavedState | OtherIntents | None:
    match effect:
        case ReadContext():
            return runtime.context()
        case FlowEvent():
            listener.event(effect)
        case Report():
            listener.report(effect.verdict)
        case LoadState():
            return state_store.load_state()
        case SaveState():
            state_store.save_state(effect.value)
        case ReadOtherIntents():
            return state_store.other_intents(effect.mask)
    return None
