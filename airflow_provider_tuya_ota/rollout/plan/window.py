"""A window in which pulses may start: ``Mon-Thu 09:00-16:00 Europe/Berlin``."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING, Any, Final

from airflow_provider_tuya_ota.core.errors import InvalidParameterError
from airflow_provider_tuya_ota.core.short_repr import short_repr
from airflow_provider_tuya_ota.rollout.plan.intent_text import require_text
from airflow_provider_tuya_ota.rollout.plan.local_time import find_zone, moment_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date, tzinfo

ALLOWED: Final = (
    'days, times and a zone, as "Mon-Thu 09:00-16:00 Europe/Berlin", "Sat,Sun 22:00-04:00 UTC" or "daily 00:00-24:00'
    ' Asia/Tokyo"'
)
DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_DAY: Final = timedelta(days=1)
_TIME: Final = r"(?:[01][0-9]|2[0-3]):[0-5][0-9]"
_FORM: Final = re.compile(rf"([A-Za-z,-]+) ({_TIME})-({_TIME}|24:00) (\S+)")

Opening = tuple[datetime, datetime]
"""From when, up to when; both in UTC, the end excluded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Days and times at which a window opens.

    :param text: what the author wrote.
    :param days: 0 for Monday; days on which it opens.
    :param opens: minutes after midnight.
    :param closes: minutes after midnight of the same day; more than 1,440 where it closes on the next day.
    """

    text: str
    days: frozenset[int]
    opens: int
    closes: int
    zone: tzinfo = field(repr=False, compare=False)

    @property
    def minutes(self) -> int:
        """How long it is open on a day without a change of the clock."""
        return self.closes - self.opens

    def openings(self, first: date, last: date) -> Iterator[Opening]:
        """Give the openings that begin on the days from first to last, in their order.

        A time that the clock skips is the moment of the change; one that lies between two skipped times is left out. A
        time that the clock shows twice is the first of the two, so a window opens once.
        """
        for number in range((last - first).days + 1):
            day = first + number * _DAY
            if day.weekday() in self.days:
                midnight = datetime.combine(day, time())
                start, end = (
                    moment_of(midnight + timedelta(minutes=minutes), self.zone) for minutes in (self.opens, self.closes)
                )
                if start < end:
                    yield start, end


def parse_window(name: str, value: Any) -> Window:
    """Read one window.

    :param name: of the argument.
    :raises InvalidParameterError: it has another form, an unknown zone or day, or no length.
    """
    text = require_text(name, value, ALLOWED)
    found = _FORM.fullmatch(text)
    if not found:
        raise InvalidParameterError(field=name, problem=f"{short_repr(text)} is no window", allowed=ALLOWED)
    days, opens, closes = _parse_days(name, found[1]), _minutes(found[2]), _minutes(found[3])
    if opens == closes:
        raise InvalidParameterError(
            field=name, problem=f"{short_repr(text)} never opens", allowed="00:00-24:00 for whole days"
        )
    return Window(
        text=text,
        days=days,
        opens=opens,
        closes=closes if closes > opens else closes + 24 * 60,
        zone=find_zone(name, found[4]),
    )


def _minutes(text: str) -> int:
    hours, _, minutes = text.partition(":")
    return int(hours) * 60 + int(minutes)


def _parse_days(name: str, text: str) -> frozenset[int]:
    if text.lower() == "daily":
        return frozenset(range(7))
    found: list[int] = []
    for part in text.split(","):
        first, dash, last = (end.title() for end in part.partition("-"))
        if first not in DAYS or (dash and (last not in DAYS or last == first)):
            raise InvalidParameterError(field=name, problem=f"{short_repr(part)} is no day", allowed=ALLOWED)
        start = DAYS.index(first)
        # Sat-Mon goes on behind Sunday.
        length = (DAYS.index(last) - start) % 7 if dash else 0
        found += [(start + number) % 7 for number in range(length + 1)]
    if len(set(found)) != len(found):
        raise InvalidParameterError(
            field=name, problem=f"{short_repr(text)} has a day twice", allowed="each day once, or daily"
        )
    return frozenset(found)
