"""When a stopper begins a request and when it has ended, with a client that sends nothing."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_tuya_ota.client import AsyncTuyaOTAClient
from airflow_provider_tuya_ota.core.errors import ConfigurationError, Delivery, TransportError, TuyaOTAError
from airflow_provider_tuya_ota.core.jobs.stop_events import CancelSent
from airflow_provider_tuya_ota.polling import stopper as stopping
from airflow_provider_tuya_ota.polling.stopper import AT_ONCE, FEW, Stopper
from tests.contract.worlds import Quiet, settings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from airflow_provider_tuya_ota.core.flows.events import FlowEvent


class Held:
    """A client whose conversations fail, or go on until they are let go or cancelled."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.client = AsyncTuyaOTAClient(settings("http://127.0.0.1:9"), listener=Quiet())
        self.failures: list[TuyaOTAError] = []
        self.is_let_go = asyncio.Event()
        self.log: list[str] = []
        self.began_at: list[float] = []
        self._close = self.client.close
        monkeypatch.setattr(self.client, "run", self.run)
        monkeypatch.setattr(self.client, "close", self.close)

    async def run(self, *_: Any, listener: Any = None, **__: Any) -> bool:
        self.log.append("begins")
        self.began_at.append(asyncio.get_running_loop().time())
        if self.failures:
            raise self.failures.pop(0)
        try:
            await self.is_let_go.wait()
        finally:
            await asyncio.sleep(0.01)
            self.log.append("ends")
        if listener is not None:
            listener.event(CancelSent("1"))
        return True

    async def close(self) -> None:
        self.log.append("the connections close")
        await self._close()


class Log(Quiet):
    """The log of a task."""

    def __init__(self) -> None:
        self.events: list[FlowEvent] = []

    def event(self, event: FlowEvent) -> None:
        self.events.append(event)


@pytest.fixture
async def held(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Held]:
    found = Held(monkeypatch)
    yield found
    await found.client.close()


def unreachable() -> TransportError:
    return TransportError("connection refused", endpoint="127.0.0.1:9", delivery=Delivery.NEVER_SENT)


async def let_others_run() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


def cancel_many(stopper: Stopper, number: int) -> list[asyncio.Future[bool]]:
    return [asyncio.ensure_future(stopper.cancel(f"{at}", listener=Quiet())) for at in range(number)]


async def test_a_poll_waits_until_few_jobs_are_left_to_cancel(held: Held) -> None:
    stopper = Stopper(held.client)
    cancels = cancel_many(stopper, FEW + 1)
    await let_others_run()
    poll = asyncio.ensure_future(stopper.poll_stopped("an earlier job", listener=Quiet()))
    await let_others_run()

    assert held.log == ["begins"] * AT_ONCE
    held.is_let_go.set()
    await asyncio.gather(*cancels, poll)
    await stopper.close()

    assert held.log.count("begins") == FEW + 2


async def test_a_cancel_that_failed_leaves_its_place_to_another_while_it_pauses(held: Held) -> None:
    held.failures = [unreachable() for _ in range(AT_ONCE)]
    stopper = Stopper(held.client)
    cancels = cancel_many(stopper, AT_ONCE + 1)
    await let_others_run()

    assert held.log == ["begins"] * (AT_ONCE + 1)
    await stopper.close()
    for cancel in cancels:
        cancel.cancel()
    await asyncio.gather(*cancels, return_exceptions=True)


async def test_a_cancel_that_did_not_arrive_is_sent_again_after_a_pause(
    held: Held, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stopping, "PAUSE", 0.1)
    held.failures = [unreachable()]
    held.is_let_go.set()
    stopper = Stopper(held.client)

    assert await stopper.cancel("1", listener=Quiet())
    await stopper.close()

    assert held.began_at[1] - held.began_at[0] > 0.09


async def test_the_log_of_the_task_says_that_its_cancel_was_accepted(held: Held) -> None:
    held.is_let_go.set()
    stopper, log = Stopper(held.client), Log()

    await stopper.cancel("1", listener=log)
    await stopper.close()

    assert log.events == [CancelSent("1")]


async def test_a_first_cancel_that_was_not_sent_is_not_in_doubt(held: Held) -> None:
    held.failures = [ConfigurationError("the connection is wrong")]
    stopper = Stopper(held.client)

    with pytest.raises(ConfigurationError) as failure:
        await stopper.cancel("1", listener=Quiet())
    await stopper.close()

    assert not failure.value.in_doubt


async def test_no_try_outlives_the_connections(held: Held) -> None:
    stopper = Stopper(held.client)
    (cancel,) = cancel_many(stopper, 1)
    await let_others_run()

    await stopper.close()
    cancel.cancel()
    await asyncio.gather(cancel, return_exceptions=True)

    assert held.log == ["begins", "ends", "the connections close"]
