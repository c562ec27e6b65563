from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from airflow_provider_tuya_ota.core.errors import InvalidParameterError
from airflow_provider_tuya_ota.rollout.plan.opening_hours import HORIZON
from tests.rollout.plan.test_windows import hours, openings, utc

DAILY = "daily 09:00-16:00 UTC"


def test_nothing_opens_on_a_date_and_everything_around_it() -> None:
    assert openings(hours(DAILY, ["2026-12-24", "2026-12-26..2026-12-27"]), "2026-12-23T00:00", 3) == [
        ("Wed 23 09:00", "Wed 23 16:00"),
        ("Fri 25 09:00", "Fri 25 16:00"),
        ("Mon 28 09:00", "Mon 28 16:00"),
    ]


def test_a_blackout_cuts_a_window_that_is_open_at_midnight() -> None:
    of = hours("daily 22:00-04:00 UTC", ["2026-12-24"])

    assert openings(of, "2026-12-23T12:00", 2) == [("Wed 23 22:00", "Thu 24 00:00"), ("Fri 25 00:00", "Fri 25 04:00")]


def test_a_blackout_that_ends_with_a_window_leaves_no_opening_of_no_length() -> None:
    of = hours("daily 20:00-24:00 UTC", ["2026-12-24"])

    assert of.next_opening(utc("2026-12-24T00:00")) == utc("2026-12-25T20:00")


def test_an_end_is_found_within_366_days() -> None:
    of = hours(blackout=["2027-01-02 UTC"])

    assert of.closes_at(utc("2026-01-01T00:00")) == utc("2027-01-02T00:00")
    assert of.closes_at(utc("2025-12-31T23:59")) is None


def test_a_blackout_may_end_inside_a_window_and_several_may_overlap() -> None:
    of = hours("daily 00:00-24:00 UTC", ["2026-12-24..2026-12-26", "2026-12-25", "2026-12-24 Asia/Tokyo"])

    assert of.closes_at(utc("2026-12-22T00:00")) == utc("2026-12-23T15:00")
    assert of.next_opening(utc("2026-12-23T15:00")) == utc("2026-12-27T00:00")


def test_a_date_without_a_zone_is_closed_in_the_zone_of_each_window() -> None:
    of = hours(["daily 00:00-24:00 Asia/Tokyo", "daily 00:00-24:00 America/New_York"], ["2026-12-24"])

    assert of.closes_at(utc("2026-12-20T00:00")) == utc("2026-12-23T15:00")
    assert of.next_opening(utc("2026-12-23T15:00")) == utc("2026-12-25T05:00")


def test_a_date_without_a_zone_has_no_gap_between_zones_that_never_share_a_day() -> None:
    of = hours(["daily 00:00-24:00 Pacific/Kiritimati", "daily 00:00-24:00 Pacific/Niue"], ["2026-12-24"])

    assert of.closes_at(utc("2026-12-20T00:00")) == utc("2026-12-23T10:00")
    assert of.next_opening(utc("2026-12-23T10:00")) == utc("2026-12-25T11:00")


def test_a_date_with_a_zone_needs_no_window() -> None:
    of = hours(blackout=["2026-12-24 Asia/Tokyo"])

    assert of.closes_at(utc("2026-12-20T00:00")) == utc("2026-12-23T15:00")
    assert of.next_opening(utc("2026-12-23T15:00")) == utc("2026-12-24T15:00")
    assert of.closes_at(utc("2026-12-24T15:00")) is None


def test_a_day_whose_clock_changes_is_closed_from_midnight_to_midnight() -> None:
    of = hours("daily 00:00-24:00 Europe/Berlin", ["2026-10-25", "2027-03-28"])

    assert of.next_opening(utc("2026-10-24T22:00")) == utc("2026-10-25T23:00")
    assert of.next_opening(utc("2027-03-27T23:00")) == utc("2027-03-28T22:00")


def test_what_opens_only_after_a_year_never_opens() -> None:
    of = hours(DAILY, ["2026-01-01..2026-12-31", "2027-01-01..2027-12-31"])

    assert of.next_opening(utc("2026-01-01T00:00")) is None
    assert of.closes_at(utc("2026-01-01T00:00")) is None
    assert of.next_opening(utc("2028-01-01T09:00") - HORIZON) == utc("2028-01-01T09:00")
    assert of.next_opening(utc("2028-01-01T09:00") - HORIZON - timedelta(minutes=1)) is None
    assert (
        hours(blackout=["2026-01-01..2026-12-31 UTC", "2027-01-01..2027-12-31 UTC"]).next_opening(
            utc("2026-01-01T00:00")
        )
        is None
    )


@pytest.mark.parametrize(
    "value",
    [
        *(
            None,
            True,
            "",
            "2026-12-24",
            [],
            [None],
            [""],
            ["Christmas"],
            ["2026-13-01"],
            ["2026-02-30"],
            ["24.12.2026"],
        ),
        *(["2026-12-24.."], ["..2026-12-24"], ["2026-12-26..2026-12-24"], ["2026-01-01..2027-01-02"], ["1999-12-31"]),
        *(
            ["2026-12-24..2026-02-30"],
            ["2026-12-24 CET"],
            ["2026-12-24 Europe/Bonn"],
            ["2026-12-24 UTC now"],
            [20261224],
        ),
    ],
)
def test_what_is_no_blackout_is_refused(value: Any) -> None:
    with pytest.raises(InvalidParameterError, match=r"^blackout: "):
        hours(DAILY, value)


def test_a_date_without_any_zone_is_refused() -> None:
    with pytest.raises(InvalidParameterError, match=r"^blackout: 2026-12-24 has no zone"):
        hours(blackout=["2026-12-24"])
