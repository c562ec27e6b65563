from __future__ import annotations

import json

import pytest

from airflow_provider_tuya_ota.rollout.gate.assessment import assess_wave
from airflow_provider_tuya_ota.rollout.gate.decision import Cause, Decision
from airflow_provider_tuya_ota.rollout.gate.evidence import Evidence, Place
from airflow_provider_tuya_ota.rollout.gate.gate import Gate
from airflow_provider_tuya_ota.rollout.gate.series import Prefix
from airflow_provider_tuya_ota.rollout.gate.verdict import GateVerdict
from tests.rollout.gate.fleet import START, after, places, record, task, tasks

FOUR = ("eu", "us", "cn", "in")


def judge(*series: str, gate: Gate | None = None, strata: tuple[str, ...] = FOUR) -> GateVerdict:
    """Judge strata whose devices start in turn, each stratum written as a text."""
    letters = "".join(map("".join, zip(*series, strict=True)))
    evidence = record(Evidence(strata=strata), tasks(letters), places(len(letters), strata))
    return assess_wave(gate or Gate(), evidence, wave=1, now=START)


def test_one_red_stratum_is_held_alone_and_the_others_are_promoted() -> None:
    verdict = judge("F" * 8 + "S" * 42, "S" * 50, "S" * 50, "S" * 50)

    assert verdict.held_strata == ("eu",)
    assert verdict.strata[0].reason == "halt at 3 of the first 3 started; ceiling 5 %"
    assert verdict.strata[0].prefix == Prefix(devices=3, failures=3)
    assert verdict.decision is Decision.PROMOTE
    assert verdict.reason == "promote at 0 failed or pending of the first 129 started; ceiling 5 %; without eu"
    assert verdict.counts.started == 150


def test_the_rest_of_a_release_needs_more_evidence_than_a_release_without_a_held_stratum() -> None:
    few, enough = "S" * 42, "S" * 43

    assert judge("F" * 42, few, few, few).decision is Decision.UNDECIDED
    assert judge("F" * 43, enough, enough, enough).decision is Decision.PROMOTE
    assert judge("S" * 42, few, few, few).decision is Decision.PROMOTE


def test_the_rest_is_halted_by_its_own_failures() -> None:
    verdict = judge("F" * 20, "SSSF" * 5, "SSSF" * 5, "SSSF" * 5)

    assert verdict.held_strata == ("eu",)
    assert (verdict.decision, verdict.cause) == (Decision.HALT, Cause.FAILURES)
    assert verdict.reason == "halt at 6 of the first 24 started; ceiling 5 %; without eu"


def test_a_stratum_needs_more_failures_than_a_release_to_be_held() -> None:
    # Four strata are tested, so each one has a quarter of the error rate: 5 of 20 halt a release, 6 of 20 a stratum.
    assert judge("F" * 5 + "S" * 15, *["S" * 20] * 3).held_strata == ("eu",)
    late = judge("S" * 15 + "F" * 5, *["S" * 20] * 3)
    assert late.held_strata == ()
    assert late.amber_strata == ("eu",)
    assert late.strata[0].reason == "hold at 5 of 20 with an outcome; ceiling 5 %"
    assert judge("S" * 14 + "F" * 6, *["S" * 20] * 3).held_strata == ("eu",)


def test_more_than_half_of_the_strata_red_halts_the_release() -> None:
    two, three = judge("F" * 9, "F" * 9, "S" * 9, "S" * 9), judge("F" * 9, "F" * 9, "F" * 9, "S" * 9)

    assert (two.decision, two.held_strata) == (Decision.UNDECIDED, ("eu", "us"))
    assert (three.decision, three.cause) == (Decision.HALT, Cause.STRATA)
    assert three.reason.startswith(
        "halt: 3 of 4 strata are worse than the ceiling (eu: halt at 3 of the first 3 started; ceiling 5 %; us: "
    )


def test_all_strata_red_halts_the_release() -> None:
    assert judge("F" * 9, "F" * 9, strata=("eu", "us")).cause is Cause.STRATA


def test_an_author_may_let_one_red_stratum_halt_the_release() -> None:
    verdict = judge("F" * 9, "S" * 9, "S" * 9, "S" * 9, gate=Gate(red_stratum="halt"))

    assert (verdict.decision, verdict.cause) == (Decision.HALT, Cause.STRATA)
    assert judge("S" * 9, "S" * 9, "S" * 9, "S" * 9, gate=Gate(red_stratum="halt")).decision is Decision.UNDECIDED


def test_a_single_stratum_is_the_release_itself() -> None:
    verdict = judge("F" * 9, strata=("eu",))

    assert (verdict.strata, verdict.cause) == ((), Cause.FAILURES)


def test_a_good_stratum_does_not_promote_alone() -> None:
    verdict = judge("S" * 30, "S" * 30, strata=("eu", "us"))

    assert {stratum.decision for stratum in verdict.strata} == {Decision.UNDECIDED}
    assert verdict.strata[1].reason == "undecided: 30 started: 30 succeeded, 0 failed, 0 pending"


def test_a_device_without_a_stratum_counts_for_the_release_only() -> None:
    where = {f"d{number:05}": Place(number, 1, "eu" if number % 2 else "") for number in range(20)}
    evidence = record(Evidence(strata=("eu", "us")), tasks("FS" * 10), where)
    verdict = assess_wave(Gate(), evidence, wave=1, now=START)

    assert verdict.decision is Decision.HALT
    assert verdict.held_strata == ()
    assert verdict.strata[0].counts.failed == 0


@pytest.mark.parametrize("pending", ["eu", "us"])
def test_devices_of_a_held_stratum_neither_stall_the_rest_nor_count_for_its_wave(pending: str) -> None:
    where = {f"d{number:05}": Place(number, 1, "eu" if number < 10 else "us") for number in range(400)}
    evidence = record(Evidence(strata=("eu", "us")), tasks("F" * 9 + "P" + "S" * 300), where)
    waiting = {f"w{number}": Place(500 + number, 2, pending) for number in range(9)}
    record(evidence, [task(name, "NOTIFIED") for name in waiting], waiting, after(hours=1))
    record(evidence, tasks("S", first=310), {"d00310": Place(310, 2, "us")}, after(hours=1))
    verdict = assess_wave(Gate(stall_after="2h"), evidence, wave=2, now=after(hours=4))

    assert verdict.held_strata == ("eu",)
    assert verdict.decision is (Decision.PROMOTE if pending == "eu" else Decision.HOLD)


def test_a_verdict_with_strata_comes_back_from_json() -> None:
    verdict = judge("F" * 8 + "S" * 42, "S" * 50, "S" * 50, "S" * 50)

    assert GateVerdict.from_dict(json.loads(json.dumps(verdict.to_dict()))) == verdict
