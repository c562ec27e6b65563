"""What holds a wave: a person, a missing note, the gate, or a platform that cannot be asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_tuya_ota.rollout.control.release_control import ControlState
from airflow_provider_tuya_ota.rollout.gate.decision import Decision
from airflow_provider_tuya_ota.rollout.wave.decision import Hold
from airflow_provider_tuya_ota.rollout.wave.events import HoldEnded, WaveHeld
from airflow_provider_tuya_ota.rollout.wave.marks import HoldCause, HoldMark

if TYPE_CHECKING:
    from datetime import datetime

    from airflow_provider_tuya_ota.rollout.control.release_control import ReleaseControl
    from airflow_provider_tuya_ota.rollout.wave.change import Changes
    from airflow_provider_tuya_ota.rollout.wave.situation import Situation
    from airflow_provider_tuya_ota.rollout.wave.terms import WaveTerms


def find_hold(changes: Changes, terms: WaveTerms, situation: Situation) -> Hold | None:
    """Find what holds the wave, whatever its phase is; None where nothing does."""
    verdict, control = situation.verdict, situation.control
    if control is None or control.state is not ControlState.RUN:
        return _hold_by_note(changes, control)
    if changes.state.missing:
        return hold(changes, control, HoldCause.LOST, changes.state.missing)
    if verdict is None:
        return hold(changes, control, HoldCause.PLATFORM, "the release could not be judged")
    judged = verdict.occasion.now
    if situation.now - judged > terms.reconcile_after:
        return hold(changes, control, HoldCause.PLATFORM, f"the last verdict is of {judged:%Y-%m-%d %H:%M %Z}")
    if verdict.is_binding and verdict.decision is Decision.HOLD:
        return hold(changes, control, HoldCause.GATE, verdict.reason)
    return None


def hold(
    changes: Changes,
    control: ReleaseControl | None,
    cause: HoldCause,
    why: str,
    *,
    who: str = "",
    since: datetime | None = None,
) -> Hold:
    """Hold the wave; a hold that goes on keeps its beginning.

    :param since: when it began, where that is known better than by this turn.
    """
    mark = changes.state.hold
    if mark is None or (mark.cause, mark.who) != (cause, who):
        end_hold(changes, control)
        mark = HoldMark(cause=cause, who=who, why=why, since=since or changes.now)
        changes.emit(WaveHeld, who=who, why=why, cause=cause)
        changes.set(hold=mark)
    return Hold(mark=mark, why=why)


def end_hold(changes: Changes, control: ReleaseControl | None) -> None:
    """End what held the wave, if something did."""
    mark = changes.state.hold
    if mark is None:
        return
    resumed = mark.cause is HoldCause.PERSON and control is not None and control.state is ControlState.RUN
    who, why = (control.who, control.why) if resumed and control is not None else ("", "")
    changes.emit(HoldEnded, who=who, why=why, cause=mark.cause, since=mark.since)
    changes.set(hold=None)


def _hold_by_note(changes: Changes, control: ReleaseControl | None) -> Hold:
    mark = changes.state.hold
    if control is not None and control.who:
        return hold(changes, control, HoldCause.PERSON, control.why, who=control.who, since=control.at)
    why = control.why if control is not None else "the control note could not be read"
    if mark is not None and mark.cause is HoldCause.PERSON:
        # Nobody has resumed what this person held.
        return Hold(mark=mark, why=f"{mark.why}; {why}")
    return hold(changes, control, HoldCause.NO_NOTE, why)
