"""All waits of an event loop share one reading of a connection."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from airflow_provider_tuya_ota.core.errors import (
    AuthenticationError,
    ConfigurationError,
    StateUnavailableError,
    TuyaOTAError,
)
from airflow_provider_tuya_ota.core.settings import Credentials, Settings
from airflow_provider_tuya_ota.core.status.wait_state import KeyRefusedError
from airflow_provider_tuya_ota.hooks.shared_settings import (
    FRESH,
    JUST_READ,
    keep_connected,
    shared_settings,
)
from airflow_provider_tuya_ota.hooks.tuya_ota import TuyaOTAHook
from tests.campaigns.virtual import VirtualLoop
from tests.core.script import SETTINGS

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

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
    is_failing: Callable[[], bool] = lambda: False,
    pause_after: Callable[[TuyaOTAError], float] = lambda _: 15.0,
) -> list[str | BaseException]:
    async def scene() -> list[str | BaseException]:
        ends = (keep_connected("c", wait, is_failing=is_failing, pause_after=pause_after) for wait in waits)
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


def test_waits_whose_polls_fail_read_the_connection_once_a_minute_for_all_and_adopt_a_change(
    loop: VirtualLoop, connections: Connections
) -> None:
    adopted: list[float] = []

    async def wait(settings: Settings) -> str:
        if settings == SETTINGS:
            await asyncio.Event().wait()
        adopted.append(loop.time())
        return "done"

    begun = loop.time()
    loop.call_later(10 * FRESH, setattr, connections, "now", OTHER)

    assert play(loop, connections, *[wait] * 1000, is_failing=lambda: True) == ["done"] * 1000
    assert 10 * FRESH < adopted[0] - begun <= adopted[-1] - begun < 12 * FRESH + 1
    assert connections.reads <= 12


def test_waits_whose_polls_succeed_do_not_read_the_connection(loop: VirtualLoop, connections: Connections) -> None:
    async def wait(_: Settings) -> str:
        await asyncio.sleep(10 * FRESH)
        return "done"

    loop.call_later(FRESH / 2, setattr, connections, "now", OTHER)

    assert play(loop, connections, wait) == ["done"]
    assert connections.reads == 1


def test_a_connection_that_cannot_be_read_while_polls_fail_ends_no_wait(
    loop: VirtualLoop, connections: Connections
) -> None:
    async def wait(_: Settings) -> str:
        await asyncio.sleep(5 * FRESH)
        return "done"

    loop.call_later(FRESH / 2, setattr, connections, "now", RuntimeError("Airflow is away"))

    assert play(loop, connections, wait, is_failing=lambda: True) == ["done"]
    assert connections.reads > 3


def test_a_wait_that_ends_while_it_is_given_a_changed_connection_keeps_its_result(
    loop: VirtualLoop, connections: Connections
) -> None:
    began: list[Settings] = []

    async def wait(settings: Settings) -> str:
        began.append(settings)
        with suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        return "done"

    loop.call_later(FRESH / 2, setattr, connections, "now", OTHER)

    assert play(loop, connections, wait, is_failing=lambda: True) == ["done"]
    assert began == [SETTINGS]


def test_a_wait_that_is_cancelled_ends_what_it_has_begun(loop: VirtualLoop, connections: Connections) -> None:
    ended: list[str] = []

    async def wait(_: Settings) -> str:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(1)
            ended.append("closed")
        return "done"

    async def scene() -> None:
        waiting = asyncio.ensure_future(keep_connected("c", wait, is_failing=lambda: False, pause_after=lambda _: 15.0))
        await asyncio.sleep(FRESH / 2)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert ended == ["closed"]
        assert asyncio.all_tasks() == {asyncio.current_task()}

    loop.run_until_complete(scene())


def test_a_connection_that_airflow_does_not_give_is_asked_for_until_the_wait_has_enough(
    loop: VirtualLoop, connections: Connections
) -> None:
    failures: list[float] = []

    async def wait(settings: Settings) -> str:
        return "done"

    def pause_after(error: TuyaOTAError) -> float:
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
