"""Waits for a condition end alike in a worker and in the shared poller, and those for one condition share its polls."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_tuya_ota.client import AsyncTuyaOTAClient, TuyaOTAClient
from airflow_provider_tuya_ota.core.errors import TuyaOTAError
from airflow_provider_tuya_ota.core.policy.rate import RateLimitGroup
from airflow_provider_tuya_ota.core.status.condition_wait import ConditionWait, wait_for_condition
from airflow_provider_tuya_ota.core.status.conditions import FirmwareCondition
from airflow_provider_tuya_ota.core.status.poll_scheduler import PollScheduler
from airflow_provider_tuya_ota.core.status.wait import LAST_POLL
from airflow_provider_tuya_ota.core.status.wait_state import KeyRefusedError, WaitState
from airflow_provider_tuya_ota.polling.poller import Poller, PollerBrokenError
from airflow_provider_tuya_ota.transports.limiter import RateLimiter
from tests.campaigns.virtual import BIRTH, LoopWorld, VirtualLoop
from tests.contract.worlds import Quiet, VirtualWorld, settings
from tests.polling.stage import Heard
from tests.polling.test_modes import AWAY, DRIPPING, GONE, HOUR, ODD, ONE_POLL, POLL, REFUSED, Blocking, Stand, Waiting

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence

    from tests.polling.test_modes import End, Play, State

UNVERIFIED: State = ("IN_PROGRESS", 0, "NOTIFIED")
VERIFIED: State = ("COMPLETED", 1, "SUCCEEDED")
FAILED: State = ("COMPLETED", 3, "FAILED")

PLAYS: dict[str, tuple[Play, str]] = {
    "it is met at once": ([(0, VERIFIED)], "met"),
    "it is met later": ([(0, UNVERIFIED), (300, VERIFIED)], "met"),
    "it is met at the deadline": ([(0, UNVERIFIED), (3 * HOUR, VERIFIED)], "met"),
    "it is never met": ([(0, UNVERIFIED)], "WaitTimeoutError"),
    "it fails": ([(0, UNVERIFIED), (300, FAILED)], "FirmwareStatusError"),
    "the key is refused from the first": ([(0, REFUSED)], "AuthenticationError"),
    "the key is refused for a moment": ([(0, UNVERIFIED), (300, REFUSED), (500, VERIFIED)], "met"),
    "the key is refused for good": ([(0, UNVERIFIED), (300, REFUSED)], "PollingFailedError"),
    "it is not there": ([(0, GONE)], "NotFoundError"),
    "it goes away": ([(0, UNVERIFIED), (300, GONE)], "PollingFailedError"),
    "an outage of an hour": ([(0, UNVERIFIED), (300, AWAY), (300 + HOUR, VERIFIED)], "met"),
    "an outage without end": ([(0, UNVERIFIED), (300, AWAY)], "PollingFailedError"),
    "nothing but odd answers": ([(0, UNVERIFIED), (300, ODD)], "PollingFailedError"),
}


def waiting(
    seconds: float = 3 * HOUR, *, statuses: Sequence[str] = ("VERIFIED",), poll_interval: float = POLL
) -> ConditionWait:
    condition = FirmwareCondition(firmware_id="178", statuses=statuses, failing_statuses=["FAILED"])
    deadline = datetime.fromtimestamp(BIRTH, UTC) + timedelta(seconds=seconds)
    return ConditionWait(condition, deadline=deadline, poll_interval=poll_interval, state=WaitState())


def ended(run: Callable[[], Any], time: Callable[[], float]) -> End:
    try:
        run()
    except TuyaOTAError as error:
        return type(error).__name__, time()
    return "met", time()


def blocking(play: Play) -> End:
    world = VirtualWorld()
    stand = Stand(play, lambda: world.now - BIRTH)
    where, wait = settings("http://127.0.0.1:1"), waiting()

    def run(client: TuyaOTAClient) -> None:
        while True:
            try:
                return client.run(wait_for_condition(where, wait))
            except KeyRefusedError as refused:
                world.sleep(refused.pause)

    with TuyaOTAClient(where, transport=Blocking(stand, world.sleep), listener=Quiet(), runtime=world) as client:
        return ended(lambda: run(client), stand.time)


class Scene:
    """A poller before a platform that behaves as a play says."""

    def __init__(self, play: Play, loop: VirtualLoop) -> None:
        self.stand = Stand(play, loop.time)
        self.world = LoopWorld(loop)
        where = replace(settings("http://127.0.0.1:1"), requests_per_second=10.0)
        limiter = RateLimiter({RateLimitGroup.CALLS: 10.0, RateLimitGroup.CANCELS: 10.0}, clock=loop.time)
        self.poller = Poller(
            AsyncTuyaOTAClient(
                where, transport=Waiting(self.stand), listener=Quiet(), runtime=self.world, limiter=limiter
            )
        )

    async def wait(self, wait: ConditionWait, listener: Quiet | None = None) -> None:
        while True:
            try:
                return await self.poller.wait_for_condition(wait, listener=listener or Quiet(), runtime=self.world)
            except KeyRefusedError as refused:
                await asyncio.sleep(refused.pause)


def play_scene(play: Play, act: Callable[[Scene], Coroutine[Any, Any, None]]) -> End:
    loop = VirtualLoop()

    async def run() -> None:
        scene = Scene(play, loop)
        async with scene.poller:
            await act(scene)
        assert asyncio.all_tasks() == {asyncio.current_task()}

    try:
        return ended(lambda: loop.run_until_complete(run()), loop.time)
    finally:
        loop.close()


def deferred(play: Play) -> End:
    return play_scene(play, lambda scene: scene.wait(waiting()))


@pytest.mark.parametrize("name", PLAYS)
def test_a_wait_ends_in_the_same_way_after_the_same_time_wherever_it_polls(name: str) -> None:
    play, outcome = PLAYS[name]

    ends = {mode.__name__: mode(play) for mode in (blocking, deferred)}

    assert {end for end, _ in ends.values()} == {outcome}, ends
    assert ends["deferred"][1] == pytest.approx(ends["blocking"][1], abs=ONE_POLL)


def test_a_thousand_waits_for_one_condition_poll_as_often_as_one_and_end_together() -> None:
    asked = []

    for waits in (1, 1000):

        async def act(scene: Scene, waits: int = waits) -> None:
            await asyncio.gather(*(scene.wait(waiting()) for _ in range(waits)))
            asked.append(len(scene.stand.asked))

        end, after = play_scene([(0, UNVERIFIED), (300, VERIFIED)], act)
        assert end == "met"
        assert 300 <= after <= 300 + POLL + 1

    assert asked[1] == asked[0] == pytest.approx(300 / POLL + 2, abs=1)


def test_an_error_of_a_shared_poll_is_raised_by_each_wait_for_itself() -> None:
    async def act(scene: Scene) -> None:
        errors = await asyncio.gather(*(scene.wait(waiting()) for _ in range(3)), return_exceptions=True)

        assert {type(error).__name__ for error in errors} == {"FirmwareStatusError"}
        assert len({id(error) for error in errors}) == 3

    play_scene([(0, FAILED)], act)


def test_each_wait_writes_its_own_log_and_only_what_is_new() -> None:
    async def act(scene: Scene) -> None:
        first, second = Heard(), Heard()
        one = asyncio.create_task(scene.wait(waiting(), first))
        await asyncio.sleep(100)
        await asyncio.gather(one, scene.wait(waiting(), second))

        lines = ["firmware 178 (1.1) is UNVERIFIED", "firmware 178 (1.1) is VERIFIED"]
        assert (first.notes, second.notes) == (lines, lines)

    assert play_scene([(0, UNVERIFIED), (300, VERIFIED)], act)[0] == "met"


def test_a_poll_that_fails_is_noted_and_the_next_one_comes_after_the_interval() -> None:
    async def act(scene: Scene) -> None:
        heard = Heard()
        await scene.wait(waiting(), heard)

        assert any(note.endswith("The wait for firmware 178 goes on.") for note in heard.notes)

    assert play_scene([(0, UNVERIFIED), (300, AWAY), (400, VERIFIED)], act)[0] == "met"


def test_many_conditions_stay_within_the_rate_limit_and_none_is_left_out() -> None:
    async def act(scene: Scene) -> None:
        # Conditions that differ share no polls.
        different = [["VERIFIED"] * number for number in range(1, 61)]
        gathered = asyncio.gather(*(scene.wait(waiting(statuses=one, poll_interval=2.0)) for one in different))
        await asyncio.sleep(100)

        assert 0.8 * 1000 / 1.1 <= len(scene.stand.asked) <= 1000
        await gathered

    end, after = play_scene([(0, UNVERIFIED), (110, VERIFIED)], act)

    assert end == "met"
    assert after < 110 + 10


@pytest.mark.parametrize("before", [0.5, 50.0, 300.0])
def test_an_answer_that_drips_holds_no_wait_for_more_than_a_minute(before: float) -> None:
    end, after = deferred([(0, UNVERIFIED), (3 * HOUR - before, DRIPPING)])

    assert end == "WaitTimeoutError"
    assert 3 * HOUR <= after <= 3 * HOUR + LAST_POLL + 0.1


def test_a_wait_that_is_cancelled_leaves_nothing_behind() -> None:
    async def act(scene: Scene) -> None:
        task = asyncio.create_task(scene.wait(waiting()))
        await asyncio.sleep(20)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        asked = len(scene.stand.asked)
        await asyncio.sleep(100)

        assert len(scene.stand.asked) == asked

    play_scene([(0, UNVERIFIED)], act)


def test_a_poller_that_breaks_is_left_by_those_who_wait_for_conditions(monkeypatch: pytest.MonkeyPatch) -> None:
    def mistaken(*_: Any) -> None:
        raise RuntimeError("a mistake of ours")

    monkeypatch.setattr(PollScheduler, "condition_polled", mistaken)

    async def act(scene: Scene) -> None:
        waits = (scene.poller.wait_for_condition(waiting(), listener=Quiet(), runtime=scene.world) for _ in range(2))
        errors = await asyncio.gather(*waits, return_exceptions=True)

        assert [type(error) for error in errors] == [PollerBrokenError] * 2
        assert [error.waits for error in errors if isinstance(error, PollerBrokenError)] == [2, 2]

    play_scene([(0, UNVERIFIED)], act)
