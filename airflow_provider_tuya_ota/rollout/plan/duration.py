"""Lengths of time in whole seconds, such as the soak of a wave."""

from __future__ import annotations

from typing import Any, Final

from airflow_provider_tuya_ota.core.durations import parse_seconds
from airflow_provider_tuya_ota.core.errors import InvalidParameterError
from airflow_provider_tuya_ota.core.short_repr import short_repr

LONGEST: Final = 90 * 86400
"""Seconds; a longer soak or interval is a mistake in the unit rather than a plan."""
_UNITS: Final = (("d", 86400), ("h", 3600), ("m", 60), ("s", 1))


def parse_duration(field: str, value: Any, *, or_zero: bool = False) -> int:
    """Read a length of time as :func:`~airflow_provider_tuya_ota.core.durations.parse_seconds` does.

    :param or_zero: whether no time at all, such as ``0h``, is allowed.
    :returns: seconds; a whole number, so that every program writes it in the same way.
    :raises InvalidParameterError: it is none, has a fraction of a second, or is longer than 90 days.
    """
    seconds = parse_seconds(field, value, or_zero=or_zero)
    if seconds > LONGEST or not seconds.is_integer():
        problem = f"{short_repr(value)} is not allowed"
        raise InvalidParameterError(
            field=field, problem=problem, allowed=f"whole seconds, at most {LONGEST // 86400} days, as 30m, 24h or 7d"
        )
    return int(seconds)


def render_duration(seconds: int) -> str:
    """Write seconds as :func:`parse_duration` reads them."""
    parts = []
    for unit, size in _UNITS:
        number, seconds = divmod(seconds, size)
        if number:
            parts.append(f"{number}{unit}")
    return "".join(parts) or "0s"
