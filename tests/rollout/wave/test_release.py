from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from airflow_provider_tuya_ota.core.errors import ConfigurationError
from airflow_provider_tuya_ota.rollout.control.release_control import ReleaseControl
from airflow_provider_tuya_ota.rollout.gate.decision import Decision
from airflow_provider_tuya_ota.rollout.record.course import ApprovalAnswer, ApprovalAnswered, ControlNote, ControlVerb
from airflow_provider_tuya_ota.rollout.wave.change import Changed
from airflow_provider_tuya_ota.rollout.wave.decision import AskApproval, Halt, Hold, StartPulse, Wait
from airflow_provider_tuya_ota.rollout.wave.events import ApprovalRejected, ApprovalTimedOut, Event
from airflow_provider_tuya_ota.rollout.wave.marks import HaltCause, HoldCause
from airflow_provider_tuya_ota.rollout.wave.phase import ReleasePhase, WavePhase
from airflow_provider_tuya_ota.rollout.wave.pulse import pulse_started
from airflow_provider_tuya_ota.rollout.wave.record_entries import entry_of
from airflow_provider_tuya_ota.rollout.wave.release import (
    DoPhase,
    ReleaseOver,
    ReleaseTurn,
    phase_done,
    take_release_turn,
    wave_reported,
)
from airflow_provider_tuya_ota.rollout.wave.release_state import ReleaseState
from tests.rollout.wave.small import HALTED, HELD, NOW, begun, later, situation, terms, verdict
from tests.rollout.wave.world import note

WAVES = [terms(number) for number in (1, 2, 3)]
PHASES = {phase: ReleaseState(phase=phase, at=NOW) for phase in list(ReleasePhase)[:6]}


def turn(state: ReleaseState, now: Any = NOW, said: Any = None, **changes: Any) -> ReleaseTurn:
    return take_release_turn(state, WAVES, situation(now, said, **changes))


def halted() -> ReleaseState:
    return turn(PHASES[ReleasePhase.UPLOADING], control=HALTED).state


def ramping() -> ReleaseState:
    return turn(PHASES[ReleasePhase.WAVES]).state


def texts(given: ReleaseTurn) -> list[str]:
    return [str(event) for event in given.events]


def test_a_release_that_is_planned_uploads_verifies_and_begins_its_waves() -> None:
    first = turn(PHASES[ReleasePhase.PLANNED])
    again = turn(first.state, later(minutes=1))
    uploaded = phase_done(first.state, ReleasePhase.UPLOADING, at=later(minutes=2), why="firmware 178")
    verified = phase_done(uploaded.state, ReleasePhase.VERIFYING, at=later(minutes=3))
    wave = turn(verified.state, later(minutes=4))

    assert first.decision == DoPhase(phase=ReleasePhase.UPLOADING)
    assert texts(first) == ["release: uploading after planned"]
    assert again.decision == first.decision
    assert not again.events
    assert uploaded.decision == DoPhase(phase=ReleasePhase.VERIFYING)
    assert texts(uploaded) == ["release: verifying after uploading: firmware 178"]
    assert verified.decision == DoPhase(phase=ReleasePhase.WAVES)
    assert isinstance(wave.decision, StartPulse)
    assert wave.state.current is not None
    numbers = [event.number for part in (first, uploaded, verified, wave) for event in part.events]
    assert numbers == list(range(1, len(numbers) + 1))


@pytest.mark.parametrize("phase", PHASES)
def test_a_halt_outranks_every_phase_but_the_end(phase: ReleasePhase) -> None:
    given = turn(PHASES[phase], control=HALTED)

    if phase is ReleasePhase.RECORDED:
        assert given.decision == ReleaseOver(phase=phase)
        return
    assert given.state.phase is ReleasePhase.HALTING
    assert given.state.halt is not None
    assert (given.state.halt.who, given.state.halt.cause) == ("ada", HaltCause.PERSON)
    assert isinstance(given.decision, Halt if phase is ReleasePhase.WAVES else DoPhase)


def test_a_halted_release_settles_and_ends_whatever_is_said_later() -> None:
    halting = turn(halted(), later(minutes=1), control=note())
    settling = phase_done(halting.state, ReleasePhase.HALTING, at=later(minutes=2))
    ended = phase_done(settling.state, ReleasePhase.SETTLING, at=later(minutes=3))
    again = turn(ended.state, later(days=3), control=note())

    assert halting.decision == DoPhase(phase=ReleasePhase.HALTING, halt=halted().halt)
    assert settling.decision == DoPhase(phase=ReleasePhase.SETTLING, halt=halted().halt)
    assert ended.decision == ReleaseOver(phase=ReleasePhase.HALTED, halt=halted().halt)
    assert again.decision == ended.decision
    assert not again.events


def test_a_halt_without_a_name_is_a_halt() -> None:
    given = turn(PHASES[ReleasePhase.VERIFYING], control=replace(HALTED, who="", why=""))

    assert texts(given)[0] == "release: halted (a person) by not known: not known"


@pytest.mark.parametrize("phase", [ReleasePhase.PLANNED, ReleasePhase.UPLOADING, ReleasePhase.VERIFYING])
@pytest.mark.parametrize(
    ("control", "cause"),
    [
        (None, HoldCause.NO_NOTE),
        (ReleaseControl.unreadable("is missing"), HoldCause.NO_NOTE),
        (HELD, HoldCause.PERSON),
    ],
)
def test_nothing_is_uploaded_or_verified_while_the_release_is_held(
    phase: ReleasePhase, control: ReleaseControl | None, cause: HoldCause
) -> None:
    given = turn(PHASES[phase], control=control)
    again = turn(given.state, later(minutes=9), control=control)
    resumed = turn(given.state, later(minutes=9), control=note(who="grace", why="solved"))

    assert isinstance(given.decision, Hold)
    assert given.decision.mark.cause is cause
    assert given.state.phase is phase
    assert again.decision == given.decision
    assert not again.events
    assert isinstance(resumed.decision, DoPhase)
    assert ("grace" in texts(resumed)[0]) == (cause is HoldCause.PERSON)
    assert resumed.state.hold is None


def test_a_hold_of_a_person_stands_while_the_note_cannot_be_read() -> None:
    held = turn(PHASES[ReleasePhase.UPLOADING], control=HELD)

    unread = turn(held.state, later(minutes=9), control=None)
    other = turn(held.state, later(minutes=9), control=replace(HELD, who="grace"))

    assert isinstance(unread.decision, Hold)
    assert unread.decision.mark == held.state.hold
    assert "could not be read" in unread.decision.why
    assert [type(event).__name__ for event in other.events] == ["HoldEnded", "WaveHeld"]
    assert isinstance(turn(replace(held.state, phase=ReleasePhase.WAVES)).decision, StartPulse)


def test_the_landed_check_only_reads_and_is_not_held() -> None:
    given = turn(PHASES[ReleasePhase.LANDED_CHECK], control=HELD)
    ended = phase_done(given.state, ReleasePhase.LANDED_CHECK, at=NOW)

    assert given.decision == DoPhase(phase=ReleasePhase.LANDED_CHECK)
    assert ended.decision == ReleaseOver(phase=ReleasePhase.RECORDED)


def test_a_gate_that_halts_a_wave_halts_the_release() -> None:
    given = turn(ramping(), later(minutes=5), verdict(Decision.HALT))

    assert isinstance(given.decision, Halt)
    assert given.decision.in_doubt is not None
    assert given.state.phase is ReleasePhase.HALTING
    assert given.state.halt == given.decision.mark
    assert given.state.current is not None
    assert given.state.current.phase is WavePhase.HALTED


def test_waves_follow_each_other_and_the_landed_check_follows_the_last_one() -> None:
    state, now = PHASES[ReleasePhase.WAVES], NOW
    started: list[tuple[int, int]] = []
    for hours in range(200):
        now = later(hours=hours)
        current = state.current
        wave = current.wave_to_judge if current else 1
        given = turn(state, now, verdict(Decision.PROMOTE, wave=wave, started=30))
        state = given.state
        if isinstance(given.decision, StartPulse):
            assert state.current is not None
            where = WAVES[state.current.wave - 1]
            start = given.decision.start
            started.append((state.current.wave, start.pulse))
            jobs = where.jobs_in(start.pulse)
            state = wave_reported(state, pulse_started(state.current, where, jobs=jobs, devices=jobs, at=now))
        elif not isinstance(given.decision, Wait):
            break

    assert given.decision == DoPhase(phase=ReleasePhase.LANDED_CHECK)
    assert started == [(wave.wave.number, pulse + 1) for wave in WAVES for pulse in range(wave.pulses)]


def test_an_undecided_wave_is_followed_by_a_question() -> None:
    state = replace(begun(WAVES[0]), phase=WavePhase.JUDGING, pulse=2)

    given = turn(replace(PHASES[ReleasePhase.WAVES], current=state))

    assert isinstance(given.decision, AskApproval)
    assert given.state.current is not None
    assert given.state.current.wave == 2
    assert "could not decide" in given.decision.request.shown


@pytest.mark.parametrize("phase", [ReleasePhase.WAVES, ReleasePhase.UPLOADING, ReleasePhase.RECORDED])
def test_only_the_phase_that_is_under_way_is_reported_as_done(phase: ReleasePhase) -> None:
    state = PHASES[ReleasePhase.WAVES if phase is ReleasePhase.WAVES else ReleasePhase.PLANNED]

    with pytest.raises(ConfigurationError, match="cannot be reported as done"):
        phase_done(state, phase, at=NOW)


def test_a_report_about_a_wave_that_is_not_under_way_is_refused() -> None:
    changed = Changed(replace(begun(WAVES[0]), wave=2), ())

    for state in (PHASES[ReleasePhase.WAVES], ramping()):
        with pytest.raises(ConfigurationError, match="wave 2 is not under way"):
            wave_reported(state, changed)


@pytest.mark.parametrize(
    "state", [*PHASES.values(), halted(), ramping(), turn(PHASES[ReleasePhase.PLANNED], control=HELD).state]
)
def test_a_state_survives_its_way_through_json(state: ReleaseState) -> None:
    assert ReleaseState.from_dict(json.loads(json.dumps(state.to_dict()))) == state


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        (None, "only version 1"),
        ({"version": True}, "only version 1"),
        (ramping().to_dict() | {"version": 2}, "only version 1"),
        (ramping().to_dict() | {"phase": "what"}, "release state.phase"),
        (ramping().to_dict() | {"more": 1}, "'more' are missing or not known"),
        (ramping().to_dict() | {"current": {}}, "wave state: only version 1"),
        ({name: one for name, one in ramping().to_dict().items() if name != "current"}, "'current' are missing"),
        (ramping().to_dict() | {"phase": "halting"}, "the phase is halting, and it was not halted"),
        (halted().to_dict() | {"phase": "waves"}, "the phase is waves, and it was halted"),
    ],
)
def test_what_is_no_state_of_a_release_is_refused(values: Any, problem: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        ReleaseState.from_dict(values)

    assert problem in str(caught.value)


def test_events_stand_for_entries_of_a_record() -> None:
    held = turn(PHASES[ReleasePhase.UPLOADING], control=HELD)
    resumed = turn(held.state, later(minutes=9), control=note(who="grace", why="solved"))
    unread = turn(PHASES[ReleasePhase.UPLOADING], control=None)
    found = [entry_of(event) for given in (held, resumed, unread) for event in given.events]

    assert found == [
        ControlNote(verb=ControlVerb.HOLD, who="ada", why="a customer has called"),
        ControlNote(verb=ControlVerb.RESUME, who="grace", why="solved"),
        None,
    ]
    halt, phase = turn(PHASES[ReleasePhase.UPLOADING], control=HALTED).events
    assert entry_of(halt) == ControlNote(verb=ControlVerb.HALT, who="ada", why="smoke")
    assert entry_of(phase) is None
    by_gate = turn(ramping(), later(minutes=5), verdict(Decision.HALT)).events
    assert [type(entry).__name__ for entry in map(entry_of, by_gate)] == [
        "VerdictGiven",
        "NoneType",
        "NoneType",
        "NoneType",
    ]


@pytest.mark.parametrize(
    ("kind", "answer"), [(ApprovalRejected, ApprovalAnswer.REJECTED), (ApprovalTimedOut, ApprovalAnswer.TIMED_OUT)]
)
def test_an_answer_names_the_entry_that_asked(kind: Any, answer: ApprovalAnswer) -> None:
    event: Event = kind(number=1, at=NOW, wave=2, who="grace", why="no", request=1, digest="0" * 64)

    assert entry_of(event, asked=7) == ApprovalAnswered(
        asked=7, answer=answer, who="grace", why="no", shown_digest="0" * 64
    )
    with pytest.raises(ConfigurationError, match="the entry that asked for the approval is not known"):
        entry_of(event)
    assert "request 1" in str(event)
