"""Lists of the jobs of a firmware: how many are read at once, and what a refused one changes."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from tests.polling.stage import Stage, play
from tests.polling.test_bad_neighbours import REFUSED, change

if TYPE_CHECKING:
    from airflow_provider_tuya_ota.core.wire.http import Request, Response


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
        await stage.wait_for_all()

        assert most == 4

    play(scene, 100, 20)


def test_a_key_that_is_refused_for_a_list_ends_no_listing() -> None:
    """Only where the platform does not list the jobs of a firmware are they polled one by one from then on."""

    async def scene(stage: Stage) -> None:
        async def answer(request: Request) -> Response | None:
            is_refused = "Action=ListOTAJobByFirmware" in request.url and 30 < stage.loop.time() < 60
            return REFUSED if is_refused else None

        change(stage, answer)
        waiting = asyncio.ensure_future(stage.wait_for_all())
        await asyncio.sleep(120)
        before = stage.count("ListOTAJobByFirmware")
        await asyncio.sleep(120)

        assert stage.count("ListOTAJobByFirmware") > before
        await waiting

    play(scene, 100, 2)
