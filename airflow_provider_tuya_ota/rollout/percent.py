"""Percentages as a Dag author writes them, read exactly."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Any, Final

from airflow_provider_tuya_ota.core.errors import InvalidParameterError
from airflow_provider_tuya_ota.core.short_repr import short_repr

_WRITTEN: Final = re.compile(r"[0-9]{1,3}(?:\.[0-9]{1,6})? ?%")


def parse_percent(field: str, value: Any, *, least: str = "0%", most: str = "100%") -> Fraction:
    """Read a text such as ``5%`` or ``0.5 %``.

    A number without the sign is refused: 5 could mean 5 % or 500 %, and 0.5 could mean 0.5 % or 50 %.

    :param least: the smallest percentage that is accepted.
    :param most: the largest one.
    :returns: the exact share; 1/20 for ``5%``.
    :raises InvalidParameterError: naming the field.
    """
    if isinstance(value, str) and _WRITTEN.fullmatch(value):
        share = _share(value)
        if _share(least) <= share <= _share(most):
            return share
    problem = f"{short_repr(value)} is not allowed"
    raise InvalidParameterError(
        field=field, problem=problem, allowed=f"a text with a percent sign, from '{least}' to '{most}'"
    )


def render_percent(share: Fraction) -> str:
    """Write a share as ``5 %``, without digits that say nothing; at most six decimals."""
    text = f"{float(share * 100):.6f}".rstrip("0").rstrip(".")
    return f"{text} %"


def _share(text: str) -> Fraction:
    return Fraction(text.rstrip(" %")) / 100
