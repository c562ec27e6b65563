from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from airflow_provider_tuya_ota.core.actions import QueryOTAJob
from airflow_provider_tuya_ota.core.errors import NotFoundError, ProtocolError
from airflow_provider_tuya_ota.core.flows.bounded_poll import run_poll
from airflow_provider_tuya_ota.core.flows.calls import call
from tests.core.script import SETTINGS, Script, job, lost, ok, refused

if TYPE_CHECKING:
    from airflow_provider_tuya_ota.core.flows.effects import Flow
    from airflow_provider_tuya_ota.core.wire.http import Response
    from tests.core.script import Sent

ASK = QueryOTAJob(job_id="1")


def asking(times: int) -> Flow[int]:
    for _ in range(times):
        yield from call(SETTINGS, ASK)
    return times


def test_a_poll_is_what_it_asks_and_concludes() -> None:
    script = Script([ok(data=job("1"))] * 3)

    assert script.run(run_poll(SETTINGS, asking(3), "job 1")) == 3
    assert len(script.sent) == 3


def test_what_the_platform_refuses_is_refused() -> None:
    with pytest.raises(NotFoundError):
        Script([refused("iot.firmware.InvalidOTAJobId")]).run(run_poll(SETTINGS, asking(1), "job 1"))


@pytest.mark.parametrize("odd", [RecursionError("too deep"), OverflowError("date value out of range"), KeyError("x")])
def test_an_answer_that_nobody_thought_of_is_a_poll_that_failed(odd: Exception) -> None:
    def mistaken() -> Flow[None]:
        yield from asking(1)
        raise odd

    with pytest.raises(ProtocolError, match=rf"job 1 could not be polled: .*\({type(odd).__name__}\)") as caught:
        Script([ok(data=job("1"))]).run(run_poll(SETTINGS, mistaken(), "job 1"))

    # The text of such an error may hold what the platform sent.
    assert str(odd) not in str(caught.value)
    assert caught.value.__context__ is None


def test_a_poll_with_less_time_says_to_each_exchange_how_much_is_left() -> None:
    script = Script()

    def platform(sent: Sent) -> Response:
        script.now += timedelta(seconds=20)
        return ok(data=job("1"))

    script.answers = platform

    with pytest.raises(ProtocolError, match="within 50 s"):
        script.run(run_poll(SETTINGS, asking(10), "job 1", longest=50.0))
    assert [sent.request.longest for sent in script.sent] == [50.0, 30.0, 10.0]


def test_a_poll_does_not_sleep_beyond_its_time() -> None:
    script = Script([lost()])

    with pytest.raises(ProtocolError, match=r"within 0\.5 s"):
        script.run(run_poll(SETTINGS, asking(1), "job 1", longest=0.5))
    assert script.sleeps == []


@pytest.mark.parametrize(("rate", "seconds"), [(10.0, 600), (0.5, 10_000)])
def test_answers_without_end_end_the_poll(rate: float, seconds: float) -> None:
    script = Script()

    def platform(sent: Sent) -> Response:
        script.now += timedelta(seconds=50)
        return ok(data=job("1"))

    script.answers = platform
    begun = script.now

    with pytest.raises(ProtocolError, match=f"job 1 could not be polled within {seconds:g} s"):
        script.run(run_poll(replace(SETTINGS, requests_per_second=rate), asking(10_000), "job 1"))
    assert (script.now - begun).total_seconds() == pytest.approx(seconds, abs=60)
