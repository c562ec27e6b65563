"""Typed entries as plain JSON values, and back: every value is checked against the type of its field."""

from __future__ import annotations

import math
import re
import types
import typing
from collections.abc import Mapping
from dataclasses import Field, fields, is_dataclass
from datetime import UTC, datetime
from enum import Enum
from functools import lru_cache
from typing import Any, Final

from airflow_provider_tuya_ota.core.errors import ConfigurationError
from airflow_provider_tuya_ota.core.short_repr import short_repr
from airflow_provider_tuya_ota.rollout.gate.gate import Gate

LARGEST: Final = 2**53 - 1
"""The largest whole number that every reader of JSON keeps."""
LONGEST_TEXT: Final = 20_000
"""Characters of a text whose field has no limit of its own: a verdict names each of up to 64 strata."""


def write(value: Any) -> Any:  # noqa: PLR0911 - one for each kind of value
    """Give the plain JSON values of an entry, or of a part of one."""
    match value:
        case Gate():
            return value.to_dict()
        case Enum():
            return value.value
        case datetime():
            return value.astimezone(UTC).isoformat()
        case tuple():
            return [write(one) for one in value]
        case Mapping():
            return {key: write(one) for key, one in value.items()}
        case _ if is_dataclass(value):
            return {one.name: write(getattr(value, one.name)) for one in fields(value) if one.init}
    return value


def read(kind: Any, value: Any, *, field: str, limits: Mapping[str, Any] | None = None) -> Any:
    """Build a value of a type from plain JSON values.

    :param field: its name, for errors.
    :param limits: ``maxLength``, ``pattern`` and ``maxItems``, as JSON schema has them.
    :raises ValueError: the value is not of the type, or beyond its limits. The text names the field.
    """
    reader = _READERS.get(kind)
    if reader is not None:
        return reader(value, field, limits or {})
    origin, parts = typing.get_origin(kind), typing.get_args(kind)
    if origin is types.UnionType:
        return None if value is None else read(parts[0], value, field=field, limits=limits)
    if origin is tuple:
        return _read_tuple(parts, value, field, limits or {})
    if origin is not None:
        _require(isinstance(value, dict), value, field, "an object")
        return {_text(key, field, {}): read(parts[1], one, field=f"{field} {key}") for key, one in value.items()}
    if issubclass(kind, Enum):
        allowed = [one.value for one in kind]
        _require(isinstance(value, str) and value in allowed, value, field, f"one of {', '.join(allowed)}")
        return kind(value)
    return _read_object(kind, value, field)


def _read_object(kind: Any, value: Any, field: str) -> Any:
    known = _fields_of(kind)
    _require(isinstance(value, dict), value, field, "an object")
    if value.keys() != known.keys():
        wrong = sorted(value.keys() ^ known.keys())
        raise ValueError(f"{field}: the names {', '.join(map(short_repr, wrong[:5]))} are missing or not known here")
    found = {
        name: read(type_, value[name], field=f"{field}.{name}", limits=one.metadata)
        for name, (one, type_) in known.items()
    }
    try:
        return kind(**found)
    except ConfigurationError as error:
        raise ValueError(f"{field}: {error}") from None


def _read_tuple(parts: tuple[Any, ...], value: Any, field: str, limits: Mapping[str, Any]) -> tuple[Any, ...]:
    _require(isinstance(value, list), value, field, "a list")
    most = limits.get("maxItems", LARGEST)
    _require(len(value) <= most, value, field, f"at most {most} entries")
    if parts[-1] is ...:
        return tuple(read(parts[0], one, field=field) for one in value)
    _require(len(value) == len(parts), value, field, f"{len(parts)} entries")
    return tuple(read(part, one, field=field) for part, one in zip(parts, value, strict=True))


@lru_cache(maxsize=256)
def _fields_of(kind: Any) -> dict[str, tuple[Field[Any], Any]]:
    # Modules of the gate import this name for type checkers only.
    hints = typing.get_type_hints(kind, localns={"Mapping": Mapping})
    return {one.name: (one, hints[one.name]) for one in fields(kind) if one.init}


def _text(value: Any, field: str, limits: Mapping[str, Any]) -> str:
    most = limits.get("maxLength", LONGEST_TEXT)
    _require(isinstance(value, str) and len(value) <= most, value, field, f"a text of at most {most} characters")
    pattern = limits.get("pattern")
    _require(pattern is None or re.fullmatch(pattern, value) is not None, value, field, f"a text like {pattern}")
    return str(value)


def _whole(value: Any, field: str, _: Mapping[str, Any]) -> int:
    is_whole = isinstance(value, int) and not isinstance(value, bool)
    _require(is_whole and 0 <= value <= LARGEST, value, field, "a whole number from 0 to 2^53 - 1")
    return int(value)


def _number(value: Any, field: str, _: Mapping[str, Any]) -> float:
    is_number = isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= LARGEST
    _require(is_number and math.isfinite(value), value, field, "a number of at most 2^53 - 1")
    return float(value)


def _switch(value: Any, field: str, _: Mapping[str, Any]) -> bool:
    _require(isinstance(value, bool), value, field, "true or false")
    return bool(value)


def _time(value: Any, field: str, _: Mapping[str, Any]) -> datetime:
    try:
        found = datetime.fromisoformat(value)
        is_one = found.tzinfo is not None and write(found) == value
    except (TypeError, ValueError, OverflowError):
        is_one = False
    _require(is_one, value, field, "a time in UTC such as 2026-01-31T09:00:00+00:00")
    return found


def _gate(value: Any, field: str, _: Mapping[str, Any]) -> Gate:
    _require(isinstance(value, dict), value, field, "an object")
    try:
        gate = Gate.from_dict(value)
    except (ConfigurationError, KeyError, TypeError) as error:
        raise ValueError(f"{field}: {error if isinstance(error, ConfigurationError) else 'is no gate'}") from None
    _require(gate.to_dict() == value, value, field, "a gate in the form in which a gate writes itself")
    return gate


def _require(is_right: bool, value: Any, field: str, allowed: str) -> None:  # noqa: FBT001 - the condition, as assert has it
    if not is_right:
        raise ValueError(f"{field}: {short_repr(value)} is not {allowed}")


_READERS: Final = {str: _text, int: _whole, float: _number, bool: _switch, datetime: _time, Gate: _gate}
