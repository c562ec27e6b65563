"""What a wave that is neither halted nor held does next: ask, start a pulse, soak, or end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_tuya_ota.rollout.gate.decision import Cause, Decision
from airflow_provider_tuya_ota.rollout.wave.approval import BY_CHANGE
from airflow_provider_tuya_ota.rollout.wave.approval_step import ask
from airflow_provider_tuya_ota.rollout.wave.decision import StartPulse, Wait, WaitCause, WaveOver
from airflow_provider_tuya_ota.rollout.wave.events import GateJudged, PulseBegun, WaveEnded
from airflow_provider_tuya_ota.rollout.wave.hold import hold
from airflow_provider_tuya_ota.rollout.wave.marks import HoldCause
from airflow_provider_tuya_ota.rollout.wave.phase import WaveOutcome, WavePhase
from airflow_provider_tuya_ota.rollout.wave.state import PulseStart

if TYPE_CHECKING:
    from datetime import datetime

    from airflow_provider_tuya_ota.rollout.control.release_control import ReleaseControl
    from airflow_provider_tuya_ota.rollout.gate.verdict import GateVerdict
    from airflow_provider_tuya_ota.rollout.wave.change import Changes
    from airflow_provider_tuya_ota.rollout.wave.decision import WaveDecision
    from airflow_provider_tuya_ota.rollout.wave.situation import Situation, WaveProgress
    from airflow_provider_tuya_ota.rollout.wave.terms import WaveTerms


class Ramp:
    """One turn of a wave that may go on.

    :param control: says run.
    """

    def __init__(self, changes: Changes, terms: WaveTerms, situation: Situation) -> None:
        if situation.control is None or situation.verdict is None:
            raise ValueError("a wave goes on only with a control note and a verdict")
        self.changes, self.terms, self.now = changes, terms, situation.now
        self.control: ReleaseControl = situation.control
        self.verdict: GateVerdict = situation.verdict
        self.progress: WaveProgress = situation.progress

    def go_on(self) -> WaveDecision:
        """Give what is to be done; phases that need no time follow each other at once."""
        state = self.changes.state
        if state.phase is WavePhase.PLANNED:
            needs_approval = bool(state.asks_because)
            phase = WavePhase.AWAITING_APPROVAL if needs_approval else WavePhase.RAMPING
            self.changes.move(phase, state.asks_because)
        if self._needs_a_person():
            self.changes.set(asks_because=BY_CHANGE)
            self.changes.move(WavePhase.AWAITING_APPROVAL, BY_CHANGE)
        if self.changes.state.phase is WavePhase.AWAITING_APPROVAL:
            if (given := self.changes.state.approval) is None:
                return ask(self.changes, self.terms, self.verdict)
            self.changes.move(WavePhase.RAMPING, f"approved by {given.who}")
        if self.changes.state.phase is WavePhase.RAMPING:
            if self.changes.state.pulse < self.terms.pulses:
                return self._pulse()
            self.changes.move(WavePhase.SOAKING, "all pulses have started")
        if self.changes.state.phase is WavePhase.SOAKING:
            if (wait := self._soak()) is not None:
                return wait
            self.changes.move(WavePhase.JUDGING, self._why_judged())
        return self._judge()

    def _needs_a_person(self) -> bool:
        """Whether a wave that nobody has approved would begin on a promotion that the gate does not give any more."""
        state, verdict = self.changes.state, self.verdict
        begins = state.phase is WavePhase.RAMPING and state.wave > 1 and not state.has_begun
        is_promoted = verdict.decision is Decision.PROMOTE or not verdict.is_binding
        return begins and state.approval is None and not is_promoted

    @property
    def _is_advanced(self) -> bool:
        state = self.changes.state
        return (state.advance.wave, state.advance.pulse) == (state.wave, state.pulse)

    def _pulse(self) -> WaveDecision:
        state, number = self.changes.state, self.changes.state.pulse + 1
        due = state.next_pulse_at
        if due is not None and due > self.now and not state.job and not self._is_advanced:
            why = f"pulse {number} of {self.terms.pulses} is due at {_time(due)}"
            return Wait(until=due, cause=WaitCause.PACE, why=why)
        opens = self.terms.hours.next_opening(self.now)
        if opens is None:
            return hold(self.changes, self.control, HoldCause.NO_WINDOW, "no window opens within a year")
        if opens > self.now:
            why = f"the window for pulse {number} of {self.terms.pulses} opens at {_time(opens)}"
            return Wait(until=opens, cause=WaitCause.WINDOW, why=why)
        amber = self.verdict.strata if self.verdict.is_binding else ()
        amber = tuple(one for one in amber if one.decision is Decision.HOLD)
        if unclear := [one for one in amber if one.counts.pending]:
            why = "; ".join(f"{one.name}: {one.reason}, {one.counts.pending:,} pending" for one in unclear)
            return hold(self.changes, self.control, HoldCause.STRATUM, why)
        left_out = {*state.held_strata, *(one.name for one in amber)}
        if not self.terms.wave.is_paceable and (left_out or self.control.excluded):
            why = f"{self.terms.wave.text} may take devices that are excluded, or of strata that are held or amber"
            return hold(self.changes, self.control, HoldCause.CHOICE, why)
        return self._start(number, left_out)

    def _start(self, number: int, strata: set[str]) -> StartPulse:
        state, excluded = self.changes.state, frozenset(self.control.excluded)
        devices = sorted(excluded.intersection(self.terms.devices_in(number, state.job))) if excluded else []
        start = PulseStart(
            pulse=number,
            first_job=state.job,
            strata=tuple(sorted(strata)),
            devices=tuple(devices),
            at=self.changes.now,
        )
        if not state.has_begun and not any(isinstance(event, GateJudged) for event in self.changes.events):
            # A record has to show what the gate says of everything until then.
            self.changes.emit(GateJudged, why=self.verdict.reason, verdict=self.verdict)
        self.changes.emit(
            PulseBegun, pulse=start.pulse, first_job=start.first_job, strata=start.strata, devices=start.devices
        )
        self.changes.set(starting=start)
        return StartPulse(start=start)

    def _soak(self) -> Wait | None:
        until = self.changes.state.soak_until
        if until is None or until <= self.now or self._is_advanced:
            return None
        return Wait(until=until, cause=WaitCause.SOAK, why=f"the wave soaks until {_time(until)}")

    def _why_judged(self) -> str:
        until = self.changes.state.soak_until
        return "the soak is over" if until is None or until <= self.now else "the soak was cut short"

    def _judge(self) -> WaveDecision:
        verdict, last = self.verdict, self.changes.state.last_started_at
        if self.terms.is_last and (wait := self._devices()) is not None:
            return wait
        if not verdict.is_binding and self.progress.unfinished + self.progress.ended:
            return self._over(WaveOutcome.OBSERVED, "the soak is over, and the gate only observes")
        if verdict.decision is Decision.PROMOTE:
            return self._over(WaveOutcome.PROMOTED, verdict.reason)
        if verdict.cause is Cause.SOAK and last is not None:
            return Wait(until=last + self.terms.min_soak, cause=WaitCause.SOAK, why=verdict.reason)
        return self._devices() or self._over(WaveOutcome.UNDECIDED, verdict.reason)

    def _devices(self) -> Wait | None:
        """Wait for devices whose outcome may still come; None where nothing more is to be expected."""
        until, progress = self.changes.state.evidence_until, self.progress
        in_time = until is not None and until > self.now
        may_come = progress.unfinished > 0 or progress.waiting is None or progress.waiting > 0
        if in_time and may_come:
            why = f"{self.verdict.reason}; devices are waited for until {_time(until)}"
            return Wait(until=until, cause=WaitCause.EVIDENCE, why=why)
        if self.terms.is_last and progress.unfinished:
            why = f"{progress.unfinished:,} devices have begun late and not ended"
            return Wait(until=None, cause=WaitCause.EVIDENCE, why=why)
        return None

    def _over(self, outcome: WaveOutcome, why: str) -> WaveOver:
        self.changes.emit(WaveEnded, why=why, outcome=outcome)
        self.changes.move(WavePhase.OVER, why)
        self.changes.set(outcome=outcome)
        return WaveOver(outcome=outcome)


def _time(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M %Z}" if moment else "an unknown time"
