"""Rules for ids and names.

The vendor documents few of them. A text that is refused here is certainly no id or name of the platform; it comes from
a missing or broken value of a template, a form or a program, and would name something else or nothing.
"""

from __future__ import annotations

import re
from typing import Final

from airflow_provider_tuya_ota.core.actions.rules import Rule, each, nothing_problem
from airflow_provider_tuya_ota.core.short_repr import short_repr
from airflow_provider_tuya_ota.core.texts import HIDDEN

LONGEST: Final = 256
"""Characters of an id or a name; those of the platform have up to 32."""
_HIDDEN: Final = re.compile(f"[{HIDDEN}]")
_FRACTION: Final = re.compile(r"[+-]?(\d+\.\d*|\.\d+|\d+(?=[eE][+-]))([eE][+-]?\d+)?")
"""A number that was a floating-point number before, in which long ids lose digits."""


def _name_problem(value: str) -> str | None:
    if problem := nothing_problem(value):
        return problem
    if value != value.strip():
        return f"{short_repr(value)} begins or ends with a blank" if value.strip() else f"{short_repr(value)} is blank"
    if len(value) > LONGEST:
        return f"{short_repr(value)} is too long"
    if not value.isprintable() or _HIDDEN.search(value):
        return f"{short_repr(value)} contains characters that cannot be seen"
    return None


def _id_problem(value: str) -> str | None:
    if problem := _name_problem(value):
        return problem
    if not value.isascii() or " " in value:
        return f"{short_repr(value)} contains a blank or a character beyond ASCII"
    if _FRACTION.fullmatch(value):
        return f"{short_repr(value)} is a fraction or has an exponent"
    return None


ID: Final = Rule(f"an id as the platform gives it, up to {LONGEST} characters of ASCII without blanks", _id_problem)
NAME: Final = Rule(f"a name of up to {LONGEST} printable characters, without blanks around it", _name_problem)
IDS: Final = each(ID)
NAMES: Final = each(NAME)
