"""What a parameter may be. Rules of the vendor refuse; rules of the original alone advise."""

from __future__ import annotations

import dataclasses
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from airflow_provider_tuya_ota.core.errors import InvalidParameterError


@dataclass(frozen=True, slots=True)
class Rule:
    """One condition.

    :param allowed: the accepted values, in words that follow "Allowed:".
    :param accepts: True for a value that meets it.
    """

    allowed: str
    accepts: Callable[[Any], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """A parameter of an operation.

    :param wire: exact name on the wire (the Chinese tables and all examples; the English tables respell some).
    :param kind: type of the value; ``list`` means a list of texts.
    :param required: True where the vendor says so.
    :param rules: refuse.
    :param advisory: advise.
    """

    wire: str
    kind: type
    required: bool
    rules: tuple[Rule, ...]
    advisory: tuple[Rule, ...]

    def label(self, python_name: str) -> str:
        """Name the parameter as the caller and as the vendor write it."""
        return f"{python_name} ({self.wire})"


def required(wire: str, kind: type, *rules: Rule, advisory: tuple[Rule, ...] = ()) -> Any:
    """Declare a parameter that must be given."""
    return dataclasses.field(
        metadata={"parameter": Parameter(wire=wire, kind=kind, required=True, rules=rules, advisory=advisory)}
    )


def optional(wire: str, kind: type, *rules: Rule, advisory: tuple[Rule, ...] = (), shown: bool = True) -> Any:
    """Declare a parameter that is left out while it is None; ``shown=False`` keeps it out of the repr."""
    return dataclasses.field(
        default=None,
        repr=shown,
        metadata={"parameter": Parameter(wire=wire, kind=kind, required=False, rules=rules, advisory=advisory)},
    )


_KINDS: Final = {str: "a text", int: "a whole number", bool: "True or False", list: "a list of texts"}


def check(python_name: str, parameter: Parameter, value: Any) -> None:
    """Hold a value against its parameter.

    :raises InvalidParameterError: naming the parameter, the problem and what is allowed.
    """
    if value is None and not parameter.required:
        return
    allowed = " and ".join(rule.allowed for rule in parameter.rules) or _KINDS[parameter.kind]
    if problem := _problem(parameter, value):
        raise InvalidParameterError(field=parameter.label(python_name), problem=problem, allowed=allowed)


def _problem(parameter: Parameter, value: Any) -> str | None:
    if value is None:
        return "is missing"
    if not _has_kind(parameter.kind, value):
        return f"{_shown(value)} is not {_KINDS[parameter.kind]}"
    if value == "":
        return "is empty"
    if parameter.kind is list and (problem := _list_problem(value, is_required=parameter.required)):
        return problem
    for rule in parameter.rules:
        if not rule.accepts(value):
            return f"{_shown(value)} is not allowed"
    return None


def _has_kind(kind: type, value: Any) -> bool:
    if kind is list:
        return isinstance(value, Sequence) and not isinstance(value, str | bytes)
    if kind is int:
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, kind)


def _list_problem(values: Sequence[Any], *, is_required: bool) -> str | None:
    if not values:
        return "is an empty list" + ("" if is_required else "; leave it out to let the platform choose")
    for value in values:
        if not isinstance(value, str) or not value.strip():
            return f"{value!r} in the list is not a name"
    twice = [value for value, count in Counter(values).items() if count > 1]
    if twice:
        return f"{', '.join(map(repr, twice[:5]))} stands more than once in the list"
    return None


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:60]}… ({len(value)} long)"  # noqa: PLR2004 - one line of a log


def matches(pattern: str, allowed: str) -> Rule:
    """Accept texts that match a whole pattern."""
    compiled = re.compile(pattern)
    return Rule(allowed, lambda value: compiled.fullmatch(value) is not None)


def whole_from(low: int, high: int) -> Rule:
    """Accept whole numbers of a range."""
    return Rule(f"{low} to {high}", lambda value: low <= value <= high)


def one_of(*choices: str | int) -> Rule:
    """Accept the listed values, in exactly this spelling."""
    return Rule(", ".join(map(str, choices)), lambda value: value in choices)


def up_to_characters(most: int) -> Rule:
    """Accept texts up to a length."""
    return Rule(f"at most {most} characters", lambda value: len(value) <= most)


def up_to_items(most: int) -> Rule:
    """Accept lists up to a length."""
    return Rule(f"at most {most} entries", lambda value: len(value) <= most)


def each(rule: Rule) -> Rule:
    """Apply a rule to every entry of a list."""
    return Rule(f"for each entry {rule.allowed}", lambda values: all(map(rule.accepts, values)))
