"""Two clocks: real time at the gateway, which checks signatures, and device time in the simulated world."""

from __future__ import annotations

import time
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class Clock:
    """Device time that can run faster, stop and jump, while the gateway's clock stays with its callers.

    :param wall: seconds since the epoch.
    :param speed: seconds of device time per second of real time.
    """

    def __init__(self, wall: Callable[[], float] = time.time, speed: float = 1.0) -> None:
        self._wall = wall
        self._anchor_wall = wall()
        self._anchor_world = self._anchor_wall
        self._speed = speed
        self.frozen = False
        self.gateway_offset = 0.0
        self._pinned: tuple[float, float] | None = None

    @property
    def speed(self) -> float:
        """Seconds of device time per second of real time."""
        return self._speed

    def outside(self) -> float:
        """Real time in seconds since the epoch; it also passes during a request."""
        return self._wall()

    def gateway(self) -> float:
        """Seconds since the epoch by the gateway's clock, its offset included."""
        wall = self._wall() if self._pinned is None else self._pinned[1]
        return wall + self.gateway_offset

    def world(self) -> float:
        """Device time in seconds since the epoch."""
        if self._pinned is not None:
            return self._pinned[0]
        if self.frozen:
            return self._anchor_world
        return self._anchor_world + (self._wall() - self._anchor_wall) * self._speed

    @contextmanager
    def pinned(self, world: float | None = None, gateway: float | None = None) -> Iterator[None]:
        """Stop both clocks, for example during a request.

        :param world: device time to show; now by default.
        :param gateway: gateway time to show; now by default.
        """
        before = self._pinned
        wall = self._wall() if gateway is None else gateway - self.gateway_offset
        self._pinned = (self.world() if world is None else world, wall)
        try:
            yield
        finally:
            self._pinned = before

    @property
    def owed(self) -> float:
        """The device time that was set last, by a jump or a stop; it is never held back below this."""
        return self._anchor_world

    def hold_back(self, moment: float) -> None:
        """Set device time back to a moment, because the simulation cannot keep up with its speed."""
        self._anchor_world, self._anchor_wall = moment, self._wall()
        if self._pinned is not None:
            self._pinned = moment, self._pinned[1]

    def set_speed(self, speed: float) -> None:
        """Change the speed from now on."""
        self._anchor()
        self._speed = speed

    def freeze(self, *, frozen: bool) -> None:
        """Stop device time, or let it continue."""
        self._anchor()
        self.frozen = frozen

    def advance(self, seconds: float) -> None:
        """Add seconds to device time."""
        self._anchor()
        self._anchor_world += seconds

    def _anchor(self) -> None:
        self._anchor_world = self.world()
        self._anchor_wall = self._wall()


def iso_minutes(seconds: float) -> str:
    """Format a time as modules have it: ``2024-11-11T07:36Z``."""
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%MZ}"


def local_style(seconds: float) -> str:
    """Format a time as ``LastOnlineTime`` has it: ``2024-11-11 07:36:00``."""
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S}"


def iso_ms(seconds: float) -> str:
    """Format a time as the platform does elsewhere: ``2024-11-20T08:50:00.239Z``."""
    moment = datetime.fromtimestamp(seconds, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"
