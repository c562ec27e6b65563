"""Lengths of time with their units, such as ``24h``."""

from __future__ import annotations

import re
from typing import Any, Final

from airflow_provider_tuya_ota.core.errors import InvalidParameterError
from airflow_provider_tuya_ota.core.short_repr import short_repr
from airflow_provider_tuya_ota.rollout.plan.intent_text import require_text

LONGEST: Final = 90 * 86400
"""Seconds; a longer soak or interval is a mistake in the unit rather than a plan."""
_UNITS: Final = (("d", 86400), ("h", 3600), ("m", 60), ("s", 1))
_FORM: Final = re.compile(r"(?:([0-9]{1,7})d)? ?(?:([0-9]{1,7})h)? ?(?:([0-9]{1,7})m)? ?(?:([0-9]{1,7})s)?")


def parse_duration(field: str, value: Any, *, or_zero: bool = False) -> int:
    """Read ``7d``, ``24h``, ``90m``, ``30s`` or several of them, the larger unit first, as in ``1h 30m``.

    :param or_zero: whether a length of 0, such as ``0h``, is allowed.
    :returns: seconds.
    :raises InvalidParameterError: it is none, a number without a unit, or longer than 90 days.
    """
    least = "0s" if or_zero else "1s"
    allowed = f"a number with a unit, as 30m, 24h or 7d; {least} to {LONGEST // 86400}d"
    text = require_text(field, value, allowed)
    found = _FORM.fullmatch(text)
    numbers = found.groups() if found else ()
    seconds = sum(int(number) * unit for number, (_, unit) in zip(numbers, _UNITS, strict=False) if number)
    if not any(numbers) or seconds > LONGEST or (not seconds and not or_zero):
        raise InvalidParameterError(field=field, problem=f"{short_repr(text)} is not allowed", allowed=allowed)
    return seconds


def render_duration(seconds: int) -> str:
    """Write seconds as :func:`parse_duration` reads them."""
    parts = []
    for unit, size in _UNITS:
        number, seconds = divmod(seconds, size)
        if number:
            parts.append(f"{number}{unit}")
    return " ".join(parts) or "0s"
