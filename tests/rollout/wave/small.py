"""Small waves, verdicts and situations for tests."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from airflow_provider_tuya_ota.rollout.control.release_control import ControlState
from airflow_provider_tuya_ota.rollout.gate.decision import Cause, Decision
from airflow_provider_tuya_ota.rollout.gate.gate import Gate
from airflow_provider_tuya_ota.rollout.gate.series import Prefix
from airflow_provider_tuya_ota.rollout.gate.verdict import GateVerdict, Occasion, OutcomeCounts, StratumVerdict
from airflow_provider_tuya_ota.rollout.plan.build import plan_release
from airflow_provider_tuya_ota.rollout.plan.pace import Pace
from airflow_provider_tuya_ota.rollout.wave.pulse import pulse_started
from airflow_provider_tuya_ota.rollout.wave.situation import Answer, Situation, WaveProgress
from airflow_provider_tuya_ota.rollout.wave.terms import WaveTerms
from airflow_provider_tuya_ota.rollout.wave.turn import Turn, begin_wave, take_turn
from tests.rollout.plan.small import cohort, schedule
from tests.rollout.wave.world import advance_of, note

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow_provider_tuya_ota.rollout.control.release_control import ReleaseControl
    from airflow_provider_tuya_ota.rollout.plan.release_plan import ReleasePlan
    from airflow_provider_tuya_ota.rollout.wave.events import Event
    from airflow_provider_tuya_ota.rollout.wave.state import WaveState

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
HELD = note(ControlState.HOLD, who="ada", why="a customer has called", at=NOW)
HALTED = note(ControlState.HALT, who="ada", why="smoke", at=NOW)


def later(**passed: float) -> datetime:
    return NOW + timedelta(**passed)


def plan(devices: int = 300, gate: Gate | None = None, **changes: Any) -> ReleasePlan:
    """Build a plan: 10 % are 30 devices in two pulses of two jobs and one."""
    course = {
        "waves": ["10%", "50%", "rest"],
        "pace": Pace(first=20, every="1h"),
        "soak": "4h",
        "devices_per_job": 10,
    }
    made = gate or Gate(ceiling="5%", silent_after="6h")
    return plan_release("release-1", cohort(devices), schedule(**(course | changes)), made)


def terms(wave: int = 1, *, gate: Gate | None = None, triggered_by: str = "zoe", **changes: Any) -> WaveTerms:
    return WaveTerms.of(plan(gate=gate, **changes), wave, triggered_by=triggered_by)


def verdict(
    decision: Decision = Decision.UNDECIDED,
    *,
    wave: int = 1,
    rounds: int = 0,
    cause: Cause = Cause.EVIDENCE,
    started: int = 0,
    failed: int = 0,
    strata: Sequence[StratumVerdict] = (),
    is_binding: bool = True,
) -> GateVerdict:
    return GateVerdict(
        decision=decision,
        cause=cause,
        reason=f"{decision} for a test",
        counts=OutcomeCounts(started=started, failed=failed, pending=started - failed),
        occasion=Occasion(wave=wave, rounds=rounds, now=NOW),
        prefix=Prefix(devices=9, failures=4) if decision is Decision.HALT else None,
        strata=tuple(strata),
        is_binding=is_binding,
    )


def stratum(name: str, decision: Decision, pending: int = 0) -> StratumVerdict:
    counts = OutcomeCounts(started=pending, pending=pending)
    return StratumVerdict(name=name, decision=decision, reason=f"{name} is {decision}", counts=counts)


def situation(now: datetime = NOW, said: GateVerdict | None = None, **changes: Any) -> Situation:
    """Build a situation in which everything is fine and polled without a gap."""
    given = said or verdict()
    given = replace(given, occasion=replace(given.occasion, now=now))
    values: dict[str, Any] = {"control": note(), "watched_until": now, "verdict": given}
    return Situation(now=now, **(values | changes))


def waiting(number: int | None, unfinished: int = 0, ended: int = 0) -> WaveProgress:
    return WaveProgress(waiting=number, unfinished=unfinished, ended=ended)


def advance(seq: int = 2, wave: int = 1) -> ReleaseControl:
    return note(advance=advance_of(seq, wave))


def answer(state: WaveState, **changes: Any) -> Answer:
    assert state.request is not None
    values: dict[str, Any] = {
        "wave": state.wave,
        "request": state.request.number,
        "digest": state.request.digest,
        "approves": True,
        "who": "grace",
        "why": "looks good",
        "at": later(minutes=5),
    }
    return Answer(**(values | changes))


def begun(where: WaveTerms) -> WaveState:
    """Give a wave before its first turn; of a later wave, after one that was promoted."""
    state = begin_wave(where, at=NOW) if where.wave.number == 1 else None
    return state or replace(begin_wave(terms(), at=NOW), wave=where.wave.number)


def start_pulse(state: WaveState, where: WaveTerms, now: datetime = NOW, **changes: Any) -> WaveState:
    """Take the turn that starts a pulse, and report all of its jobs."""
    turn = take_turn(state, where, situation(now, **changes))
    assert turn.state.starting is not None, str(turn.decision)
    start = turn.state.starting
    jobs = where.jobs_in(start.pulse) - start.first_job
    return pulse_started(turn.state, where, jobs=jobs, devices=jobs, at=now).state


def ramped(where: WaveTerms) -> WaveState:
    """Give a wave whose pulses have all started, the last one at :func:`ramp_end`."""
    state = begun(where)
    for number in range(where.pulses):
        state = start_pulse(state, where, later(hours=number))
    return state


def kinds(events: Sequence[Event] | Turn) -> list[str]:
    found = events.events if isinstance(events, Turn) else events
    return [type(event).__name__ for event in found]
