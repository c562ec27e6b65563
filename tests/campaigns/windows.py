"""Windows minute by minute: what the clock on the wall says beside what the opening hours say, over years.

The judge knows nothing of openings or of changes of the clock. It reads the wall clock of the zone in each minute, and
says whether it lies in a window and in no blackout. The opening hours may differ from it only in the hour that a clock
shows for the second time, because a window opens once; and they have to be one opening in which nothing is left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from airflow_provider_tuya_ota.rollout.plan.intent_text import NOT_GIVEN
from airflow_provider_tuya_ota.rollout.plan.opening_hours import OpeningHours, parse_opening_hours
from tests.campaigns.table import Row

if TYPE_CHECKING:
    from collections.abc import Iterator

MINUTE: Final = timedelta(minutes=1)
DAY: Final = timedelta(days=1)


@dataclass(frozen=True)
class Wall:
    """A window as the judge understands it.

    :param opens: minutes after midnight; ``closes`` is above 1,440 where it closes on the next day.
    """

    days: frozenset[int]
    opens: int
    closes: int
    zone: str

    def shows_open(self, moment: datetime) -> bool:
        """Whether the wall clock lies in the window."""
        local = moment.astimezone(ZoneInfo(self.zone))
        minutes = local.hour * 60 + local.minute
        today = local.weekday() in self.days and self.opens <= minutes < self.closes
        return today or ((local.weekday() - 1) % 7 in self.days and minutes + 1440 < self.closes)

    def shows_again(self, moment: datetime) -> bool:
        """Whether the wall clock shows this time for the second time."""
        return bool(moment.astimezone(ZoneInfo(self.zone)).fold)


WEEK: Final = frozenset(range(7))
CASES: Final[dict[str, tuple[list[str], list[Wall], list[str]]]] = {
    "office hours in Berlin": (
        ["Mon-Thu 09:00-16:00 Europe/Berlin"],
        [Wall(frozenset(range(4)), 540, 960, "Europe/Berlin")],
        [],
    ),
    "nights in Berlin, over both changes": (
        ["daily 22:00-04:00 Europe/Berlin"],
        [Wall(WEEK, 1320, 1680, "Europe/Berlin")],
        ["2026-12-24", "2027-03-28"],
    ),
    "inside the hour that is skipped and shown twice": (
        ["Sat,Sun 01:30-02:30 Europe/Berlin"],
        [Wall(frozenset({5, 6}), 90, 150, "Europe/Berlin")],
        [],
    ),
    "from the hour that is skipped and shown twice": (
        ["Sun 02:30-06:00 America/New_York", "Sun 01:30-06:00 America/New_York"],
        [Wall(frozenset({6}), 150, 360, "America/New_York"), Wall(frozenset({6}), 90, 360, "America/New_York")],
        [],
    ),
    "two zones with days off": (
        ["Mon-Fri 09:00-17:00 Europe/Berlin", "Mon-Fri 09:00-17:00 America/New_York"],
        [
            Wall(frozenset(range(5)), 540, 1020, "Europe/Berlin"),
            Wall(frozenset(range(5)), 540, 1020, "America/New_York"),
        ],
        ["2026-12-24..2027-01-03", "2026-07-03"],
    ),
    "a clock that moves by half an hour": (
        ["Sun 01:00-03:00 Australia/Lord_Howe"],
        [Wall(frozenset({6}), 60, 180, "Australia/Lord_Howe")],
        [],
    ),
}


def rows(years: int) -> Iterator[Row]:
    """Play all cases from the beginning of 2026 on."""
    for name, (windows, walls, blackouts) in CASES.items():
        yield _play(name, parse(windows, blackouts), walls, blackouts, timedelta(days=366 * years))


def parse(windows: list[str], blackouts: list[str]) -> OpeningHours:
    """Read windows and blackouts as a Dag gives them."""
    return parse_opening_hours(windows, blackouts or NOT_GIVEN, timeout_in_minutes=None)


def _play(name: str, hours: OpeningHours, walls: list[Wall], blackouts: list[str], length: timedelta) -> Row:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    days_off = {day for text in blackouts for day in _days(text)}
    openings = list(_openings(hours, start, start + length))
    expected = iter(openings)
    current = next(expected)
    minutes = again = 0
    wrong = []
    at = start
    while at < start + length:
        while current[1] <= at:
            current = next(expected)
        says_open = current[0] <= at
        is_off = any(at.astimezone(ZoneInfo(wall.zone)).date() in days_off for wall in walls)
        shows_open = not is_off and any(wall.shows_open(at) for wall in walls)
        if says_open != shows_open:
            if any(wall.shows_again(at) for wall in walls):
                again += 1
            else:
                wrong.append(f"{at:%Y-%m-%d %H:%M} UTC: {says_open}, and the wall clocks say {shows_open}")
        minutes += 1
        at += MINUTE
    figures = f"{len(openings):,} openings, {minutes:,} minutes, {again} in a repeated hour"
    return Row("windows", name, minutes, wrong[:5], figures)


def _openings(hours: OpeningHours, start: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
    at = start
    while at < end:
        opens = hours.next_opening(at)
        closes = None if opens is None else hours.closes_at(opens)
        assert opens is not None
        assert closes is not None
        yield opens, closes
        at = closes
    yield end + DAY, end + 2 * DAY


def _days(text: str) -> Iterator[date]:
    first, _, last = text.partition("..")
    day = date.fromisoformat(first)
    while day <= date.fromisoformat(last or first):
        yield day
        day += DAY
