"""One reading of a connection for all who wait."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_tuya_ota.core.errors import AuthenticationError, ConfigurationError, StateUnavailableError
from airflow_provider_tuya_ota.core.settings import Credentials, Settings
from airflow_provider_tuya_ota.core.status.wait import WaitOptions
from airflow_provider_tuya_ota.core.status.wait_state import KeyRefusedError
from airflow_provider_tuya_ota.emulator.gateway.check import AccessKey
from airflow_provider_tuya_ota.hooks import shared_settings as shared
from airflow_provider_tuya_ota.hooks.shared_settings import FRESH, JUST_READ, keep_connected, shared_settings
from airflow_provider_tuya_ota.hooks.tuya_ota import TuyaOTAHook
from airflow_provider_tuya_ota.triggers.job import TuyaOTAJobTrigger
from tests.campaigns.virtual import VirtualLoop
from tests.core.script import SETTINGS
from tests.emulator.plain_client import PlainClient, over_socket
from tests.provider.sensors.test_poke_state import silence

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from tests.provider.conftest import Service

READ = 0.056
"""Seconds in which Airflow answers for a connection, one question after the other."""
OTHER = replace(SETTINGS, credentials=Credentials(access_key_id="another", access_key_secret="secret"))


class Connections:
    """Airflow's connections, in virtual time."""

    def __init__(self) -> None:
        self.reads = 0
        self.now: Settings | Exception = SETTINGS
        self._line = asyncio.Lock()

    async def read(self) -> Settings:
        async with self._line:
            self.reads += 1
            await asyncio.sleep(READ)
            if isinstance(self.now, Exception):
                raise self.now
            return self.now


@pytest.fixture
def loop() -> Iterator[VirtualLoop]:
    loop = VirtualLoop()
    yield loop
    loop.close()


@pytest.fixture
def connections(monkeypatch: pytest.MonkeyPatch) -> Connections:
    there = Connections()

    async def aget_settings(hook: TuyaOTAHook) -> Settings:
        return await there.read()

    monkeypatch.setattr(TuyaOTAHook, "aget_settings", aget_settings)
    return there


def refusal() -> AuthenticationError:
    return AuthenticationError(action="QueryOTAJob", code="No", message="", request_id="r", http_status=403)


def test_a_thousand_waits_have_their_connection_within_a_moment(loop: VirtualLoop, connections: Connections) -> None:
    async def scene() -> None:
        found = await asyncio.gather(*(shared_settings("c") for _ in range(1000)))

        assert set(found) == {SETTINGS}
        assert connections.reads == 1
        assert loop.time() < 2

    loop.run_until_complete(scene())


def test_it_is_read_again_after_a_minute_and_for_another_one(loop: VirtualLoop, connections: Connections) -> None:
    async def scene() -> None:
        await shared_settings("c")
        await shared_settings("d")
        connections.now = OTHER
        await asyncio.sleep(FRESH - 1)
        assert (await shared_settings("c"), connections.reads) == (SETTINGS, 2)
        await asyncio.sleep(1)

        assert (await shared_settings("c"), connections.reads) == (OTHER, 3)

    loop.run_until_complete(scene())


def test_who_is_cancelled_takes_the_answer_from_nobody(loop: VirtualLoop, connections: Connections) -> None:
    async def scene() -> None:
        first, second = (asyncio.ensure_future(shared_settings("c")) for _ in range(2))
        await asyncio.sleep(READ / 2)
        first.cancel()

        assert await second == SETTINGS
        assert connections.reads == 1

    loop.run_until_complete(scene())


def test_a_failure_is_everybody_s_own_and_is_not_kept(loop: VirtualLoop, connections: Connections) -> None:
    async def scene() -> None:
        connections.now = ConfigurationError("not defined")
        errors = await asyncio.gather(*(shared_settings("c") for _ in range(50)), return_exceptions=True)
        assert len({id(error) for error in errors}) == 50
        assert {type(error) for error in errors} == {ConfigurationError}
        assert connections.reads == 1
        connections.now = SETTINGS

        assert await shared_settings("c") == SETTINGS

    loop.run_until_complete(scene())


def test_a_reading_that_nobody_waits_for_any_more_ends_quietly(loop: VirtualLoop, connections: Connections) -> None:
    async def scene() -> None:
        connections.now = ConfigurationError("not defined")
        alone = asyncio.ensure_future(shared_settings("c"))
        await asyncio.sleep(READ / 2)
        alone.cancel()
        await asyncio.sleep(1)

    loop.run_until_complete(scene())


def play(
    loop: VirtualLoop,
    connections: Connections,
    *waits: Callable[[Settings], Awaitable[str]],
    pause_after: Callable[[StateUnavailableError], float] = lambda _: 15.0,
) -> list[str | BaseException]:
    async def scene() -> list[str | BaseException]:
        ends = (keep_connected("c", wait, pause_after=pause_after) for wait in waits)
        return await asyncio.gather(*ends, return_exceptions=True)

    return loop.run_until_complete(scene())


def test_a_key_that_was_changed_is_taken_at_once_and_read_once_for_all(
    loop: VirtualLoop, connections: Connections
) -> None:
    joined: list[float] = []

    async def wait(settings: Settings) -> str:
        if settings == SETTINGS:
            await asyncio.sleep(20)
            connections.now = OTHER
            raise KeyRefusedError(15.0)
        joined.append(loop.time())
        return "done"

    assert play(loop, connections, *[wait] * 300) == ["done"] * 300
    assert connections.reads == 2
    assert max(joined) < 21


def test_a_first_poll_with_a_key_that_has_just_been_changed_is_no_failure(
    loop: VirtualLoop, connections: Connections
) -> None:
    async def wait(settings: Settings) -> str:
        if settings == SETTINGS:
            await asyncio.sleep(JUST_READ)
            connections.now = OTHER
            raise refusal()
        return "done"

    assert play(loop, connections, wait) == ["done"]


def test_a_key_that_is_still_the_same_is_tried_again_after_the_pause_or_is_the_error(
    loop: VirtualLoop, connections: Connections
) -> None:
    tries: list[float] = []

    async def wait(settings: Settings) -> str:
        tries.append(loop.time())
        if len(tries) == 3:
            raise refusal()
        raise KeyRefusedError(15.0)

    (end,) = play(loop, connections, wait)

    assert isinstance(end, AuthenticationError)
    assert tries[1] - tries[0] == pytest.approx(15, abs=0.2)
    assert tries[2] - tries[1] == pytest.approx(15, abs=0.2)


def test_a_connection_that_cannot_be_read_again_ends_no_wait(loop: VirtualLoop, connections: Connections) -> None:
    tries = 0

    async def wait(settings: Settings) -> str:
        nonlocal tries
        tries += 1
        if tries == 1:
            await asyncio.sleep(FRESH)
            connections.now = RuntimeError("Airflow is away")
            raise KeyRefusedError(15.0)
        return "done"

    assert play(loop, connections, wait) == ["done"]


def test_a_connection_that_airflow_does_not_give_is_asked_for_until_the_wait_has_enough(
    loop: VirtualLoop, connections: Connections
) -> None:
    failures: list[float] = []

    async def wait(settings: Settings) -> str:
        return "done"

    def pause_after(error: StateUnavailableError) -> float:
        failures.append(loop.time())
        if len(failures) == 2:
            connections.now = SETTINGS
        if len(failures) == 4:
            raise error
        return 15.0

    connections.now = StateUnavailableError("give the connection", reason="500")

    assert play(loop, connections, wait, pause_after=pause_after) == ["done"]
    assert failures[1] - failures[0] == pytest.approx(15, abs=0.2)
    connections.now = StateUnavailableError("give the connection", reason="500")
    loop.run_until_complete(asyncio.sleep(FRESH))
    (end,) = play(loop, connections, wait, pause_after=pause_after)
    assert isinstance(end, StateUnavailableError)


async def test_waits_go_on_over_the_connection_as_it_was_changed(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads = 0
    inner = TuyaOTAHook.aget_connection

    async def count(conn_id: str) -> Any:
        nonlocal reads
        reads += 1
        return await inner(conn_id)

    monkeypatch.setattr(TuyaOTAHook, "aget_connection", staticmethod(count))
    monkeypatch.setattr(shared, "JUST_READ", 0.1)
    silence(service)
    plain_client = PlainClient(over_socket(service.url))
    firmware_id = plain_client.create_firmware(NeedToVerify="false")
    job = plain_client.upgrade(firmware_id, "device-001")
    options = WaitOptions(deadline=datetime.now(UTC) + timedelta(seconds=1.5), poll_interval=0.1).to_dict()

    async def fire() -> Any:
        waiting = TuyaOTAJobTrigger(job_id=job, tuya_ota_conn_id="tuya_ota_default", options=options)
        (event,) = [event.payload async for event in waiting.run()]
        return event

    events = asyncio.gather(*(fire() for _ in range(20)))
    await asyncio.sleep(0.5)
    assert reads == 1
    new = AccessKey("another-key-id", "another-key-secret")
    monkeypatch.setattr(service.emulator.gateway, "_key", new)
    service.connect(login=new.access_key_id, password=new.access_key_secret)

    assert {(event["status"], event["verdict"]["outcome"]) for event in await events} == {("timeout", "running")}
    assert "SignatureDoesNotMatch" in str(service.emulator.log) or "InvalidAccessKeyId" in str(service.emulator.log)
    assert service.emulator.log[-1]["outcome"] == "ok"
    assert 2 <= reads <= 4
