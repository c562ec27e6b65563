"""Whether this process has stood still: suspended, or starved, so that others had to take it for dead."""

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
"""Seconds between two beats."""
STOOD_STILL: Final = 20.0
"""Seconds without a beat after which this process counts as having stood still; Airflow gives its triggers to another
triggerer after 30."""
DOUBT: Final = 60.0
"""Seconds for which a process that stood still does not trust what it is told."""


class StallDetector:
    """Tells from the time between two beats whether this process stood still.

    :param longest: seconds without a beat that are no stall.
    """

    def __init__(self, longest: float = STOOD_STILL) -> None:
        self._longest = longest
        self._last = steady_seconds()
        self._doubt_until = 0.0

    def beat(self) -> None:
        """Note that this process runs."""
        # A wall clock that is set is no stall, and a suspended machine is one.
        now = steady_seconds()
        if now - self._last > self._longest:
            self._doubt_until = now + DOUBT
        self._last = now

    def recently_stalled(self) -> bool:
        """Whether this process stood still a short while ago, as far as its beats tell."""
        return steady_seconds() < self._doubt_until


class LoopStallDetector:
    """Beats while anybody listens; one for all who wait in an event loop."""

    def __init__(self) -> None:
        self.listeners = 0
        self._detector = StallDetector()
        self._heart = asyncio.get_running_loop().create_task(self._beat(), context=Context())

    def recently_stalled(self) -> bool:
        """Whether this process stood still a short while ago, as far as the beats until :meth:`stop` tell."""
        if not self._heart.done():
            self._detector.beat()
        return self._detector.recently_stalled()

    def stop(self) -> None:
        """Beat no more."""
        self._detector.beat()
        self._heart.cancel()

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(BEAT)
            self._detector.beat()


class ThreadStallDetector:
    """Beats in a thread of its own, for a process without an event loop, until the process ends.

    :param longest: seconds without a beat that are no stall.
    """

    def __init__(self, longest: float = STOOD_STILL) -> None:
        self._detector = StallDetector(longest)
        threading.Thread(target=self._beat, name="tuya-ota-pulse", daemon=True).start()

    def recently_stalled(self) -> bool:
        """Whether this process stood still a short while ago."""
        self._detector.beat()
        return self._detector.recently_stalled()

    def _beat(self) -> None:
        while True:
            time.sleep(BEAT)
            self._detector.beat()


_DETECTORS: Final[WeakKeyDictionary[AbstractEventLoop, LoopStallDetector]] = WeakKeyDictionary()


@asynccontextmanager
async def detect_stalls() -> AsyncIterator[LoopStallDetector]:
    """Listen to the pulse of this event loop; whoever leaves last stops it."""
    loop = asyncio.get_running_loop()
    stall_detector = _DETECTORS.get(loop)
    if stall_detector is None:
        stall_detector = _DETECTORS[loop] = LoopStallDetector()
    stall_detector.listeners += 1
    try:
        yield stall_detector
    finally:
        stall_detector.listeners -= 1
        if not stall_detector.listeners:
            del _DETECTORS[loop]
            stall_detector.stop()
