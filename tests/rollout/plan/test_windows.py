from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_tuya_ota.core.errors import InvalidParameterError
from airflow_provider_tuya_ota.rollout.plan.intent_text import NOT_GIVEN
from airflow_provider_tuya_ota.rollout.plan.local_time import find_zone, moment_of
from airflow_provider_tuya_ota.rollout.plan.opening_hours import OpeningHours, parse_opening_hours
from airflow_provider_tuya_ota.rollout.plan.window import parse_window

BERLIN = "Mon-Thu 09:00-16:00 Europe/Berlin"


def hours(window: Any = NOT_GIVEN, blackout: Any = NOT_GIVEN) -> OpeningHours:
    return parse_opening_hours(window, blackout, timeout_in_minutes=None)


def day(text: str) -> datetime:
    return datetime.fromisoformat(text)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def openings(of: OpeningHours, start: str, number: int) -> list[tuple[str, str]]:
    """Travel from opening to opening."""
    at, found = utc(start), []
    for _ in range(number):
        opens = of.next_opening(at)
        assert opens is not None
        closes = of.closes_at(opens)
        assert closes is not None
        found.append((f"{opens:%a %d %H:%M}", f"{closes:%a %d %H:%M}"))
        at = closes
    return found


def test_a_window_opens_on_its_days_and_closes_at_its_end() -> None:
    of = hours(BERLIN)

    # 2026-12-03 is a Thursday; Berlin is an hour ahead.
    assert openings(of, "2026-12-03T00:00", 3) == [
        ("Thu 03 08:00", "Thu 03 15:00"),
        ("Mon 07 08:00", "Mon 07 15:00"),
        ("Tue 08 08:00", "Tue 08 15:00"),
    ]
    assert [of.is_open(utc(f"2026-12-03T{at}")) for at in ("07:59:59", "08:00", "14:59:59", "15:00")] == [
        False,
        True,
        True,
        False,
    ]
    assert of.closes_at(utc("2026-12-03T07:59")) is None


def test_an_open_window_opens_now_whatever_the_zone_of_the_question() -> None:
    of = hours(BERLIN)
    tokyo = utc("2026-12-03T12:34:56.789").astimezone(ZoneInfo("Asia/Tokyo"))

    found = of.next_opening(tokyo)

    assert found == tokyo
    assert found is not None
    assert found.tzinfo is UTC
    assert of.is_open(tokyo)


def test_without_a_window_it_is_always_open() -> None:
    for of in (hours(), hours("always")):
        assert of.is_open(utc("2026-12-03T03:00"))
        assert of.closes_at(utc("2026-12-03T03:00")) is None


def test_whole_days_never_close() -> None:
    of = hours("daily 00:00-24:00 Asia/Tokyo")

    assert of.is_open(utc("2026-12-03T15:00"))
    assert of.closes_at(utc("2026-12-03T15:00")) is None


def test_days_may_go_on_behind_sunday_and_be_listed() -> None:
    assert parse_window("window", "Sat-Mon 09:00-10:00 UTC").days == {5, 6, 0}
    assert parse_window("window", "mon,WED,Fri-Sat 09:00-10:00 UTC").days == {0, 2, 4, 5}
    assert parse_window("window", "Daily 09:00-10:00 UTC").days == set(range(7))
    assert parse_window("window", "Sun 09:00-10:00 UTC").days == {6}


def test_a_window_across_midnight_belongs_to_the_day_on_which_it_opens() -> None:
    of = hours("Fri 22:00-04:00 Europe/Berlin")

    assert openings(of, "2026-12-03T00:00", 2) == [
        ("Fri 04 21:00", "Sat 05 03:00"),
        ("Fri 11 21:00", "Sat 12 03:00"),
    ]
    assert of.is_open(utc("2026-12-05T02:00"))
    assert not of.is_open(utc("2026-12-06T02:00"))


def test_a_night_is_open_from_its_beginning_when_asked_after_midnight() -> None:
    of = hours("daily 22:00-04:00 UTC")

    assert of.closes_at(utc("2026-12-05T00:00")) == utc("2026-12-05T04:00")
    assert of.closes_at(utc("2026-12-05T23:59")) == utc("2026-12-06T04:00")


def test_two_zones_are_open_in_turn_and_together() -> None:
    of = hours(["Mon 09:00-16:00 Europe/Berlin", "Mon 09:00-16:00 America/New_York", "Mon 09:00-16:00 Asia/Tokyo"])

    # Berlin closes at 15:00 UTC, and New York opens at 14:00 UTC: one opening.
    assert openings(of, "2026-12-06T12:00", 2) == [
        ("Mon 07 00:00", "Mon 07 07:00"),
        ("Mon 07 08:00", "Mon 07 21:00"),
    ]


def test_windows_that_touch_are_one_opening() -> None:
    of = hours(["Mon 09:00-12:00 UTC", "Mon 12:00-15:00 UTC", "Mon 10:00-11:00 UTC", "Mon 15:01-16:00 UTC"])

    assert openings(of, "2026-12-06T12:00", 2) == [("Mon 07 09:00", "Mon 07 15:00"), ("Mon 07 15:01", "Mon 07 16:00")]


@pytest.mark.parametrize(
    ("window", "start", "expected"),
    [
        # Berlin, 2027-03-28: 02:00 becomes 03:00, at 01:00 UTC.
        ("Sun 09:00-16:00 Europe/Berlin", "2027-03-27T12:00", ("Sun 28 07:00", "Sun 28 14:00")),
        ("Sun 02:30-06:00 Europe/Berlin", "2027-03-27T12:00", ("Sun 28 01:00", "Sun 28 04:00")),
        ("Sun 02:00-06:00 Europe/Berlin", "2027-03-27T12:00", ("Sun 28 01:00", "Sun 28 04:00")),
        ("Sun 00:30-02:30 Europe/Berlin", "2027-03-27T12:00", ("Sat 27 23:30", "Sun 28 01:00")),
        ("Sat 23:00-02:15 Europe/Berlin", "2027-03-27T12:00", ("Sat 27 22:00", "Sun 28 01:00")),
        # Between two skipped times there is nothing: the next Sunday.
        ("Sun 02:15-02:45 Europe/Berlin", "2027-03-27T12:00", ("Sun 04 00:15", "Sun 04 00:45")),
        # Berlin, 2026-10-25: 03:00 becomes 02:00, at 01:00 UTC.
        ("Sun 09:00-16:00 Europe/Berlin", "2026-10-24T12:00", ("Sun 25 08:00", "Sun 25 15:00")),
        ("Sun 02:30-06:00 Europe/Berlin", "2026-10-24T12:00", ("Sun 25 00:30", "Sun 25 05:00")),
        ("Sun 02:00-02:30 Europe/Berlin", "2026-10-24T12:00", ("Sun 25 00:00", "Sun 25 00:30")),
        ("Sun 01:00-02:30 Europe/Berlin", "2026-10-24T12:00", ("Sat 24 23:00", "Sun 25 00:30")),
        ("Sat 23:00-03:00 Europe/Berlin", "2026-10-24T12:00", ("Sat 24 21:00", "Sun 25 02:00")),
        # Samoa had no 2011-12-30, a Friday.
        ("Fri,Sat 09:00-10:00 Pacific/Apia", "2011-12-29T22:00", ("Fri 30 19:00", "Fri 30 20:00")),
        # Lord Howe Island moves its clock by half an hour: 02:00 becomes 02:30, at 15:30 UTC.
        ("Sun 02:15-06:00 Australia/Lord_Howe", "2026-10-03T00:00", ("Sat 03 15:30", "Sat 03 19:00")),
    ],
)
def test_time_travel_over_changes_of_the_clock(window: str, start: str, expected: tuple[str, str]) -> None:
    assert openings(hours(window), start, 1) == [expected]


def test_a_window_between_two_skipped_times_has_no_opening_of_no_length() -> None:
    window = parse_window("window", "Sun 02:15-02:45 Europe/Berlin")
    first, last = day("2027-03-21").date(), day("2027-04-04").date()

    assert [f"{start:%m-%d %H:%M}" for start, _ in window.openings(first, last)] == ["03-21 01:15", "04-04 00:15"]
    assert len(list(parse_window("window", "daily 09:00-16:00 UTC").openings(first, last))) == 15
    assert list(window.openings(first, first)) == [(utc("2027-03-21T01:15"), utc("2027-03-21T01:45"))]


def test_a_window_in_the_hour_that_comes_twice_opens_once() -> None:
    of = hours("Sun 02:00-02:30 Europe/Berlin")

    assert [f"{opens}" for opens, _ in openings(of, "2026-10-24T12:00", 2)] == ["Sun 25 00:00", "Sun 01 01:00"]
    assert not of.is_open(utc("2026-10-25T01:10"))


@pytest.mark.parametrize("text", ["2027-03-28T02:00", "2027-03-28T02:30", "2027-03-28T02:59:59"])
def test_a_skipped_time_is_the_moment_of_the_change(text: str) -> None:
    assert moment_of(datetime.fromisoformat(text), ZoneInfo("Europe/Berlin")) == utc("2027-03-28T01:00")


@given(
    st.datetimes(day("2020-01-01"), day("2030-01-01")),
    st.sampled_from(["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Tokyo", "UTC"]),
)
def test_a_time_that_the_clock_shows_is_shown_at_its_moment(local: datetime, name: str) -> None:
    zone = ZoneInfo(name)
    moment = moment_of(local, zone)

    shown = moment.astimezone(zone)
    exists = local.replace(tzinfo=zone).astimezone(UTC).astimezone(zone).replace(tzinfo=None) == local
    if exists:
        assert shown.replace(tzinfo=None) == local
        assert shown.fold == 0
    else:
        before = (moment - timedelta(seconds=1)).astimezone(zone).replace(tzinfo=None)
        assert before < local < shown.replace(tzinfo=None)


@given(
    st.datetimes(day("2026-01-01"), day("2028-01-01")),
    st.lists(
        st.sampled_from(
            [BERLIN, "Sat,Sun 22:00-04:00 America/New_York", "daily 02:15-02:45 Europe/Berlin", "Sun 00:00-24:00 UTC"]
        ),
        min_size=1,
    ),
    st.sampled_from([NOT_GIVEN, ["2026-10-25"], ["2027-03-28..2027-04-02"], ["2026-07-01 Asia/Tokyo"]]),
)
def test_the_next_opening_is_open_and_nothing_before_it_is(at: datetime, windows: list[str], blackout: Any) -> None:
    of = hours(windows, blackout)
    asked = at.replace(tzinfo=UTC)

    opens = of.next_opening(asked)

    assert opens is not None
    assert opens >= asked
    assert of.is_open(opens)
    closes = of.closes_at(opens)
    assert closes is not None
    assert closes > opens
    assert not of.is_open(closes)
    for part in range(1, 8):
        assert of.is_open(opens + (closes - opens) * part / 8)
        assert opens == asked or not of.is_open(asked + (opens - asked) * (part - 1) / 8)


@pytest.mark.parametrize(
    "value",
    [
        *(None, True, "", " ", "None", [], (), 9, {"days": "Mon"}, [None], [""], ["always"], b"daily 09:00-10:00 UTC"),
        *("Mon 09:00-16:00", "Mon-Thu 09:00-16:00 Europe/Berlin now", "09:00-16:00 UTC", "Mon 9:00-16:00 UTC"),
        *("Mon 09:00-24:01 UTC", "Mon 24:00-09:00 UTC", "Mon 09:60-16:00 UTC", "Mon 09:00 - 16:00 UTC"),
        *("Foo 09:00-16:00 UTC", "Mon-Foo 09:00-16:00 UTC", "Mon- 09:00-16:00 UTC", ", 09:00-16:00 UTC"),
        *("Mon-Mon 09:00-16:00 UTC", "Mon,Mon 09:00-16:00 UTC", "Mon-Wed,Tue 09:00-16:00 UTC"),
        *("Mon 09:00-09:00 UTC", "{{ params.window }}", "Mo 09:00-16:00 UTC", "Mon\u00ad 09:00-16:00 UTC"),
    ],
)
def test_what_is_no_window_is_refused(value: Any) -> None:
    with pytest.raises(InvalidParameterError, match=r"^window: "):
        hours(value)


@pytest.mark.parametrize(
    "zone",
    [
        *("CET", "EST", "GMT", "Etc/GMT+3", "Europe/Bonn", "Europe", "America/Argentina", "local", "+01:00", "utc"),
        *("../../etc/passwd", "Europe/../Berlin", "Mars/Olympus_Mons", "Europe/Berlin/x", "/Europe/Berlin"),
    ],
)
def test_an_unknown_or_ambiguous_zone_is_refused(zone: str) -> None:
    with pytest.raises(InvalidParameterError, match=r"^window: .* is no time zone"):
        hours(f"Mon 09:00-16:00 {zone}")


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires", "America/Port-au-Prince"])
def test_zones_of_the_tz_database_are_known(zone: str) -> None:
    assert find_zone("window", zone).utcoffset(day("2026-01-01")) is not None


def test_a_window_shorter_than_a_devices_timeout_is_refused() -> None:
    with pytest.raises(InvalidParameterError, match=r"^window: Mon 09:00-10:00 UTC is open for 60 minutes, shorter"):
        parse_opening_hours(["Mon 09:00-16:00 UTC", "Mon 09:00-10:00 UTC"], NOT_GIVEN, timeout_in_minutes=61)

    assert parse_opening_hours("Mon 09:00-10:00 UTC", NOT_GIVEN, timeout_in_minutes=60).windows[0].minutes == 60
    assert parse_opening_hours("Mon 22:00-04:00 UTC", NOT_GIVEN, timeout_in_minutes=360).windows[0].minutes == 360


def test_hours_survive_their_way_through_plain_values() -> None:
    of = hours([BERLIN, "daily 22:00-04:00 UTC"], ["2026-12-24..2026-12-26", "2026-12-31 Asia/Tokyo"])

    assert OpeningHours.from_dict(of.to_dict()) == of
    assert OpeningHours.from_dict(hours().to_dict()) == hours()
    with pytest.raises(InvalidParameterError, match=r"^window: 'x' is no window"):
        OpeningHours.from_dict({"windows": ["x"], "blackouts": []})
