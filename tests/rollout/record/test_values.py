from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from enum import StrEnum
from typing import Any

import pytest

from airflow_provider_tuya_ota.rollout.gate.gate import Confidence, Gate
from airflow_provider_tuya_ota.rollout.gate.outside import OutsideEvidence
from airflow_provider_tuya_ota.rollout.record.canonical import canonical_bytes
from airflow_provider_tuya_ota.rollout.record.values import LARGEST, LONGEST_TEXT, read, write


class Colour(StrEnum):
    RED = "red"


@dataclass(frozen=True, slots=True, kw_only=True)
class Inner:
    name: str = field(metadata={"maxLength": 5, "pattern": "[a-z]*"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Outer:
    text: str = ""
    number: int = 0
    share: float = 0.0
    is_on: bool = False
    at: datetime = datetime(2026, 1, 1, tzinfo=UTC)
    colour: Colour = Colour.RED
    inner: Inner | None = None
    short: str | None = field(default=None, metadata={"maxLength": 5})
    runs: tuple[tuple[int, int], ...] = field(default=(), metadata={"maxItems": 2})
    counts: dict[str, int] = field(default_factory=dict)
    hidden: str = field(init=False, default="not written")


FULL = Outer(
    text="t", number=3, share=1.5, is_on=True, inner=Inner(name="a"), runs=((1, 2), (3, 4)), counts={"b": 1, "a": 2}
)


@pytest.mark.parametrize("value", [Outer(), FULL])
def test_a_value_is_read_back_as_it_was(value: Outer) -> None:
    written = json.loads(canonical_bytes(write(value)))

    assert "hidden" not in written
    assert read(Outer, written, field="outer") == value


def test_the_largest_numbers_are_read() -> None:
    largest = Outer(number=LARGEST, share=-float(LARGEST))

    assert read(Outer, write(largest), field="outer") == largest
    with pytest.raises(ValueError, match="share: "):
        read(Outer, write(largest) | {"share": float(LARGEST + 1)}, field="outer")


def test_a_time_is_written_in_utc() -> None:
    at = datetime(2026, 3, 29, 3, tzinfo=timezone(timedelta(hours=2)))

    assert write(at) == "2026-03-29T01:00:00+00:00"
    assert read(datetime, write(at), field="at") == at


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("text", 5, "text: 5 is not a text"),
        ("text", "x" * (LONGEST_TEXT + 1), "is not a text of at most 20000 characters"),
        ("number", True, "number: True is not a whole number"),
        ("number", -1, "number: -1 is not a whole number"),
        ("number", 1.0, "number: 1.0 is not a whole number"),
        ("number", LARGEST + 1, "is not a whole number"),
        ("share", "1", "share: '1' is not a number"),
        ("share", True, "share: True is not a number"),
        ("share", math.inf, "share: inf is not a number"),
        ("share", math.nan, "share: nan is not a number"),
        ("share", 10**400, "is not a number of at most"),
        ("is_on", 1, "is_on: 1 is not true or false"),
        ("at", "2026-01-01", "at: '2026-01-01' is not a time in UTC"),
        ("at", "2026-01-01T00:00:00Z", "is not a time in UTC"),
        ("at", "2026-01-01T01:00:00+01:00", "is not a time in UTC"),
        ("at", "0001-01-01T00:00:00+23:59", "is not a time in UTC"),
        ("at", None, "at: None is not a time"),
        ("colour", "blue", "colour: 'blue' is not one of red"),
        ("colour", 5, "colour: 5 is not one of red"),
        ("inner", [], "inner: .* is not an object"),
        ("inner", {}, "inner: the names 'name' are missing or not known here"),
        ("inner", {"name": "a", "x": 1}, "inner: the names 'x' are missing or not known here"),
        ("inner", {"name": "aaaaaa"}, "inner.name: 'aaaaaa' is not a text of at most 5 characters"),
        ("inner", {"name": "A"}, "inner.name: 'A' is not a text like"),
        ("short", "aaaaaa", "short: 'aaaaaa' is not a text of at most 5 characters"),
        ("runs", {}, "runs: .* is not a list"),
        ("runs", [[1, 2]] * 3, "is not at most 2 entries"),
        ("runs", [[1]], "is not 2 entries"),
        ("runs", [[1, "2"]], "runs: '2' is not a whole number"),
        ("counts", [], "counts: .* is not an object"),
        ("counts", {"a": "1"}, "counts a: '1' is not a whole number"),
    ],
)
def test_a_value_of_another_type_is_refused_with_the_name_of_its_field(name: str, value: Any, problem: str) -> None:
    values = write(FULL) | {name: value}

    with pytest.raises(ValueError, match=rf"outer\.{problem}" if problem.startswith(name) else problem):
        read(Outer, values, field="outer")


def test_the_values_of_a_gate_are_those_that_the_gate_writes() -> None:
    gate = Gate(ceiling="2%", confidence=Confidence(halt="99%"), silent_after="6h", texts={"battery low": "declined"})
    written = json.loads(canonical_bytes(write(gate)))

    assert write(read(Gate, written, field="gate")) == written


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"ceiling": "5"}, "ceiling: '5' is not allowed"),
        ({"confidence": 5}, "gate: is no gate"),
        ({"confidence": "5%"}, "confidence: '5%' is not allowed"),
        ({"confidence": {"never": "1%"}}, "gate: is no gate"),
        ({"unknown": 1}, "gate: is no gate"),
        ({"silent_after": "24h"}, "in the form in which a gate writes itself"),
    ],
)
def test_a_gate_that_is_none_is_refused(change: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        read(Gate, write(Gate()) | change, field="gate")


def test_a_gate_needs_all_its_values() -> None:
    nothing: list[Any] = [[], {}, None]
    for values in nothing:
        with pytest.raises(ValueError, match="gate: "):
            read(Gate, values, field="gate")


def test_a_value_that_its_own_class_refuses_is_refused() -> None:
    values = write(OutsideEvidence(source="crash rate", decision="halt", reason="3 % crash"))  # type: ignore[arg-type] # as a callable may give it

    assert read(OutsideEvidence, values, field="answer").reason == "3 % crash"
    with pytest.raises(ValueError, match="answer: decision: 'undecided' is not allowed"):
        read(OutsideEvidence, values | {"decision": "undecided"}, field="answer")
