"""Tables from JSON and TOML, each wrong value refused with a sentence that names it.

What a scenario or a command gets wrong is said at once; met later, in the middle of a request, it would look like a
failure of the service that is being simulated.
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
"""Empty where a device has never reported one."""
DECADE: Final = 10 * 365 * 86400.0
"""Seconds; further away, dates leave the calendar."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What may stand under one name.

    :param kind: text, flag, number, table or list, as its Python type.
    :param least: of a number.
    :param most: of a number.
    :param choices: all values, where they can be counted.
    :param pattern: of the whole text.
    :param required: whether it must be there.
    """

    kind: type
    least: float = -math.inf
    most: float = math.inf
    choices: tuple[Any, ...] = ()
    pattern: str = ""
    required: bool = False


def read_table(values: Any, what: str, entries: Mapping[str, Entry]) -> dict[str, Any]:
    """Give the values that are there.

    :param what: names the table in errors.
    :raises ValueError: naming what is missing, unknown or wrong, and what is allowed.
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
    # True is a number to Python, and 1 is a flag to nobody.
    if isinstance(value, bool):
        return kind is bool
    return isinstance(value, (int, float) if kind is float else kind)
