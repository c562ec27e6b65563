"""Judge the evidence of a record again, compare each verdict with it, and look for what no verdict has judged."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_tuya_ota.rollout.gate.decision import Decision
from airflow_provider_tuya_ota.rollout.record.check_course import Course
from airflow_provider_tuya_ota.rollout.record.course import JobCreated, VerdictGiven
from airflow_provider_tuya_ota.rollout.record.finding import Finding, FindingKind
from airflow_provider_tuya_ota.rollout.record.finish import ReleaseEnded
from airflow_provider_tuya_ota.rollout.record.judged_again import JudgedAgain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_provider_tuya_ota.rollout.gate.evidence import Evidence
    from airflow_provider_tuya_ota.rollout.gate.verdict import GateVerdict, Occasion
    from airflow_provider_tuya_ota.rollout.record.record_file import RecordFile

_UNJUDGED = {Decision.HALT: FindingKind.JOB_AFTER_HALT, Decision.HOLD: FindingKind.JOB_WHILE_HELD}


def check_verdicts(file: RecordFile, evidence: Evidence) -> Iterator[Finding]:
    """Find verdicts that are not those of what was recorded before them, and jobs that a missing verdict forbids."""
    recorded, course = JudgedAgain(evidence), Course()
    decision: Decision | None = None
    for place, entry in enumerate(file.entries):
        recorded.take(entry)
        match entry.content:
            case VerdictGiven():
                decision = entry.content.verdict.decision
                if problem := _problem(entry.content.verdict, recorded):
                    yield Finding(kind=FindingKind.WRONG_VERDICT, text=problem, entry=place)
            # Behind the last wave, a correction by the check of landed versions has nothing left to stop.
            case ReleaseEnded() if recorded.has_corrected:
                pass
            case JobCreated() | ReleaseEnded() if course.halted_at is None:
                missing = _missing_verdict(recorded, decision)
                if missing is not None and isinstance(entry.content, JobCreated):
                    text = f"job {entry.content.job_id} was created, and no verdict says so: {missing.reason}"
                    yield Finding(kind=_UNJUDGED[missing.decision], text=text, entry=place)
                elif missing is not None and missing.decision is Decision.HALT:
                    text = f"the release ended, and no verdict says so: {missing.reason}"
                    yield Finding(kind=FindingKind.WRONG_VERDICT, text=text, entry=place)
            case _:
                pass
        course.take(place, entry.content)


def _missing_verdict(recorded: JudgedAgain, decision: Decision | None) -> GateVerdict | None:
    """Give the halt or the hold that evidence behind the latest verdict asks for.

    :param decision: of the latest verdict; a person may have ended its hold.
    """
    gate = recorded.gate
    if recorded.is_judged or gate is None or gate.observe_only:
        return None
    again = recorded.judge_now(gate)
    if again is None or again.decision not in _UNJUDGED or again.decision is decision:
        return None
    return again


def _problem(verdict: GateVerdict, recorded: JudgedAgain) -> str:
    if recorded.gate is None:
        return "no gate was recorded before it"
    if problem := _problem_of_occasion(verdict.occasion, recorded):
        return problem
    again = recorded.judge(recorded.gate, verdict.occasion)
    if again == verdict:
        return ""
    if (again.decision, again.reason) == (verdict.decision, verdict.reason):
        return "judged again, the evidence gives the same decision with other numbers"
    return f"it says {str(verdict)[:300]!r}; judged again, the evidence says {str(again)[:300]!r}"


def _problem_of_occasion(occasion: Occasion, recorded: JudgedAgain) -> str:
    """Say how an occasion differs from everything that was recorded before its verdict."""
    if occasion.rounds != recorded.rounds:
        return f"it judges {occasion.rounds} rounds of evidence, and {recorded.rounds} were recorded before it"
    used = {answer.source: answer for answer in occasion.outside}
    if len(used) < len(occasion.outside):
        return "it uses two answers of one source"
    if unknown := [source for source in used if source not in recorded.answers]:
        return f"it uses an answer of {', '.join(unknown[:5])} that was not recorded before it"
    if other := [source for source, answer in recorded.answers.items() if used.get(source) != answer]:
        return f"it does not use the latest answer of {', '.join(other[:5])} that was recorded before it"
    longest = recorded.longest_soak(occasion.wave)
    if occasion.soaked > longest:
        return f"it says that its wave has soaked for {occasion.soaked:g} seconds; the entries say {longest:g} at most"
    return ""
