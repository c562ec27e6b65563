from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_tuya_ota.rollout.gate.decision import Cause, Decision
from airflow_provider_tuya_ota.rollout.gate.gate import Gate
from airflow_provider_tuya_ota.rollout.wave.change import Changes
from airflow_provider_tuya_ota.rollout.wave.decision import Hold, StartPulse, Wait, WaitCause, WaveOver
from airflow_provider_tuya_ota.rollout.wave.marks import HoldCause
from airflow_provider_tuya_ota.rollout.wave.phase import WaveOutcome, WavePhase
from airflow_provider_tuya_ota.rollout.wave.pulse import pulse_started
from airflow_provider_tuya_ota.rollout.wave.ramp import Ramp
from airflow_provider_tuya_ota.rollout.wave.turn import decide, take_turn
from tests.rollout.wave.small import (
    NOW,
    advance,
    begun,
    kinds,
    later,
    ramped,
    situation,
    start_pulse,
    stratum,
    terms,
    verdict,
    waiting,
)
from tests.rollout.wave.world import note

if TYPE_CHECKING:
    from datetime import datetime

    from airflow_provider_tuya_ota.rollout.wave.situation import WaveProgress

LAST_START = later(hours=1)


def test_the_first_pulse_starts_at_once_and_is_stored_before_it_starts() -> None:
    turn = take_turn(begun(terms()), terms(), situation())

    assert isinstance(turn.decision, StartPulse)
    assert str(turn.decision) == "start pulse 1"
    assert turn.state.starting == turn.decision.start
    assert kinds(turn) == ["GateJudged", "PhaseChanged", "PulseBegun"]
    assert turn.state.phase is WavePhase.RAMPING


def test_what_the_gate_says_is_recorded_before_a_wave_begins_on_it() -> None:
    where = terms(window="Mon-Thu 09:00-16:00 Europe/Berlin")
    night = take_turn(begun(where), where, situation(later(hours=-3))).state

    first = take_turn(night, where, situation(later(hours=0)))
    second = take_turn(start_pulse(night, where), where, situation(later(hours=1)))

    assert kinds(first) == ["GateJudged", "PulseBegun"]
    assert kinds(second) == ["PulseBegun"]


def test_the_next_pulse_waits_for_the_pace() -> None:
    state = start_pulse(begun(terms()), terms())

    early = decide(state, terms(), situation(later(minutes=59, seconds=59)))
    due = decide(state, terms(), situation(later(hours=1)))

    assert isinstance(early, Wait)
    assert (early.until, early.cause) == (later(hours=1), WaitCause.PACE)
    assert str(early) == "wait: pulse 2 of 2 is due at 2026-03-02 10:00 UTC"
    assert isinstance(due, StartPulse)
    assert due.start.pulse == 2


def test_a_closed_window_holds_the_next_pulse_and_says_when_it_opens() -> None:
    where = terms(window="Mon-Thu 09:00-16:00 Europe/Berlin")
    night = later(hours=12)

    closed = decide(begun(where), where, situation(night))
    opens = decide(begun(where), where, situation(later(days=1, hours=-1), watched_until=later(days=1, hours=-1)))

    assert isinstance(closed, Wait)
    assert (closed.until, closed.cause) == (later(days=1, hours=-1), WaitCause.WINDOW)
    assert str(closed) == "wait: the window for pulse 1 of 2 opens at 2026-03-03 08:00 UTC"
    assert isinstance(opens, StartPulse)


def test_without_any_window_in_a_year_the_wave_is_held() -> None:
    where = terms(
        window="Mon 09:00-16:00 UTC",
        blackout=["2026-01-01..2026-12-31", "2027-01-01..2027-12-31"],
    )

    decision = decide(begun(where), where, situation())

    assert isinstance(decision, Hold)
    assert decision.mark.cause is HoldCause.NO_WINDOW


@pytest.mark.parametrize("phase", [WavePhase.RAMPING, WavePhase.SOAKING, WavePhase.JUDGING])
def test_amber_holds_while_ramping_soaking_and_judging(phase: WavePhase) -> None:
    state = replace(ramped(terms()), phase=phase, pulse=1 if phase is WavePhase.RAMPING else 2)

    decision = decide(state, terms(), situation(later(hours=8), verdict(Decision.HOLD)))

    assert isinstance(decision, Hold)
    assert decision.mark.cause is HoldCause.GATE


def test_a_red_stratum_is_left_out_of_this_and_all_later_pulses() -> None:
    red = verdict(strata=[stratum("north", Decision.HALT), stratum("south", Decision.UNDECIDED, pending=3)])

    first = take_turn(begun(terms()), terms(), situation(said=red))
    state = pulse_started(first.state, terms(), jobs=2, devices=15, at=NOW).state
    # Should a later verdict call it otherwise, what was held stays held.
    second = decide(state, terms(), situation(later(hours=1), verdict(strata=[stratum("north", Decision.UNDECIDED)])))

    assert "StrataHeld" in kinds(first)
    assert first.state.held_strata == ("north",)
    assert isinstance(first.decision, StartPulse)
    assert first.decision.start.strata == ("north",)
    assert str(first.decision) == "start pulse 1 without north"
    assert isinstance(second, StartPulse)
    assert second.start.strata == ("north",)


def test_an_amber_stratum_holds_while_outcomes_may_clear_it_and_is_left_out_afterwards() -> None:
    unclear = verdict(strata=[stratum("north", Decision.HOLD, pending=2)])
    settled = verdict(strata=[stratum("north", Decision.HOLD)])

    held = decide(begun(terms()), terms(), situation(said=unclear))
    without = decide(begun(terms()), terms(), situation(said=settled))
    observed = decide(begun(terms()), terms(), situation(said=replace(unclear, is_binding=False)))

    assert isinstance(held, Hold)
    assert held.mark.cause is HoldCause.STRATUM
    assert held.why == "north: north is hold, 2 pending"
    assert isinstance(without, StartPulse)
    assert without.start.strata == ("north",)
    assert isinstance(observed, StartPulse)
    assert observed.start.strata == ()


def test_excluded_devices_of_the_pulse_are_left_out() -> None:
    where = terms()
    mine, other = where.wave.pulses[0].jobs[1][3], where.wave.pulses[1].jobs[0][0]

    decision = decide(begun(where), where, situation(control=note(excluded=(mine, other, "lamp-9999"))))

    assert isinstance(decision, StartPulse)
    assert decision.start.devices == (mine,)
    assert str(decision) == f"start pulse 1 without {mine}"


def test_the_soak_ends_at_a_moment_that_nothing_moves() -> None:
    where = terms()
    state = ramped(where)

    turn = take_turn(state, where, situation(later(hours=2)))
    again = take_turn(type(turn.state).from_dict(turn.state.to_dict()), where, situation(later(hours=3)))

    assert isinstance(turn.decision, Wait)
    assert (turn.decision.until, turn.decision.cause) == (LAST_START + timedelta(hours=4), WaitCause.SOAK)
    assert kinds(turn) == ["PhaseChanged"]
    assert again.decision == turn.decision
    assert not again.events


def test_a_promoted_wave_is_over_only_after_its_soak() -> None:
    where = terms()
    state = take_turn(ramped(where), where, situation(later(hours=2))).state
    good = verdict(Decision.PROMOTE, started=30)

    early = decide(state, where, situation(later(hours=4, minutes=59), good))
    late = take_turn(state, where, situation(later(hours=5), good))

    assert isinstance(early, Wait)
    # The gate has allowed for the devices that are still flashing.
    assert decide(state, where, situation(later(hours=5), good, progress=waiting(3, 2))) == late.decision
    assert late.decision == WaveOver(outcome=WaveOutcome.PROMOTED)
    assert kinds(late) == ["GateJudged", "PhaseChanged", "WaveEnded", "PhaseChanged"]
    assert late.state.outcome is WaveOutcome.PROMOTED


def test_the_gate_s_own_soak_may_be_the_longer_one() -> None:
    where = terms(gate=Gate(ceiling="5%", min_soak="9h"))

    assert ramped(where).soak_until == LAST_START + timedelta(hours=9)
    assert ramped(where).evidence_until == LAST_START + timedelta(hours=24)


def test_a_soak_that_a_person_has_cut_short_still_waits_for_the_gate_s_own() -> None:
    where = terms(gate=Gate(ceiling="5%", min_soak="3h"))
    said = verdict(cause=Cause.SOAK, started=30)

    turn = take_turn(ramped(where), where, situation(later(hours=2), said, control=advance()))

    assert isinstance(turn.decision, Wait)
    assert (turn.decision.until, turn.decision.cause) == (LAST_START + timedelta(hours=3), WaitCause.SOAK)
    assert "the soak was cut short" in str(turn.events[-1])


@pytest.mark.parametrize(
    ("progress", "now", "expected"),
    [
        (waiting(3), later(hours=6), WaitCause.EVIDENCE),
        (waiting(None), later(hours=6), WaitCause.EVIDENCE),
        (waiting(0, 1), later(hours=6), WaitCause.EVIDENCE),
        (waiting(0), later(hours=6), WaveOutcome.UNDECIDED),
        (waiting(3, 2), later(hours=7), WaveOutcome.UNDECIDED),
    ],
)
def test_an_undecided_wave_waits_while_evidence_may_come_and_is_never_promoted(
    progress: WaveProgress, now: datetime, expected: Any
) -> None:
    where = terms()
    state = replace(ramped(where), phase=WavePhase.JUDGING)

    decision = decide(state, where, situation(now, progress=progress))

    if isinstance(decision, Wait):
        assert decision.until == LAST_START + timedelta(hours=6)
        assert decision.cause is expected
    else:
        assert decision == WaveOver(outcome=expected)


def test_the_last_wave_ends_only_when_no_device_may_be_flashing() -> None:
    where = replace(terms(), is_last=True)
    state = replace(ramped(where), phase=WavePhase.JUDGING)
    good = verdict(Decision.PROMOTE, started=30)

    waits = decide(state, where, situation(later(hours=6), good, progress=waiting(1)))
    flashing = decide(state, where, situation(later(hours=9), good, progress=waiting(1, 4)))
    over = decide(state, where, situation(later(hours=9), good, progress=waiting(1)))
    undecided = decide(state, where, situation(later(hours=9), progress=waiting(1)))

    assert isinstance(waits, Wait)
    assert waits.until == LAST_START + timedelta(hours=6)
    assert isinstance(flashing, Wait)
    assert flashing.until is None
    assert flashing.why == "4 devices have begun late and not ended"
    assert over == WaveOver(outcome=WaveOutcome.PROMOTED)
    assert undecided == WaveOver(outcome=WaveOutcome.UNDECIDED)


def test_a_gate_that_only_observes_lets_a_wave_end_after_its_soak_if_a_device_has_started() -> None:
    where = terms()
    state = replace(ramped(where), phase=WavePhase.JUDGING)
    said = verdict(Decision.HALT, is_binding=False, started=30)

    seen = decide(state, where, situation(later(hours=6), said, progress=waiting(0, 0, 5)))
    unseen = decide(state, where, situation(later(hours=7), replace(said, decision=Decision.UNDECIDED)))

    assert seen == WaveOver(outcome=WaveOutcome.OBSERVED)
    assert unseen == WaveOver(outcome=WaveOutcome.UNDECIDED)


def test_advance_skips_the_pace_once() -> None:
    where = terms(waves=["20%", "rest"])
    state = start_pulse(begun(where), where)

    turn = take_turn(state, where, situation(later(minutes=1), control=advance()))
    started = pulse_started(turn.state, where, jobs=2, devices=20, at=later(minutes=1)).state
    after = decide(started, where, situation(later(minutes=2), control=advance()))
    again = decide(started, where, situation(later(minutes=2), control=advance(seq=3)))

    assert isinstance(turn.decision, StartPulse)
    assert "WaveAdvanced" in kinds(turn)
    assert isinstance(after, Wait)
    assert isinstance(again, StartPulse)


def test_advance_skips_the_soak_and_not_the_gate_the_window_or_a_hold() -> None:
    where = terms()
    good, some = verdict(Decision.PROMOTE, started=30), waiting(3)
    closed = terms(window="Mon 09:00-09:30 UTC")
    ramping = start_pulse(begun(closed), closed)

    assert decide(ramped(where), where, situation(later(hours=2), good, control=advance())) == WaveOver(
        outcome=WaveOutcome.PROMOTED
    )
    undecided = decide(ramped(where), where, situation(later(hours=2), control=advance(), progress=some))
    amber = decide(ramped(where), where, situation(later(hours=2), verdict(Decision.HOLD), control=advance()))
    shut = decide(ramping, closed, situation(later(hours=2), control=advance()))

    assert isinstance(undecided, Wait)
    assert undecided.cause is WaitCause.EVIDENCE
    assert isinstance(amber, Hold)
    assert isinstance(shut, Wait)
    assert shut.cause is WaitCause.WINDOW


def test_a_request_to_advance_another_wave_does_not_count() -> None:
    where = terms()
    state = start_pulse(begun(where), where)
    in_next = replace(start_pulse(begun(terms(2)), terms(2), said=verdict(Decision.PROMOTE)), advance=state.advance)
    used = take_turn(state, where, situation(later(minutes=1), control=advance())).state.advance

    other = take_turn(state, where, situation(later(minutes=1), control=advance(wave=2)))
    carried = decide(replace(in_next, advance=used), terms(2), situation(later(minutes=1), verdict(wave=2)))

    assert isinstance(other.decision, Wait)
    assert not other.events
    assert isinstance(carried, Wait)


def test_a_wave_of_which_everybody_was_left_out_is_undecided() -> None:
    where = terms()
    state = replace(begun(where), phase=WavePhase.RAMPING, pulse=2)

    turn = take_turn(state, where, situation())

    assert turn.decision == WaveOver(outcome=WaveOutcome.UNDECIDED)


@pytest.mark.parametrize("lacking", [{"control": None}, {"verdict": None}])
def test_a_wave_goes_on_only_with_a_note_and_a_verdict(lacking: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="only with a control note and a verdict"):
        Ramp(Changes(begun(terms()), NOW), terms(), situation(**lacking))
