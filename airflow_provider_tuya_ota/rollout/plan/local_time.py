"""From the time on a clock in a zone to the moment it means, also where the clock is put forward or back."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final

import pendulum
from pendulum.tz.exceptions import InvalidTimezone

from airflow_provider_tuya_ota.core.errors import InvalidParameterError
from airflow_provider_tuya_ota.core.short_repr import short_repr

_ZONE: Final = re.compile(r"UTC|[A-Z][A-Za-z_]+(?:/[A-Za-z0-9_+-]+){1,2}")
_SECOND: Final = timedelta(seconds=1)


def find_zone(field: str, name: str) -> tzinfo:
    """Find a time zone.

    Abbreviations such as ``CET`` or ``EST`` are refused: some have no summer time, and some mean several zones.
    ``Etc/GMT+3`` is refused because it is three hours behind Greenwich, not ahead.

    :raises InvalidParameterError: there is no such zone.
    """
    if _ZONE.fullmatch(name) and not name.startswith("Etc/"):
        try:
            return pendulum.timezone(name)
        except (InvalidTimezone, OSError, ValueError):
            pass
    raise InvalidParameterError(
        field=field, problem=f"{short_repr(name)} is no time zone", allowed="a zone as Europe/Berlin, or UTC"
    )


def moment_of(local: datetime, zone: tzinfo) -> datetime:
    """Give the moment at which a clock in a zone shows a time.

    A time that the clock skips is the moment of the change, and a time that it shows twice is the first of the two.

    :param local: without a zone.
    :returns: in UTC.
    """
    first, second = (local.replace(tzinfo=zone, fold=fold).utcoffset() or timedelta(0) for fold in (0, 1))
    if first >= second:
        return (local - first).replace(tzinfo=UTC)
    before, behind = (local - second).replace(tzinfo=UTC), (local - first).replace(tzinfo=UTC)
    while behind - before > _SECOND:
        middle = before + timedelta(seconds=(behind - before) // _SECOND // 2)
        if middle.astimezone(zone).utcoffset() == first:
            before = middle
        else:
            behind = middle
    return behind
