from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_tuya_ota.rollout.gate.decision import Decision
from airflow_provider_tuya_ota.rollout.plan.canonical import digest_of
from airflow_provider_tuya_ota.rollout.wave.approval import BY_UNDECIDED
from airflow_provider_tuya_ota.rollout.wave.decision import AskApproval, Halt, Hold, StartPulse
from airflow_provider_tuya_ota.rollout.wave.marks import HaltCause
from airflow_provider_tuya_ota.rollout.wave.phase import WavePhase
from airflow_provider_tuya_ota.rollout.wave.turn import take_turn
from tests.rollout.wave.small import (
    HALTED,
    HELD,
    NOW,
    advance,
    answer,
    begun,
    kinds,
    later,
    situation,
    start_pulse,
    stratum,
    terms,
    verdict,
)

if TYPE_CHECKING:
    from airflow_provider_tuya_ota.rollout.wave.state import WaveState

WHERE = terms(approve=["10%"], approvers=["grace", "zoe"], two_person=True)
SOON = later(minutes=10)


def asked(said: Any = None) -> WaveState:
    """Give a wave that waits for its approval; it was asked for at ``NOW``."""
    return take_turn(begun(WHERE), WHERE, situation(said=said)).state


def test_a_person_is_asked_before_the_first_pulse_and_is_asked_once() -> None:
    turn = take_turn(begun(WHERE), WHERE, situation())
    again = take_turn(turn.state, WHERE, situation(later(hours=23)))

    assert isinstance(turn.decision, AskApproval)
    assert str(turn.decision) == "request 1 for an approval waits for a person"
    assert turn.decision.request.answer_by == later(days=1)
    assert kinds(turn) == ["GateJudged", "PhaseChanged", "ApprovalRequested"]
    assert again.decision == turn.decision
    assert not again.events


def test_the_request_shows_the_evidence_and_what_approving_starts() -> None:
    where = terms(approve=["10%"], window="Mon-Thu 09:00-16:00 Europe/Berlin")
    said = verdict(started=7, failed=2, strata=[stratum("north", Decision.UNDECIDED, pending=3)])
    before = replace(asked(), asks_because=BY_UNDECIDED).request
    state = replace(begun(where), at=later(hours=-3), approved_before=before)

    turn = take_turn(state, where, situation(later(hours=-3), said))

    assert isinstance(turn.decision, AskApproval)
    request = turn.decision.request
    shown = json.loads(request.shown)
    assert request.digest == digest_of(shown)
    assert shown == {
        "request": 1,
        "wave": 1,
        "text": "10%",
        "because": "the plan asks for it",
        "gate": "undecided",
        "reason": "undecided for a test",
        "judged_wave": 1,
        "rounds": 0,
        "counts": {"started": 7, "succeeded": 0, "failed": 2, "pending": 5},
        "by_outcome": {},
        "strata": [["north", "undecided", 0, 0, 3]],
        "since_last_approval": {"succeeded": 0, "failed": 2},
        "starts": {
            "devices": 30,
            "pulses": [20, 10],
            "pulses_in_all": 2,
            "seconds_between": 3600,
            "at_the_earliest": "2026-03-02T08:00:00+00:00",
        },
    }


def test_a_request_about_a_wave_of_the_platform_without_a_window_says_so() -> None:
    where = terms(
        3,
        waves=["10%", "50%", "platform ALL"],
        approve=["wave 3"],
        window="Mon 09:00-16:00 UTC",
        blackout=["2026-01-01..2026-12-31", "2027-01-01..2027-12-31"],
    )

    turn = take_turn(replace(begun(where), asks_because="the plan asks for it"), where, situation(said=verdict(wave=2)))

    assert isinstance(turn.decision, AskApproval)
    starts = json.loads(turn.decision.request.shown)["starts"]
    assert (starts["devices"], starts["pulses"], starts["at_the_earliest"]) == (None, [], None)


def test_an_approval_starts_the_first_pulse() -> None:
    state = asked()

    turn = take_turn(state, WHERE, situation(SOON, answer=answer(state)))

    assert isinstance(turn.decision, StartPulse)
    assert kinds(turn) == ["ApprovalGiven", "PhaseChanged", "GateJudged", "PulseBegun"]
    assert str(turn.events[0]) == "wave 1: request 1 was approved by grace: looks good"
    assert turn.state.approval is not None
    assert turn.state.approval.who == "grace"


def test_an_approval_is_kept_while_the_release_is_held() -> None:
    state = asked()

    held = take_turn(state, WHERE, situation(SOON, answer=answer(state), control=HELD))
    resumed = take_turn(held.state, WHERE, situation(later(minutes=20)))

    assert isinstance(held.decision, Hold)
    assert held.state.phase is WavePhase.AWAITING_APPROVAL
    assert isinstance(resumed.decision, StartPulse)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"who": "  "}, "nobody is named who answered"),
        ({"digest": "0" * 64}, "the person was shown something else than what was asked"),
        ({"who": "mallory"}, "'mallory' is none of the approvers"),
        ({"who": "zoe"}, "'zoe' triggered the release, and another person has to approve it"),
    ],
)
def test_an_approval_that_does_not_count_is_refused_and_the_person_is_asked_again(
    changes: dict[str, Any], why: str
) -> None:
    state = asked()

    turn = take_turn(state, WHERE, situation(SOON, answer=answer(state, **changes)))

    assert isinstance(turn.decision, AskApproval)
    assert turn.decision.request.number == 2
    assert kinds(turn) == ["AnswerRefused", "ApprovalRequested"]
    assert turn.events[0].why == why
    assert "the answer to request 1 does not count" in str(turn.events[0])


def test_a_name_in_another_spelling_is_the_same_person() -> None:
    where = terms(approve=["10%"], two_person=True)
    state = take_turn(begun(where), where, situation()).state

    turn = take_turn(state, where, situation(SOON, answer=answer(state, who=" ZOE ")))

    assert kinds(turn) == ["AnswerRefused", "ApprovalRequested"]


def test_without_rules_everybody_may_approve() -> None:
    where = terms(approve=["10%"], triggered_by="")
    state = take_turn(begun(where), where, situation()).state

    turn = take_turn(state, where, situation(SOON, answer=answer(state, who="anybody")))

    assert isinstance(turn.decision, StartPulse)


@pytest.mark.parametrize("changes", [{"request": 2}, {"wave": 2}, {"wave": 2, "approves": False}])
def test_an_answer_about_something_else_is_not_taken(changes: dict[str, Any]) -> None:
    state = asked()

    turn = take_turn(state, WHERE, situation(SOON, answer=answer(state, **changes)))

    assert isinstance(turn.decision, AskApproval)
    assert not turn.events


def test_a_rejection_halts() -> None:
    state = asked()

    turn = take_turn(state, WHERE, situation(SOON, answer=answer(state, approves=False, who="mallory", why="no")))

    assert isinstance(turn.decision, Halt)
    assert turn.decision.mark.cause is HaltCause.REJECTION
    assert (turn.decision.mark.who, turn.decision.mark.why) == ("mallory", "no")
    assert kinds(turn) == ["ApprovalRejected", "ReleaseHalted", "PhaseChanged"]


@pytest.mark.parametrize("changes", [{"who": "", "why": ""}, {"digest": "1" * 64}])
def test_a_rejection_halts_also_without_a_name_and_where_something_else_was_shown(changes: dict[str, Any]) -> None:
    state = asked()

    turn = take_turn(state, WHERE, situation(SOON, answer=answer(state, approves=False, **changes)))

    assert isinstance(turn.decision, Halt)
    assert ("ApprovalRejected" in kinds(turn)) == ("digest" not in changes)
    assert turn.decision.mark.who in {"not known", "grace"}
    assert turn.decision.mark.why in {"rejected without a reason", "looks good"}


def test_a_late_rejection_halts_a_wave_that_has_begun() -> None:
    state = asked()
    said = answer(state, approves=False)
    ramping = start_pulse(
        take_turn(state, WHERE, situation(SOON, answer=answer(state), control=HELD)).state, WHERE, SOON
    )

    turn = take_turn(ramping, WHERE, situation(later(minutes=30), answer=said))

    assert isinstance(turn.decision, Halt)
    assert kinds(turn) == ["ReleaseHalted", "PhaseChanged"]


def test_advance_and_time_never_stand_for_an_approval() -> None:
    state = asked()

    for passed in range(0, 72, 5):
        turn = take_turn(state, WHERE, situation(NOW + timedelta(hours=passed), control=advance(seq=passed + 2)))
        state = turn.state
        assert isinstance(turn.decision, AskApproval)


def test_a_halt_halts_while_a_person_decides_and_also_in_the_turn_of_the_approval() -> None:
    state = asked()

    by_person = take_turn(state, WHERE, situation(SOON, answer=answer(state), control=HALTED))
    by_gate = take_turn(state, WHERE, situation(SOON, verdict(Decision.HALT), answer=answer(state)))

    assert isinstance(by_person.decision, Halt)
    assert isinstance(by_gate.decision, Halt)


def test_texts_of_any_length_and_kind_can_be_read_again() -> None:
    state = asked()
    where = replace(WHERE, approvers=(), two_person=False)

    turn = take_turn(
        state, where, situation(SOON, answer=answer(state, who="g" * 9000, why="line\n\x00" * 9000), control=HELD)
    )

    assert type(turn.state).from_dict(turn.state.to_dict()) == turn.state
