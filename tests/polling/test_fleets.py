"""Waits for states of whole fleets, each poll of which needs many requests."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from airflow_provider_tuya_ota.client import AsyncTuyaOTAClient
from airflow_provider_tuya_ota.core.policy.rate import RateLimitGroup
from airflow_provider_tuya_ota.core.status.condition_wait import ConditionWait
from airflow_provider_tuya_ota.core.status.conditions import DEVICES_PER_REQUEST, DevicesCondition
from airflow_provider_tuya_ota.core.status.wait_state import WaitState
from airflow_provider_tuya_ota.polling.dispatcher import LARGE_AT_ONCE, LARGE_MARGIN
from airflow_provider_tuya_ota.polling.poller import Poller
from airflow_provider_tuya_ota.transports.limiter import RateLimiter
from tests.campaigns.virtual import BIRTH, LoopWorld, VirtualLoop
from tests.contract.worlds import Quiet, settings
from tests.core.script import ok

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from airflow_provider_tuya_ota.core.wire.http import Request, Response

RATE = 10.0


class Fleets:
    """A poller before a platform whose devices are all online from one second on; the product ``hang`` gets no answer.

    :param online_from: that second.
    """

    def __init__(self, loop: VirtualLoop, online_from: float) -> None:
        self.loop, self.online_from = loop, online_from
        self.asked: Counter[str] = Counter()
        self.ends: dict[str, float] = {}
        self.world = LoopWorld(loop)
        limiter = RateLimiter({RateLimitGroup.CALLS: RATE, RateLimitGroup.CANCELS: RATE}, clock=loop.time)
        where = replace(settings("http://127.0.0.1:1"), requests_per_second=RATE)
        self.poller = Poller(
            AsyncTuyaOTAClient(where, transport=self, listener=Quiet(), runtime=self.world, limiter=limiter)
        )

    async def send(self, request: Request) -> Response:
        asked = {name: values[0] for name, values in parse_qs(urlsplit(request.url).query).items()}
        product = asked["ProductKey"]
        self.asked[product] += 1
        await asyncio.sleep(1000.0 if product.startswith("hang") else 0.01)
        state = "ONLINE" if self.loop.time() >= self.online_from else "OFFLINE"
        names = [value for name, value in asked.items() if name.startswith("DeviceName.")]
        return ok(deviceStatusList=[{"deviceName": name, "status": state} for name in names])

    async def close(self) -> None:
        pass

    async def wait(self, product: str, requests: int, seconds: float) -> None:
        names = [f"d{number}" for number in range(requests * DEVICES_PER_REQUEST)]
        condition = DevicesCondition(product_key=product, device_names=names, state="ONLINE", at_least=None)
        deadline = datetime.fromtimestamp(BIRTH, UTC) + timedelta(seconds=seconds)
        wait = ConditionWait(condition, deadline=deadline, poll_interval=3.0, state=WaitState())
        await self.poller.wait_for_condition(wait, listener=Quiet(), runtime=self.world)
        self.ends[product] = self.loop.time()


def play(act: Callable[[Fleets], Coroutine[Any, Any, None]], *, online_from: float = 0.0) -> Fleets:
    loop = VirtualLoop()

    async def run() -> Fleets:
        scene = Fleets(loop, online_from)
        async with scene.poller:
            await act(scene)
        assert asyncio.all_tasks() == {asyncio.current_task()}
        return scene

    try:
        return loop.run_until_complete(run())
    finally:
        loop.close()


def test_waits_for_twenty_fleets_do_not_starve_each_other() -> None:
    async def act(scene: Fleets) -> None:
        # All of them together need eighty seconds for a poll each.
        await asyncio.gather(*(scene.wait(f"p{number}", 40, 70.0) for number in range(20)))

    assert len(play(act, online_from=20.0).ends) == 20


def test_a_small_condition_waits_for_no_fleet() -> None:
    async def act(scene: Fleets) -> None:
        await asyncio.gather(scene.wait("small", 5, 60.0), *(scene.wait(f"p{number}", 40, 60.0) for number in range(9)))

    assert play(act).ends["small"] < 5.0


def test_a_poll_under_way_at_the_deadline_counts_and_no_other_one_begins() -> None:
    async def act(scene: Fleets) -> None:
        await scene.wait("p", 200, 10.0)

    assert play(act).asked == {"p": 200}


def test_after_a_poll_that_began_before_the_deadline_and_shows_too_little_there_is_another_one() -> None:
    async def act(scene: Fleets) -> None:
        await scene.wait("p", 200, 8.0)

    scene = play(act, online_from=10.0)

    assert scene.asked == {"p": 400}
    assert scene.ends["p"] < 8.0 + 60.0


def test_fleets_whose_answers_hang_keep_another_one_waiting_for_seconds_alone() -> None:
    async def act(scene: Fleets) -> None:
        hanging = [asyncio.ensure_future(scene.wait(f"hang{number}", 11, 300.0)) for number in range(LARGE_AT_ONCE)]
        await asyncio.sleep(1.0)
        await scene.wait("p", 11, 300.0)
        for wait in hanging:
            wait.cancel()
        await asyncio.gather(*hanging, return_exceptions=True)

    # Twice the time of all five polls, and the margin.
    assert LARGE_MARGIN < play(act).ends["p"] < LARGE_MARGIN + 2 * 5 * 11 / RATE + 1.0
