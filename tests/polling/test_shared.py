from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_tuya_ota.core.errors import NotFoundError
from airflow_provider_tuya_ota.core.status.wait import WaitOptions
from airflow_provider_tuya_ota.emulator.server import EmulatorServer
from airflow_provider_tuya_ota.polling.shared import _POLLERS, shared_poller
from airflow_provider_tuya_ota.transports.runtime import Runtime
from tests.contract.worlds import Quiet, settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_provider_tuya_ota.core.settings import Settings


@pytest.fixture
def server() -> Iterator[EmulatorServer]:
    with EmulatorServer() as server:
        yield server


def connected(server: EmulatorServer) -> Settings:
    return settings(server.url)


async def test_whoever_leaves_last_closes_the_poller_and_its_connections(server: EmulatorServer) -> None:
    async with shared_poller(connected(server)) as first, shared_poller(connected(server)) as second:
        assert first is second
        session: Any = first._client._transport
        with pytest.raises(NotFoundError):
            await first.wait_for_job(
                "404",
                WaitOptions(deadline=datetime.now(UTC) + timedelta(minutes=1)),
                listener=Quiet(),
                runtime=Runtime(),
            )
        assert not session._session.closed

    assert session._session.closed
    assert asyncio.all_tasks() == {asyncio.current_task()}
    assert _POLLERS[asyncio.get_running_loop()] == {}


async def test_a_wait_that_is_cancelled_leaves(server: EmulatorServer) -> None:
    async def wait() -> None:
        async with shared_poller(connected(server)) as poller:
            await poller.wait_for_job("1", WaitOptions(deadline=datetime.now(UTC)), listener=Quiet(), runtime=Runtime())

    server.emulator.faults.add({"action": "*", "kind": "delay", "seconds": 30})
    waiting = asyncio.create_task(wait())
    while not server.emulator.log:  # noqa: ASYNC110 - the emulator runs in another thread and knows no event of this loop
        await asyncio.sleep(0.01)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting

    assert _POLLERS[asyncio.get_running_loop()] == {}
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_another_connection_has_another_poller_and_a_broken_one_is_replaced(server: EmulatorServer) -> None:
    other = replace(connected(server), read_timeout=5.0)
    async with shared_poller(connected(server)) as one, shared_poller(other) as two:
        assert one is not two
        one._broken = RuntimeError()
        async with shared_poller(connected(server)) as three:
            assert three is not one
            assert not three.is_broken
