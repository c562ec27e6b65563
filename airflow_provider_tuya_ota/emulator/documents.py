"""Read tables of JSON and TOML; refuse each wrong value with a sentence that names it and what is allowed.

A scenario or a command is checked completely before it takes effect. Found later, during a request, its mistake would
look like a failure of the simulated service.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

_NAMES: Final[dict[type, str]] = {
    str: "a text",
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    dict: "a table",
    list: "a list",
}
VERSION: Final = r"[A-Za-z0-9._-]{1,64}"
"""A firmware version, and the name of a module."""
VERSION_OR_NONE: Final = r"[A-Za-z0-9._-]{0,64}"
"""Empty for a device that has never reported one."""
DECADE: Final = 10 * 365 * 86400.0
"""Seconds; larger values leave the range of dates."""


@dataclass(frozen=True, slots=True)
class Entry:
    """The allowed values of one name.

    :param kind: text, flag, number, table or list, as its Python type.
    :param least: smallest number.
    :param most: largest number.
    :param choices: all allowed values, if they are few.
    :param pattern: the whole text must match it.
    :param required: whether the name must be present.
    """

    kind: type
    least: float = -math.inf
    most: float = math.inf
    choices: tuple[Any, ...] = ()
    pattern: str = ""
    required: bool = False


def read_table(values: Any, what: str, entries: Mapping[str, Entry]) -> dict[str, Any]:
    """Check a table and give its values.

    :param what: name of the table in errors.
    :raises ValueError: a name is missing or unknown, or a value is wrong; the message says what is allowed.
    """
    if not isinstance(values, dict):
        raise ValueError(f"{what}: a table is needed, not {type(values).__name__}")  # noqa: TRY004 - a bad document
    unknown = sorted(str(name) for name in values if name not in entries)
    if unknown:
        raise ValueError(f"{what}: unknown {', '.join(unknown)}; known: {', '.join(sorted(entries))}")
    missing = [name for name, entry in entries.items() if entry.required and name not in values]
    if missing:
        raise ValueError(f"{what}: {', '.join(missing)} missing")
    for name, value in values.items():
        complaint = _complaint(value, entries[name])
        if complaint:
            raise ValueError(f"{what}: {name} {value!r:.80} is not {complaint}")
    return dict(values)


def _complaint(value: Any, entry: Entry) -> str:
    if entry.choices:
        fits = _is(value, entry.kind) and value in entry.choices
        return "" if fits else f"one of {', '.join(map(str, entry.choices))}"
    if not _is(value, entry.kind):
        return _NAMES[entry.kind]
    if entry.pattern and not re.fullmatch(entry.pattern, value):
        return f"of the form {entry.pattern}"
    if entry.kind in {int, float} and not (entry.least <= value <= entry.most and value not in {math.inf, -math.inf}):
        return f"from {entry.least:g} to {entry.most:g}"
    return ""


def _is(value: Any, kind: type) -> bool:
    # Python counts True as a number.
    if isinstance(value, bool):
        return kind is bool
    return isinstance(value, (int, float) if kind is float else kind)
