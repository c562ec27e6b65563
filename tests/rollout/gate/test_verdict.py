from __future__ import annotations

from airflow_provider_tuya_ota.rollout.gate.assessment import assess_wave
from airflow_provider_tuya_ota.rollout.gate.decision import Cause, Decision
from airflow_provider_tuya_ota.rollout.gate.gate import Gate
from airflow_provider_tuya_ota.rollout.gate.outside import OutsideEvidence
from airflow_provider_tuya_ota.rollout.gate.verdict import GateVerdict, Occasion, OutcomeCounts
from tests.rollout.gate.fleet import START, evidence_of


def test_what_is_not_said_is_nothing_not_soaked_and_binding() -> None:
    occasion = Occasion(wave=1, rounds=0, now=START)
    verdict = GateVerdict(
        decision=Decision.UNDECIDED, cause=Cause.EVIDENCE, reason="", counts=OutcomeCounts(), occasion=occasion
    )

    assert verdict.to_dict() == {
        "decision": "undecided",
        "cause": "evidence",
        "reason": "",
        "counts": {"started": 0, "succeeded": 0, "failed": 0, "pending": 0, "by_outcome": {}},
        "occasion": {"wave": 1, "rounds": 0, "now": "2026-03-02T09:00:00+00:00", "soaked": 0.0, "outside": []},
        "prefix": None,
        "strata": [],
        "is_binding": True,
    }


def test_a_verdict_comes_back_from_its_values_with_everything_that_was_asked() -> None:
    answer = OutsideEvidence(source="crashes", decision=Decision.PROMOTE, numbers={"rate": 0.1})
    gate = Gate(observe_only=True)
    verdict = assess_wave(gate, evidence_of("FFFS", ("eu", "us")), wave=3, now=START, soaked=60.0, outside=[answer])

    again = GateVerdict.from_dict(verdict.to_dict())
    assert again == verdict
    assert (again.is_binding, again.occasion.soaked, again.occasion.outside) == (False, 60.0, (answer,))
