"""Lists of the jobs of a firmware: how many are read at once, and what a refused one changes."""

from __future__ import annotations

import asyncio
import itertools
from typing import TYPE_CHECKING

from tests.polling.stage import Stage, play
from tests.polling.test_bad_neighbours import REFUSED, change

if TYPE_CHECKING:
    from airflow_provider_tuya_ota.core.wire.http import Request, Response


async def wait_for_some_time(stage: Stage, seconds: float) -> None:
    waiting = asyncio.ensure_future(stage.wait_for_all())
    await asyncio.sleep(seconds)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)


def test_lists_that_hang_take_no_more_than_four_places() -> None:
    async def scene(stage: Stage) -> None:
        under_way = most = 0

        async def answer(request: Request) -> Response | None:
            nonlocal under_way, most
            if "Action=ListOTAJobByFirmware" in request.url:
                under_way += 1
                most = max(most, under_way)
                await asyncio.sleep(60)
                under_way -= 1
            return None

        change(stage, answer)
        await wait_for_some_time(stage, 30)

        assert most == 4

    play(scene, 60, 20, silent=True)


def test_a_key_that_is_refused_for_a_list_ends_no_listing() -> None:
    """Only where the platform does not list the jobs of a firmware are they polled one by one from then on."""

    async def scene(stage: Stage) -> None:
        async def answer(request: Request) -> Response | None:
            is_list = "Action=ListOTAJobByFirmware" in request.url
            if is_list:
                listed.append(begun + 10 < stage.loop.time() < begun + 30)
            return REFUSED if is_list and listed[-1] else None

        listed: list[bool] = []
        begun = stage.loop.time()
        change(stage, answer)
        await wait_for_some_time(stage, 60)

        # Before, while it was refused, and after.
        assert [is_refused for is_refused, _ in itertools.groupby(listed)] == [False, True, False]

    play(scene, 60, 2, silent=True)
