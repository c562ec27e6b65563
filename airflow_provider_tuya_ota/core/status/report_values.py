"""Strict reading of a stored report's values: one reader for each type of field."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

from airflow_provider_tuya_ota.core.model.failure_reasons import FailureReasons
from airflow_provider_tuya_ota.core.model.verdict import DeviceState
from airflow_provider_tuya_ota.core.status.event import Event

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"a text is needed, not {type(value).__name__}")
    return value


def _whole(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise TypeError(f"a whole number from 0 is needed, not {type(value).__name__}")
    return value


def _number(value: Any) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value):
        raise TypeError(f"a finite number is needed, not {type(value).__name__}")
    return float(value)


def _choice(value: Any) -> str:
    if value not in {"", "stop", "keep"}:
        raise ValueError("stop, keep or an empty text is needed")
    return _text(value)


def _object(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise TypeError(f"an object is needed, not {type(value).__name__}")
    return value


def _items(value: Any) -> list[dict[str, Any]]:
    if not isinstance(value, list | tuple):
        raise TypeError(f"a list is needed, not {type(value).__name__}")
    return [_object(item) for item in value]


def _counts(value: Any) -> dict[str, int]:
    return {_text(name): _whole(number) for name, number in _object(value).items()}


def _devices(value: Any) -> tuple[DeviceState, ...]:
    return tuple(DeviceState(**{name: _text(item[name]) for name in DeviceState.__slots__}) for item in _items(value))


def _reasons(value: Any) -> FailureReasons:
    table = _object(value)
    for one in _items(table["most_frequent"]):
        _text(one["reason"])
        _whole(one["number"])
    _whole(table["others"])
    _whole(table["unread"])
    return FailureReasons.from_dict(table)


READERS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "str": _text,
    "int": _whole,
    "float": _number,
    "Event": Event,
    "dict[str, int]": _counts,
    "FailureReasons": _reasons,
    "tuple[DeviceState, ...]": _devices,
    "OnCancel": _choice,
}
"""By the type of a report's field, as it is annotated. Each raises an error for a value of another type."""
