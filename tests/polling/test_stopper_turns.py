"""When a stopper begins a request and when it has ended: polls after cancels, connections after tries."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from airflow_provider_tuya_ota.client import AsyncTuyaOTAClient
from airflow_provider_tuya_ota.polling.stopper import AT_ONCE, FEW, Stopper
from tests.contract.worlds import Quiet, settings


class Held:
    """A client whose conversations go on until they are let go, or cancelled."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.client = AsyncTuyaOTAClient(settings("http://127.0.0.1:9"), listener=Quiet())
        self.is_let_go = asyncio.Event()
        self.log: list[str] = []
        self._close = self.client.close
        monkeypatch.setattr(self.client, "run", self.run)
        monkeypatch.setattr(self.client, "close", self.close)

    async def run(self, *_: Any, **__: Any) -> bool:
        self.log.append("begins")
        try:
            await self.is_let_go.wait()
        finally:
            await asyncio.sleep(0.01)
            self.log.append("ends")
        return True

    async def close(self) -> None:
        self.log.append("the connections close")
        await self._close()


@pytest.fixture
async def held(monkeypatch: pytest.MonkeyPatch) -> Held:
    return Held(monkeypatch)


async def let_others_run() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_a_poll_waits_until_few_jobs_are_left_to_cancel(held: Held) -> None:
    stopper = Stopper(held.client)
    cancels = [asyncio.ensure_future(stopper.cancel(f"{number}", listener=Quiet())) for number in range(FEW + 1)]
    await let_others_run()
    poll = asyncio.ensure_future(stopper.poll_stopped("an earlier job", listener=Quiet()))
    await let_others_run()

    assert held.log == ["begins"] * AT_ONCE
    held.is_let_go.set()
    await asyncio.gather(*cancels, poll)
    await stopper.close()

    assert held.log.count("begins") == FEW + 2


async def test_no_try_outlives_the_connections(held: Held) -> None:
    stopper = Stopper(held.client)
    cancel = asyncio.ensure_future(stopper.cancel("1", listener=Quiet()))
    await let_others_run()

    await stopper.close()
    cancel.cancel()
    await asyncio.gather(cancel, return_exceptions=True)

    assert held.log == ["begins", "ends", "the connections close"]
