from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest

from airflow_provider_tuya_ota.core.actions import CreateOTAVerifyJob, QueryOTAJob
from airflow_provider_tuya_ota.core.errors import Delivery, ProtocolError, TransportError, TuyaOTAError
from airflow_provider_tuya_ota.core.flows.calls import call
from airflow_provider_tuya_ota.core.flows.effects import (
    Flow,
    FlowContext,
    LoadState,
    OtherIntents,
    ReadContext,
    ReadOtherIntents,
    SavedState,
    SaveState,
    Send,
)
from airflow_provider_tuya_ota.core.jobs.tracked_job import JobOrigin
from airflow_provider_tuya_ota.core.jobs.verification import IfVerified, start_verification
from airflow_provider_tuya_ota.core.policy.rate import RateLimitGroup
from airflow_provider_tuya_ota.core.status.wait import WaitOptions
from airflow_provider_tuya_ota.core.wire.http import Request
from airflow_provider_tuya_ota.transports.driver import adrive, drive
from airflow_provider_tuya_ota.transports.limiter import RateLimiter, limiter_of
from airflow_provider_tuya_ota.transports.runtime import Runtime
from tests.core.one_job import wait_for_job
from tests.core.script import NOW, SETTINGS, firmware, gateway, job, lost, ok, task

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from airflow_provider_tuya_ota.core.flows.events import FlowEvent
    from airflow_provider_tuya_ota.core.model.verdict import Verdict
    from airflow_provider_tuya_ota.core.wire.http import Response

Answer: TypeAlias = "Response | Exception"


@dataclass
class Trace(Runtime):
    """Everything a driver did, in order; also its world, listener and transport."""

    answers: Sequence[Answer]
    now: datetime = NOW
    steps: list[object] = field(default_factory=list)
    sent: int = 0

    def context(self) -> FlowContext:
        self.steps.append("context")
        return FlowContext(now=self.now, steady=self.now, nonce=f"n{len(self.steps)}", jitter=1.0)

    def sleep(self, seconds: float) -> None:
        self.steps.append(("sleep", seconds))
        self.now += timedelta(seconds=seconds)

    async def asleep(self, seconds: float, *, unless: asyncio.Event | None = None) -> None:
        self.sleep(seconds)

    def event(self, event: FlowEvent) -> None:
        self.steps.append(event)

    def report(self, verdict: Verdict) -> None:
        self.steps.append(verdict)

    def exchange(self, request: Request) -> Response:
        self.steps.append(request)
        answer = self.answers[self.sent]
        self.sent += 1
        if isinstance(answer, Exception):
            raise answer
        return answer


@dataclass
class Blocking:
    trace: Trace

    def send(self, request: Request) -> Response:
        return self.trace.exchange(request)

    def close(self) -> None:
        self.trace.steps.append("closed")


@dataclass
class Waiting:
    trace: Trace

    async def send(self, request: Request) -> Response:
        await asyncio.sleep(0)
        return self.trace.exchange(request)

    async def close(self) -> None:
        self.trace.steps.append("closed")


def limiter() -> RateLimiter:
    return RateLimiter({RateLimitGroup.CALLS: 1e9, RateLimitGroup.CANCELS: 1e9})


def blocking(flow: Flow[Any], trace: Trace, spend: RateLimiter) -> Any:
    return drive(flow, transport=Blocking(trace), limiter=spend, runtime=trace, listener=trace)


def in_a_loop(flow: Flow[Any], trace: Trace, spend: RateLimiter) -> Any:
    return asyncio.run(adrive(flow, transport=Waiting(trace), limiter=spend, runtime=trace, listener=trace))


def outcome(driver: Callable[..., Any], flow: Flow[Any], trace: Trace) -> object:
    try:
        return driver(flow, trace, limiter())
    except TuyaOTAError as error:
        return type(error), str(error)


VERIFY = CreateOTAVerifyJob(firmware_id="178", product_key="pk")
TOO_LARGE = ProtocolError("the answer is longer than 16,777,216 bytes")
DEADLINE = WaitOptions(deadline=NOW + timedelta(seconds=20), poll_interval=15)
NO_MORE = (ok(data=[]), ok(data=[]))
"""A list on which something is decided is read on past its end."""
FOUND = (ok(data=[job()]), *NO_MORE, ok(data=job()))
"""One look for a job after its answer was lost; it is taken when it has been seen for a minute."""
STILL_RUNNING = (ok(data=[task("d1", "NOTIFIED")], total=1),)
"""Within a minute of a poll that showed the job running, the next one reads the device tasks alone."""
RUNNING = (ok(data=job()), *STILL_RUNNING, ok(firmwareInfo=firmware(status=2)))
ALL_ENDED = (ok(data=[task("d1", "SUCCEEDED")], total=1),)
"""Where these have ended, it reads the job and everything else after it."""
DONE = (
    ok(data=job(status="COMPLETED")),
    ok(data=[task("d1", "SUCCEEDED")], total=1),
    ok(data=[], total=1),
    ok(data=[], total=1),
    ok(firmwareInfo=firmware(status=1)),
)

FLOWS: dict[str, tuple[Callable[[], Flow[Any]], Sequence[Answer]]] = {
    "a read": (lambda: call(SETTINGS, QueryOTAJob(job_id="9001")), [ok(data=job())]),
    "a read repeated": (lambda: call(SETTINGS, QueryOTAJob(job_id="9001")), [lost(), gateway("", 503), ok(data=job())]),
    "a read given up": (lambda: call(SETTINGS, QueryOTAJob(job_id="9001")), [lost()] * 5),
    "a read refused": (lambda: call(SETTINGS, QueryOTAJob(job_id="9001")), [gateway("SignatureDoesNotMatch", 403)]),
    "a create in doubt": (
        lambda: start_verification(SETTINGS, VERIFY, if_verified=IfVerified.SUCCEED),
        [ok(firmwareInfo=firmware()), ok(data=[]), lost(), ok(data=[]), *FOUND * 5],
    ),
    "a create with an endless answer": (
        lambda: start_verification(SETTINGS, VERIFY, if_verified=IfVerified.SUCCEED),
        [ok(firmwareInfo=firmware()), ok(data=[]), TOO_LARGE, *FOUND * 6],
    ),
    "a wait": (lambda: wait_for_job(SETTINGS, "9001", DEADLINE), [*RUNNING, *ALL_ENDED, *DONE]),
    "a wait with an endless answer": (lambda: wait_for_job(SETTINGS, "9001", DEADLINE), [TOO_LARGE, *DONE]),
    "a wait too long": (lambda: wait_for_job(SETTINGS, "9001", DEADLINE), [*RUNNING, *STILL_RUNNING, *STILL_RUNNING]),
}


@pytest.mark.parametrize("name", FLOWS)
def test_a_flow_does_the_same_under_both_drivers(name: str) -> None:
    flow, answers = FLOWS[name]
    one, other = Trace(answers), Trace(answers)

    assert outcome(blocking, flow(), one) == outcome(in_a_loop, flow(), other)
    assert one.steps == other.steps
    assert one.sent == len(answers)


both = pytest.mark.parametrize("driver", [blocking, in_a_loop])


@both
def test_an_endless_answer_to_a_create_is_looked_into_like_any_other_doubt(driver: Callable[..., Any]) -> None:
    flow, answers = FLOWS["a create with an endless answer"]

    found = driver(flow(), Trace(answers), limiter())

    assert (found.job_id, found.origin) == ("9001", JobOrigin.FOUND)


@both
def test_a_lost_request_reaches_the_caller_as_its_error(driver: Callable[..., Any]) -> None:
    with pytest.raises(TransportError) as caught:
        driver(call(SETTINGS, VERIFY), Trace([lost(Delivery.NEVER_SENT)]), limiter())

    assert caught.value.delivery is Delivery.NEVER_SENT


@both
def test_a_mistake_in_a_transport_is_not_taken_for_an_outcome(driver: Callable[..., Any]) -> None:
    with pytest.raises(ZeroDivisionError):
        driver(call(SETTINGS, VERIFY), Trace([ZeroDivisionError()]), limiter())


@both
def test_requests_beyond_the_budget_wait(driver: Callable[..., Any]) -> None:
    trace = Trace([ok(data=job())] * 3)
    spend = RateLimiter({RateLimitGroup.CALLS: 0.001, RateLimitGroup.CANCELS: 1.0})

    for _ in range(3):
        driver(call(SETTINGS, QueryOTAJob(job_id="9001")), trace, spend)

    pauses = [step[1] for step in trace.steps if isinstance(step, tuple)]
    assert pauses == pytest.approx([1100, 2200], abs=10)


def test_clients_of_one_connection_share_a_budget() -> None:
    assert limiter_of(SETTINGS) is limiter_of(SETTINGS)
    with limiter_of(SETTINGS).reserve(RateLimitGroup.CANCELS) as pause:
        assert pause == 0.0


def test_the_real_world_gives_utc_time_new_nonces_and_chance() -> None:
    contexts = [Runtime().context() for _ in range(100)]

    assert len({context.nonce for context in contexts}) == 100
    assert all(0 <= context.jitter <= 1 for context in contexts)
    assert all(abs(context.now - datetime.now(UTC)) < timedelta(minutes=1) for context in contexts)
    assert {context.now.utcoffset() for context in contexts} == {timedelta(0)}


async def test_the_real_world_sleeps() -> None:
    Runtime().sleep(0)
    await Runtime().asleep(0)


class Book:
    """A state store in memory."""

    def __init__(self) -> None:
        self.value: Any = {"written": "before"}

    def load_state(self) -> SavedState:
        return SavedState(self.value, is_durable=True)

    def save_state(self, value: Any) -> None:
        self.value = value

    def other_intents(self, mask: str | None) -> OtherIntents:
        return OtherIntents(key=mask or "")


def recalling() -> Flow[SavedState]:
    saved: SavedState = yield LoadState()
    yield SaveState({"written": "now"})
    other_intents: OtherIntents = yield ReadOtherIntents("the mask")
    assert other_intents.key == ("the mask" if saved.is_durable else "")
    return saved


def test_a_flow_recalls_and_remembers_in_the_memory_it_is_given() -> None:
    trace, memory = Trace([]), Book()

    saved = drive(
        recalling(), transport=Blocking(trace), limiter=limiter(), runtime=trace, listener=trace, state_store=memory
    )

    assert saved == SavedState({"written": "before"}, is_durable=True)
    assert memory.value == {"written": "now"}


async def test_a_flow_in_an_event_loop_has_a_memory_too() -> None:
    trace, memory = Trace([]), Book()

    await adrive(
        recalling(), transport=Waiting(trace), limiter=limiter(), runtime=trace, listener=trace, state_store=memory
    )

    assert memory.value == {"written": "now"}


def test_without_a_memory_nothing_is_known_and_nothing_kept() -> None:
    assert blocking(recalling(), Trace([]), limiter()) == SavedState()


@pytest.mark.parametrize("driver", [blocking, in_a_loop])
def test_the_time_until_its_turn_is_taken_from_what_an_exchange_may_take(driver: Callable[..., Any]) -> None:
    spend = RateLimiter({RateLimitGroup.CALLS: 0.1, RateLimitGroup.CANCELS: 0.1}, clock=lambda: 0.0)

    def ask() -> Flow[list[object]]:
        found: list[object] = []
        for longest in (60.0, 5.0, 60.0):
            try:
                found.append((yield Send(Request("GET", "http://host/", longest=longest), RateLimitGroup.CALLS)))
            except TransportError as error:
                found.append((error.reason, error.delivery))
        return found

    trace = Trace([ok(), ok()])
    found = driver(ask(), trace, spend)

    (slept,) = [step[1] for step in trace.steps if isinstance(step, tuple)]
    # What was not sent is given back: the third one waits no longer than the second would have.
    assert 10.0 <= slept < 20.0
    assert found == [ok(), ("its turn came too late", Delivery.NEVER_SENT), ok()]
    sent = [step for step in trace.steps if isinstance(step, Request)]
    assert [request.longest for request in sent] == [60.0, 60.0 - slept]


@both
@pytest.mark.parametrize(("stalled", "is_sent"), [(0, True), (50, True), (70, False)])
def test_a_request_that_must_leave_soon_does_not_leave_after_the_process_stood_still(
    driver: Callable[..., Any], stalled: float, is_sent: bool
) -> None:
    class Frozen(Trace):
        """Stands still while it waits for its turn."""

        def sleep(self, seconds: float) -> None:
            super().sleep(seconds + stalled)

    trace = Frozen([ok(), ok()])
    spend = RateLimiter({RateLimitGroup.CALLS: 0.01, RateLimitGroup.CANCELS: 1.0}, clock=lambda: 0.0)

    def ask() -> Flow[None]:
        yield Send(Request("GET", "http://host/"), RateLimitGroup.CALLS)
        yield Send(Request("GET", "http://host/"), RateLimitGroup.CALLS, since=(yield ReadContext()))

    if is_sent:
        driver(ask(), trace, spend)
    else:
        with pytest.raises(TransportError, match=r"stood still before it was sent\); it was not delivered") as caught:
            driver(ask(), trace, spend)
        assert caught.value.delivery is Delivery.NEVER_SENT
    assert trace.sent == 1 + is_sent
