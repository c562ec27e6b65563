"""Detects that this process was stalled: suspended, or without CPU time for so long that it was given up for dead."""

from __future__ import annotations

import asyncio
import threading
import time
from contextlib import asynccontextmanager
from contextvars import Context
from typing import TYPE_CHECKING, Final
from weakref import WeakKeyDictionary

from airflow_provider_tuya_ota.transports.clock import steady_seconds

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop
    from collections.abc import AsyncIterator

BEAT: Final = 2.0
"""Seconds between two heartbeats."""
STOOD_STILL: Final = 20.0
"""Seconds without a heartbeat after which this process counts as stalled; Airflow gives its triggers to another
triggerer after 30."""
DOUBT: Final = 60.0
"""Seconds after a stall in which this process does not trust the state it reads."""


class StallDetector:
    """Detects a stall from the time between two heartbeats.

    :param longest: seconds without a heartbeat that are no stall.
    """

    def __init__(self, longest: float = STOOD_STILL) -> None:
        self._longest = longest
        self._last = steady_seconds()
        self._doubt_until = 0.0

    def beat(self) -> None:
        """Record a heartbeat."""
        # This clock ignores changes of the wall clock, and goes on while the machine is suspended.
        now = steady_seconds()
        if now - self._last > self._longest:
            self._doubt_until = now + DOUBT
        self._last = now

    def recently_stalled(self) -> bool:
        """Whether the heartbeats show a stall within the last minute."""
        return steady_seconds() < self._doubt_until


class LoopStallDetector:
    """Records heartbeats in an event loop while any wait uses it; all waits of the loop share one."""

    def __init__(self) -> None:
        self.users = 0
        self._detector = StallDetector()
        self._heartbeats = asyncio.get_running_loop().create_task(self._beat(), context=Context())

    def recently_stalled(self) -> bool:
        """Whether there was a stall within the last minute; after :meth:`stop`, within the minute before it."""
        if not self._heartbeats.done():
            self._detector.beat()
        return self._detector.recently_stalled()

    def stop(self) -> None:
        """Stop recording heartbeats."""
        self._detector.beat()
        self._heartbeats.cancel()

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(BEAT)
            self._detector.beat()


class ThreadStallDetector:
    """Records heartbeats in a thread of its own until the process ends, for a process without an event loop.

    :param longest: seconds without a heartbeat that are no stall.
    """

    def __init__(self, longest: float = STOOD_STILL) -> None:
        self._detector = StallDetector(longest)
        threading.Thread(target=self._beat, name="tuya-ota-stall-detector", daemon=True).start()

    def recently_stalled(self) -> bool:
        """Whether there was a stall within the last minute."""
        self._detector.beat()
        return self._detector.recently_stalled()

    def _beat(self) -> None:
        while True:
            time.sleep(BEAT)
            self._detector.beat()


_DETECTORS: Final[WeakKeyDictionary[AbstractEventLoop, LoopStallDetector]] = WeakKeyDictionary()


@asynccontextmanager
async def detect_stalls() -> AsyncIterator[LoopStallDetector]:
    """Use the stall detector of this event loop; the last user stops it."""
    loop = asyncio.get_running_loop()
    stall_detector = _DETECTORS.get(loop)
    if stall_detector is None:
        stall_detector = _DETECTORS[loop] = LoopStallDetector()
    stall_detector.users += 1
    try:
        yield stall_detector
    finally:
        stall_detector.users -= 1
        if not stall_detector.users:
            del _DETECTORS[loop]
            stall_detector.stop()
