from __future__ import annotations

import asyncio
import threading

import pytest

from airflow_provider_tuya_ota.core.actions import QueryOTAJob
from airflow_provider_tuya_ota.core.flows.calls import call
from airflow_provider_tuya_ota.core.policy.rate import SECOND, RateLimitGroup
from airflow_provider_tuya_ota.transports.driver import adrive, drive
from airflow_provider_tuya_ota.transports.limiter import RateLimiter, ReservedLimiter
from tests.core.script import SETTINGS
from tests.transports.test_drivers import Blocking, Trace, Waiting


class Interrupted(Trace):
    """A world in which waiting is broken off."""

    def sleep(self, seconds: float) -> None:
        raise KeyboardInterrupt

    async def asleep(self, seconds: float, *, unless: asyncio.Event | None = None) -> None:
        raise asyncio.CancelledError


def limiter() -> RateLimiter:
    """One request every ten seconds, on a clock that stands still."""
    return RateLimiter({RateLimitGroup.CALLS: SECOND / 10}, clock=lambda: 100.0)


def pauses(spend: RateLimiter, times: int) -> list[float]:
    reported = []
    for _ in range(times):
        with spend.reserve(RateLimitGroup.CALLS) as pause:
            reported.append(pause)
    return reported


def test_a_wait_that_is_broken_off_gives_its_request_back() -> None:
    spend = limiter()
    assert pauses(spend, 2) == pytest.approx([0.0, 10.0])

    for _ in range(50):
        with pytest.raises(KeyboardInterrupt), spend.reserve(RateLimitGroup.CALLS):
            raise KeyboardInterrupt

    assert pauses(spend, 2) == pytest.approx([20.0, 30.0])


def test_what_was_paid_before_is_taken_once_and_the_rest_from_the_budget() -> None:
    spend = limiter()

    assert pauses(ReservedLimiter(spend), 3) == pytest.approx([0.0, 0.0, 10.0])
    prepaid = ReservedLimiter(spend)
    assert pauses(prepaid, 1) == [0.0]
    with pytest.raises(KeyboardInterrupt), prepaid.reserve(RateLimitGroup.CALLS):
        raise KeyboardInterrupt

    assert pauses(spend, 1) == pytest.approx([20.0])


def test_a_worker_that_is_killed_while_it_waits_for_its_turn_gives_it_back() -> None:
    spend, trace = limiter(), Interrupted([])
    pauses(spend, 1)

    with pytest.raises(KeyboardInterrupt):
        drive(
            call(SETTINGS, QueryOTAJob(job_id="1")),
            transport=Blocking(trace),
            limiter=spend,
            runtime=trace,
            listener=trace,
        )

    assert pauses(spend, 1) == pytest.approx([10.0])


async def test_a_coroutine_that_is_cancelled_while_it_waits_for_its_turn_gives_it_back() -> None:
    spend, trace = limiter(), Interrupted([])
    pauses(spend, 1)

    with pytest.raises(asyncio.CancelledError):
        await adrive(
            call(SETTINGS, QueryOTAJob(job_id="1")),
            transport=Waiting(trace),
            limiter=spend,
            runtime=trace,
            listener=trace,
        )

    assert pauses(spend, 1) == pytest.approx([10.0])


def test_a_signal_handler_may_reserve_while_the_interrupted_code_does() -> None:
    spend = limiter()
    done = threading.Event()

    def interrupted() -> None:
        with spend._lock:
            pauses(spend, 1)
            done.set()

    # In a thread, so that a lock that cannot be taken twice fails this test and does not hang it.
    threading.Thread(target=interrupted, daemon=True).start()

    assert done.wait(5)
