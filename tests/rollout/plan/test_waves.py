from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from pathlib import PurePath
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_tuya_ota.core.errors import InvalidParameterError
from airflow_provider_tuya_ota.rollout.plan.wave import MOST_WAVES, Wave, WaveKind, normal_text, parse_waves


def texts(waves: tuple[Wave, ...]) -> list[str]:
    return [wave.text for wave in waves]


def test_waves_are_shares_numbers_names_and_the_rest() -> None:
    waves = parse_waves([["bench-3", "a, b"], "10", 20, "30 devices", "0.50 %", "12.5%", "rest"])

    assert texts(waves) == ["2 named devices", "10 devices", "20 devices", "30 devices", "0.5%", "12.5%", "100%"]
    assert [wave.number for wave in waves] == [1, 2, 3, 4, 5, 6, 7]
    assert waves[0].names == ("bench-3", "a, b")
    assert [wave.count for wave in waves[1:4]] == [10, 20, 30]
    assert [wave.share for wave in waves[4:]] == [Fraction(1, 200), Fraction(1, 8), 1]
    assert [wave.is_rest for wave in waves] == [False] * 6 + [True]
    assert all(wave.is_paceable for wave in waves)


def test_one_device_is_written_in_the_singular() -> None:
    assert texts(parse_waves([["a"], "1 device"])) == ["1 named device", "1 device"]
    assert normal_text("007%") == "7%"
    assert normal_text("wave 1") == "wave 1"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("platform ALL", ("ALL", "", "")),
        ("platform GRAY 20%", ("GRAY", "20", "")),
        ("platform  GRAY 100 %", ("GRAY", "100", "")),
        ("platform GROUP g-1", ("GROUP", "", "g-1")),
    ],
)
def test_the_platform_chooses_the_devices_of_a_last_wave(text: str, expected: tuple[str, str, str]) -> None:
    last = parse_waves(["100%", text])[-1]

    assert (last.selection, last.gray_percent, last.group_id) == expected
    assert last.kind is WaveKind.PLATFORM
    assert not last.is_paceable
    assert not last.is_rest


@pytest.mark.parametrize(
    "value",
    [None, True, "", "1%", {"1%"}, [], (), b"1%", 5, {}],
)
def test_what_is_no_list_of_waves_is_refused(value: Any) -> None:
    with pytest.raises(InvalidParameterError, match=r"^waves: "):
        parse_waves(value)


@pytest.mark.parametrize(
    "entry",
    [
        Decimal(5),
        PurePath("5%"),
        *(
            None,
            True,
            False,
            "",
            " ",
            "None",
            "<leave out>",
            "{{ params.share }}",
            "{% if x %}1%{% endif %}",
            0,
            -5,
            1.5,
        ),
        *(
            "0%",
            "100.1%",
            "101%",
            "0.0000001%",
            "-1%",
            "\u0663%",
            "%",
            "0 devices",
            "5 lamps",
            "all",
            "ALL",
            "everything",
        ),
        *("platform", "platform all", "platform GRAY", "platform GRAY 0%", "platform GRAY 101%", "platform GRAY 5.5%"),
        *("platform GROUP", "platform GROUP a b", "platform ALL 5%", [], [""], [None], ["a", "a"], [1], {"a": 1}),
    ],
)
def test_an_entry_that_is_no_wave_is_refused(entry: Any) -> None:
    with pytest.raises(InvalidParameterError, match=r"^waves: "):
        parse_waves(["1%", entry])


@pytest.mark.parametrize(
    ("entries", "problem"),
    [
        (["0%"], "'0%' is not allowed"),
        (["5%", "5%"], r"wave 2 \(5%\) does not rise"),
        (["5%", "5.0 %"], r"wave 2 \(5%\) does not rise"),
        (["5%", "9 devices", "1%"], r"wave 3 \(1%\) does not rise"),
        (["10", "1%", 10], r"wave 3 \(10 devices\) does not rise"),
        (["rest", "100%"], r"wave 2 \(100%\) is behind 100% and adds nobody"),
        (["100%", ["a"]], r"wave 2 \(1 named device\) is behind 100% and adds nobody"),
        ([["a", "b"], "1%", ["c", "a"]], "'a' is in wave 1 and in wave 3"),
        (["platform ALL"], "platform ALL is the only wave"),
        (["1%", "platform GRAY 5%", "100%"], r"wave 2 \(platform GRAY 5%\) is not the last one"),
        (["1%", "platform ALL", "platform ALL"], r"wave 2 \(platform ALL\) is not the last one"),
    ],
)
def test_contradictions_between_waves_are_refused(entries: list[Any], problem: str) -> None:
    with pytest.raises(InvalidParameterError, match=rf"^waves: {problem}"):
        parse_waves(entries)


def test_there_are_at_most_a_hundred_waves() -> None:
    assert len(parse_waves(list(range(1, MOST_WAVES + 1)))) == MOST_WAVES
    with pytest.raises(InvalidParameterError, match=r"^waves: there are 101 waves"):
        parse_waves(list(range(1, MOST_WAVES + 2)))


@given(st.integers(1, 10**7), st.integers(1, 10**6))
def test_a_share_is_rounded_up_to_at_least_one_device(size: int, millionths: int) -> None:
    whole, part = divmod(millionths, 10_000)
    wave = parse_waves([f"{whole}.{part:04}%"])[0]

    target = wave.target(size)
    assert 1 <= target <= size
    assert (target - 1) * 10**6 < size * millionths <= target * 10**6


def test_a_share_is_exact_where_a_fraction_of_the_machine_is_not() -> None:
    assert parse_waves(["7%"])[0].target(100) == 7
    assert parse_waves(["14%"])[0].target(50) == 7
    assert parse_waves(["0.1%"])[0].target(3_000_000) == 3000
