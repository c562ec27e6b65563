"""Judge the evidence of a record again, and compare each verdict with what was recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_tuya_ota.rollout.gate.assessment import reassess
from airflow_provider_tuya_ota.rollout.record.begin import GateSettings
from airflow_provider_tuya_ota.rollout.record.course import OutsideSaid, VerdictGiven
from airflow_provider_tuya_ota.rollout.record.evidence_part import EvidencePart
from airflow_provider_tuya_ota.rollout.record.finding import Finding, FindingKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_provider_tuya_ota.rollout.gate.evidence import Evidence
    from airflow_provider_tuya_ota.rollout.gate.gate import Gate
    from airflow_provider_tuya_ota.rollout.gate.verdict import GateVerdict
    from airflow_provider_tuya_ota.rollout.record.record_file import RecordFile


def check_verdicts(file: RecordFile, evidence: Evidence) -> Iterator[Finding]:
    """Find verdicts that the evidence, the gate and the answers recorded before them do not give."""
    gate: Gate | None = None
    rounds, answers = 0, list[object]()
    for place, entry in enumerate(file.entries):
        match entry.content:
            case GateSettings():
                gate = entry.content.gate
            case EvidencePart():
                rounds += len(entry.content.rounds)
            case OutsideSaid():
                answers.append(entry.content.answer)
            case VerdictGiven():
                if problem := _problem(entry.content.verdict, gate, evidence, rounds=rounds, answers=answers):
                    yield Finding(kind=FindingKind.WRONG_VERDICT, text=problem, entry=place)
            case _:
                pass


def _problem(verdict: GateVerdict, gate: Gate | None, evidence: Evidence, *, rounds: int, answers: list[object]) -> str:
    if gate is None:
        return "no gate was recorded before it"
    if verdict.occasion.rounds > rounds:
        return f"it judges {verdict.occasion.rounds} rounds of evidence, and {rounds} were recorded before it"
    if unknown := [answer.source for answer in verdict.occasion.outside if answer not in answers]:
        return f"it uses an answer of {', '.join(unknown[:5])} that was not recorded before it"
    again = reassess(gate, evidence, verdict)
    if again == verdict:
        return ""
    if (again.decision, again.reason) == (verdict.decision, verdict.reason):
        return "judged again, the evidence gives the same decision with other numbers"
    return f"it says {str(verdict)[:300]!r}; judged again, the evidence says {str(again)[:300]!r}"
