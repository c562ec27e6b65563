from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_tuya_ota.core.errors import InvalidParameterError
from airflow_provider_tuya_ota.rollout.plan.duration import LONGEST, parse_duration, render_duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("24h", 86400),
        ("7d", 604800),
        ("90m", 5400),
        ("30s", 30),
        ("1h30m", 5400),
        ("1d2h3m4s", 93784),
        ("90d", LONGEST),
        (60, 60),
        (timedelta(hours=1), 3600),
    ],
)
def test_a_soak_is_numbers_with_units_or_seconds(text: Any, seconds: int) -> None:
    assert parse_duration("soak", text) == seconds


@pytest.mark.parametrize(
    "value",
    [
        *(None, True, 0, 0.5, -1, float("nan"), timedelta(0), "", " ", "None", "24", "h", "24 hours", "1m1h", "1h1h"),
        *("-1h", "1.5h", "0h", "0s", "91d", "90d1s", "99999999s", "24H", "{{ params.soak }}", "1h\u0663m", "1h  30"),
    ],
)
def test_what_is_no_length_of_time_is_refused_by_its_name(value: Any) -> None:
    with pytest.raises(InvalidParameterError, match=r"^soak: "):
        parse_duration("soak", value)


def test_no_time_at_all_has_to_be_written_and_allowed() -> None:
    assert parse_duration("soak", "0h", or_zero=True) == 0
    with pytest.raises(InvalidParameterError, match=r"^soak: "):
        parse_duration("soak", "", or_zero=True)


@given(st.integers(1, LONGEST))
def test_what_is_written_reads_the_same(seconds: int) -> None:
    assert parse_duration("soak", render_duration(seconds)) == seconds


def test_no_seconds_are_written_too() -> None:
    assert render_duration(0) == "0s"
