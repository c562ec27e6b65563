"""Rules for parameters. A rule of the vendor refuses a value; a rule of Alibaba Cloud IoT alone only warns."""

from __future__ import annotations

import dataclasses
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from airflow_provider_tuya_ota.core.errors import InvalidParameterError
from airflow_provider_tuya_ota.core.missing import NOTHING
from airflow_provider_tuya_ota.core.short_repr import short_repr
from airflow_provider_tuya_ota.core.texts import is_writable


@dataclass(frozen=True, slots=True)
class Rule:
    """One condition on a value.

    :param allowed: the accepted values, as text behind "Allowed:".
    :param problem: gives what is wrong with a value; None for a value that meets the condition.
    """

    allowed: str
    problem: Callable[[Any], str | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """A parameter of an operation.

    :param wire: exact name on the wire (the Chinese tables and all examples; the English tables respell some).
    :param kind: type of the value; ``list`` means a list of texts.
    :param required: True where the vendor says so.
    :param is_secret: True where errors must not show the value, because it may be a secret.
    :param rules: a value that breaks one of them is refused.
    :param advisory: a value that breaks one of them is sent with a warning.
    :param if_empty: what to do instead of giving an empty list; empty where leaving it out would mean something else.
    """

    wire: str
    kind: type
    required: bool
    is_secret: bool
    rules: tuple[Rule, ...]
    advisory: tuple[Rule, ...]
    if_empty: str = ""

    def label(self, python_name: str) -> str:
        """Name the parameter as the caller and as the vendor write it."""
        return f"{python_name} ({self.wire})"


def required(wire: str, kind: type, *rules: Rule, advisory: tuple[Rule, ...] = ()) -> Any:
    """Declare a parameter that must be given."""
    parameter = Parameter(wire=wire, kind=kind, required=True, is_secret=False, rules=rules, advisory=advisory)
    return dataclasses.field(metadata={"parameter": parameter})


def optional(
    wire: str,
    kind: type,
    *rules: Rule,
    advisory: tuple[Rule, ...] = (),
    is_secret: bool = False,
    if_empty: str = "",
) -> Any:
    """Declare a parameter that is left out where it is None; a secret one is kept out of the repr and of errors."""
    parameter = Parameter(
        wire=wire, kind=kind, required=False, is_secret=is_secret, rules=rules, advisory=advisory, if_empty=if_empty
    )
    return dataclasses.field(default=None, repr=not is_secret, metadata={"parameter": parameter})


_KINDS: Final = {str: "a text", int: "a whole number", bool: "True or False", list: "a list of texts"}


def check(python_name: str, parameter: Parameter, value: Any) -> Any:
    """Check a value against the rules of its parameter.

    :returns: the value in its plain type, so that exactly what was checked is sent.
    :raises InvalidParameterError: names the parameter, the problem and the allowed values.
    """
    if value is None and not parameter.required:
        return None
    plain = _plain(value)
    if problem := _problem(parameter, plain):
        allowed = " and ".join(rule.allowed for rule in parameter.rules) or _KINDS[parameter.kind]
        hidden = "is not allowed; it is not shown because it may be secret"
        raise InvalidParameterError(
            field=parameter.label(python_name), problem=hidden if parameter.is_secret else problem, allowed=allowed
        )
    return plain


def _plain(value: Any) -> Any:
    """Give texts, numbers and lists in their plain types: an enum's member is not written as it compares."""
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return int.__add__(value, 0)
    if isinstance(value, Sequence) and not isinstance(value, bytes | bytearray | memoryview | range):
        items = map(_plain_text, value)
        return tuple(items) if isinstance(value, tuple) else list(items)
    return value


def _plain_text(value: Any) -> Any:
    return str.__str__(value) if isinstance(value, str) else value


def _problem(parameter: Parameter, value: Any) -> str | None:
    if value is None:
        return "is missing"
    if not _has_kind(parameter.kind, value):
        return _wrong_kind(parameter.kind, value)
    if value == "":
        return "is empty"
    if parameter.kind is list and (problem := _list_problem(value, parameter.if_empty)):
        return problem
    if parameter.kind is str and not is_writable(value):
        return f"{short_repr(value)} contains characters that cannot be sent"
    return next((problem for rule in parameter.rules if (problem := rule.problem(value))), None)


def _has_kind(kind: type, value: Any) -> bool:
    if kind is list:
        return isinstance(value, list | tuple)
    if kind is int:
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, kind)


def _wrong_kind(kind: type, value: Any) -> str:
    problem = f"{short_repr(value)} is not {_KINDS[kind]}"
    if kind is str and isinstance(value, int | float) and not isinstance(value, bool):
        # 1.10 and 1.1 are the same number and different versions; an id of twenty digits loses digits.
        problem += "; a number does not keep its digits: put it in quotes, and let templates render to text"
    return problem


def _list_problem(values: Sequence[Any], if_empty: str) -> str | None:
    if not values:
        return f"is an empty list; {if_empty}" if if_empty else "is an empty list"
    for value in values:
        if not isinstance(value, str):
            return f"in the list, {_wrong_kind(str, value)}"
        if not value.strip():
            return f"{short_repr(value)} in the list is not a name"
        if not is_writable(value):
            return f"{short_repr(value)} in the list contains characters that cannot be sent"
    twice = [value for value, count in Counter(values).items() if count > 1]
    if twice:
        return f"{', '.join(map(short_repr, twice[:5]))} is in the list more than once"
    return None


def _refusing(allowed: str, accepts: Callable[[Any], bool]) -> Rule:
    return Rule(allowed, lambda value: None if accepts(value) else f"{short_repr(value)} is not allowed")


def nothing_problem(value: str) -> str | None:
    """Say what is wrong with a text that means a missing value; None for any other text."""
    return f"{value!r} is how a missing value is written" if value in NOTHING else None


def matches(pattern: str, allowed: str) -> Rule:
    """Accept texts that match the whole pattern and do not mean a missing value."""
    fits = _refusing(allowed, lambda value: re.fullmatch(pattern, value) is not None)
    return Rule(allowed, lambda value: nothing_problem(value) or fits.problem(value))


def whole_from(low: int, high: int) -> Rule:
    """Accept whole numbers of a range."""
    return _refusing(f"{low} to {high}", lambda value: low <= value <= high)


def one_of(*choices: str | int) -> Rule:
    """Accept the listed values, in exactly this spelling."""
    return _refusing(", ".join(map(str, choices)), lambda value: value in choices)


def up_to_characters(most: int) -> Rule:
    """Accept texts up to a length."""
    return _refusing(f"at most {most} characters", lambda value: len(value) <= most)


def up_to_items(most: int) -> Rule:
    """Accept lists up to a length."""
    return _refusing(f"at most {most} entries", lambda value: len(value) <= most)


def each(rule: Rule) -> Rule:
    """Apply a rule to every entry of a list."""

    def problem(values: Sequence[Any]) -> str | None:
        return next((f"in the list, {found}" for value in values if (found := rule.problem(value))), None)

    return Rule(f"a list of texts, for each entry {rule.allowed}", problem)
