from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_tuya_ota.rollout.record.svg import LONGEST_TEXT, Scale, legend, line, steps, tag, text


@given(st.text())
def test_any_text_is_shown_as_a_text_and_nothing_else(said: str) -> None:
    element = ET.fromstring(text(1, 2, said))  # noqa: S314 - our own element

    assert element.tag == "text"
    assert list(element) == []
    assert len(element.text or "") <= LONGEST_TEXT


def test_markup_in_a_text_is_escaped() -> None:
    assert text(0, 0, "<script>&") == '<text x="0" y="0">&lt;script&gt;&amp;</text>'
    assert tag("rect", class_='a" onload="x', stroke_width=1.25) == (
        '<rect class="a&quot; onload=&quot;x" stroke-width="1.2"/>'
    )


@pytest.mark.parametrize(
    ("most", "ticks"),
    [
        (1, [0, 1]),
        (4, [0, 1, 2, 3, 4]),
        (23, [0, 5, 10, 15, 20]),
        (100_000, [0, 20_000, 40_000, 60_000, 80_000, 100_000]),
    ],
)
def test_ticks_are_round(most: float, ticks: list[int]) -> None:
    assert Scale(low=0, high=1, most=most).ticks() == ticks


@pytest.mark.parametrize(
    ("seconds", "first", "number"),
    [
        (3, "1 s", 4),
        (90, "15 s", 7),
        (7200, "15 min", 9),
        (6 * 3600, "1 h", 7),
        (30 * 86400, "7 d", 5),
        (1e9, "125000001 s", 8),
    ],
)
def test_times_have_one_unit_that_people_read(seconds: float, first: str, number: int) -> None:
    labels = list(Scale(low=0, high=1, most=seconds).time_ticks().values())

    assert (labels[0], labels[1], len(labels)) == ("0", first, number)
    assert len({label.split()[-1] for label in labels[1:]}) == 1


def test_ticks_of_time_are_of_sizes_that_clocks_and_calendars_have() -> None:
    firsts = [
        *["1 s", "5 s", "15 s", "1 min", "5 min", "15 min", "30 min", "1 h", "2 h", "3 h", "6 h", "12 h", "1 d", "2 d"],
        *["7 d", "30 d", "365 d"],
    ]
    units = {"s": 1, "min": 60, "h": 3600, "d": 86400}
    for label in firsts:
        number, unit = label.split()
        step = int(number) * units[unit]
        assert list(Scale(low=0, high=1, most=8 * step).time_ticks().items())[:2] == [(0, "0"), (step, label)]


def test_a_line_goes_from_one_point_to_the_other() -> None:
    assert line((1, 2), (3, 4.55), "grid") == '<line x1="1" y1="2" x2="3" y2="4.5" class="grid"/>'


def test_a_value_beyond_the_axis_lies_at_its_end() -> None:
    scale = Scale(low=100, high=200, most=10)

    assert [scale.at(value) for value in (0, 5, 10, 99)] == [100, 150, 200, 200]


def test_a_line_of_many_points_is_thinned_and_keeps_its_end() -> None:
    drawn = steps([(at / 100, float(at)) for at in range(10_001)], "failed")

    assert drawn.count("H") == 200
    assert drawn.endswith('V10000" class="failed"/>')
    assert steps([], "failed") == ""


def test_a_legend_names_each_line() -> None:
    drawn = legend(0, 10, [("failed", "failed"), ("good", "promote up to")])

    assert drawn.startswith(line((0, 6), (22, 6), "failed"))
    assert drawn.count("<line") == drawn.count("<text") == 2
