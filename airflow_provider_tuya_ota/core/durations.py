"""Numbers of seconds that the author of a Dag gives."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from airflow_provider_tuya_ota.core.errors import InvalidParameterError
from airflow_provider_tuya_ota.core.short_repr import short_repr

LONGEST: Final = 10 * 365 * 86400.0
"""Seconds; with longer waits dates leave the calendar."""


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
