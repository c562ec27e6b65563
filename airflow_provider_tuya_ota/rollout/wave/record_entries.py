"""The entries of a release record that the events of a release stand for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from airflow_provider_tuya_ota.core.errors import ConfigurationError
from airflow_provider_tuya_ota.rollout.record.course import (
    ApprovalAnswer,
    ApprovalAnswered,
    ApprovalAsked,
    ControlNote,
    ControlVerb,
    VerdictGiven,
)
from airflow_provider_tuya_ota.rollout.wave.events import (
    ApprovalGiven,
    ApprovalLapsed,
    ApprovalRejected,
    ApprovalRequested,
    ApprovalTimedOut,
    GateJudged,
    HoldEnded,
    ReleaseHalted,
    WaveAdvanced,
    WaveHeld,
)
from airflow_provider_tuya_ota.rollout.wave.marks import HaltCause

if TYPE_CHECKING:
    from airflow_provider_tuya_ota.rollout.record.entry import Content
    from airflow_provider_tuya_ota.rollout.wave.events import Event

NO_REASON: Final = "no reason was given"
_ANSWERS: Final = {
    ApprovalGiven: ApprovalAnswer.APPROVED,
    ApprovalRejected: ApprovalAnswer.REJECTED,
    ApprovalLapsed: ApprovalAnswer.LAPSED,
    ApprovalTimedOut: ApprovalAnswer.TIMED_OUT,
}


def entry_of(event: Event, *, asked: int | None = None) -> Content | None:
    """Give the entry of a record that an event stands for; None where it stands for none.

    Jobs, evidence and excluded devices are not among the events: whoever creates, polls and reads the control note
    writes them down.

    :param asked: number of the entry of the request that is answered.
    :raises ConfigurationError: an answer without it.
    """
    if isinstance(event, GateJudged):
        return VerdictGiven(verdict=event.verdict)
    if isinstance(event, ApprovalRequested):
        digest, two = event.request.digest, event.two_person
        return ApprovalAsked(wave=event.wave, shown_digest=digest, approvers=event.approvers, two_person=two)
    if not isinstance(event, ApprovalGiven | ApprovalRejected | ApprovalLapsed | ApprovalTimedOut):
        return _note(event)
    if asked is None:
        raise ConfigurationError("release record: the entry that asked for the approval is not known.")
    answer = _ANSWERS[type(event)]
    return ApprovalAnswered(asked=asked, answer=answer, who=event.who, why=event.why, shown_digest=event.digest)


def _note(event: Event) -> ControlNote | None:
    """Give what a person has asked for; the gate's holds and halts are in its verdicts."""
    match event:
        case WaveHeld() if event.who:
            verb = ControlVerb.HOLD
        case HoldEnded() if event.who:
            verb = ControlVerb.RESUME
        case ReleaseHalted() if event.cause is not HaltCause.GATE:
            verb = ControlVerb.HALT
        case WaveAdvanced():
            verb = ControlVerb.ADVANCE
        case _:
            return None
    return ControlNote(verb=verb, who=event.who, why=event.why or NO_REASON)
