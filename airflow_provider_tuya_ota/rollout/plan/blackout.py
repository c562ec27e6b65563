"""Dates on which nothing starts: ``2026-12-24``, ``2026-12-24..2027-01-02``, ``2026-12-24 Asia/Tokyo``."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any, Final

from airflow_provider_tuya_ota.core.errors import InvalidParameterError
from airflow_provider_tuya_ota.core.short_repr import short_repr
from airflow_provider_tuya_ota.rollout.plan.intent_text import require_text
from airflow_provider_tuya_ota.rollout.plan.local_time import find_zone, moment_of

if TYPE_CHECKING:
    from datetime import tzinfo

    from airflow_provider_tuya_ota.rollout.plan.window import Opening

ALLOWED: Final = 'a date as "2026-12-24", or dates as "2026-12-24..2027-01-02", and where it needs one a zone behind it'
LONGEST: Final = 366
"""Days of one blackout; a longer one would mean that the release never starts."""
_DATE: Final = r"20[0-9]{2}-[01][0-9]-[0-3][0-9]"
_FORM: Final = re.compile(rf"({_DATE})(?:\.\.({_DATE}))?(?: (\S+))?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Blackout:
    """Days on which nothing starts, from midnight to midnight.

    :param text: what the author wrote.
    :param first: the first day.
    :param last: the last day, which belongs to it.
    :param zone: whose days; None for the days in the zone of each window.
    """

    text: str
    first: date
    last: date
    zone: tzinfo | None = field(repr=False, compare=False)

    def span(self, zone: tzinfo) -> Opening:
        """Give its beginning and end as moments of a zone."""
        start, end = (datetime.combine(day, time()) for day in (self.first, self.last + timedelta(days=1)))
        return moment_of(start, zone), moment_of(end, zone)


def parse_blackout(value: Any) -> Blackout:
    """Read one date or one range of dates.

    :raises InvalidParameterError: it has another form, is no date, or ends before it begins.
    """
    text = require_text("blackout", value, ALLOWED)
    found = _FORM.fullmatch(text)
    if not found:
        raise InvalidParameterError(field="blackout", problem=f"{short_repr(text)} is no date", allowed=ALLOWED)
    first = _parse_date(found[1])
    last = _parse_date(found[2]) if found[2] else first
    if not 0 <= (last - first).days < LONGEST:
        raise InvalidParameterError(
            field="blackout", problem=f"{short_repr(text)} has no or too many days", allowed=f"1 to {LONGEST} days"
        )
    return Blackout(text=text, first=first, last=last, zone=find_zone("blackout", found[3]) if found[3] else None)


def _parse_date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InvalidParameterError(
            field="blackout", problem=f"{short_repr(text)} is no date", allowed=ALLOWED
        ) from None
