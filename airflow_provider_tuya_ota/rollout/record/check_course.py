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
from airflow_provider_tuya_ota.rollout.record.finding import Finding, FindingKind
from airflow_provider_tuya_ota.rollout.record.finish import HaltReceipt

if TYPE_CHECKING:
    from collections.abc import Iterator

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
    """

    halted_at: int | None = None
    triggered_by: str = ""
    plan: FrozenPlan | None = None
    observes_only: bool = False
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
                self._note(content, place)
            case VerdictGiven():
                self._judged(content.verdict, place)
            case _:
                self._set(content, place)
        return []

    def _set(self, content: Content, number: int) -> None:
        match content:
            case ReleaseBegun():
                self.triggered_by = content.triggered_by
            case FrozenPlan():
                self.plan = content
            case GateSettings():
                self.observes_only = content.gate.observe_only
            case HaltReceipt():
                self._halt(number)
            case _:
                pass

    def _note(self, note: ControlNote, number: int) -> None:
        match note.verb:
            case ControlVerb.HOLD:
                self.is_held = True
            case ControlVerb.RESUME:
                self.is_held = False
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
        self.halted_at = number if self.halted_at is None else self.halted_at

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
        is_promoted = is_approved or self.observes_only or wave.number - 1 in self.promoted
        if wave.number > 1 and not is_promoted:
            yield (
                FindingKind.NOT_PROMOTED,
                f"{name} began with job {job.job_id}, and wave {wave.number - 1} was not promoted",
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
        if given.answer in {ApprovalAnswer.APPROVED, ApprovalAnswer.REJECTED} and not given.who:
            return "nobody is named who answered"
        return self._problem_of_approver(asked, given) if given.answer is ApprovalAnswer.APPROVED else ""

    def _problem_of_approver(self, asked: ApprovalAsked, given: ApprovalAnswered) -> str:
        if asked.approvers and given.who not in asked.approvers:
            return f"{given.who!r} is none of the approvers"
        if asked.two_person and given.who == self.triggered_by:
            return f"{given.who!r} triggered the release, and the two-person rule asks for somebody else"
        return ""
