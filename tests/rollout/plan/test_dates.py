from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from airflow_provider_tuya_ota.core.errors import InvalidParameterError
from airflow_provider_tuya_ota.rollout.plan.pace import Pace
from airflow_provider_tuya_ota.rollout.plan.timetable import PulseDate, plan_dates
from tests.rollout.plan.small import plan

HALF_AN_HOUR = 1800.0


def dates(start: str, number: int = 1000, **changes: Any) -> list[list[str]]:
    moment = datetime.fromisoformat(start).replace(tzinfo=UTC)
    found = plan_dates(plan(number, **changes), moment, report_seconds=HALF_AN_HOUR)
    return [[f"{pulse.starts_at:%a %d %H:%M}" for pulse in wave.pulses] for wave in found]


def test_pulses_follow_each_other_and_waves_follow_the_soak() -> None:
    # 10; 50, 40; 50, 100, 200, 400, 150 devices. A wave ends half an hour and the soak after its last pulse.
    assert dates("2026-12-01T08:00", soak="1h") == [
        ["Tue 01 08:00"],
        ["Tue 01 09:30", "Tue 01 10:30"],
        ["Tue 01 12:00", "Tue 01 13:00", "Tue 01 14:00", "Tue 01 15:00", "Tue 01 16:00"],
    ]


def test_a_pulse_that_a_window_holds_starts_when_it_opens_and_moves_those_behind_it() -> None:
    assert dates("2026-12-03T10:30", soak="1h", window="Mon-Thu 09:00-16:00 Europe/Berlin") == [
        ["Thu 03 10:30"],
        ["Thu 03 12:00", "Thu 03 13:00"],
        ["Thu 03 14:30", "Mon 07 08:00", "Mon 07 09:00", "Mon 07 10:00", "Mon 07 11:00"],
    ]


def test_blackouts_and_the_soak_over_a_weekend_are_kept() -> None:
    assert dates("2026-12-24T12:00", 50, waves=["50%", "rest"], blackout=["2026-12-24..2026-12-26 UTC"], soak="2d") == [
        ["Sun 27 00:00"],
        ["Tue 29 00:30"],
    ]


def test_a_pace_of_seconds_keeps_its_seconds() -> None:
    assert dates("2026-12-01T08:00", 120, waves=["rest"], pace=Pace(first=50, every="90s")) == [
        ["Tue 01 08:00", "Tue 01 08:01", "Tue 01 08:03"],
    ]


def test_dates_are_in_utc_whatever_the_zone_of_the_start() -> None:
    start = datetime(2026, 12, 1, 8, tzinfo=ZoneInfo("Asia/Tokyo"))

    wave = plan_dates(plan(10, waves=["rest"], soak="1h"), start, report_seconds=HALF_AN_HOUR)[0]

    assert wave.starts_at == start
    assert wave.starts_at.tzinfo is UTC
    assert wave.soaks_until == datetime(2026, 12, 1, 0, 30, tzinfo=UTC)


def test_a_wave_of_the_platform_has_one_date() -> None:
    found = plan_dates(
        plan(100, waves=["10%", "platform ALL"], soak="0h"), datetime(2026, 12, 1, tzinfo=UTC), report_seconds=60
    )

    assert [(pulse.devices, pulse.jobs) for pulse in found[1].pulses] == [(0, 1)]
    assert found[1].starts_at == datetime(2026, 12, 1, 0, 1, tzinfo=UTC)


def test_a_window_that_never_opens_is_refused_with_the_pulse_that_waits() -> None:
    year = ["2026-01-01..2026-12-31", "2027-01-01..2027-12-31"]
    with pytest.raises(
        InvalidParameterError,
        match=r"^window: does not open within 366 days after 2025-12-31 23:00 UTC, when pulse 1 of wave 2",
    ):
        dates("2025-12-31T21:30", soak="1h", window="daily 21:00-22:00 UTC", blackout=year)


def test_the_time_behind_a_window_is_that_of_a_device_that_begins_at_once() -> None:
    closes = datetime(2026, 12, 1, 16, tzinfo=UTC)
    pulse = PulseDate(number=1, devices=1, jobs=1, starts_at=closes.replace(hour=15), closes_at=closes)

    assert pulse.goes_on_after_closing(60) == 0
    assert pulse.goes_on_after_closing(61) == 60
    open_ended = PulseDate(number=1, devices=1, jobs=1, starts_at=closes, closes_at=None)
    assert open_ended.goes_on_after_closing(1440) == 0


@pytest.mark.parametrize(
    ("start", "is_allowed"),
    [
        ("2000-01-01T00:00+14:00", True),
        ("2999-12-31T23:59-12:00", True),
        ("1999-12-31T23:59+00:00", False),
        ("3000-01-01T00:00+00:00", False),
        ("0001-01-01T00:00+05:00", False),
        ("9999-12-31T23:00-05:00", False),
    ],
)
def test_a_start_at_the_end_of_the_calendar_is_refused(start: str, is_allowed: bool) -> None:
    moment = datetime.fromisoformat(start)
    if is_allowed:
        assert plan_dates(plan(), moment, report_seconds=HALF_AN_HOUR)
    else:
        with pytest.raises(InvalidParameterError, match=r"start: .* is not allowed.*in the years 2000 to 2999"):
            plan_dates(plan(), moment, report_seconds=HALF_AN_HOUR)
