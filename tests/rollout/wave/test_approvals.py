from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_tuya_ota.rollout.gate.decision import Decision
from airflow_provider_tuya_ota.rollout.plan.canonical import digest_of
from airflow_provider_tuya_ota.rollout.wave.approval import BY_UNDECIDED
from airflow_provider_tuya_ota.rollout.wave.decision import AskApproval, Halt, Hold, StartPulse, Wait
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
    assert kinds(turn) == ["VerdictChanged", "PhaseChanged", "ApprovalRequested"]
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
    assert kinds(turn) == ["ApprovalGiven", "PhaseChanged", "PulseBegun"]
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


@pytest.mark.parametrize(
    ("shown", "now", "why"),
    [
        (verdict(Decision.PROMOTE), verdict(Decision.HOLD), "the gate said promote, and now says hold"),
        (verdict(Decision.PROMOTE), verdict(Decision.UNDECIDED), "the gate said promote, and now says undecided"),
        (verdict(failed=1), verdict(failed=2), "1 had failed, and now 2 have"),
        (
            verdict(Decision.PROMOTE, strata=[stratum("west", Decision.HOLD)]),
            verdict(
                Decision.PROMOTE, strata=[stratum("north", Decision.HALT), stratum("west", Decision.HOLD)], failed=3
            ),
            "north became worse",
        ),
    ],
)
@pytest.mark.parametrize("was_approved", [False, True])
def test_an_approval_lapses_when_the_evidence_gets_worse(shown: Any, now: Any, why: str, was_approved: bool) -> None:
    state = asked(shown)
    if was_approved:
        given = situation(SOON, shown, answer=answer(state), control=HELD)
        state = take_turn(state, WHERE, given).state
        assert state.approval is not None

    turn = take_turn(state, WHERE, situation(later(minutes=20), now, answer=None if was_approved else answer(state)))

    lapsed = next(event for event in turn.events if type(event).__name__ == "ApprovalLapsed")
    assert lapsed.why == why
    assert ("the approval of" in str(lapsed)) == was_approved
    assert turn.state.approval is None
    assert not isinstance(turn.decision, StartPulse)
    if now.decision is not Decision.HOLD:
        assert isinstance(turn.decision, AskApproval)
        assert turn.decision.request.number == 2


@pytest.mark.parametrize(
    ("shown", "now"),
    [
        (verdict(Decision.PROMOTE), verdict(Decision.PROMOTE, failed=3)),
        (verdict(failed=3), verdict(failed=3)),
        (verdict(failed=3), verdict(Decision.PROMOTE, failed=3)),
        (verdict(strata=[stratum("north", Decision.HOLD)]), verdict(strata=[stratum("north", Decision.HOLD)])),
    ],
)
def test_an_approval_stays_while_the_evidence_is_no_worse(shown: Any, now: Any) -> None:
    state = asked(shown)

    turn = take_turn(state, WHERE, situation(SOON, now, answer=answer(state)))

    assert turn.state.approval is not None


def test_an_approval_lapses_while_the_window_is_closed_and_the_wave_asks_again() -> None:
    where = terms(approve=["10%"], window="Mon-Thu 09:00-16:00 Europe/Berlin")
    night = later(hours=12)
    state = take_turn(begun(where), where, situation(night, verdict(Decision.PROMOTE))).state
    given = answer(state, at=night)

    waits = take_turn(state, where, situation(night, verdict(Decision.PROMOTE), answer=given))
    lapses = take_turn(waits.state, where, situation(later(hours=13), verdict(), answer=given))

    assert isinstance(waits.decision, Wait)
    assert waits.state.phase is WavePhase.RAMPING
    assert kinds(lapses) == ["VerdictChanged", "ApprovalLapsed", "PhaseChanged", "ApprovalRequested"]
    assert lapses.state.phase is WavePhase.AWAITING_APPROVAL


def test_without_a_verdict_nothing_lapses_and_an_answer_is_kept() -> None:
    state = asked()

    turn = take_turn(state, WHERE, situation(SOON, verdict=None, answer=answer(state)))

    assert turn.state.approval is not None
    assert isinstance(turn.decision, Hold)


def test_an_approval_does_not_lapse_once_the_wave_has_begun() -> None:
    state = asked(verdict(Decision.PROMOTE))
    state = take_turn(state, WHERE, situation(SOON, verdict(Decision.PROMOTE), answer=answer(state))).state

    turn = take_turn(state, WHERE, situation(later(minutes=20), verdict(Decision.HOLD)))

    assert turn.state.approval is not None
    assert kinds(turn) == ["VerdictChanged"]


def test_a_timeout_asks_again_with_today_s_evidence_and_never_approves() -> None:
    state = asked()

    in_time = take_turn(state, WHERE, situation(later(days=1)))
    late = take_turn(state, WHERE, situation(later(days=1, seconds=1), verdict(started=9)))

    assert not in_time.events
    assert kinds(late) == ["ApprovalTimedOut", "ApprovalRequested"]
    assert isinstance(late.decision, AskApproval)
    assert late.decision.request.number == 2
    assert late.decision.request.answer_by == later(days=2, seconds=1)
    assert late.decision.request.digest != state.request.digest  # type: ignore[union-attr]  # it was asked


def test_an_answer_in_time_counts_although_it_is_read_late() -> None:
    state = asked()

    in_time = take_turn(state, WHERE, situation(later(days=2), answer=answer(state, at=later(days=1))))
    late = take_turn(state, WHERE, situation(later(days=2), answer=answer(state, at=later(days=1, seconds=1))))

    assert isinstance(in_time.decision, StartPulse)
    assert isinstance(late.decision, AskApproval)


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
