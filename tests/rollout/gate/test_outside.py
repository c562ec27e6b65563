from __future__ import annotations

from typing import Any

import pytest

from airflow_provider_tuya_ota.core.errors import ConfigurationError
from airflow_provider_tuya_ota.rollout.gate.decision import Decision
from airflow_provider_tuya_ota.rollout.gate.outside import OutsideEvidence


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("source", {"source": " ", "decision": "promote"}),
        ("decision", {"source": "crashes", "decision": "undecided"}),
        ("decision", {"source": "crashes", "decision": None}),
        ("decision", {"source": "crashes", "decision": "ok"}),
        ("decision", {"source": "crashes", "decision": True}),
        ("reason", {"source": "crashes", "decision": "halt"}),
        ("reason", {"source": "crashes", "decision": "hold", "reason": "  "}),
    ],
)
def test_an_answer_that_could_be_misread_is_refused_by_its_field(field: str, values: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match=f"^{field}: "):
        OutsideEvidence(**values)


def test_a_decision_may_be_written_as_text_and_a_reason_is_one_line_of_bounded_length() -> None:
    decision: Any = "halt"
    answer = OutsideEvidence(source="crashes", decision=decision, reason="crash rate\n3.2 %" + "x" * 900)

    assert answer.decision is Decision.HALT
    assert answer.reason.startswith("crash rate 3.2 %xx")
    assert len(answer.reason) == 500


def test_an_answer_comes_back_from_its_values() -> None:
    answer = OutsideEvidence(source="crashes", decision=Decision.HOLD, reason="too few", numbers={"crashes": 3})

    assert OutsideEvidence.from_dict(answer.to_dict()) == answer
    assert OutsideEvidence(source="crashes", decision=Decision.PROMOTE).reason == ""
