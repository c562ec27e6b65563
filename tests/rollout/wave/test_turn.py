from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_tuya_ota.core.errors import ConfigurationError
from airflow_provider_tuya_ota.rollout.control.release_control import ReleaseControl
from airflow_provider_tuya_ota.rollout.gate.decision import Decision
from airflow_provider_tuya_ota.rollout.wave.decision import Halt, Hold, Reconcile, StartPulse, Wait, WaveOver
from airflow_provider_tuya_ota.rollout.wave.marks import Approval, HaltCause, HoldCause
from airflow_provider_tuya_ota.rollout.wave.phase import WaveOutcome, WavePhase
from airflow_provider_tuya_ota.rollout.wave.reconcile import Found, reconciled
from airflow_provider_tuya_ota.rollout.wave.turn import begin_wave, decide, take_turn
from tests.rollout.wave.small import (
    HALTED,
    HELD,
    NOW,
    begun,
    kinds,
    later,
    plan,
    ramped,
    situation,
    start_pulse,
    stratum,
    terms,
    verdict,
)
from tests.rollout.wave.world import note

if TYPE_CHECKING:
    from airflow_provider_tuya_ota.rollout.wave.state import WaveState

APPROVED: dict[str, Any] = {"approve": ["10%"]}


def states() -> dict[str, tuple[WaveState, dict[str, Any]]]:
    """Give a state of each phase, with the changes of its plan."""
    where = terms()
    soaking = take_turn(ramped(where), where, situation(later(hours=2))).state
    promoted = situation(later(hours=6), verdict(Decision.PROMOTE, started=30))
    return {
        "planned": (begun(where), {}),
        "awaiting approval": (take_turn(begun(terms(**APPROVED)), terms(**APPROVED), situation()).state, APPROVED),
        "ramping": (start_pulse(begun(where), where), {}),
        "being started": (take_turn(begun(where), where, situation()).state, {}),
        "soaking": (soaking, {}),
        "judging": (replace(soaking, phase=WavePhase.JUDGING), {}),
        "over": (take_turn(soaking, where, promoted).state, {}),
        "held": (take_turn(begun(where), where, situation(control=HELD)).state, {}),
        "held without a note": (take_turn(begun(where), where, situation(control=None)).state, {}),
        "not polled for days": (replace(soaking, at=later(days=-9)), {}),
    }


@pytest.mark.parametrize("name", states())
@pytest.mark.parametrize("by", ["a person", "the gate"])
def test_a_halt_outranks_everything_in_every_state(name: str, by: str) -> None:
    state, changes = states()[name]
    now = later(hours=7)
    said = verdict(Decision.HALT if by == "the gate" else Decision.HOLD)
    control = HALTED if by == "a person" else None

    turn = take_turn(state, terms(**changes), situation(now, said, control=control, watched_until=None))

    assert isinstance(turn.decision, Halt)
    assert turn.decision.mark.cause.value == by
    assert turn.decision.in_doubt == state.starting
    assert turn.state.phase is WavePhase.HALTED
    assert kinds(turn)[-2:] == ["ReleaseHalted", "PhaseChanged"]


def test_a_halt_says_who_and_why_and_which_devices_decide() -> None:
    by_person = take_turn(begun(terms()), terms(), situation(control=HALTED)).decision
    by_gate = take_turn(begun(terms()), terms(), situation(said=verdict(Decision.HALT))).decision

    assert isinstance(by_person, Halt)
    assert isinstance(by_gate, Halt)
    assert (by_person.mark.who, by_person.mark.why) == ("ada", "smoke")
    assert str(by_person) == "halted by ada: smoke"
    assert (by_gate.mark.failures, by_gate.mark.devices) == (4, 9)
    assert str(by_gate) == "halted by the gate: halt for a test"


def test_a_halted_wave_stays_halted_whatever_is_said_later() -> None:
    halted = take_turn(begun(terms()), terms(), situation(control=replace(HALTED, who="", why=""))).state

    turn = take_turn(halted, terms(), situation(later(days=1), verdict(Decision.PROMOTE), control=note()))

    assert turn.state == halted
    assert not turn.events
    assert isinstance(turn.decision, Halt)
    assert turn.decision.mark.who == "not known"
    assert turn.decision.mark.cause is HaltCause.PERSON


@pytest.mark.parametrize(
    ("control", "cause", "who"),
    [
        (None, HoldCause.NO_NOTE, ""),
        (HELD, HoldCause.PERSON, "ada"),
        (ReleaseControl.unreadable("is missing"), HoldCause.NO_NOTE, ""),
    ],
)
@pytest.mark.parametrize("name", ["planned", "awaiting approval", "ramping", "soaking", "judging"])
def test_a_wave_is_held_by_a_person_and_by_a_note_that_is_missing(
    name: str, control: ReleaseControl | None, cause: HoldCause, who: str
) -> None:
    state, changes = states()[name]

    turn = take_turn(state, terms(**changes), situation(later(hours=7), verdict(Decision.PROMOTE), control=control))

    assert isinstance(turn.decision, Hold)
    assert (turn.decision.mark.cause, turn.decision.mark.who) == (cause, who)
    assert turn.state.phase is state.phase
    assert kinds(turn)[-1] == "WaveHeld"


def test_a_hold_keeps_its_beginning_and_says_today_s_reason() -> None:
    amber = take_turn(begun(terms()), terms(), situation(said=verdict(Decision.HOLD))).state
    again = replace(verdict(Decision.HOLD), reason="hold at 5 of 20")

    turn = take_turn(amber, terms(), situation(later(minutes=30), again))

    assert isinstance(turn.decision, Hold)
    assert not turn.events
    assert turn.decision.mark.since == NOW
    assert turn.decision.why == "hold at 5 of 20"
    assert str(turn.decision) == "held by the gate since 2026-03-02 09:00 UTC: hold at 5 of 20"


def test_the_end_of_a_hold_names_who_has_resumed() -> None:
    held = take_turn(begun(terms()), terms(), situation(control=HELD)).state

    turn = take_turn(held, terms(), situation(later(minutes=30), control=note(who="grace", why="solved")))

    assert isinstance(turn.decision, StartPulse)
    ended = [str(event) for event in turn.events if type(event).__name__ == "HoldEnded"]
    assert ended == ["wave 1: no longer held (a person) since 2026-03-02 09:00 UTC by grace: solved"]
    assert turn.state.hold is None


def test_a_hold_of_a_person_stands_while_the_note_cannot_be_read() -> None:
    held = take_turn(begun(terms()), terms(), situation(control=HELD)).state

    turn = take_turn(held, terms(), situation(later(minutes=30), control=None))

    assert isinstance(turn.decision, Hold)
    assert turn.decision.mark == held.hold
    assert "could not be read" in turn.decision.why
    assert not turn.events


def test_another_cause_ends_one_hold_and_begins_another() -> None:
    held = take_turn(begun(terms()), terms(), situation(control=None)).state

    turn = take_turn(held, terms(), situation(later(minutes=30), verdict(Decision.HOLD)))

    assert kinds(turn) == ["GateJudged", "HoldEnded", "WaveHeld"]
    assert turn.state.hold is not None
    assert turn.state.hold.cause is HoldCause.GATE


def test_a_wave_without_a_verdict_is_held() -> None:
    turn = take_turn(begun(terms()), terms(), situation(control=note(), verdict=None))

    assert isinstance(turn.decision, Hold)
    assert turn.decision.mark.cause is HoldCause.PLATFORM


def test_a_turn_is_quiet_where_a_trigger_may_poll_on() -> None:
    where = terms(**APPROVED)
    asked = take_turn(begun(where), where, situation())
    held = take_turn(begun(terms()), terms(), situation(control=HELD))
    ramping = start_pulse(begun(terms()), terms())
    over, _ = states()["over"]

    loud = [
        asked,
        held,
        take_turn(begun(terms()), terms(), situation()),
        take_turn(held.state, terms(), situation(later(minutes=1), control=HALTED)),
        take_turn(ramping, terms(), situation(later(days=1), watched_until=None)),
        take_turn(over, terms(), situation(later(hours=7), verdict(Decision.PROMOTE))),
        take_turn(replace(ramping, job=1), terms(), situation(later(minutes=1))),
    ]
    quiet = [
        take_turn(asked.state, where, situation(later(minutes=1))),
        take_turn(held.state, terms(), situation(later(minutes=1), control=HELD)),
        take_turn(ramping, terms(), situation(later(minutes=1))),
    ]

    assert [turn.is_quiet for turn in loud] == [False] * 7
    assert [turn.is_quiet for turn in quiet] == [True] * 3


def test_a_verdict_of_some_time_ago_starts_nothing() -> None:
    old = replace(situation(later(minutes=61)), verdict=verdict())
    in_time = replace(situation(later(minutes=60)), verdict=verdict())

    held = decide(begun(terms()), terms(), old)
    halted = decide(begun(terms()), terms(), replace(old, verdict=verdict(Decision.HALT)))

    assert isinstance(held, Hold)
    assert held.mark.cause is HoldCause.PLATFORM
    assert held.why == "the last verdict is of 2026-03-02 09:00 UTC"
    assert isinstance(decide(begun(terms()), terms(), in_time), StartPulse)
    assert isinstance(halted, Halt)


def test_a_verdict_from_less_evidence_than_before_is_not_taken_and_the_platform_is_read_anew() -> None:
    known = take_turn(begun(terms()), terms(), situation(said=verdict(rounds=7, started=5))).state
    start = replace(known, starting=None)

    turn = take_turn(start, terms(), situation(later(minutes=5), verdict(Decision.PROMOTE, rounds=6)))

    assert isinstance(turn.decision, Reconcile)
    assert turn.decision.why == "the gate was given less than the 7 rounds of evidence that there were before"
    assert turn.state.decision is Decision.UNDECIDED
    read = reconciled(turn.state, terms(), turn.decision, Found(), at=later(minutes=6)).state
    again = decide(read, terms(), situation(later(minutes=6), verdict(rounds=1)))
    assert isinstance(again, StartPulse)


def test_a_gate_that_only_observes_neither_holds_nor_halts_nor_holds_a_stratum() -> None:
    for decision in (Decision.HOLD, Decision.HALT):
        said = verdict(decision, is_binding=False, strata=[stratum("north", Decision.HALT)])

        turn = take_turn(begun(terms()), terms(), situation(said=said))

        assert isinstance(turn.decision, StartPulse)
        assert turn.decision.start.strata == ()


def test_a_verdict_is_an_event_when_it_changes_and_when_another_wave_is_judged() -> None:
    first = take_turn(begun(terms()), terms(), situation(control=HELD))
    same = take_turn(first.state, terms(), situation(later(minutes=5), control=HELD))
    second = replace(first.state, wave=2, pulse=1)
    other = take_turn(second, terms(2), situation(later(minutes=5), verdict(wave=2), control=HELD))

    assert kinds(first) == ["GateJudged", "WaveHeld"]
    assert not same.events
    assert kinds(other) == ["GateJudged"]


def test_a_verdict_or_terms_of_another_wave_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="verdict is about wave 2, and wave 1 is to be judged"):
        take_turn(begun(terms()), terms(), situation(said=verdict(wave=2)))
    with pytest.raises(ConfigurationError, match="state is of wave 1, and the terms are of wave 2"):
        take_turn(begun(terms()), terms(2), situation())


def test_a_wave_is_judged_as_the_one_before_until_it_begins() -> None:
    state = replace(begun(terms()), wave=2)

    assert state.wave_to_judge == 1
    assert replace(state, job=1).wave_to_judge == 2
    assert replace(state, wave=1).wave_to_judge == 1


def test_after_a_time_without_polls_the_platform_is_compared_first() -> None:
    state = start_pulse(begun(terms()), terms())

    at_once = decide(state, terms(), situation(later(minutes=61), watched_until=None))
    watched = decide(state, terms(), situation(later(hours=9), watched_until=later(hours=8)))
    in_time = decide(state, terms(), situation(later(minutes=60), watched_until=None))

    assert isinstance(at_once, Reconcile)
    assert at_once.since == NOW
    assert str(at_once) == "reconcile: nobody has polled since 2026-03-02 09:00 UTC"
    assert isinstance(watched, StartPulse)
    assert isinstance(in_time, StartPulse)


def test_a_pulse_in_doubt_is_reconciled_before_anything_else() -> None:
    state = take_turn(begun(terms()), terms(), situation()).state

    turn = take_turn(state, terms(), situation(later(minutes=1), control=HELD))

    assert isinstance(turn.decision, Reconcile)
    assert turn.decision.pulse == state.starting


def test_a_wave_that_is_over_stays_over() -> None:
    state, _ = states()["over"]

    turn = take_turn(state, terms(), situation(later(days=3), verdict(Decision.HOLD), control=HELD, watched_until=None))

    assert turn.decision == WaveOver(outcome=WaveOutcome.PROMOTED)
    assert str(turn.decision) == "the wave is over: promoted"


def test_the_next_wave_begins_with_what_the_release_knows() -> None:
    over, _ = states()["over"]
    request = take_turn(begun(terms(**APPROVED)), terms(**APPROVED), situation()).state.request
    approval = Approval(who="grace", at=NOW)
    over = replace(over, held_strata=("north",), outcome=WaveOutcome.UNDECIDED, request=request, approval=approval)

    state = begin_wave(terms(2), at=later(hours=7), previous=over)

    assert (state.wave, state.phase, state.held_strata) == (2, WavePhase.PLANNED, ("north",))
    assert state.asks_because == "the gate could not decide about the wave before"
    assert state.events == over.events
    assert request is not None
    assert state.approved_before == replace(request, shown="")
    third = begin_wave(terms(3), at=NOW, previous=replace(state, phase=WavePhase.OVER, outcome=WaveOutcome.PROMOTED))
    assert third.approved_before == state.approved_before
    assert begin_wave(terms(2), at=NOW, previous=replace(over, outcome=WaveOutcome.PROMOTED)).asks_because == ""


def test_a_wave_does_not_begin_before_the_one_before_is_over() -> None:
    over, _ = states()["over"]
    soaking, _ = states()["soaking"]

    with pytest.raises(ConfigurationError, match="without the state of wave 1"):
        begin_wave(terms(2), at=NOW)
    with pytest.raises(ConfigurationError, match="wave 1 is soaking, and wave 1 has to be over"):
        begin_wave(terms(2), at=NOW, previous=soaking)
    with pytest.raises(ConfigurationError, match="wave 1 is over, and wave 2 has to be over"):
        begin_wave(terms(3), at=NOW, previous=over)


def test_terms_name_what_the_plan_does_not_have() -> None:
    with pytest.raises(ConfigurationError, match="has no wave 4, only 1 to 3"):
        terms(4)
    with pytest.raises(ConfigurationError, match="nobody is named who triggered the release"):
        terms(triggered_by="", approve=["10%"], two_person=True)
    assert plan().waves[0].jobs == 3


def test_a_clock_that_goes_back_does_not_move_the_state_back() -> None:
    state = start_pulse(begun(terms()), terms(), later(hours=1))

    turn = take_turn(state, terms(), situation(NOW, control=HELD))

    assert turn.state.at == state.at
    assert turn.events[-1].at == state.at
    assert isinstance(decide(state, terms(), situation(NOW)), Wait)
