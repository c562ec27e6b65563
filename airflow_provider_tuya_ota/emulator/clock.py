"""Two clocks: the gateway's, which signatures are checked against, and the world's, in which devices live."""

from __future__ import annotations

import time
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class Clock:
    """Time that can be hurried, stopped and stepped, without the gateway's clock running away from its callers.

    :param wall: seconds since the epoch.
    :param speed: seconds in the world for each second outside.
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
        """Seconds in the world for each second outside."""
        return self._speed

    def outside(self) -> float:
        """Seconds since the epoch for whoever waits for an answer; passes also within one request."""
        return self._wall()

    def gateway(self) -> float:
        """Seconds since the epoch, as the gateway believes."""
        wall = self._wall() if self._pinned is None else self._pinned[1]
        return wall + self.gateway_offset

    def world(self) -> float:
        """Seconds since the epoch, in the world."""
        if self._pinned is not None:
            return self._pinned[0]
        if self.frozen:
            return self._anchor_world
        return self._anchor_world + (self._wall() - self._anchor_wall) * self._speed

    @contextmanager
    def pinned(self, world: float | None = None, gateway: float | None = None) -> Iterator[None]:
        """Let no time pass, as within one request.

        :param world: the moment in the world; now by default.
        :param gateway: the moment at the gateway; now by default.
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
        """The moment to which the world was stepped, or stopped at; it has to come that far."""
        return self._anchor_world

    def hold_back(self, moment: float) -> None:
        """Let it be only as late as this in the world, which could not keep up with its speed."""
        self._anchor_world, self._anchor_wall = moment, self._wall()
        if self._pinned is not None:
            self._pinned = moment, self._pinned[1]

    def set_speed(self, speed: float) -> None:
        """Go on at another pace from here."""
        self._anchor()
        self._speed = speed

    def freeze(self, *, frozen: bool) -> None:
        """Stop the world, or let it go on from where it stopped."""
        self._anchor()
        self.frozen = frozen

    def advance(self, seconds: float) -> None:
        """Let time pass at once."""
        self._anchor()
        self._anchor_world += seconds

    def _anchor(self) -> None:
        self._anchor_world = self.world()
        self._anchor_wall = self._wall()


def iso_minutes(seconds: float) -> str:
    """Write a time as modules carry it: ``2024-11-11T07:36Z``."""
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%MZ}"


def local_style(seconds: float) -> str:
    """Write a time as a device's last sign of life has it: ``2024-11-11 07:36:00``."""
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S}"


def iso_ms(seconds: float) -> str:
    """Write a time as the platform does: ``2024-11-20T08:50:00.239Z``."""
    moment = datetime.fromtimestamp(seconds, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"
