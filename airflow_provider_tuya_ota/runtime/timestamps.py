"""Timestamps as the platform writes them and as people read them."""

from __future__ import annotations

import re
from email.utils import parsedate_to_datetime
from typing import Final

import pendulum

_ISO: Final = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:?\d\d)?")
_MILLISECONDS: Final = re.compile(r"\d{12,14}")
_RFC_1123: Final = re.compile(r"[A-Z][a-z]{2}, \d{1,2} [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d (GMT|[+-]\d{4})")


def parse_timestamp(text: str, *, zone: str = "UTC") -> pendulum.DateTime | None:
    """Read a timestamp in any form that the platform writes; None where it has none of them.

    The forms are ISO 8601 to milliseconds (``UtcCreate``) or to minutes (modules), RFC 1123 (devices), milliseconds
    since 1970 (products) and local style without a zone (``LastOnlineTime``).

    :param zone: time zone of a timestamp that names none.
    """
    try:
        if _MILLISECONDS.fullmatch(text):
            return pendulum.from_timestamp(int(text) / 1000)
        if _RFC_1123.fullmatch(text):
            return pendulum.instance(parsedate_to_datetime(text))
        found = pendulum.parse(text, tz=zone) if _ISO.fullmatch(text) else None
    except (ValueError, OverflowError):
        return None
    return found if isinstance(found, pendulum.DateTime) else None


def ago(time: pendulum.DateTime, now: pendulum.DateTime | None = None) -> str:
    """Say how long ago something happened, and when, in UTC."""
    now = now or pendulum.now("UTC")
    # The clocks of the platform and of this machine differ; nothing was created in the future.
    words = min(time, now).diff_for_humans(now).replace(" before", " ago")
    return f"{words} ({time.in_timezone('UTC').format('YYYY-MM-DD HH:mm:ss')} UTC)"
