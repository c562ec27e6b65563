from __future__ import annotations

import time
from datetime import datetime, timedelta, tzinfo
from typing import Self

import pytest

from airflow_provider_tuya_ota.transports import clock, runtime
from airflow_provider_tuya_ota.transports.runtime import Runtime


class Wall(datetime):
    """A wall clock that somebody sets."""

    set_by = timedelta(0)

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> Self:
        return super().now(tz) + cls.set_by


@pytest.mark.parametrize("hours", [1, -1])
def test_steady_time_does_not_follow_a_wall_clock_that_is_set(monkeypatch: pytest.MonkeyPatch, hours: int) -> None:
    monkeypatch.setattr(runtime, "datetime", Wall)
    world = Runtime()
    before = world.context()

    monkeypatch.setattr(Wall, "set_by", timedelta(hours=hours))
    after = world.context()

    assert abs(after.now - before.now) > timedelta(minutes=59)
    assert timedelta(0) <= after.steady - before.steady < timedelta(minutes=1)


def test_steady_time_goes_on_while_the_machine_is_suspended(monkeypatch: pytest.MonkeyPatch) -> None:
    world = Runtime()
    before = world.context()
    woken = clock.steady_seconds() + 3600

    monkeypatch.setattr(runtime, "steady_seconds", lambda: woken)

    assert timedelta(0) <= world.context().steady - before.steady - timedelta(hours=1) < timedelta(minutes=1)


def test_where_the_system_counts_suspension_its_clock_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "_BOOTTIME", 7)
    monkeypatch.setattr(time, "clock_gettime", lambda which: 1000.0 + which)
    assert clock.steady_seconds() == 1007.0

    monkeypatch.setattr(clock, "_BOOTTIME", None)
    monkeypatch.setattr(time, "monotonic", lambda: 5.0)

    assert clock.steady_seconds() == 5.0
