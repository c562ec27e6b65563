from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_tuya_ota.rollout.gate.decision import Decision
from airflow_provider_tuya_ota.rollout.wave.decision import AskApproval, Hold, StartPulse, Wait
from airflow_provider_tuya_ota.rollout.wave.phase import WavePhase
from airflow_provider_tuya_ota.rollout.wave.turn import take_turn
from tests.rollout.wave.small import (
    HELD,
    answer,
    begun,
    kinds,
    later,
    situation,
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
    assert kinds(lapses) == ["GateJudged", "ApprovalLapsed", "PhaseChanged", "ApprovalRequested"]
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
    assert kinds(turn) == ["GateJudged"]


def test_a_timeout_asks_again_with_today_s_evidence_and_never_approves() -> None:
    state = asked()

    in_time = take_turn(state, WHERE, situation(later(days=1)))
    late = take_turn(state, WHERE, situation(later(days=1, seconds=1), verdict(started=9)))

    assert not in_time.events
    assert kinds(late) == ["ApprovalTimedOut", "ApprovalRequested"]
    assert str(late.events[0]) == "wave 1: nobody has answered request 1"
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


def test_a_wave_whose_promotion_the_gate_has_taken_back_asks_a_person() -> None:
    state = replace(begun(terms(2)), phase=WavePhase.RAMPING)

    promoted = take_turn(state, terms(2), situation(said=verdict(Decision.PROMOTE)))
    observed = take_turn(state, terms(2), situation(said=verdict(is_binding=False)))
    undecided = take_turn(state, terms(2), situation(said=verdict()))
    approved = take_turn(
        undecided.state, terms(2), situation(SOON, verdict(), answer=answer(undecided.state), control=HELD)
    )
    later_on = take_turn(approved.state, terms(2), situation(later(minutes=20), verdict()))

    assert isinstance(promoted.decision, StartPulse)
    assert isinstance(observed.decision, StartPulse)
    assert isinstance(undecided.decision, AskApproval)
    assert json.loads(undecided.decision.request.shown)["because"] == "the gate promotes the wave before no longer"
    assert isinstance(later_on.decision, StartPulse)
