from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from airflow_provider_tuya_ota.core.errors import ConfigurationError
from airflow_provider_tuya_ota.rollout.gate.decision import Decision
from airflow_provider_tuya_ota.rollout.wave.events import Reconciled, WaveEvent, dump_event, load_event
from airflow_provider_tuya_ota.rollout.wave.marks import Approval, HoldCause, HoldMark
from airflow_provider_tuya_ota.rollout.wave.phase import (
    RELEASE_STEPS,
    WAVE_STEPS,
    ReleasePhase,
    WavePhase,
    require_release_step,
    require_wave_step,
)
from airflow_provider_tuya_ota.rollout.wave.state import LeftOut, PulseStart, WaveState
from airflow_provider_tuya_ota.rollout.wave.turn import take_turn
from tests.rollout.wave.small import (
    HALTED,
    HELD,
    NOW,
    advance,
    answer,
    begun,
    later,
    situation,
    stratum,
    terms,
    verdict,
)

WHERE = terms(approve=["10%"])


def full() -> WaveState:
    """Give a state with as many values as one can have."""
    asked = take_turn(begun(WHERE), WHERE, situation(said=verdict(rounds=3), control=advance())).state
    given = take_turn(asked, WHERE, situation(later(minutes=9), verdict(rounds=3), answer=answer(asked))).state
    held = HoldMark(cause=HoldCause.STRATUM, why="north is amber", since=NOW)
    left_out = (LeftOut(pulse=1, job=0, strata=("north",), devices=("lamp-0001",)),)
    return replace(given, hold=held, left_out=left_out, approved_before=asked.request, soak_until=later(hours=4))


@pytest.mark.parametrize(
    "state",
    [
        begun(terms()),
        full(),
        take_turn(full(), WHERE, situation(later(hours=1), verdict(rounds=3), control=HALTED)).state,
        take_turn(begun(terms()), terms(), situation(control=HELD)).state,
    ],
)
def test_a_state_survives_its_way_through_json(state: WaveState) -> None:
    written = json.dumps(state.to_dict())

    assert WaveState.from_dict(json.loads(written)) == state
    assert len(written) < 4000


@pytest.mark.parametrize("name", full().to_dict())
def test_a_state_without_one_of_its_names_is_refused(name: str) -> None:
    values = full().to_dict()
    del values[name]

    with pytest.raises(ConfigurationError, match="wave state"):
        WaveState.from_dict(values)


WRONG: tuple[Any, ...] = (7.5, [], {"a": 1}, "what")


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        (name, wrong)
        for name, value in full().to_dict().items()
        for wrong in WRONG
        if value is not None and type(wrong) is not type(value)
    ],
)
def test_a_state_with_a_wrong_value_is_refused(name: str, wrong: Any) -> None:
    with pytest.raises(ConfigurationError, match="wave state"):
        WaveState.from_dict(full().to_dict() | {name: wrong})


@pytest.mark.parametrize("values", [None, [], {}, {"version": True}, {"version": 2}, "state"])
def test_what_is_no_state_of_this_version_is_refused(values: Any) -> None:
    with pytest.raises(ConfigurationError, match="only version 1 is known here"):
        WaveState.from_dict(values)


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"another": 1}, "'another' are missing or not known here"),
        ({"phase": "halted"}, "the phase is halted, and it was not halted"),
        ({"phase": "over"}, "it is over without an outcome"),
        ({"pulse": 3}, "pulse 1 is being started, and 3 have started"),
        ({"request": None}, "there is an approval without a request"),
        ({"wave": 0}, "the number of the wave is not above 0"),
        ({"wave": -1}, "wave state.wave"),
        ({"at": "2026-03-02T09:00:00"}, "wave state.at"),
        ({"events": True}, "wave state.events"),
    ],
)
def test_a_state_that_contradicts_itself_is_refused(changes: dict[str, Any], problem: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        WaveState.from_dict(full().to_dict() | changes)

    assert problem in str(caught.value)


def test_a_state_stays_small_with_many_strata() -> None:
    where = terms(approve=["10%"])
    strata = [stratum(f"model {number} / region {number}", Decision.HALT, 9999) for number in range(64)]

    state = take_turn(begun(where), where, situation(said=verdict(started=9999, strata=strata))).state

    assert state.request is not None
    assert 6_000 < len(json.dumps(state.to_dict())) < 8_000
    assert WaveState.from_dict(state.to_dict()) == state


def test_a_state_stays_small_with_thousands_of_pulses() -> None:
    state = replace(full(), pulse=9_000, starting=PulseStart(pulse=9_001, first_job=0, at=NOW))

    assert len(json.dumps(state.to_dict())) < 4000


@pytest.mark.parametrize("phase", WavePhase)
def test_phases_of_a_wave_follow_only_as_the_table_says(phase: WavePhase) -> None:
    for after in WavePhase:
        if after in WAVE_STEPS[phase]:
            require_wave_step(phase, after)
        else:
            with pytest.raises(ConfigurationError, match="may not follow"):
                require_wave_step(phase, after)


@pytest.mark.parametrize("phase", ReleasePhase)
def test_phases_of_a_release_follow_only_as_the_table_says(phase: ReleasePhase) -> None:
    for after in ReleasePhase:
        if after in RELEASE_STEPS[phase]:
            require_release_step(phase, after)
        else:
            with pytest.raises(ConfigurationError, match="may not follow"):
                require_release_step(phase, after)


def test_every_phase_but_the_ends_may_be_halted() -> None:
    assert {phase for phase, after in WAVE_STEPS.items() if WavePhase.HALTED not in after} == {WavePhase.HALTED}
    assert {phase for phase, after in RELEASE_STEPS.items() if not after} == {
        ReleasePhase.RECORDED,
        ReleasePhase.HALTED,
    }


@pytest.mark.parametrize(
    "values", [None, {}, {"kind": "Unknown"}, {"kind": []}, {"kind": "StrataHeld"}, {"kind": "WaveEvent"}]
)
def test_what_is_no_event_is_refused(values: Any) -> None:
    with pytest.raises(ConfigurationError):
        load_event(values)


def test_events_survive_their_way_through_json_and_are_lines() -> None:
    turn = take_turn(full(), WHERE, situation(later(hours=1), verdict(Decision.HALT, rounds=3)))

    for event in turn.events:
        assert load_event(json.loads(json.dumps(dump_event(event)))) == event
    assert [str(event) for event in turn.events] == [
        "wave 1: the gate says halt: halt for a test",
        "wave 1: halted (the gate): halt for a test",
        "wave 1: halted after ramping: halt for a test",
    ]
    lost = Reconciled(number=1, at=NOW, wave=0, since=NOW, missing="the firmware is gone")
    assert str(lost) == "release: since 2026-03-02 09:00 UTC, no outcome; the firmware is gone"
    with pytest.raises(NotImplementedError):
        str(WaveEvent(number=1, at=NOW, wave=1))


def test_a_wave_has_soaked_since_its_last_start_and_not_before_all_have_started() -> None:
    state = replace(full(), last_started_at=NOW)

    assert state.soaked(later(hours=1)) == 0.0
    assert replace(state, phase=WavePhase.SOAKING).soaked(later(hours=1)) == 3600.0
    assert replace(state, phase=WavePhase.JUDGING).soaked(later(hours=-1)) == 0.0
    assert replace(state, phase=WavePhase.OVER, last_started_at=None).soaked(later(hours=1)) == 0.0


def test_marks_cut_texts_that_are_too_long() -> None:
    assert len(Approval(who="g" * 300, why="w" * 3000, at=NOW).who) == 256
