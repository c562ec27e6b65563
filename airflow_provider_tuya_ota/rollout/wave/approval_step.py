"""The approval of a wave in one turn: it lapses, times out, is answered, or is asked for again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_tuya_ota.rollout.record.person import is_blank
from airflow_provider_tuya_ota.rollout.wave.approval import approval_request, problem_of, worse_than_shown
from airflow_provider_tuya_ota.rollout.wave.decision import AskApproval
from airflow_provider_tuya_ota.rollout.wave.events import (
    AnswerRefused,
    ApprovalGiven,
    ApprovalLapsed,
    ApprovalRejected,
    ApprovalRequested,
    ApprovalTimedOut,
)
from airflow_provider_tuya_ota.rollout.wave.marks import Approval, HaltCause, HaltMark
from airflow_provider_tuya_ota.rollout.wave.phase import WavePhase

if TYPE_CHECKING:
    from datetime import datetime

    from airflow_provider_tuya_ota.rollout.gate.verdict import GateVerdict
    from airflow_provider_tuya_ota.rollout.wave.change import Changes
    from airflow_provider_tuya_ota.rollout.wave.marks import ApprovalRequest
    from airflow_provider_tuya_ota.rollout.wave.situation import Answer, Situation
    from airflow_provider_tuya_ota.rollout.wave.terms import WaveTerms

NOBODY = "not known"
"""Who has rejected where the answer names nobody; a rejection counts all the same."""


def follow_approval(changes: Changes, terms: WaveTerms, situation: Situation) -> HaltMark | None:
    """Take in the evidence, the time and the answer.

    :returns: the halt, where a person has rejected.
    """
    state = changes.state
    answer = situation.answer if situation.answer is not None and situation.answer.wave == state.wave else None
    if answer is not None and not answer.approves and answer.request <= state.requests:
        return _rejection(changes, answer)
    request = state.request
    if request is None or state.has_begun:
        return None
    if situation.verdict is not None and (worse := worse_than_shown(request, situation.verdict)):
        _lapse(changes, request, worse)
    elif state.approval is None:
        _take_answer(changes, terms, request, answer, situation.now)
    return None


def ask(changes: Changes, terms: WaveTerms, verdict: GateVerdict) -> AskApproval:
    """Give the open request, or make one from the evidence of this moment."""
    request = changes.state.request
    if request is None:
        request = approval_request(changes.state, terms, verdict, changes.now)
        changes.emit(
            ApprovalRequested,
            why=changes.state.asks_because,
            request=request,
            approvers=terms.approvers,
            two_person=terms.two_person,
        )
        changes.set(request=request, requests=request.number)
    return AskApproval(request=request)


def _rejection(changes: Changes, answer: Answer) -> HaltMark:
    request = changes.state.request
    who = NOBODY if is_blank(answer.who) else answer.who
    is_open = request is not None and changes.state.approval is None
    if request is not None and is_open and (answer.request, answer.digest) == (request.number, request.digest):
        changes.emit(ApprovalRejected, who=who, why=answer.why, request=request.number, digest=request.digest)
    return HaltMark(cause=HaltCause.REJECTION, who=who, why=answer.why or "rejected without a reason", at=changes.now)


def _lapse(changes: Changes, request: ApprovalRequest, why: str) -> None:
    was_approved = changes.state.approval is not None
    changes.emit(ApprovalLapsed, why=why, request=request.number, digest=request.digest, was_approved=was_approved)
    changes.set(request=None, approval=None)
    if changes.state.phase is WavePhase.RAMPING:
        changes.move(WavePhase.AWAITING_APPROVAL, why)


def _take_answer(
    changes: Changes, terms: WaveTerms, request: ApprovalRequest, answer: Answer | None, now: datetime
) -> None:
    if answer is not None and answer.request == request.number and answer.at <= request.answer_by:
        if problem := problem_of(answer, request, terms):
            changes.emit(AnswerRefused, who=answer.who, why=problem, request=request.number, digest=request.digest)
            changes.set(request=None)
            return
        changes.emit(ApprovalGiven, who=answer.who, why=answer.why, request=request.number, digest=request.digest)
        changes.set(approval=Approval(who=answer.who, why=answer.why, at=answer.at))
    elif now > request.answer_by:
        changes.emit(ApprovalTimedOut, request=request.number, digest=request.digest)
        changes.set(request=None)
