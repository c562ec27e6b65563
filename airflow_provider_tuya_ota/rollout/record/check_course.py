"""Check that each job was allowed when it was created: planned, approved, promoted, not held and not halted."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from airflow_provider_tuya_ota.rollout.gate.decision import Decision
from airflow_provider_tuya_ota.rollout.record.begin import FrozenPlan, GateSettings, RecordedWave, ReleaseBegun
from airflow_provider_tuya_ota.rollout.record.course import (
    ApprovalAnswer,
    ApprovalAnswered,
    ApprovalAsked,
    ControlNote,
    ControlVerb,
    JobCreated,
    JobPurpose,
    VerdictGiven,
)
from airflow_provider_tuya_ota.rollout.record.evidence_part import EvidencePart
from airflow_provider_tuya_ota.rollout.record.finding import Finding, FindingKind
from airflow_provider_tuya_ota.rollout.record.finish import HaltReceipt
from airflow_provider_tuya_ota.rollout.record.person import is_blank, is_same_person, what_is_not_named

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_provider_tuya_ota.rollout.gate.gate import Gate
    from airflow_provider_tuya_ota.rollout.gate.verdict import GateVerdict
    from airflow_provider_tuya_ota.rollout.record.entry import Content
    from airflow_provider_tuya_ota.rollout.record.record_file import RecordFile


def check_course(file: RecordFile) -> Iterator[Finding]:
    """Find jobs that were not allowed when they were created, and answers that do not fit their request."""
    course = Course()
    for place, entry in enumerate(file.entries):
        for kind, text in course.take(place, entry.content):
            yield Finding(kind=kind, text=text, entry=place)


@dataclass(slots=True)
class Course:
    """The state of a release, entry by entry.

    :param halted_at: number of the entry that halted it; None while it is not halted.
    :param rounds_at_halt: how many rounds of the evidence were recorded when it was halted.
    :param rounds: how many are recorded.
    :param promoted: waves behind which a verdict or a person has let the release go on.
    """

    halted_at: int | None = None
    rounds_at_halt: int = 0
    rounds: int = 0
    triggered_by: str = ""
    plan: FrozenPlan | None = None
    gate: Gate | None = None
    is_held: bool = False
    verdict: GateVerdict | None = None
    promoted: set[int] = field(default_factory=set)
    approved: set[int] = field(default_factory=set)
    begun: set[int] = field(default_factory=set)
    asked: dict[int, ApprovalAsked] = field(default_factory=dict)
    answered: dict[int, ApprovalAnswer] = field(default_factory=dict)

    def take(self, place: int, content: Content) -> list[tuple[FindingKind, str]]:
        """Take in the next entry; give what is wrong with it."""
        match content:
            case JobCreated():
                return list(self._job(content))
            case ApprovalAnswered():
                return list(self._answer(content, place))
            case ApprovalAsked():
                self.asked[place] = content
            case ControlNote():
                return list(self._note(content, place))
            case VerdictGiven():
                self._judged(content.verdict, place)
            case HaltReceipt():
                return list(self._receipt(content, place))
            case _:
                return list(self._set(content))
        return []

    def _set(self, content: Content) -> Iterator[tuple[FindingKind, str]]:
        match content:
            case ReleaseBegun():
                self.triggered_by = content.triggered_by
            case FrozenPlan():
                self.plan = content
            case GateSettings():
                is_override, self.gate = self.gate is not None, content.gate
                if is_override and (problem := what_is_not_named(content.who, content.why)):
                    yield FindingKind.NOBODY_NAMED, f"{problem} that the gate of the plan was overridden"
            case EvidencePart():
                self.rounds += len(content.rounds)
            case _:
                pass

    def _receipt(self, receipt: HaltReceipt, number: int) -> Iterator[tuple[FindingKind, str]]:
        if self.halted_at is None:
            yield FindingKind.WRONG_RECEIPT, "no verdict, no person and no rejection before it has halted the release"
        self._halt(number)
        if receipt.rounds != self.rounds_at_halt:
            text = f"it says {receipt.rounds} rounds were recorded at the halt; the entries say {self.rounds_at_halt}"
            yield FindingKind.WRONG_RECEIPT, text

    def _note(self, note: ControlNote, number: int) -> Iterator[tuple[FindingKind, str]]:
        if problem := what_is_not_named(note.who, note.why):
            yield FindingKind.NOBODY_NAMED, f"{problem} for the {note.verb}"
            if note.verb in {ControlVerb.RESUME, ControlVerb.ADVANCE}:
                return
        match note.verb:
            case ControlVerb.HOLD:
                self.is_held = True
            case ControlVerb.RESUME:
                self.is_held, self.verdict = False, None
            case ControlVerb.ADVANCE:
                self.is_held, self.verdict = False, None
                self.promoted |= self.begun
            case ControlVerb.HALT:
                self._halt(number)
            case _:
                pass  # an excluded device concerns no other one

    def _judged(self, verdict: GateVerdict, number: int) -> None:
        if not verdict.is_binding:
            return
        self.verdict = verdict
        if verdict.decision is Decision.PROMOTE:
            self.promoted.add(verdict.occasion.wave)
        elif verdict.decision is Decision.HALT:
            self._halt(number)

    def _halt(self, number: int) -> None:
        if self.halted_at is None:
            self.halted_at, self.rounds_at_halt = number, self.rounds

    def _job(self, job: JobCreated) -> Iterator[tuple[FindingKind, str]]:
        if self.halted_at is not None:
            yield FindingKind.JOB_AFTER_HALT, f"job {job.job_id} was created after the halt of entry {self.halted_at}"
        if self.is_held:
            yield FindingKind.JOB_WHILE_HELD, f"job {job.job_id} was created while a person held the release"
        elif self.verdict is not None and self.verdict.decision is Decision.HOLD:
            yield FindingKind.JOB_WHILE_HELD, f"job {job.job_id} was created while the gate held: {self.verdict.reason}"
        if job.purpose is not JobPurpose.WAVE:
            return
        wave = self.plan.wave(job.wave) if self.plan else None
        if wave is None:
            yield FindingKind.NOT_PLANNED, f"job {job.job_id} is of wave {job.wave}, which no plan before it has"
            return
        yield from self._wave(job, wave)

    def _wave(self, job: JobCreated, wave: RecordedWave) -> Iterator[tuple[FindingKind, str]]:
        if wave.number in self.begun:
            return
        self.begun.add(wave.number)
        is_approved, name = wave.number in self.approved, f"wave {wave.number} ({wave.text})"
        if wave.needs_approval and not is_approved:
            yield FindingKind.NOT_APPROVED, f"{name} began with job {job.job_id} without its approval"
        observes_only = self.gate is not None and self.gate.observe_only
        before = wave.number - 1
        if before and not (is_approved or observes_only or before in self.promoted):
            yield (
                FindingKind.NOT_PROMOTED,
                f"{name} began with job {job.job_id}, and wave {before} was not promoted",
            )

    def _answer(self, given: ApprovalAnswered, number: int) -> Iterator[tuple[FindingKind, str]]:
        asked = self.asked.get(given.asked)
        if asked is None:
            yield FindingKind.WRONG_APPROVAL, f"entry {given.asked}, to which it answers, asks for no approval"
            return
        before = self.answered.get(given.asked)
        problem = self._problem(asked, given, before)
        if problem:
            yield FindingKind.WRONG_APPROVAL, problem
            return
        self.answered[given.asked] = given.answer
        self.approved.discard(asked.wave)
        if given.answer is ApprovalAnswer.APPROVED:
            self.approved.add(asked.wave)
        elif given.answer is ApprovalAnswer.REJECTED:
            self._halt(number)

    def _problem(self, asked: ApprovalAsked, given: ApprovalAnswered, before: ApprovalAnswer | None) -> str:
        lapses = given.answer is ApprovalAnswer.LAPSED and before is ApprovalAnswer.APPROVED
        if before is not None and not lapses:
            return f"entry {given.asked} was answered before: {before}"
        if given.shown_digest != asked.shown_digest:
            return "who answered was shown something else than what was asked"
        if given.answer in {ApprovalAnswer.APPROVED, ApprovalAnswer.REJECTED} and is_blank(given.who):
            return "nobody is named who answered"
        return self._problem_of_approver(asked, given) if given.answer is ApprovalAnswer.APPROVED else ""

    def _problem_of_approver(self, asked: ApprovalAsked, given: ApprovalAnswered) -> str:
        if asked.approvers and given.who not in asked.approvers:
            return f"{given.who!r} is none of the approvers"
        if asked.two_person and is_same_person(given.who, self.triggered_by):
            return f"{given.who!r} triggered the release, and the two-person rule asks for somebody else"
        return ""
