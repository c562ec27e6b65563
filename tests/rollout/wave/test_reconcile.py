from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from airflow_provider_tuya_ota.core.errors import ConfigurationError
from airflow_provider_tuya_ota.rollout.wave.decision import Hold, Reconcile, StartPulse, Wait
from airflow_provider_tuya_ota.rollout.wave.marks import HoldCause
from airflow_provider_tuya_ota.rollout.wave.reconcile import Found, outcomes_since, reconciled
from airflow_provider_tuya_ota.rollout.wave.turn import decide, take_turn
from tests.rollout.gate.fleet import after, evidence_of, places, record, tasks
from tests.rollout.wave.small import begun, kinds, later, ramped, situation, start_pulse, terms

if TYPE_CHECKING:
    from airflow_provider_tuya_ota.rollout.wave.state import WaveState

WHERE = terms()
DAYS_LATER = later(days=4)


def decision_of(state: WaveState, **passed: float) -> Reconcile:
    decision = decide(state, WHERE, situation(later(**passed), watched_until=None))
    assert isinstance(decision, Reconcile)
    return decision


def test_a_wave_that_goes_on_after_days_says_what_has_changed() -> None:
    state = take_turn(ramped(WHERE), WHERE, situation(later(hours=2))).state
    found = Found(outcomes={"succeeded": 28, "flash": 1})

    changed = reconciled(state, WHERE, decision_of(state, days=4), found, at=DAYS_LATER)

    assert [str(event) for event in changed.events] == [
        "wave 1: since 2026-03-02 11:00 UTC, 28 succeeded, 1 flash: nobody has polled since 2026-03-02 11:00 UTC"
    ]
    assert changed.state.soak_until == state.soak_until
    assert not isinstance(decide(changed.state, WHERE, situation(DAYS_LATER, watched_until=None)), Reconcile)


def test_nothing_new_is_said_too() -> None:
    state = ramped(WHERE)

    changed = reconciled(state, WHERE, decision_of(state, days=4), Found(), at=DAYS_LATER)

    assert "no outcome" in str(changed.events[0])


@pytest.mark.parametrize(
    ("found", "why"),
    [
        (Found(has_firmware=False), "the firmware is not on the platform any more"),
        (Found(missing_jobs=list("abcdefg")), "7 jobs are not on the platform any more: a, b, c, d, e"),
        (
            Found(missing_jobs=["a"], has_firmware=False),
            "the firmware is not on the platform any more; 1 jobs are not on the platform any more: a",
        ),
    ],
)
def test_what_is_missing_holds_until_it_is_found(found: Found, why: str) -> None:
    state = start_pulse(begun(WHERE), WHERE)

    lost = reconciled(state, WHERE, decision_of(state, days=4), found, at=DAYS_LATER).state
    held = take_turn(lost, WHERE, situation(DAYS_LATER))
    asked_again = decide(held.state, WHERE, situation(later(days=4, hours=2)))
    assert isinstance(asked_again, Reconcile)
    there = reconciled(held.state, WHERE, asked_again, Found(), at=later(days=4, hours=2)).state

    assert isinstance(held.decision, Hold)
    assert held.decision.mark.cause is HoldCause.LOST
    assert held.decision.why == why
    assert isinstance(decide(there, WHERE, situation(later(days=4, hours=2))), StartPulse)


def test_while_the_platform_is_away_nobody_can_compare() -> None:
    decision = decide(ramped(WHERE), WHERE, situation(DAYS_LATER, verdict=None, watched_until=None))

    assert isinstance(decision, Hold)
    assert decision.mark.cause is HoldCause.PLATFORM


@pytest.mark.parametrize("jobs", [0, 1, 2])
def test_a_pulse_in_doubt_goes_on_from_the_jobs_that_exist(jobs: int) -> None:
    turn = take_turn(begun(WHERE), WHERE, situation())
    decision = decide(turn.state, WHERE, situation(later(minutes=9)))
    assert isinstance(decision, Reconcile)

    found = Found(jobs=jobs, devices=10 * jobs, created_at=later(minutes=1))
    changed = reconciled(turn.state, WHERE, decision, found, at=later(minutes=9))
    following = decide(changed.state, WHERE, situation(later(minutes=9)))

    assert kinds(changed.events) == ["PulseStarted", "Reconciled"]
    assert [event.number for event in changed.events] == [turn.state.events + 1, turn.state.events + 2]
    assert changed.state.last_started_at == (later(minutes=1) if jobs else None)
    if jobs == 2:
        assert isinstance(following, Wait)
        assert following.until == later(hours=1, minutes=1)
    else:
        assert isinstance(following, StartPulse)
        assert following.start.first_job == jobs


def test_jobs_whose_time_is_not_known_were_created_now() -> None:
    turn = take_turn(begun(WHERE), WHERE, situation())
    decision = decide(turn.state, WHERE, situation(later(minutes=9)))
    assert isinstance(decision, Reconcile)

    changed = reconciled(turn.state, WHERE, decision, Found(jobs=2, devices=20), at=later(minutes=9))

    assert changed.state.last_started_at == later(minutes=9)


def test_a_report_about_another_pulse_is_refused() -> None:
    turn = take_turn(begun(WHERE), WHERE, situation())
    decision = decide(turn.state, WHERE, situation(later(minutes=9)))
    assert isinstance(decision, Reconcile)

    with pytest.raises(ConfigurationError, match="about another pulse than the state"):
        reconciled(turn.state, WHERE, replace(decision, pulse=None), Found(), at=later(minutes=9))


def test_outcomes_since_a_round_are_counted_by_kind() -> None:
    evidence = evidence_of("SPPG")
    where = places(4)
    record(evidence, tasks("PFS", first=1), where, after(hours=1))
    record(evidence, tasks("S", first=3), where, after(hours=2))

    assert outcomes_since(evidence, 0) == {"succeeded": 2, "flash": 1}
    assert outcomes_since(evidence, 1) == {"succeeded": 1, "flash": 1}
    assert outcomes_since(evidence, 2) == {}
