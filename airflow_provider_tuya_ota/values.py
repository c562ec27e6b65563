"""Template results to typed values: a rendered field is text, whatever the Dag author's form gave."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from typing import Any, Final

from airflow_provider_tuya_ota.core.errors import InvalidParameterError

LONGEST: Final = 10 * 365 * 86400.0
"""Seconds; with longer waits dates leave the calendar."""


def whole_number(field: str, value: Any) -> int | None:
    """Read a whole number; None, empty and a rendered ``None`` mean that it was not given."""
    if _absent(value):
        return None
    if isinstance(value, str) and re.fullmatch(r"\s*-?\d+\s*", value):
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise InvalidParameterError(field=field, problem=f"{value!r} is not a whole number", allowed="a whole number")


def switch(field: str, value: Any) -> bool | None:
    """Read a switch; None, empty and a rendered ``None`` mean that it was not given."""
    if _absent(value):
        return None
    if isinstance(value, bool):
        return value
    words = {"true": True, "false": False}
    if isinstance(value, str) and value.strip().lower() in words:
        return words[value.strip().lower()]
    raise InvalidParameterError(field=field, problem=f"{value!r} is not a switch", allowed="True, False")


def duration(field: str, value: Any, *, or_none: bool = False) -> None:
    """Refuse what is no number of seconds.

    :param or_none: whether no time at all is one.
    """
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if is_number and LONGEST >= value >= 0 and (or_none or value):
        return
    least = "0 seconds or more" if or_none else "more than 0 seconds"
    raise InvalidParameterError(
        field=field, problem=f"{value!r} is not allowed", allowed=f"a number, {least} and at most {LONGEST:g}"
    )


def require_flag(field: str, value: Any) -> None:
    """Refuse what is neither True nor False; a text such as ``no`` would count as True."""
    if not isinstance(value, bool):
        raise InvalidParameterError(field=field, problem=f"{value!r} is not a switch", allowed="True, False")


def require_text(field: str, value: Any, allowed: str) -> None:
    """Refuse what is no text, or an empty one; of a number such as 1.10 nobody knows any more how it was written."""
    if not isinstance(value, str) or not value:
        problem = "is empty" if not value else f"{value!r} is not a text"
        raise InvalidParameterError(field=field, problem=problem, allowed=allowed)


def text(value: Any) -> str | None:
    """Read an optional text; None and a rendered ``None`` mean that it was not given, an empty text stays an error."""
    return None if value is None or value == "None" else str(value)


def names(field: str, value: Any) -> Sequence[str] | None:
    """Read device names: a list, the rendered form of a list, or text with one name per line or between commas.

    None and a rendered ``None`` mean that none were given; an empty list stays an empty list, which is refused later.
    """
    if value is None or value == "None":
        return None
    if isinstance(value, (Sequence, AbstractSet)) and not isinstance(value, (str, bytes)):
        return list(value)
    if not isinstance(value, str):
        raise InvalidParameterError(
            field=field, problem=f"{value!r:.80} is not a list", allowed="a list of names, or text with one per line"
        )
    if value.strip().startswith("["):
        try:
            parsed = ast.literal_eval(value.strip())
        except (ValueError, SyntaxError):
            parsed = None
        if not isinstance(parsed, list):
            raise InvalidParameterError(
                field=field, problem=f"{value[:80]!r} is not a list", allowed="a list of device names, or one per line"
            )
        return parsed
    return [name.strip() for name in re.split(r"[\n,]", value) if name.strip()]


@contextmanager
def named_as(**own: str) -> Iterator[None]:
    """Let errors name an operator's own arguments, where they are not called as those of the client.

    :param own: by the client's name.
    """
    try:
        yield
    except InvalidParameterError as error:
        name, _, rest = error.field.partition(" ")
        if name not in own:
            raise
        field = f"{own[name]} {rest}".rstrip()
        raise InvalidParameterError(field=field, problem=error.problem, allowed=error.allowed) from None


def _absent(value: Any) -> bool:
    return value is None or (isinstance(value, str) and value.strip() in {"", "None"})
