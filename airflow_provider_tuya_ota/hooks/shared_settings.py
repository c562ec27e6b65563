"""Read a connection once for all waits of an event loop: Airflow answers one request at a time."""

from __future__ import annotations

import asyncio
from copy import copy
from typing import TYPE_CHECKING, Any, Final, TypeVar
from weakref import WeakKeyDictionary

from airflow_provider_tuya_ota.core.errors import (
    AuthenticationError,
    ConfigurationError,
    StateUnavailableError,
    TuyaOTAError,
)
from airflow_provider_tuya_ota.core.status.wait_state import KeyRefusedError
from airflow_provider_tuya_ota.hooks.tuya_ota import TuyaOTAHook

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop, Future, Task
    from collections.abc import Awaitable, Callable

    from airflow_provider_tuya_ota.core.settings import Settings

T = TypeVar("T")

FRESH: Final = 60.0
"""Seconds for which a connection is reused after it was read."""
PATIENCE: Final = 30.0
"""Seconds for which a wait whose key was refused waits for the changed connection."""
JUST_READ: Final = 5.0
"""Seconds for which it is also reused where its key was refused: the keys of a thousand waits are refused at once."""


class _Reading:
    def __init__(self, conn_id: str) -> None:
        loop = asyncio.get_running_loop()
        self._begun = loop.time()
        # A task of its own: the first caller may be cancelled while others wait for the same answer.
        self.task: Task[Settings] = loop.create_task(TuyaOTAHook(conn_id).aget_settings())
        self.task.add_done_callback(_note_end)

    def serves(self, refused: Settings | None, *, at_once: bool) -> bool:
        if not self.task.done():
            return not at_once
        if self.task.cancelled() or self.task.exception():
            return False
        age = asyncio.get_running_loop().time() - self._begun
        if self.task.result() == refused:
            return age < JUST_READ and not at_once
        return age < FRESH


def _note_end(task: Task[Settings]) -> None:
    # Without this, asyncio logs an error that no caller retrieves any more.
    if not task.cancelled():
        task.exception()


_READINGS: Final[WeakKeyDictionary[AbstractEventLoop, dict[str, _Reading]]] = WeakKeyDictionary()


async def shared_settings(conn_id: str, *, refused: Settings | None = None, at_once: bool = False) -> Settings:
    """Read a connection, or reuse what was read within the last minute; failures are not kept.

    :param refused: settings whose key the platform has just refused; the connection is read again.
    :param at_once: for a request that nobody repeats later: what equals ``refused`` must have been read from now on.
    :raises ConfigurationError: as :meth:`.TuyaOTAHook.aget_settings`.
    """
    readings = _READINGS.setdefault(asyncio.get_running_loop(), {})
    reading = readings.get(conn_id)
    if reading is None or not reading.serves(refused, at_once=at_once):
        reading = readings[conn_id] = _Reading(conn_id)
    try:
        return await asyncio.shield(reading.task)
    except TuyaOTAError as error:
        # Each wait raises an instance of its own.
        raise copy(error) from None


async def send_twice_if_refused(conn_id: str, settings: Settings, send: Callable[[Settings], Awaitable[T]]) -> T:
    """Send something that must not wait for a later poll; if its key is refused, send it again with the changed key.

    :param settings: as they were read last.
    :param send: sends it with these settings; sending it twice must do no harm.
    :raises AuthenticationError: the connection has not changed, or its new key is refused too.
    """
    try:
        return await send(settings)
    except AuthenticationError:
        changed = await changed_settings(conn_id, settings, refused=settings, at_once=True)
        if changed == settings:
            raise
    return await send(changed)


async def keep_connected(
    conn_id: str,
    wait: Callable[[Settings], Awaitable[T]],
    *,
    is_failing: Callable[[], bool],
    pause_after: Callable[[TuyaOTAError], float],
) -> T:
    """Run a wait, and continue it with the changed connection after a change.

    The connection is read again at once when the platform refuses its key, and once a minute while polls fail.

    :param wait: begins or continues the wait with these settings.
    :param is_failing: says whether its last poll failed.
    :param pause_after: called when the connection cannot be used before the wait begins: Airflow's API does not give
        it, or a person has changed only a part of it. Returns the seconds until the next attempt, or raises the error
        that ends the wait.
    """
    settings = await _first_settings(conn_id, pause_after)
    while True:
        waiting = asyncio.ensure_future(wait(settings))
        try:
            renewed = await _settings_after(waiting, conn_id, settings, is_failing)
        finally:
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)
        if renewed == settings or not waiting.cancelled():
            try:
                return waiting.result()
            except (KeyRefusedError, AuthenticationError) as error:
                renewed = await changed_settings(conn_id, settings, refused=settings)
                if renewed == settings:
                    if isinstance(error, AuthenticationError):
                        raise
                    await asyncio.sleep(error.pause)
        settings = renewed


async def _first_settings(conn_id: str, pause_after: Callable[[TuyaOTAError], float]) -> Settings:
    while True:
        try:
            return await shared_settings(conn_id)
        except (StateUnavailableError, ConfigurationError) as error:
            pause = pause_after(error)
        await asyncio.sleep(pause)


async def _settings_after(
    waiting: Future[T], conn_id: str, settings: Settings, is_failing: Callable[[], bool]
) -> Settings:
    """Wait until a wait has ended, or its connection is another one while its polls fail.

    :returns: the settings to go on with.
    """
    while not (await asyncio.wait([waiting], timeout=FRESH))[0]:
        if is_failing():
            reading = asyncio.ensure_future(changed_settings(conn_id, settings))
            try:
                # The end of the wait must not wait for Airflow's answer.
                either: set[Future[Any]] = {waiting, reading}
                await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
                if reading.done() and (renewed := reading.result()) != settings:
                    return renewed
            finally:
                reading.cancel()
    return settings


async def changed_settings(
    conn_id: str,
    settings: Settings,
    *,
    refused: Settings | None = None,
    at_once: bool = False,
    patience: float | None = None,
) -> Settings:
    """Read a connection as :func:`shared_settings` does; if that fails or takes long, keep the settings.

    :param settings: as they were read last.
    :param patience: seconds to wait for Airflow's answer; by default ``PATIENCE``.
    """
    try:
        reading = shared_settings(conn_id, refused=refused, at_once=at_once)
        return await asyncio.wait_for(reading, PATIENCE if patience is None else patience)
    except Exception:  # noqa: BLE001 - Airflow is unavailable or the connection is being changed, and the wait tolerates that
        return settings
