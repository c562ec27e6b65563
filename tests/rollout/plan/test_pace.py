from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_tuya_ota.core.errors import InvalidParameterError
from airflow_provider_tuya_ota.rollout.plan.pace import MOST_DEVICES, MOST_PULSES, Pace, require_pace


@pytest.mark.parametrize(
    ("pace", "devices", "sizes"),
    [
        (Pace(first=50, double_every="1h"), 1000, [50, 100, 200, 400, 250]),
        (Pace(first=50, double_every="1h"), 50, [50]),
        (Pace(first=50, double_every="1h"), 51, [50, 1]),
        (Pace(first=50, double_every="1h"), 7, [7]),
        (Pace(first=50, double_every="1h"), 0, []),
        (Pace(first=50, double_every="1h", at_most=120), 500, [50, 100, 120, 120, 110]),
        (Pace(first=50, double_every="1h", at_most=50), 120, [50, 50, 20]),
        (Pace(first=40, every="30m"), 100, [40, 40, 20]),
    ],
)
def test_a_wave_is_cut_into_pulses(pace: Pace, devices: int, sizes: list[int]) -> None:
    assert pace.pulse_sizes(devices) == sizes


@given(st.integers(1, 500), st.integers(0, 10**6), st.booleans(), st.integers(0, 500))
def test_pulses_hold_every_device_and_never_more_than_the_pace_allows(
    first: int, devices: int, doubles: bool, more: int
) -> None:
    growth: dict[str, Any] = {"double_every": "1h"} if doubles else {"every": "1h"}
    pace = Pace(first=max(first, 100), at_most=max(first, 100) + more, **growth)

    sizes = pace.pulse_sizes(devices)

    assert sum(sizes) == devices
    assert all(0 < size <= max(first, 100) + more for size in sizes)
    assert sizes[:-1] == sorted(sizes[:-1])


def test_the_first_pulse_is_the_first_number() -> None:
    assert Pace(every="1h").first == 50
    assert Pace(20, every="90s").interval == Pace(every=90).interval == Pace(every=timedelta(seconds=90)).interval == 90


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"first": 0, "every": "1h"}, "pace first"),
        ({"first": True, "every": "1h"}, "pace first"),
        ({"first": None, "every": "1h"}, "pace first"),
        ({"first": "50", "every": "1h"}, "pace first"),
        ({"first": 2.0, "every": "1h"}, "pace first"),
        ({"first": MOST_DEVICES + 1, "every": "1h"}, "pace first"),
        ({}, "pace double_every, every: are both missing"),
        ({"every": "1h", "double_every": "1h"}, "pace double_every, every: are both given"),
        ({"every": None}, "pace every"),
        ({"double_every": None}, "pace double_every"),
        ({"double_every": "0h"}, "pace double_every"),
        ({"double_every": 0.5}, "pace double_every"),
        ({"every": "1h", "at_most": 49}, "pace at_most"),
        ({"every": "1h", "at_most": None}, "pace at_most"),
        ({"every": "1h", "at_most": True}, "pace at_most"),
    ],
)
def test_a_pace_that_is_none_is_refused_by_its_argument(values: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidParameterError, match=rf"^{field}"):
        Pace(**values)


def test_a_pace_with_too_many_pulses_is_refused() -> None:
    pace = Pace(first=1, every="1s")

    assert len(pace.pulse_sizes(MOST_PULSES)) == MOST_PULSES
    with pytest.raises(
        InvalidParameterError, match=r"^pace: 1 first, the same every 1s cuts a wave into more than 10,000"
    ):
        pace.pulse_sizes(MOST_PULSES + 1)


@pytest.mark.parametrize("value", [None, True, "50", {"first": 50}, 50])
def test_what_is_no_pace_is_refused(value: Any) -> None:
    with pytest.raises(InvalidParameterError, match=r"^pace: is no Pace"):
        require_pace(value)


def test_a_pace_is_frozen_and_shown_and_written_in_seconds() -> None:
    pace = Pace(first=50, double_every="1h30m", at_most=5000)

    assert str(pace) == "50 first, doubling every 1h30m, at most 5,000"
    assert pace.to_dict() == {"first": 50, "interval": 5400, "doubles": True, "at_most": 5000}
    assert Pace(every="1h").to_dict() == {"first": 50, "interval": 3600, "doubles": False, "at_most": None}
    with pytest.raises(AttributeError):
        pace.first = 1  # type: ignore[misc] # the test does what mypy forbids
