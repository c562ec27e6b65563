from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_tuya_ota.rollout.gate.assessment import assess_occasion, assess_wave
from airflow_provider_tuya_ota.rollout.gate.decision import Cause, Decision
from airflow_provider_tuya_ota.rollout.gate.evidence import Evidence
from airflow_provider_tuya_ota.rollout.gate.gate import Gate
from airflow_provider_tuya_ota.rollout.gate.outcomes import DeviceOutcome
from airflow_provider_tuya_ota.rollout.gate.outside import OutsideEvidence
from airflow_provider_tuya_ota.rollout.gate.series import Prefix
from airflow_provider_tuya_ota.rollout.gate.verdict import GateVerdict
from tests.rollout.gate.fleet import START, after, evidence_of, places, record, task, tasks

if TYPE_CHECKING:
    from datetime import datetime

GOOD = "S" * 81
BAD = OutsideEvidence(source="crashes", decision=Decision.HALT, reason="crash rate 3.2 %", numbers={"rate": 0.032})
DOUBTFUL = OutsideEvidence(source="crashes", decision=Decision.HOLD, reason="too few reports")
FINE = OutsideEvidence(source="crashes", decision=Decision.PROMOTE)


def judge(evidence: Evidence | str, gate: Gate | None = None, *, now: datetime = START, **more: Any) -> GateVerdict:
    found = evidence_of(evidence) if isinstance(evidence, str) else evidence
    return assess_wave(gate or Gate(), found, now=now, **{"wave": 1, **more})


def decided(verdict: GateVerdict) -> tuple[str, str]:
    return verdict.decision.value, verdict.cause.value


def test_failures_halt_and_the_reason_names_the_prefix_that_convicts() -> None:
    verdict = judge("S" * 87 + "F" * 13 + "S" * 200)

    assert decided(verdict) == ("halt", "failures")
    assert verdict.prefix == Prefix(devices=100, failures=13)
    assert str(verdict) == verdict.reason == "halt at 13 of the first 100 started; ceiling 5 %"


def test_a_clean_release_is_promoted_by_the_first_devices_that_suffice() -> None:
    verdict = judge(GOOD + "P")

    assert decided(verdict) == ("promote", "evidence")
    assert verdict.prefix == Prefix(devices=81, failures=0)
    assert verdict.reason == "promote at 0 failed or pending of the first 81 started; ceiling 5 %"


def test_the_counts_add_up_and_name_each_outcome() -> None:
    counts = judge("SSFDPGBC").counts

    assert (counts.started, counts.succeeded, counts.failed, counts.pending) == (6, 2, 2, 2)
    assert counts.by_outcome == {
        "pending": 2,
        "succeeded": 2,
        "flash": 1,
        "download": 1,
        "busy": 1,
        "cancelled": 1,
    }
    assert str(counts) == "6 started: 2 succeeded, 2 failed, 2 pending"


@pytest.mark.parametrize("letters", ["", "QQQQ", "BBBB", "CCCCCCCC"])
def test_no_evidence_is_undecided(letters: str) -> None:
    verdict = judge(letters)

    assert decided(verdict) == ("undecided", "evidence")
    assert verdict.reason == "undecided: no device has started"


def test_busy_offline_and_cancelled_devices_halt_nothing() -> None:
    evidence = evidence_of("B" * 40 + "C" * 40 + "Q" * 40 + "S" * 20)
    evidence.exclude([f"x{number}" for number in range(40)], DeviceOutcome.OFFLINE, {}, now=START)

    assert judge(evidence).counts.started == 20
    assert decided(judge(evidence)) == ("undecided", "evidence")


def test_an_author_may_count_busy_devices() -> None:
    assert judge("BBBB", Gate(counts=["flash", "busy"])).decision is Decision.HALT


def test_a_class_of_failures_that_does_not_count_halts_nothing_and_a_reason_nobody_knows_always_counts() -> None:
    only_downloads = Gate(counts=["download"])

    assert judge("F" * 20, only_downloads).counts.started == 0
    assert judge("D" * 20, only_downloads).decision is Decision.HALT
    unknown = [task(f"d{number:05}", "FAILED", "battery low") for number in range(20)]
    assert judge(record(Evidence(), unknown, places(20)), only_downloads).decision is Decision.HALT


def test_silent_devices_halt() -> None:
    evidence = evidence_of("P" * 6 + "S" * 4)
    record(evidence, tasks("P" * 6), places(10), after(hours=23))
    assert judge(evidence, now=after(hours=10)).decision is Decision.UNDECIDED

    record(evidence, tasks("P" * 6), places(10), after(hours=24))
    assert judge(evidence, now=after(hours=24)).reason == "halt at 2 of the first 2 started; ceiling 5 %"


def test_pending_devices_are_successes_for_a_halt_and_failures_for_a_promotion() -> None:
    assert judge("FS" + "P" * 9 + "F" + "P" * 8 + "FF").decision is Decision.HOLD
    assert judge("P" + GOOD).decision is Decision.UNDECIDED


def test_the_sentence_of_an_undecided_release_says_what_is_missing() -> None:
    assert judge("P" + GOOD).reason == (
        "undecided: 82 started: 81 succeeded, 0 failed, 1 pending; promotes if the pending ones succeed"
    )
    assert judge("S" * 40).reason == (
        "undecided: 40 started: 40 succeeded, 0 failed, 0 pending; promotes at 81 started at the earliest"
    )
    assert judge("SSF" + "S" * 60).reason.endswith("; promotes at 130 started at the earliest")


def test_amber_holds_before_pending_devices_allow_a_halt() -> None:
    verdict = judge("P" * 40 + "FFSSFS")

    assert decided(verdict) == ("hold", "amber")
    assert verdict.reason == "hold at 3 of 6 with an outcome; ceiling 5 %"


def test_amber_outranks_a_promotion_of_earlier_waves_and_passes_again() -> None:
    evidence = evidence_of(GOOD)
    where = places(400)
    record(evidence, tasks("F" * 10, first=81), where, after(hours=1))
    assert decided(judge(evidence)) == ("hold", "amber")

    record(evidence, tasks("S" * 100, first=91), where, after(hours=2))
    assert decided(judge(evidence)) == ("promote", "evidence")


def test_a_halt_outranks_a_promotion() -> None:
    assert judge(GOOD + "F" * 30).decision is Decision.HALT


def test_evidence_is_carried_from_wave_to_wave() -> None:
    evidence = evidence_of("S" * 60)
    assert judge(evidence).decision is Decision.UNDECIDED

    record(evidence, tasks("S" * 21, first=60), places(81, wave=2), after(hours=1))
    assert judge(evidence, wave=2).decision is Decision.PROMOTE


def test_evidence_of_earlier_waves_does_not_promote_a_wave_that_has_not_reported() -> None:
    evidence = evidence_of(GOOD)
    assert judge(evidence, wave=2).reason == "undecided: no device of wave 2 has started"

    record(evidence, tasks("SPPP", first=81), places(85, wave=2), after(hours=1))
    verdict = judge(evidence, wave=2)
    assert decided(verdict) == ("undecided", "evidence")
    assert verdict.reason == "undecided: 1 of 4 started in wave 2 have an outcome; 2 are needed"

    record(evidence, tasks("SS", first=81), places(85, wave=2), after(hours=2))
    assert judge(evidence, wave=2).decision is Decision.PROMOTE


def test_soak_and_evidence_are_both_needed() -> None:
    gate = Gate(min_soak="1h")

    assert decided(judge(GOOD, gate, soaked=3599)) == ("undecided", "soak")
    assert judge(GOOD, gate, soaked=3599).reason == "undecided: wave 1 has soaked for 3599 of 3600 seconds"
    assert judge(GOOD, gate, soaked=3600).decision is Decision.PROMOTE
    assert judge(GOOD, Gate(min_soak="1s")).cause is Cause.SOAK
    assert judge("S" * 80, gate, soaked=3600).decision is Decision.UNDECIDED


def test_a_soak_that_is_not_over_stops_no_halt() -> None:
    assert judge("FFF", Gate(min_soak="1h")).decision is Decision.HALT


def test_a_stall_holds_even_a_release_that_would_be_promoted() -> None:
    gate = Gate(stall_after="2h")
    evidence = evidence_of("P")
    record(evidence, tasks(GOOD, first=1), places(82), after(hours=1))
    record(evidence, tasks("P", first=82), places(83), after(hours=1))

    assert judge(evidence, gate, now=after(minutes=179)).cause is Cause.EVIDENCE
    verdict = judge(evidence, gate, now=after(hours=3))
    assert decided(verdict) == ("hold", "stall")
    assert verdict.reason == "hold: 2 pending, and no news of any device since 2026-03-02 10:00 UTC"


def test_nothing_stalls_where_no_device_is_pending() -> None:
    assert judge(GOOD, now=after(days=9)).decision is Decision.PROMOTE
    assert decided(judge("", now=after(days=9))) == ("undecided", "evidence")


@pytest.mark.parametrize("letters", ["", "P", GOOD])
def test_outside_evidence_may_halt_or_hold_at_any_moment(letters: str) -> None:
    halted = judge(letters, outside=[FINE, DOUBTFUL, BAD])
    assert decided(halted) == ("halt", "outside evidence")
    assert halted.reason == "halt by outside evidence: crashes: crash rate 3.2 %"

    held = judge(letters, outside=[DOUBTFUL])
    assert decided(held) == ("hold", "outside evidence")
    assert held.reason == "hold by outside evidence: crashes: too few reports"


def test_outside_evidence_never_promotes_alone() -> None:
    assert judge("S" * 80, outside=[FINE]).decision is Decision.UNDECIDED
    assert judge(GOOD, outside=[FINE]).decision is Decision.PROMOTE


def test_a_source_that_does_not_answer_holds() -> None:
    gate = Gate(outside=["crashes", "support calls"])

    assert decided(judge(GOOD, gate, outside=[FINE])) == ("hold", "outside evidence")
    assert judge(GOOD, gate).reason == "hold: no answer from crashes, support calls"
    assert judge(GOOD, gate, outside=[BAD]).decision is Decision.HALT
    calls = OutsideEvidence(source="support calls", decision=Decision.PROMOTE)
    assert judge(GOOD, gate, outside=[FINE, calls]).decision is Decision.PROMOTE


def test_failures_outrank_outside_evidence() -> None:
    assert judge("FFF", outside=[BAD]).cause is Cause.FAILURES


def test_a_gate_that_observes_decides_alike_and_does_not_bind() -> None:
    verdict = judge("FFF", Gate(observe_only=True))

    assert (verdict.decision, verdict.is_binding) == (Decision.HALT, False)
    assert str(verdict) == "halt at 2 of the first 2 started; ceiling 5 % (observed only)"
    assert judge("FFF").is_binding


def test_a_wrong_version_after_success_takes_a_promotion_back_and_may_halt() -> None:
    evidence = evidence_of(GOOD)
    assert judge(evidence).decision is Decision.PROMOTE

    evidence.correct(["d00040"], now=after(hours=1))
    assert judge(evidence).decision is Decision.UNDECIDED

    evidence.correct([f"d{number:05}" for number in range(6)], now=after(hours=2))
    assert judge(evidence).reason == "halt at 2 of the first 2 started; ceiling 5 %"


@given(
    st.lists(st.text("QPGSFBC", min_size=12, max_size=12), min_size=1, max_size=6),
    st.sampled_from([(), (BAD,), (DOUBTFUL,), (FINE,)]),
    st.sampled_from([(), ("eu", "us", "cn")]),
)
def test_judging_again_from_stored_evidence_gives_the_same_verdict(
    rounds: list[str], outside: tuple[OutsideEvidence, ...], strata: tuple[str, ...]
) -> None:
    gate, evidence, verdicts = Gate(ceiling="20%", silent_after="10h"), Evidence(strata=strata), []
    for hours, letters in enumerate(rounds):
        now = after(hours=hours * 3)
        record(evidence, tasks(letters), places(len(letters), strata), now)
        verdicts.append(judge(evidence, gate, now=now, outside=outside, soaked=hours * 3600.0))
    evidence.correct(["d00000", "d00001"], now=after(days=2))

    for verdict in verdicts:
        stored = GateVerdict.from_dict(json.loads(json.dumps(verdict.to_dict())))
        assert stored == verdict
        assert assess_occasion(gate, evidence.as_of(stored.occasion.rounds), stored.occasion) == verdict


def test_a_verdict_that_was_changed_is_found_by_judging_again() -> None:
    evidence = evidence_of("FFF")
    changed = GateVerdict.from_dict({**judge(evidence).to_dict(), "decision": "promote"})

    assert assess_occasion(Gate(), evidence, changed.occasion) != changed
