"""One turn of a wave: from its state and what is known now to its next state, what is to be done, and what changed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from airflow_provider_tuya_ota.core.errors import ConfigurationError
from airflow_provider_tuya_ota.rollout.control.release_control import ControlState
from airflow_provider_tuya_ota.rollout.gate.decision import Decision
from airflow_provider_tuya_ota.rollout.wave.approval import BY_PLAN, BY_UNDECIDED
from airflow_provider_tuya_ota.rollout.wave.approval_step import follow_approval
from airflow_provider_tuya_ota.rollout.wave.change import Changes
from airflow_provider_tuya_ota.rollout.wave.decision import AskApproval, Halt, Hold, Reconcile, Wait, WaveOver
from airflow_provider_tuya_ota.rollout.wave.events import GateJudged, ReleaseHalted, StrataHeld, WaveAdvanced
from airflow_provider_tuya_ota.rollout.wave.hold import end_hold, find_hold
from airflow_provider_tuya_ota.rollout.wave.marks import AdvanceMark, HaltCause, HaltMark
from airflow_provider_tuya_ota.rollout.wave.phase import WaveOutcome, WavePhase
from airflow_provider_tuya_ota.rollout.wave.ramp import Ramp
from airflow_provider_tuya_ota.rollout.wave.state import WaveState

if TYPE_CHECKING:
    from datetime import datetime

    from airflow_provider_tuya_ota.rollout.wave.decision import WaveDecision
    from airflow_provider_tuya_ota.rollout.wave.events import Event
    from airflow_provider_tuya_ota.rollout.wave.marks import ApprovalRequest
    from airflow_provider_tuya_ota.rollout.wave.situation import Situation
    from airflow_provider_tuya_ota.rollout.wave.terms import WaveTerms

NOT_KNOWN = "not known"


@dataclass(frozen=True, slots=True)
class Turn:
    """What one turn gives.

    :param state: to be stored before anything is done.
    :param decision: what is to be done.
    :param events: what has changed; none where the state need not be stored.
    """

    state: WaveState
    decision: WaveDecision
    events: tuple[Event, ...] = ()

    @property
    def is_quiet(self) -> bool:
        """Whether there is nothing to store, and nothing to do but to poll on with the old state."""
        return not self.events and isinstance(self.decision, Wait | Hold | AskApproval)


def begin_wave(terms: WaveTerms, *, at: datetime, previous: WaveState | None = None, events: int = 0) -> WaveState:
    """Give the state of a wave that has not begun.

    :param previous: the state of the wave before; None for the first wave.
    :param events: how many events the release has had before its first wave.
    :raises ConfigurationError: the wave before is not over, or is another one.
    """
    number = terms.wave.number
    because = BY_PLAN if terms.wave.needs_approval else ""
    if previous is None:
        if number != 1:
            raise ConfigurationError(f"wave {number} cannot begin without the state of wave {number - 1}.")
        return WaveState(wave=1, phase=WavePhase.PLANNED, at=at, asks_because=because, events=events)
    if previous.phase is not WavePhase.OVER or previous.wave != number - 1:
        where = f"wave {previous.wave} is {previous.phase}"
        raise ConfigurationError(f"wave {number} cannot begin: {where}, and wave {number - 1} has to be over.")
    if previous.outcome is WaveOutcome.UNDECIDED:
        because = because or BY_UNDECIDED
    return WaveState(
        wave=number,
        phase=WavePhase.PLANNED,
        at=max(at, previous.at),
        asks_because=because,
        approved_before=_without_text(previous.request) if previous.approval else previous.approved_before,
        rounds=previous.rounds,
        judged_wave=previous.judged_wave,
        decision=previous.decision,
        held_strata=previous.held_strata,
        advance=previous.advance,
        missing=previous.missing,
        events=previous.events,
    )


def _without_text(request: ApprovalRequest | None) -> ApprovalRequest | None:
    return request and replace(request, shown="")


def decide(state: WaveState, terms: WaveTerms, situation: Situation) -> WaveDecision:
    """Say what is to be done, without the state and the events that belong to it."""
    return take_turn(state, terms, situation).decision


def take_turn(state: WaveState, terms: WaveTerms, situation: Situation) -> Turn:
    """Decide, and give the state and the events that the decision needs.

    In this order: a halt, a comparison with the platform after a time without polls, a hold, the next pulse, the soak,
    the verdict. A state that was halted stays halted.

    :raises ConfigurationError: terms or verdict are those of another wave.
    """
    if state.wave != terms.wave.number:
        raise ConfigurationError(f"the state is of wave {state.wave}, and the terms are of wave {terms.wave.number}.")
    if state.halt is not None:
        return Turn(state, Halt(mark=state.halt, in_doubt=state.starting))
    changes = Changes(state, situation.now)
    has_lost_evidence = _take_verdict(changes, situation)
    rejection = follow_approval(changes, terms, situation)
    mark = _halt_by_note(changes, situation) or rejection or _halt_by_gate(changes, situation)
    decision = _halted(changes, mark) if mark else _unhalted(changes, terms, situation, has_lost_evidence)
    return Turn(changes.state, decision, tuple(changes.events))


def _unhalted(changes: Changes, terms: WaveTerms, situation: Situation, has_lost_evidence: bool) -> WaveDecision:  # noqa: FBT001 - what the turn has found
    state = changes.state
    if state.outcome is not None:
        return WaveOver(outcome=state.outcome)
    if (reconcile := _reconcile(state, terms, situation, has_lost_evidence)) is not None:
        return reconcile
    if (held := find_hold(changes, terms, situation)) is not None:
        return held
    _take_advance(changes, situation)
    decision = Ramp(changes, terms, situation).go_on()
    if not isinstance(decision, Hold):
        end_hold(changes, situation.control)
    return decision


def _take_verdict(changes: Changes, situation: Situation) -> bool:
    """Take in the verdict; tell whether it has less evidence than the one before."""
    verdict, state = situation.verdict, changes.state
    if verdict is None:
        return False
    if verdict.occasion.wave != state.wave_to_judge:
        raise ConfigurationError(
            f"the verdict is about wave {verdict.occasion.wave}, and wave {state.wave_to_judge} is to be judged."
        )
    if verdict.occasion.rounds < state.rounds:
        return True
    if (verdict.decision, verdict.occasion.wave) != (state.decision, state.judged_wave):
        changes.emit(GateJudged, why=verdict.reason, verdict=verdict)
    changes.set(rounds=verdict.occasion.rounds, judged_wave=verdict.occasion.wave, decision=verdict.decision)
    new = set(verdict.held_strata).difference(state.held_strata) if verdict.is_binding else set()
    if new:
        reasons = "; ".join(f"{one.name}: {one.reason}" for one in verdict.strata if one.name in new)
        changes.emit(StrataHeld, why=reasons, strata=tuple(sorted(new)))
        changes.set(held_strata=tuple(sorted({*state.held_strata, *new})))
    return False


def _halt_by_note(changes: Changes, situation: Situation) -> HaltMark | None:
    control = situation.control
    if control is None or control.state is not ControlState.HALT:
        return None
    who, why = control.who or NOT_KNOWN, control.why or NOT_KNOWN
    return HaltMark(cause=HaltCause.PERSON, who=who, why=why, at=changes.now)


def _halt_by_gate(changes: Changes, situation: Situation) -> HaltMark | None:
    verdict = situation.verdict
    if verdict is None or not verdict.is_binding or verdict.decision is not Decision.HALT:
        return None
    prefix = verdict.prefix
    return HaltMark(
        cause=HaltCause.GATE,
        why=verdict.reason,
        at=changes.now,
        devices=prefix.devices if prefix else None,
        failures=prefix.failures if prefix else None,
    )


def _halted(changes: Changes, mark: HaltMark) -> Halt:
    changes.emit(
        ReleaseHalted,
        who=mark.who,
        why=mark.why,
        cause=mark.cause,
        devices=mark.devices,
        failures=mark.failures,
    )
    changes.move(WavePhase.HALTED, mark.why)
    changes.set(halt=mark)
    return Halt(mark=mark, in_doubt=changes.state.starting)


def _reconcile(
    state: WaveState,
    terms: WaveTerms,
    situation: Situation,
    has_lost_evidence: bool,  # noqa: FBT001 - as above
) -> Reconcile | None:
    if state.starting is not None:
        why = f"pulse {state.starting.pulse} was begun, and nobody has reported which of its jobs exist"
        return Reconcile(since=state.starting.at, why=why, pulse=state.starting)
    if has_lost_evidence:
        why = f"the gate was given less than the {state.rounds:,} rounds of evidence that there were before"
        return Reconcile(since=state.at, why=why)
    watched = situation.watched_until or state.at
    # What was missing is looked for again, however closely the wave is polled.
    seen = state.at if state.missing else max(state.at, watched)
    if situation.verdict is None or situation.now - seen <= terms.reconcile_after:
        return None
    return Reconcile(since=seen, why=state.missing or f"nobody has polled since {seen:%Y-%m-%d %H:%M %Z}")


def _take_advance(changes: Changes, situation: Situation) -> None:
    control, state = situation.control, changes.state
    request = control.advance if control is not None and control.state is ControlState.RUN else None
    if request is None or request.wave != state.wave or request.seq <= state.advance.seq:
        return
    changes.emit(WaveAdvanced, who=request.reason.who, why=request.reason.why, seq=request.seq)
    changes.set(advance=AdvanceMark(seq=request.seq, wave=state.wave, pulse=state.pulse))
