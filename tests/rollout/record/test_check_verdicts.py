from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from airflow_provider_tuya_ota.rollout.gate.assessment import assess_wave
from airflow_provider_tuya_ota.rollout.gate.decision import Decision
from airflow_provider_tuya_ota.rollout.gate.gate import Gate
from airflow_provider_tuya_ota.rollout.gate.outside import OutsideEvidence
from airflow_provider_tuya_ota.rollout.record import judged_again
from airflow_provider_tuya_ota.rollout.record.course import (
    ControlNote,
    ControlVerb,
    JobPurpose,
    OutsideSaid,
    VerdictGiven,
)
from airflow_provider_tuya_ota.rollout.record.evidence_part import part_since
from airflow_provider_tuya_ota.rollout.record.finding import FindingKind
from airflow_provider_tuya_ota.rollout.record.unreadable import RecordUnreadableError
from airflow_provider_tuya_ota.rollout.record.verify import verify_record
from tests.rollout.record.story import story

if TYPE_CHECKING:
    from tests.rollout.record.story import Story

CALM = OutsideEvidence(source="crash rate", decision=Decision.PROMOTE)
ALARM = OutsideEvidence(source="crash rate", decision=Decision.HALT, reason="crashes rose tenfold")
OTHER = OutsideEvidence(source="support", decision=Decision.HALT, reason="hundreds of calls")


def first_wave(gate: Gate | None = None) -> Story:
    """Tell a release of 600 devices up to the end of its first wave of 120, all of which succeed."""
    told = story(600, gate=gate)
    told.tell_wave(told.plan.waves[0])
    return told


def found(told: Story) -> list[tuple[FindingKind, str]]:
    findings = verify_record(told.record.to_bytes()).findings
    return [(one.kind, one.text) for one in findings if one.kind is not FindingKind.NOT_CLOSED]


def fail_some(told: Story) -> None:
    """Record that some of the devices that reported success run another version."""
    rounds = len(told.evidence.rounds)
    told.evidence.correct(told.evidence.devices[:40], now=told.now)
    told.add(part_since(told.evidence, rounds=rounds, jobs=len(told.evidence.jobs)))


def begin_second_wave(told: Story) -> None:
    wave = told.plan.waves[1]
    told.create("2-1-1", 2, 1, wave.pulses[0].jobs[0])


def test_the_next_wave_begins_on_the_verdict_on_everything_before_it() -> None:
    told = first_wave()
    begin_second_wave(told)

    assert told.last is Decision.PROMOTE
    assert found(told) == []


@pytest.mark.parametrize("is_retry", [True, False])
def test_evidence_that_halts_and_was_not_judged_forbids_each_job(is_retry: bool) -> None:
    told = first_wave()
    fail_some(told)
    if is_retry:
        told.add_job("again", JobPurpose.RETRY, ("lamp-0001",), 1)
    else:
        begin_second_wave(told)

    assert [kind for kind, _ in found(told)] == [FindingKind.JOB_AFTER_HALT]


def test_a_verdict_on_the_evidence_of_an_earlier_moment_is_wrong() -> None:
    told = first_wave()
    stale = assess_wave(told.gate, told.evidence, wave=1, now=told.now)
    fail_some(told)
    told.add(VerdictGiven(verdict=stale))

    assert stale.decision is Decision.PROMOTE
    rounds = stale.occasion.rounds
    assert found(told) == [
        (
            FindingKind.WRONG_VERDICT,
            f"it judges {rounds} rounds of evidence, and {rounds + 1} were recorded before it",
        )
    ]


@pytest.mark.parametrize(
    ("recorded", "used", "problem"),
    [
        ([CALM], (CALM,), ""),
        ([ALARM, CALM], (CALM,), ""),
        ([CALM, ALARM], (CALM,), "it does not use the latest answer of crash rate that was recorded before it"),
        ([ALARM], (), "it does not use the latest answer of crash rate that was recorded before it"),
        ([CALM, OTHER], (CALM,), "it does not use the latest answer of support that was recorded before it"),
        ([CALM, ALARM], (CALM, ALARM), "it uses two answers of one source"),
        ([], (CALM,), "it uses an answer of crash rate that was not recorded before it"),
    ],
)
def test_a_verdict_uses_the_latest_answer_of_each_source(
    recorded: list[OutsideEvidence], used: tuple[OutsideEvidence, ...], problem: str
) -> None:
    told = first_wave()
    for answer in recorded:
        told.add(OutsideSaid(answer=answer))
    told.add(VerdictGiven(verdict=assess_wave(told.gate, told.evidence, wave=1, now=told.now, outside=used)))

    assert found(told) == ([(FindingKind.WRONG_VERDICT, problem)] if problem else [])


def test_an_answer_that_halts_forbids_a_job_although_no_verdict_uses_it() -> None:
    told = first_wave()
    told.add(OutsideSaid(answer=ALARM))
    told.add_job("again", JobPurpose.RETRY, ("lamp-0001",), 1)

    assert (
        FindingKind.JOB_AFTER_HALT,
        "job again was created, and no verdict says so: halt by outside evidence: crash rate: crashes rose tenfold",
    ) in found(told)


def test_an_answer_that_holds_forbids_a_job_until_a_person_has_seen_the_hold() -> None:
    hold = replace(ALARM, decision=Decision.HOLD)
    hidden, seen = first_wave(), first_wave()
    for told in (hidden, seen):
        told.add(OutsideSaid(answer=hold))
    verdict = assess_wave(seen.gate, seen.evidence, wave=1, now=seen.now, outside=(hold,))
    seen.add(VerdictGiven(verdict=verdict))
    seen.add(ControlNote(verb=ControlVerb.ADVANCE, who="grace", why="these crashes are another app's"))
    begin_second_wave(hidden)
    begin_second_wave(seen)
    seen.add(OutsideSaid(answer=hold))
    seen.create("2-1-2", 2, 1, seen.plan.waves[1].pulses[0].jobs[0][:1])

    assert FindingKind.JOB_WHILE_HELD in {kind for kind, _ in found(hidden)}
    assert FindingKind.JOB_WHILE_HELD not in {kind for kind, _ in found(seen)}


def test_a_gate_that_observes_forbids_no_job() -> None:
    told = first_wave(Gate(observe_only=True))
    fail_some(told)
    begin_second_wave(told)

    assert found(told) == []


@pytest.mark.parametrize(("soaked", "is_right"), [(3600.0, True), (3660.0, True), (3661.0, False), (1e9, False)])
def test_a_wave_has_soaked_no_longer_than_its_entries_say(soaked: float, is_right: bool) -> None:
    told = first_wave(Gate(min_soak="30m"))
    told.add(VerdictGiven(verdict=assess_wave(told.gate, told.evidence, wave=1, now=told.now, soaked=soaked)))
    problem = f"it says that its wave has soaked for {soaked:g} seconds; the entries say 3660 at most"

    assert found(told) == ([] if is_right else [(FindingKind.WRONG_VERDICT, problem)])


def test_a_wave_of_no_job_has_not_soaked() -> None:
    told = first_wave()
    told.add(VerdictGiven(verdict=assess_wave(told.gate, told.evidence, wave=2, now=told.now, soaked=1.0)))

    assert [text for _, text in found(told)] == [
        "it says that its wave has soaked for 1 seconds; the entries say 0 at most"
    ]


def test_a_clock_that_was_set_back_makes_no_soak_shorter() -> None:
    told = first_wave()
    told.now -= timedelta(hours=5)
    told.add(ControlNote(verb=ControlVerb.RESUME, who="ada", why="the clock was wrong"))
    told.now += timedelta(hours=2)
    told.add(VerdictGiven(verdict=assess_wave(told.gate, told.evidence, wave=1, now=told.now, soaked=3 * 3600.0)))

    assert found(told) == []


def test_a_record_that_asks_for_too_many_judgements_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    told = first_wave()
    verdict = assess_wave(told.gate, told.evidence, wave=1, now=told.now)
    for _ in range(3):
        told.add(VerdictGiven(verdict=verdict))
    once = len(verify_record(told.record.to_bytes()).findings)
    devices = sum(len(told.evidence.as_of(rounds).devices) for rounds in (1, 2, 3, 4))
    monkeypatch.setattr(judged_again, "MOST_JUDGED", devices)

    assert len(verify_record(told.record.to_bytes()).findings) == once
    told.add(VerdictGiven(verdict=assess_wave(told.gate, told.evidence, wave=1, now=told.now + timedelta(1))))
    with pytest.raises(RecordUnreadableError, match="its verdicts judge more than"):
        verify_record(told.record.to_bytes())
