"""Requests for an approval: what a person is shown, when an answer counts, and when it lapses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from airflow_provider_tuya_ota.core.short_repr import short_repr
from airflow_provider_tuya_ota.core.texts import bounded_line
from airflow_provider_tuya_ota.rollout.gate.decision import Decision
from airflow_provider_tuya_ota.rollout.plan.canonical import canonical_json, digest_of
from airflow_provider_tuya_ota.rollout.record.person import is_blank, is_same_person
from airflow_provider_tuya_ota.rollout.wave.marks import LONGEST_WHY, ApprovalRequest

if TYPE_CHECKING:
    from datetime import datetime

    from airflow_provider_tuya_ota.rollout.gate.verdict import GateVerdict, StratumVerdict
    from airflow_provider_tuya_ota.rollout.wave.situation import Answer
    from airflow_provider_tuya_ota.rollout.wave.state import WaveState
    from airflow_provider_tuya_ota.rollout.wave.terms import WaveTerms

BY_PLAN: Final = "the plan asks for it"
BY_UNDECIDED: Final = "the gate could not decide about the wave before"
BY_CHANGE: Final = "the gate promotes the wave before no longer"
LONGEST_STRATUM: Final = 100
"""Characters that are shown of the name of a stratum and of the text of a wave."""
_RANKS: Final = {Decision.PROMOTE: 0, Decision.UNDECIDED: 1, Decision.HOLD: 2, Decision.HALT: 3}


def approval_request(state: WaveState, terms: WaveTerms, verdict: GateVerdict, now: datetime) -> ApprovalRequest:
    """Make the next request of a wave from the evidence of this moment."""
    number, counts = state.requests + 1, verdict.counts
    shown = _shown(state, terms, verdict, now) | {"request": number}
    return ApprovalRequest(
        number=number,
        shown=canonical_json(shown).decode(),
        digest=digest_of(shown),
        decision=verdict.decision,
        failed=counts.failed,
        succeeded=counts.succeeded,
        bad_strata=_bad_strata(verdict),
        asked_at=now,
        answer_by=now + terms.answer_within,
    )


def worse_than_shown(request: ApprovalRequest, verdict: GateVerdict) -> str:
    """Say in which way the evidence is worse than what was shown; an empty text where it is not.

    Where the gate promotes, it vouches for further failures. Where it does not, each further failure changes what the
    person has decided on.
    """
    if _RANKS[verdict.decision] > _RANKS[request.decision]:
        return f"the gate said {request.decision}, and now says {verdict.decision}"
    if new := sorted(set(_bad_strata(verdict)).difference(request.bad_strata)):
        return f"{', '.join(new)} became worse"
    failed = verdict.counts.failed
    if verdict.decision is not Decision.PROMOTE and failed > request.failed:
        return f"{request.failed:,} had failed, and now {failed:,} have"
    return ""


def problem_of(answer: Answer, request: ApprovalRequest, terms: WaveTerms) -> str:
    """Say why an approval does not count; an empty text where it does."""
    if is_blank(answer.who):
        return "nobody is named who answered"
    if answer.digest != request.digest:
        return "the person was shown something else than what was asked"
    if terms.approvers and answer.who not in terms.approvers:
        return f"{short_repr(answer.who)} is none of the approvers"
    if terms.two_person and is_same_person(answer.who, terms.triggered_by):
        return f"{short_repr(answer.who)} triggered the release, and another person has to approve it"
    return ""


def _shown(state: WaveState, terms: WaveTerms, verdict: GateVerdict, now: datetime) -> dict[str, Any]:
    """Give what a person has to know: the evidence, what changed since the last approval, and what approving starts."""
    counts, opens = verdict.counts, terms.hours.next_opening(now)
    before = state.approved_before
    return {
        "wave": terms.wave.number,
        "text": bounded_line(terms.wave.text, LONGEST_STRATUM),
        "because": state.asks_because,
        "gate": verdict.decision.value,
        "reason": bounded_line(str(verdict), LONGEST_WHY),
        "judged_wave": verdict.occasion.wave,
        "rounds": verdict.occasion.rounds,
        "counts": {
            "started": counts.started,
            "succeeded": counts.succeeded,
            "failed": counts.failed,
            "pending": counts.pending,
        },
        "by_outcome": dict(counts.by_outcome),
        "strata": [_stratum(one) for one in verdict.strata],
        "since_last_approval": None
        if before is None
        else {"succeeded": counts.succeeded - before.succeeded, "failed": counts.failed - before.failed},
        "starts": {
            "devices": terms.wave.size if terms.wave.is_paceable else None,
            "pulses": [pulse.size for pulse in terms.wave.pulses[:20]],
            "pulses_in_all": terms.pulses,
            "seconds_between": int(terms.interval.total_seconds()),
            "at_the_earliest": opens.isoformat() if opens else None,
        },
    }


def _stratum(verdict: StratumVerdict) -> list[Any]:
    counts = verdict.counts
    return [
        bounded_line(verdict.name, LONGEST_STRATUM),
        verdict.decision.value,
        counts.succeeded,
        counts.failed,
        counts.pending,
    ]


def _bad_strata(verdict: GateVerdict) -> tuple[str, ...]:
    return tuple(sorted((*verdict.held_strata, *verdict.amber_strata)))
