"""Parse arguments: a rendered template is text, whatever type the form or the upstream task gave.

An argument that the author left out is Python's None. One that was given and *rendered* to nothing is an error:
without it, the task would do more than was meant. A form leaves an argument out with
:data:`~airflow_provider_tuya_ota.core.missing.LEAVE_OUT`.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from typing import Any, Final

from airflow_provider_tuya_ota.core.actions.rules import nothing_problem
from airflow_provider_tuya_ota.core.errors import InvalidParameterError
from airflow_provider_tuya_ota.core.missing import LEAVE_OUT, RENDERED_NONE
from airflow_provider_tuya_ota.core.short_repr import short_repr

_LARGEST: Final = 63
"""Bits of a whole number; the platform's are integers and longs."""
_BLANKS: Final = " \t\r\n"


def given(field: str, value: Any) -> bool:
    """Whether an argument was given.

    :raises InvalidParameterError: its template rendered to nothing.
    """
    if value is None:
        return False
    if not isinstance(value, str):
        return True
    stripped = value.strip()
    if stripped in {"", RENDERED_NONE}:
        problem = f"{short_repr(value)} is what a missing value renders to"
        raise InvalidParameterError(field=field, problem=problem, allowed=f"a value, or {LEAVE_OUT!r} to leave it out")
    return stripped != LEAVE_OUT


def given_or_nothing(value: Any) -> bool:
    """Whether an argument was given, for one whose template may render to nothing."""
    return not (value is None or (isinstance(value, str) and value.strip() in {"", RENDERED_NONE, LEAVE_OUT}))


def parse_int(field: str, value: Any) -> int | None:
    """Read a whole number, also as text.

    The text has ASCII digits and perhaps a minus. A plus, underscores and leading zeros are refused; blanks around it
    are accepted.
    """
    if not given(field, value):
        return None
    if isinstance(value, str) and re.fullmatch(r"0|-?[1-9][0-9]{0,17}", value.strip(_BLANKS)):
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool) and value.bit_length() <= _LARGEST:
        return int.__add__(value, 0)
    raise InvalidParameterError(
        field=field, problem=f"{short_repr(value)} is not a whole number", allowed="a whole number"
    )


def parse_bool(field: str, value: Any, *, default: bool | None = None) -> bool | None:
    """Read True or False, also as text in any case.

    :param default: value if it is left out.
    """
    if not given(field, value):
        return default
    if isinstance(value, bool):
        return value
    names = {"true": True, "false": False}
    if isinstance(value, str) and value.strip(_BLANKS).lower() in names:
        return names[value.strip(_BLANKS).lower()]
    raise InvalidParameterError(field=field, problem=f"{short_repr(value)} is not a switch", allowed="True, False")


def parse_text(field: str, value: Any) -> Any:
    """Read an optional text; the operation checks its content."""
    return value if given(field, value) else None


def parse_choice(field: str, value: Any, choices: Sequence[str], *, default: str | None = None) -> str:
    """Read one of the listed choices.

    :param default: value if it is left out; None if it must be given.
    """
    chosen = value if value is not None and given(field, value) else default
    if not isinstance(chosen, str) or chosen not in choices:
        problem = f"{short_repr(value)} is not allowed"
        raise InvalidParameterError(field=field, problem=problem, allowed=", ".join(choices))
    return str.__str__(chosen)


def require_flag(field: str, value: Any) -> None:
    """Refuse a value other than True and False; a text such as ``no`` would count as True."""
    if not isinstance(value, bool):
        raise InvalidParameterError(field=field, problem=f"{short_repr(value)} is not a switch", allowed="True, False")


def parse_names(field: str, value: Any) -> list[Any] | None:
    """Read a list of texts: a list, the rendered form of a list, or text with one name per line or between commas.

    The operation checks the entries, and refuses an empty list, which stays one here.
    """
    if not given(field, value):
        return None
    listed = _listed(value) if isinstance(value, str) else value
    if not isinstance(listed, Sequence | AbstractSet) or isinstance(
        listed, str | bytes | bytearray | memoryview | range
    ):
        raise InvalidParameterError(
            field=field,
            problem=f"{short_repr(value)} is not a list",
            allowed="a list of names, or text with one per line",
        )
    if any(isinstance(entry, str) and entry.strip() == LEAVE_OUT for entry in listed):
        raise InvalidParameterError(
            field=field, problem=f"{LEAVE_OUT!r} stands in the list", allowed="names, or the word instead of the list"
        )
    return list(listed)


def _listed(value: str) -> object:
    text = value.strip()
    if text.startswith("["):
        return _literal(text)
    # A template renders a tuple or a set in brackets that a name may have too.
    if text.startswith(("(", "{")) and isinstance(rendered := _literal(text), tuple | set | dict):
        return rendered
    return [name.strip(_BLANKS) for name in re.split(r"[\n,]", value) if name.strip(_BLANKS)]


def _literal(text: str) -> object:
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return None


def parse_source(value: Any) -> str:
    """Read the path or URL of a firmware file; opening it will show whether the file exists."""
    problem: str | None
    if not isinstance(value, str):
        problem = f"{short_repr(value)} is not a text"
    elif not value.strip():
        problem = "is empty"
    else:
        problem = nothing_problem(value.strip())
    if problem:
        raise InvalidParameterError(field="source", problem=problem, allowed="a path or a URL, as text")
    return str.__str__(value)


def require_any(**values: Any) -> None:
    """Refuse a change in which nothing is given.

    :param values: parsed values by the name of their argument.
    """
    if all(value is None for value in values.values()):
        raise InvalidParameterError(
            field=", ".join(values), problem="none of them is given", allowed="at least one, or nothing would change"
        )


@contextmanager
def named_as(**own: str) -> Iterator[None]:
    """Name the operator's argument in errors, where the action's parameter has another name.

    :param own: the operator's name, by the action's name.
    """
    try:
        yield
    except InvalidParameterError as error:
        name, _, rest = error.field.partition(" ")
        if name not in own:
            raise
        field = f"{own[name]} {rest}".rstrip()
        raise InvalidParameterError(field=field, problem=error.problem, allowed=error.allowed) from None
