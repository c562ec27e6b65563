"""The course of a whole release: upload and verification, one wave after the other, and how it ends."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from airflow_provider_tuya_ota.core.errors import ConfigurationError
from airflow_provider_tuya_ota.core.texts import bounded_line
from airflow_provider_tuya_ota.rollout.control.release_control import ControlState
from airflow_provider_tuya_ota.rollout.wave.decision import Halt, Hold, WaveDecision, WaveOver
from airflow_provider_tuya_ota.rollout.wave.events import HoldEnded, PhaseChanged, ReleaseHalted, WaveHeld
from airflow_provider_tuya_ota.rollout.wave.marks import (
    LONGEST_WHO,
    LONGEST_WHY,
    HaltCause,
    HaltMark,
    HoldCause,
    HoldMark,
)
from airflow_provider_tuya_ota.rollout.wave.phase import ReleasePhase, require_release_step
from airflow_provider_tuya_ota.rollout.wave.turn import NOT_KNOWN, begin_wave, take_turn

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from airflow_provider_tuya_ota.rollout.control.release_control import ReleaseControl
    from airflow_provider_tuya_ota.rollout.wave.change import Changed
    from airflow_provider_tuya_ota.rollout.wave.events import Event
    from airflow_provider_tuya_ota.rollout.wave.release_state import ReleaseState
    from airflow_provider_tuya_ota.rollout.wave.situation import Situation
    from airflow_provider_tuya_ota.rollout.wave.terms import WaveTerms

_BEFORE_WAVES: Final = (ReleasePhase.PLANNED, ReleasePhase.UPLOADING, ReleasePhase.VERIFYING)
_ENDS: Final = (ReleasePhase.RECORDED, ReleasePhase.HALTED)
_NEXT: Final = {
    ReleasePhase.UPLOADING: ReleasePhase.VERIFYING,
    ReleasePhase.VERIFYING: ReleasePhase.WAVES,
    ReleasePhase.LANDED_CHECK: ReleasePhase.RECORDED,
    ReleasePhase.HALTING: ReleasePhase.SETTLING,
    ReleasePhase.SETTLING: ReleasePhase.HALTED,
}
"""The phases whose end is reported, with the one that follows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DoPhase:
    """Do the work of a phase, or go on with it, and report its end.

    :param phase: which one.
    :param halt: for a phase of a halted release, what has halted it. A pulse that was being started is in the state of
        the wave; its jobs are cancelled too.
    """

    phase: ReleasePhase
    halt: HaltMark | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseOver:
    """The release has ended.

    :param phase: recorded or halted.
    :param halt: what has halted it.
    """

    phase: ReleasePhase
    halt: HaltMark | None = None


ReleaseDecision: TypeAlias = DoPhase | ReleaseOver | WaveDecision


@dataclass(frozen=True, slots=True)
class ReleaseTurn:
    """What one turn of a release gives.

    :param state: to be stored before anything is done.
    :param decision: what is to be done; in the waves, that of the wave.
    :param events: what has changed.
    """

    state: ReleaseState
    decision: ReleaseDecision
    events: tuple[Event, ...] = ()


def take_release_turn(state: ReleaseState, waves: Sequence[WaveTerms], situation: Situation) -> ReleaseTurn:
    """Decide what a release does now. A halt outranks everything, and only two phases end a release.

    :param waves: the terms of all waves, in their order.
    :param situation: in the waves, of the wave that is under way.
    """
    course = _Course(state, situation.now)
    return ReleaseTurn(*course.decide(waves, situation), tuple(course.events))


def phase_done(state: ReleaseState, phase: ReleasePhase, *, at: datetime, why: str = "") -> ReleaseTurn:
    """Report that the work of a phase is done, and give the state to store.

    :param phase: uploading, verifying, landed check, halting or settling; the waves end by themselves.
    :raises ConfigurationError: the release is in another phase.
    """
    if state.phase is not phase or phase not in _NEXT:
        raise ConfigurationError(f"release: the phase {phase} cannot be reported as done, it is {state.phase}.")
    course = _Course(state, at)
    course.move(_NEXT[phase], why)
    after = course.state.phase
    decision = ReleaseOver(phase=after, halt=state.halt) if after in _ENDS else DoPhase(phase=after, halt=state.halt)
    return ReleaseTurn(course.state, decision, tuple(course.events))


def wave_reported(state: ReleaseState, changed: Changed) -> ReleaseState:
    """Give the state of the release after something was reported about the wave that is under way.

    :param changed: what the report gave.
    :raises ConfigurationError: no wave is under way, or another one.
    """
    wave = changed.state
    if state.current is None or state.current.wave != wave.wave:
        raise ConfigurationError(f"release: wave {wave.wave} is not under way.")
    return replace(state, current=wave, at=max(state.at, wave.at), events=max(state.events, wave.events))


@dataclass(slots=True)
class _Course:
    state: ReleaseState
    now: datetime
    events: list[Event] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.now = max(self.now, self.state.at)

    def decide(self, waves: Sequence[WaveTerms], situation: Situation) -> tuple[ReleaseState, ReleaseDecision]:
        decision = self._decide(waves, situation)
        return self.state, decision

    def _decide(self, waves: Sequence[WaveTerms], situation: Situation) -> ReleaseDecision:
        state, control = self.state, situation.control
        if state.phase in _ENDS:
            return ReleaseOver(phase=state.phase, halt=state.halt)
        if state.halt is not None:
            return DoPhase(phase=state.phase, halt=state.halt)
        if state.phase is ReleasePhase.WAVES:
            return self._wave(waves, situation)
        if control is not None and control.state is ControlState.HALT:
            who, why = control.who or NOT_KNOWN, control.why or NOT_KNOWN
            mark = HaltMark(cause=HaltCause.PERSON, who=who, why=why, at=self.now)
            self._emit(ReleaseHalted, who=who, why=why, cause=mark.cause)
            return self._halt(mark)
        if state.phase in _BEFORE_WAVES and (control is None or control.state is not ControlState.RUN):
            return self._hold(control)
        self._end_hold(control)
        if state.phase is ReleasePhase.PLANNED:
            self.move(ReleasePhase.UPLOADING, "")
        return DoPhase(phase=self.state.phase)

    def _wave(self, waves: Sequence[WaveTerms], situation: Situation) -> ReleaseDecision:
        self._end_hold(situation.control)
        current = self.state.current
        if current is None:
            current = begin_wave(waves[0], at=self.now, events=self.state.events)
        terms = waves[current.wave - 1]
        turn = take_turn(replace(current, events=self.state.events), terms, situation)
        self._take(turn.state, turn.events)
        if isinstance(turn.decision, Halt):
            self._halt(turn.decision.mark)
            return turn.decision
        if not isinstance(turn.decision, WaveOver):
            return turn.decision
        if terms.is_last:
            self.move(ReleasePhase.LANDED_CHECK, f"the last wave is over: {turn.decision.outcome}")
            return DoPhase(phase=ReleasePhase.LANDED_CHECK)
        following = begin_wave(waves[current.wave], at=self.now, previous=turn.state)
        self._take(following, ())
        return self._wave(waves, situation)

    def _take(self, current: Any, events: tuple[Event, ...]) -> None:
        self.events += events
        self.state = replace(self.state, current=current, at=max(self.state.at, current.at), events=current.events)

    def _halt(self, mark: HaltMark) -> DoPhase:
        self.move(ReleasePhase.HALTING, mark.why)
        self.state = replace(self.state, halt=mark, hold=None)
        return DoPhase(phase=ReleasePhase.HALTING, halt=mark)

    def _hold(self, control: ReleaseControl | None) -> Hold:
        who = control.who if control is not None else ""
        why = control.why if control is not None else "the control note could not be read"
        cause = HoldCause.PERSON if who else HoldCause.NO_NOTE
        mark = self.state.hold
        if mark is not None and mark.cause is HoldCause.PERSON and cause is HoldCause.NO_NOTE:
            return Hold(mark=mark, why=f"{mark.why}; {why}")
        if mark is None or (mark.cause, mark.who) != (cause, who):
            self._end_hold(control)
            since = (control.at if control is not None and who else None) or self.now
            mark = HoldMark(cause=cause, who=who, why=why, since=since)
            self._emit(WaveHeld, who=who, why=why, cause=cause)
            self.state = replace(self.state, hold=mark)
        return Hold(mark=mark, why=why)

    def _end_hold(self, control: ReleaseControl | None) -> None:
        mark = self.state.hold
        if mark is None:
            return
        resumed = mark.cause is HoldCause.PERSON and control is not None and control.state is ControlState.RUN
        who, why = (control.who, control.why) if resumed and control is not None else ("", "")
        self._emit(HoldEnded, who=who, why=why, cause=mark.cause, since=mark.since)
        self.state = replace(self.state, hold=None)

    def _emit(self, kind: type[Any], *, who: str = "", why: str = "", **fields: Any) -> None:
        number = self.state.events + 1
        who, why = bounded_line(who, LONGEST_WHO), bounded_line(why, LONGEST_WHY)
        self.events.append(kind(number=number, at=self.now, wave=0, who=who, why=why, **fields))
        self.state = replace(self.state, events=number, at=self.now)

    def move(self, phase: ReleasePhase, why: str) -> None:
        require_release_step(self.state.phase, phase)
        self._emit(PhaseChanged, why=why, before=self.state.phase.value, after=phase.value)
        self.state = replace(self.state, phase=phase)
