from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from airflow_provider_tuya_ota.core.durations import LONGEST, parse_seconds, require_interval, require_seconds
from airflow_provider_tuya_ota.core.errors import InvalidParameterError


@pytest.mark.parametrize("value", [0.001, 1, 86400.0, LONGEST])
def test_seconds_are_a_number(value: float) -> None:
    require_seconds("timeout", value)


@pytest.mark.parametrize("value", [0, -1, LONGEST + 1, True, "5", None, float("nan"), float("inf"), timedelta(1)])
def test_what_is_no_number_of_seconds_is_refused_by_its_name(value: Any) -> None:
    with pytest.raises(InvalidParameterError, match=r"^timeout: .*more than 0 seconds and at most 3\.1536e\+08"):
        require_seconds("timeout", value)


def test_no_time_at_all_is_allowed_where_it_is_asked_for() -> None:
    require_seconds("poll_error_tolerance", 0, or_zero=True)

    with pytest.raises(InvalidParameterError, match="0 seconds or more"):
        require_seconds("poll_error_tolerance", -1, or_zero=True)


@pytest.mark.parametrize("value", [None, 0, 1.5, timedelta(minutes=1)])
def test_an_interval_is_seconds_or_a_timedelta_or_left_to_airflow(value: Any) -> None:
    require_interval("poke_interval", value)


@pytest.mark.parametrize("value", [True, "60", timedelta(seconds=-1)])
def test_an_interval_that_airflow_would_misread_is_refused(value: Any) -> None:
    with pytest.raises(InvalidParameterError, match=r"^poke_interval: "):
        require_interval("poke_interval", value)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("90s", 90),
        ("30m", 1800),
        ("6h", 21600),
        ("2d", 172800),
        ("1d12h", 129600),
        ("1h30m5s", 5405),
        (timedelta(hours=6), 21600),
        (0.5, 0.5),
    ],
)
def test_a_duration_is_written_with_units_or_is_a_number_of_seconds(value: Any, seconds: float) -> None:
    assert parse_seconds("soak", value) == seconds


@pytest.mark.parametrize(
    "value", ["", "6", "6 h", "h", "30m6h", "-6h", "1.5h", "6H", "6h\n", "\u0666h", True, None, "0h", 0, "4000d"]
)
def test_a_duration_that_may_be_misread_is_refused_by_its_name(value: Any) -> None:
    with pytest.raises(InvalidParameterError, match=r"^soak: "):
        parse_seconds("soak", value)


def test_a_duration_may_be_no_time_at_all_where_it_is_asked_for() -> None:
    assert parse_seconds("soak", "0h", or_zero=True) == 0
