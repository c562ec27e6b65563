from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from airflow_provider_tuya_ota.core.errors import ConfigurationError
from airflow_provider_tuya_ota.rollout.control.release_control import ReleaseControl
from airflow_provider_tuya_ota.rollout.gate.decision import Decision
from airflow_provider_tuya_ota.rollout.gate.evidence import Evidence
from airflow_provider_tuya_ota.rollout.gate.outcomes import DeviceOutcome
from airflow_provider_tuya_ota.rollout.wave.decision import StartPulse
from airflow_provider_tuya_ota.rollout.wave.pulse import (
    devices_started,
    devices_to_remove,
    devices_to_start,
    pulse_started,
    reason_to_stop,
)
from airflow_provider_tuya_ota.rollout.wave.situation import WaveProgress, progress_of
from airflow_provider_tuya_ota.rollout.wave.state import PulseStart
from airflow_provider_tuya_ota.rollout.wave.turn import decide, take_turn
from tests.rollout.gate.fleet import evidence_of
from tests.rollout.wave.small import HALTED, HELD, NOW, begun, later, situation, stratum, terms, verdict
from tests.rollout.wave.world import note

WHERE = terms()
JOBS = [job for pulse in WHERE.wave.pulses for job in pulse.jobs]
NORTH = {name: "north" for job in JOBS for name in job[:2]}
START = PulseStart(pulse=1, first_job=0, at=NOW)


def test_each_job_takes_its_planned_devices_without_those_that_are_left_out() -> None:
    excluded = JOBS[1][5]
    start = replace(START, strata=("north",), devices=(excluded,))

    jobs = devices_to_start(WHERE, start, NORTH)

    assert devices_to_start(WHERE, START, NORTH) == (JOBS[0], JOBS[1])
    assert jobs == (JOBS[0][2:], tuple(name for name in JOBS[1][2:] if name != excluded))
    assert devices_to_start(WHERE, replace(START, first_job=1), {}) == (JOBS[1],)


def test_a_wave_of_the_platform_names_no_devices() -> None:
    assert devices_to_start(terms(3, waves=["10%", "50%", "platform ALL"]), START, {}) == ()


def test_times_follow_from_the_last_start_and_are_absolute() -> None:
    turn = take_turn(begun(WHERE), WHERE, situation())

    state = pulse_started(turn.state, WHERE, jobs=2, devices=20, at=later(minutes=3)).state

    assert (state.pulse, state.job, state.starting) == (1, 0, None)
    assert state.last_started_at == later(minutes=3)
    assert state.next_pulse_at == later(hours=1, minutes=3)
    assert state.soak_until == later(hours=4, minutes=3)
    assert state.evidence_until == later(hours=6, minutes=3)
    assert state.left_out == ()


def test_a_start_is_not_earlier_than_its_decision() -> None:
    turn = take_turn(begun(WHERE), WHERE, situation(later(hours=1)))

    assert pulse_started(turn.state, WHERE, jobs=2, devices=20, at=NOW).state.last_started_at == later(hours=1)


def test_a_pulse_that_was_cut_goes_on_with_its_next_job_at_once() -> None:
    turn = take_turn(begun(WHERE), WHERE, situation())
    cut = pulse_started(turn.state, WHERE, jobs=1, devices=10, at=NOW)

    decision = decide(cut.state, WHERE, situation(later(minutes=1), verdict()))
    rest = pulse_started(
        take_turn(cut.state, WHERE, situation(later(minutes=1))).state, WHERE, jobs=1, devices=10, at=later(minutes=1)
    ).state

    assert (cut.state.pulse, cut.state.job) == (0, 1)
    assert [str(event) for event in cut.events] == ["wave 1: 1 jobs of pulse 1 exist, for 10 devices"]
    assert isinstance(decision, StartPulse)
    assert (decision.start.pulse, decision.start.first_job) == (1, 1)
    assert (rest.pulse, rest.job, rest.next_pulse_at) == (1, 0, later(hours=1, minutes=1))


def test_a_pulse_of_which_nothing_was_created_moves_no_time() -> None:
    turn = take_turn(begun(WHERE), WHERE, situation())

    nothing = pulse_started(turn.state, WHERE, jobs=0, devices=0, at=NOW).state
    nobody = pulse_started(turn.state, WHERE, jobs=2, devices=0, at=NOW).state

    assert (nothing.pulse, nothing.has_begun, nothing.soak_until) == (0, False, None)
    assert (nobody.pulse, nobody.next_pulse_at) == (1, None)


def test_what_was_left_out_is_known_after_a_restart() -> None:
    excluded, other = JOBS[0][7], JOBS[2][4]
    red = verdict(strata=[stratum("north", Decision.HALT)])
    state, expected = begun(WHERE), [*(name for name in JOBS[0] if name != excluded)]
    course: list[tuple[Any, ReleaseControl, int, Any]] = [
        (verdict(), note(excluded=(excluded,)), 1, NOW),
        (verdict(), note(), 1, later(minutes=1)),
        (red, note(excluded=(other,)), 1, later(hours=2)),
    ]
    for said, control, jobs, at in course:
        turn = take_turn(state, WHERE, situation(at, said, control=control))
        state = pulse_started(turn.state, WHERE, jobs=jobs, devices=jobs, at=at).state
    expected += [*JOBS[1], *(name for name in JOBS[2][2:] if name != other)]

    again = type(state).from_dict(state.to_dict())

    assert [(one.pulse, one.job) for one in state.left_out] == [(1, 0), (1, 1), (2, 0)]
    assert list(devices_started(WHERE, again, NORTH)) == expected
    assert list(devices_started(WHERE, begun(WHERE), NORTH)) == []


def test_the_same_strata_are_written_down_once() -> None:
    red = verdict(strata=[stratum("north", Decision.HALT)])
    state = begun(WHERE)
    for hours in (0, 1):
        turn = take_turn(state, WHERE, situation(later(hours=hours), red))
        jobs = WHERE.jobs_in(hours + 1)
        state = pulse_started(turn.state, WHERE, jobs=jobs, devices=9, at=later(hours=hours)).state

    assert len(state.left_out) == 1


@pytest.mark.parametrize(
    ("control", "why"),
    [
        (None, "the control note could not be read"),
        (HELD, "held by ada: a customer has called"),
        (HALTED, "halted by ada: smoke"),
        (ReleaseControl.unreadable("is missing"), "held by nobody: the control note is missing"),
        (note(excluded=(JOBS[1][0],)), "a person has excluded devices of this pulse"),
        (note(excluded=(JOBS[0][0],)), ""),
        (note(excluded=(JOBS[2][0],)), ""),
        (note(), ""),
    ],
)
def test_the_note_is_asked_before_each_job(control: ReleaseControl | None, why: str) -> None:
    assert reason_to_stop(WHERE, START, control, job=1, now=NOW) == why


def test_excluded_devices_that_the_pulse_leaves_out_do_not_stop_it() -> None:
    left_out = replace(START, devices=(JOBS[1][0],))

    assert reason_to_stop(WHERE, left_out, note(excluded=(JOBS[1][0],)), job=1, now=NOW) == ""


def test_the_platform_s_own_wave_is_not_created_while_a_device_is_excluded() -> None:
    where = terms(3, waves=["10%", "50%", "platform ALL"])

    assert "the platform chooses those" in reason_to_stop(where, START, note(excluded=("lamp-0001",)), job=0, now=NOW)
    assert reason_to_stop(where, START, note(), job=0, now=NOW) == ""


def test_a_window_that_closes_stops_a_pulse() -> None:
    where = terms(window="Mon-Thu 09:00-16:00 Europe/Berlin")

    assert reason_to_stop(where, START, note(), job=0, now=later(hours=6)) == "the window has closed"
    assert reason_to_stop(where, START, note(), job=0, now=later(hours=5, minutes=59)) == ""


@pytest.mark.parametrize("jobs", [-1, 3])
def test_more_or_fewer_jobs_than_planned_are_refused(jobs: int) -> None:
    turn = take_turn(begun(WHERE), WHERE, situation())

    with pytest.raises(ConfigurationError, match="pulse 1 has fewer than"):
        pulse_started(turn.state, WHERE, jobs=jobs, devices=0, at=NOW)


def test_a_pulse_that_was_not_begun_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="wave 1: no pulse was begun, so none has started"):
        pulse_started(begun(WHERE), WHERE, jobs=1, devices=1, at=NOW)


def test_excluded_devices_that_are_under_way_are_to_be_removed() -> None:
    evidence = evidence_of("PSGF")

    assert devices_to_remove(evidence, ["d00000", "d00001", "d00002", "d00009"]) == ["d00000", "d00002"]
    assert devices_to_remove(evidence, []) == []
    evidence.exclude(["d00000"], DeviceOutcome.REMOVED, {}, now=NOW + timedelta(hours=1))
    assert devices_to_remove(evidence, ["d00000"]) == []


def test_progress_counts_the_devices_that_are_waited_for() -> None:
    evidence = evidence_of("PSGF")
    names = [f"d0000{number}" for number in (0, 1, 2, 5, 6)]

    assert progress_of(evidence, names) == WaveProgress(waiting=2, unfinished=2, ended=1)
    assert progress_of(evidence, None) == WaveProgress(waiting=None, unfinished=2, ended=2)
    assert progress_of(Evidence(), []) == WaveProgress(waiting=0, unfinished=0)
