"""What nobody sends again later is sent once more over a connection that was changed."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from airflow_provider_tuya_ota.core.errors import AuthenticationError
from airflow_provider_tuya_ota.hooks.shared_settings import send_twice_if_refused, shared_settings
from tests.core.script import SETTINGS
from tests.provider.hooks.test_shared_settings import OTHER, READ, Connections, connections, loop, refusal

if TYPE_CHECKING:
    from airflow_provider_tuya_ota.core.settings import Settings
    from tests.campaigns.virtual import VirtualLoop

__all__ = ["connections", "loop"]


def test_what_is_not_sent_again_later_is_sent_once_more_over_the_connection_as_it_is_now(
    loop: VirtualLoop, connections: Connections
) -> None:
    sent: list[Settings] = []

    async def send(settings: Settings) -> str:
        sent.append(settings)
        if settings == SETTINGS:
            raise refusal()
        return "sent"

    async def scene() -> None:
        settings = await shared_settings("c")
        with pytest.raises(AuthenticationError):
            await send_twice_if_refused("c", settings, send)
        assert (sent, connections.reads) == ([SETTINGS], 2)
        connections.now = OTHER
        # Neither what was read a moment ago nor what is being read would show the change.
        assert await send_twice_if_refused("c", settings, send) == "sent"
        assert (sent, connections.reads) == ([SETTINGS, SETTINGS, OTHER], 3)
        # Whatever else is refused finds the change.
        assert await send_twice_if_refused("c", settings, send) == "sent"
        assert connections.reads == 3

    loop.run_until_complete(scene())


def test_what_is_not_sent_again_later_takes_no_reading_that_was_under_way(
    loop: VirtualLoop, connections: Connections
) -> None:
    async def scene() -> None:
        under_way = asyncio.ensure_future(shared_settings("c"))
        await asyncio.sleep(READ / 2)

        assert await shared_settings("c", refused=SETTINGS, at_once=True) == SETTINGS
        assert await under_way == SETTINGS
        assert connections.reads == 2

    loop.run_until_complete(scene())
