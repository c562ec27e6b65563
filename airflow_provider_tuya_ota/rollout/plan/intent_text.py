"""Texts in which the author of a Dag says what a release is to do; they are read when the Dag is parsed."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import Any, Final

from airflow_provider_tuya_ota.core.errors import InvalidParameterError
from airflow_provider_tuya_ota.core.missing import NOTHING
from airflow_provider_tuya_ota.core.short_repr import short_repr

LONGEST_NAME: Final = 256
"""Characters of a device name, as the operations accept it."""


class NotGiven(Enum):
    """The type of :data:`NOT_GIVEN`."""

    NOT_GIVEN = "not given"


NOT_GIVEN: Final = NotGiven.NOT_GIVEN
"""The author has left an argument out. None and an empty list are refused instead: they come from a variable or a
template that was meant to hold a value, and without it the release would do more than was meant."""


def require_text(field: str, value: Any, allowed: str) -> str:
    """Give a text with single blanks between its words.

    :raises InvalidParameterError: it is no text, is blank, means a missing value, is not printable, or is a template.
    """
    if not isinstance(value, str):
        raise InvalidParameterError(field=field, problem=f"{short_repr(value)} is not a text", allowed=allowed)
    text = " ".join(str.__str__(value).split())
    problem = ""
    if not text:
        problem = "is blank"
    elif text in NOTHING:
        problem = f"{text!r} is how a missing value is written"
    elif not text.isprintable():
        problem = f"{short_repr(text)} contains characters that cannot be seen"
    elif "{{" in text or "{%" in text:
        problem = (
            f"{short_repr(text)} is a template; this is read when the Dag is parsed, before templates are rendered"
        )
    if problem:
        raise InvalidParameterError(field=field, problem=problem, allowed=allowed)
    return text


def require_list(field: str, value: Any, allowed: str) -> list[Any]:
    """Give the entries of a list or tuple that is not empty.

    :raises InvalidParameterError: it is something else. A text is no list of its characters.
    """
    if isinstance(value, str | bytes | bytearray) or not isinstance(value, Sequence):
        raise InvalidParameterError(field=field, problem=f"{short_repr(value)} is not a list", allowed=allowed)
    if not value:
        raise InvalidParameterError(field=field, problem="is an empty list", allowed=allowed)
    return list(value)


def require_names(field: str, value: Any) -> tuple[str, ...]:
    """Give a list of names exactly as they are written, each once.

    :raises InvalidParameterError: an entry is no name, or is there twice.
    """
    allowed = f"a list of names of up to {LONGEST_NAME} printable characters, each once"
    names = tuple(_require_name(field, name, allowed) for name in require_list(field, value, allowed))
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise InvalidParameterError(
                field=field, problem=f"{short_repr(name)} is in the list twice", allowed=allowed
            )
        seen.add(name)
    return names


def _require_name(field: str, value: Any, allowed: str) -> str:
    text = require_text(field, value, allowed)
    name = str.__str__(value)
    if name.strip() != name or len(text) > LONGEST_NAME or not name.isprintable():
        raise InvalidParameterError(field=field, problem=f"{short_repr(name)} is not a name", allowed=allowed)
    return name


def require_whole(field: str, value: Any, least: int, most: int) -> int:
    """Give a whole number of a range; True and False are none.

    :raises InvalidParameterError: it is something else.
    """
    is_whole = isinstance(value, int) and not isinstance(value, bool)
    if not is_whole or not least <= value <= most:
        raise InvalidParameterError(
            field=field, problem=f"{short_repr(value)} is not allowed", allowed=f"a whole number, {least} to {most:,}"
        )
    return int.__add__(value, 0)


def require_switch(field: str, value: Any) -> bool:
    """Give True or False; a text such as ``no`` would count as True.

    :raises InvalidParameterError: it is something else.
    """
    if not isinstance(value, bool):
        raise InvalidParameterError(field=field, problem=f"{short_repr(value)} is not a switch", allowed="True, False")
    return value
