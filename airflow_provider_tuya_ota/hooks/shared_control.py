"""What people ask of a release, read once for all triggers of a triggerer that wait for it.

A triggerer answers the requests of its triggers one by one. Five hundred triggers that each read the note at every poll
would wait for seconds; so they share one value for three seconds, and one request that reads it.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Final
from weakref import WeakKeyDictionary

from airflow_provider_tuya_ota.hooks.control_store import aread_control
from airflow_provider_tuya_ota.rollout.control.release_control import ControlState, ReleaseControl

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop
    from collections.abc import Awaitable, Callable

    from airflow_provider_tuya_ota.rollout.control.release_id import ReleaseId

FRESH: Final = 3.0
"""Seconds for which a value is shared: as long a halt may remain unseen."""
KEPT: Final = 30.0
"""Seconds for which the last value counts while Airflow's API does not answer; then the release holds. A restart of the
API server takes about as long. No job is created from such a value: workers create jobs, and read for themselves."""
FORGOTTEN: Final = 3600.0
"""Seconds after the last read in which a release is forgotten."""


class SharedControl:
    """The control notes of all releases that the triggers of an event loop wait for.

    :param read: reads the notes of a release.
    :param clock: steady seconds.
    """

    def __init__(
        self,
        read: Callable[[ReleaseId], Awaitable[ReleaseControl]] = aread_control,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._read = read
        self._clock = clock
        self._entries: dict[ReleaseId, _Entry] = {}

    async def get(self, release: ReleaseId) -> ReleaseControl:
        """Give what people ask of a release, at most three seconds old where Airflow's API answers.

        A halt that was read once stays. Without an answer the last value counts for thirty seconds; then, and where
        there is no last value, the release holds with that reason. It never raises an error.
        """
        entry = self._entries.get(release)
        if entry is None:
            self._forget()
            entry = self._entries[release] = _Entry()
        now = self._clock()
        entry.used_at = now
        if entry.control.state is ControlState.HALT or now - entry.asked_at < FRESH:
            return entry.control
        if entry.request is None:
            entry.request = asyncio.create_task(self._refresh(release, entry))
        # Shielded: the trigger that asked first may be cancelled, and the others wait for the same request.
        await asyncio.shield(entry.request)
        return entry.control

    async def _refresh(self, release: ReleaseId, entry: _Entry) -> None:
        asked_at = self._clock()
        try:
            entry.control = await self._read(release)
            entry.read_at = asked_at
        except Exception as error:  # noqa: BLE001 - whatever fails holds the release, and all triggers wait for this
            if self._clock() - entry.read_at >= KEPT:
                entry.control = ReleaseControl.unreadable(f"cannot be read: {error}")
        finally:
            entry.asked_at, entry.request = self._clock(), None

    def _forget(self) -> None:
        before = self._clock() - FORGOTTEN
        self._entries = {
            release: entry for release, entry in self._entries.items() if entry.request or entry.used_at > before
        }


class _Entry:
    """The last value of a release."""

    def __init__(self) -> None:
        self.control = ReleaseControl.unreadable("has not been read yet")
        self.read_at = self.asked_at = self.used_at = float("-inf")
        self.request: asyncio.Task[None] | None = None


_SHARED: Final[WeakKeyDictionary[AbstractEventLoop, SharedControl]] = WeakKeyDictionary()


async def read_shared_control(release: ReleaseId) -> ReleaseControl:
    """Give what people ask of a release; for triggers, see :meth:`SharedControl.get`."""
    loop = asyncio.get_running_loop()
    shared = _SHARED.get(loop)
    if shared is None:
        shared = _SHARED[loop] = SharedControl()
    return await shared.get(release)
