"""Records in which anything may stand anywhere: they are read and verified, or refused with the one typed error."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_provider_tuya_ota.rollout.gate.gate import Gate
from airflow_provider_tuya_ota.rollout.record.canonical import canonical_bytes
from airflow_provider_tuya_ota.rollout.record.picture import draw_record
from airflow_provider_tuya_ota.rollout.record.unreadable import RecordUnreadableError
from airflow_provider_tuya_ota.rollout.record.verify import verify_record
from tests.rollout.record.story import good, halted, story

GATE = Gate(confidence="99%", min_evidence=20, outside=("crash rate",), texts={"battery low": "declined"})
RECORDS = [
    [json.loads(line) for line in record.seal(None).splitlines()]
    for record in (good(60), halted(60), story(60, gate=GATE, strata=("north", "south")).tell())
]
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 2**54) | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)


def nodes(value: Any) -> list[tuple[Any, Any]]:
    """Give each place of a value as its container and its name or index."""
    if not isinstance(value, dict | list):
        return []
    own = list(value) if isinstance(value, dict) else list(range(len(value)))
    return [(value, name) for name in own] + [one for name in own for one in nodes(value[name])]


def seen(data: bytes) -> None:
    """Verify and draw a record; any other error than the typed one fails the test."""
    try:
        verification = verify_record(data)
    except RecordUnreadableError:
        return
    assert verification.findings
    try:
        draw_record(verification.file)
    except RecordUnreadableError as error:
        assert "nothing to draw" in error.problem  # noqa: PT017 - most records can be drawn


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(RECORDS), st.data())
def test_any_value_may_stand_anywhere(record: list[Any], data: st.DataObject) -> None:
    changed = json.loads(json.dumps(record))
    line = data.draw(st.integers(0, len(changed) - 1))
    container, name = data.draw(st.sampled_from(nodes(changed[line])))
    others = [holder[at] for holder, at in nodes(record)]
    before = container[name]
    container[name] = data.draw(VALUES | st.sampled_from(others))
    if container[name] == before and type(container[name]) is type(before):
        return
    try:
        written = b"".join(canonical_bytes(one) + b"\n" for one in changed)
    except RecordUnreadableError:
        written = b"".join(json.dumps(one).encode() + b"\n" for one in changed)
    seen(written)


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(RECORDS), st.data())
def test_lines_may_be_in_any_order_and_any_number(record: list[Any], data: st.DataObject) -> None:
    lines = data.draw(st.lists(st.sampled_from(record), max_size=len(record)))
    if lines != record:
        with_any = b"".join(canonical_bytes(one) + b"\n" for one in lines)
        if not lines:
            with pytest.raises(RecordUnreadableError):
                verify_record(with_any)
            return
        seen(with_any)
