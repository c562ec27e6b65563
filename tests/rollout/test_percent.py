from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest

from airflow_provider_tuya_ota.core.errors import InvalidParameterError
from airflow_provider_tuya_ota.rollout.percent import parse_percent, render_percent


@pytest.mark.parametrize(
    ("text", "share"),
    [("5%", Fraction(1, 20)), ("0.5%", Fraction(1, 200)), ("12.5 %", Fraction(1, 8)), ("100%", Fraction(1))],
)
def test_a_percentage_is_read_exactly(text: str, share: Fraction) -> None:
    assert parse_percent("ceiling", text) == share


@pytest.mark.parametrize(
    "value",
    [5, 0.05, "5", "0.05", "101%", "-1%", "5%%", "5  %", "5,5%", "\u0665%", " 5%", "5%\n", "%", "", "1e1%", None, True],
)
def test_what_could_mean_another_share_is_refused_by_its_name(value: Any) -> None:
    with pytest.raises(InvalidParameterError, match=r"^ceiling: .* Allowed: a text with a percent sign, from '0%' to"):
        parse_percent("ceiling", value)


def test_a_percentage_outside_its_limits_is_refused_with_them() -> None:
    assert parse_percent("ceiling", "50%", least="1%", most="50%") == Fraction(1, 2)
    assert parse_percent("ceiling", "1%", least="1%", most="50%") == Fraction(1, 100)
    for text in ("0.99%", "50.1%"):
        with pytest.raises(InvalidParameterError, match="from '1%' to '50%'"):
            parse_percent("ceiling", text, least="1%", most="50%")


@pytest.mark.parametrize(
    ("share", "text"),
    [(Fraction(1, 20), "5 %"), (Fraction(1, 200), "0.5 %"), (Fraction(1), "100 %"), (Fraction(0), "0 %")],
)
def test_a_share_is_shown_without_digits_that_say_nothing(share: Fraction, text: str) -> None:
    assert render_percent(share) == text
