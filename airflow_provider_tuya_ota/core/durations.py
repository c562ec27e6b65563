"""Numbers of seconds that the author of a Dag gives."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any, Final

from airflow_provider_tuya_ota.core.errors import InvalidParameterError
from airflow_provider_tuya_ota.core.short_repr import short_repr

LONGEST: Final = 10 * 365 * 86400.0
"""Seconds; with longer waits dates leave the calendar."""

_WRITTEN: Final = r"(?:([0-9]{1,4})d)?(?:([0-9]{1,5})h)?(?:([0-9]{1,6})m)?(?:([0-9]{1,9})s)?"
"""Days, hours, minutes and seconds; each may be left out. Not compiled here: few of the Dags that import it need it."""


def require_seconds(field: str, value: Any, *, or_zero: bool = False) -> None:
    """Refuse what is no number of seconds.

    :param or_zero: whether 0 is allowed.
    :raises InvalidParameterError: naming the argument.
    """
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if is_number and LONGEST >= value >= 0 and (or_zero or value):
        return
    least = "0 seconds or more" if or_zero else "more than 0 seconds"
    raise InvalidParameterError(
        field=field, problem=f"{short_repr(value)} is not allowed", allowed=f"a number, {least} and at most {LONGEST:g}"
    )


def require_interval(field: str, value: Any) -> None:
    """Refuse an interval that Airflow's sensors cannot read, or would misread: they take True for one second.

    :param value: seconds, a ``timedelta``, or None, which leaves it to Airflow.
    :raises InvalidParameterError: naming the argument.
    """
    if value is not None:
        seconds = value.total_seconds() if isinstance(value, timedelta) else value
        require_seconds(field, seconds, or_zero=True)


def parse_seconds(field: str, value: Any, *, or_zero: bool = False) -> float:
    """Read a duration: a text such as ``6h``, ``90s`` or ``1d12h``, a ``timedelta``, or a number of seconds.

    A text without units is refused, because ``6`` may mean hours.

    :param or_zero: whether no time at all is allowed.
    :returns: seconds.
    :raises InvalidParameterError: naming the argument.
    """
    if isinstance(value, str):
        written = re.fullmatch(_WRITTEN, value)
        if not (value and written):
            raise InvalidParameterError(
                field=field,
                problem=f"{short_repr(value)} is not allowed",
                allowed="a text such as '6h', '90s' or '1d12h' with the units d, h, m and s, or a number of seconds",
            )
        days, hours, minutes, seconds = (int(number or 0) for number in written.groups())
        value = timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
    seconds_given = value.total_seconds() if isinstance(value, timedelta) else value
    require_seconds(field, seconds_given, or_zero=or_zero)
    return float(seconds_given)
