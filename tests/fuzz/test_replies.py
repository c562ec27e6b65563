"""The short form of the fuzzing of replies; ``make fuzz`` runs the long one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_tuya_ota.core.actions import ALL_ACTIONS
from airflow_provider_tuya_ota.core.wire.http import Response
from airflow_provider_tuya_ota.core.wire.record import Record
from tests.fuzz.replies import Sample, an, campaign, outcome, samples

if TYPE_CHECKING:
    from collections.abc import Callable

REPLIES = 10_000
SAMPLES = samples()


def test_every_operation_takes_part() -> None:
    assert {sample.action.name for sample in SAMPLES} == set(ALL_ACTIONS)


def test_an_answer_that_was_not_bent_is_a_value() -> None:
    assert {outcome(sample, Response(200, {}, sample.body)) for sample in SAMPLES} == {"value"}


def test_whatever_is_answered_comes_to_a_value_or_a_typed_error() -> None:
    counts, wrong = campaign(REPLIES, seed=1)

    assert wrong == []
    assert sum(counts.values()) == REPLIES
    assert counts["value"] > REPLIES // 20


@given(st.binary(max_size=300), st.integers(100, 599))
def test_any_bytes_come_to_a_value_or_a_typed_error(body: bytes, status: int) -> None:
    sample = Sample(an(ALL_ACTIONS["ListOTATaskByJob"]), body)

    assert not outcome(sample, Response(status, {}, body)).startswith("wrong")


TRUSTING: dict[str, Callable[..., Any]] = {
    "name": lambda self, key: str(self.get(key) or ""),
    "other_than": lambda self, key, wanted: "",
}


@pytest.mark.parametrize("method", TRUSTING)
def test_the_campaign_finds_a_reader_that_trusts(monkeypatch: pytest.MonkeyPatch, method: str) -> None:
    monkeypatch.setattr(Record, method, TRUSTING[method])

    _, wrong = campaign(1500)

    assert wrong
