from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_tuya_ota.rollout.gate.decision import Cause, Decision
from airflow_provider_tuya_ota.rollout.gate.gate import Gate
from airflow_provider_tuya_ota.rollout.gate.outside import OutsideEvidence
from airflow_provider_tuya_ota.rollout.gate.verdict import GateVerdict, Occasion, OutcomeCounts
from airflow_provider_tuya_ota.rollout.record.begin import FrozenPlan, GateSettings, RecordedWave, ReleaseBegun
from airflow_provider_tuya_ota.rollout.record.check_course import Course
from airflow_provider_tuya_ota.rollout.record.course import (
    ApprovalAnswer,
    ApprovalAnswered,
    ApprovalAsked,
    ControlNote,
    ControlVerb,
    JobCreated,
    JobPurpose,
    OutsideSaid,
    VerdictGiven,
)
from airflow_provider_tuya_ota.rollout.record.evidence_part import EvidencePart
from airflow_provider_tuya_ota.rollout.record.finding import FindingKind
from airflow_provider_tuya_ota.rollout.record.finish import HaltReceipt
from tests.rollout.record.story import SHOWN, START

if TYPE_CHECKING:
    from airflow_provider_tuya_ota.rollout.record.entry import Content

BEGUN = ReleaseBegun(release_id="r", triggered_by="ada", product_key="k", module_name="m", version="2")
WAVES = tuple(
    RecordedWave(
        number=number, text=f"{number}0%", kind="share", total=number, needs_approval=number == 3, pulses=(1,), jobs=1
    )
    for number in (1, 2, 3)
)
PLAN = FrozenPlan(
    plan_digest=SHOWN, cohort_digest=SHOWN, names_digest=SHOWN, candidates=3, devices=3, excluded={}, waves=WAVES
)
GATE = GateSettings(gate=Gate())
BEGINNING: list[Content] = [BEGUN, PLAN, GATE]


def job(wave: int, purpose: JobPurpose = JobPurpose.WAVE) -> JobCreated:
    return JobCreated(
        job_id=f"j{wave}", firmware_id="1", purpose=purpose, wave=wave, pulse=1, devices=1, devices_digest=SHOWN
    )


def verdict(decision: Decision, wave: int = 1, *, is_binding: bool = True) -> VerdictGiven:
    return VerdictGiven(
        verdict=GateVerdict(
            decision=decision,
            cause=Cause.EVIDENCE,
            reason=f"{decision} because",
            counts=OutcomeCounts(),
            occasion=Occasion(wave=wave, rounds=0, now=START),
            is_binding=is_binding,
        )
    )


def note(verb: ControlVerb, who: str = "ada", why: str = "because") -> ControlNote:
    return ControlNote(verb=verb, who=who, why=why)


ASKED = ApprovalAsked(wave=3, shown_digest=SHOWN, approvers=("grace", "ada"), two_person=True)


def answer(kind: ApprovalAnswer, **fields: Any) -> ApprovalAnswered:
    values: dict[str, Any] = {"asked": 5, "answer": kind, "who": "grace", "why": "fine", "shown_digest": SHOWN}
    return ApprovalAnswered(**(values | fields))


def problems(*contents: Content) -> list[tuple[FindingKind, str]]:
    course = Course()
    return [one for place, content in enumerate([*BEGINNING, *contents]) for one in course.take(place, content)]


PROMOTED = (job(1), verdict(Decision.PROMOTE))
GROWN = EvidencePart(first_round=0, rounds=(START,))
OVERRIDE = GateSettings(gate=Gate(ceiling="50%"), who="ada", why="because")
ALLOWED: dict[str, list[Content]] = {
    "the first wave": [job(1)],
    "a wave behind a promoted one": [*PROMOTED, job(2)],
    "a wave that a person lets begin now": [job(1), note(ControlVerb.ADVANCE), job(2)],
    "after a hold and a resume": [note(ControlVerb.HOLD), note(ControlVerb.RESUME), job(1)],
    "after a hold and an advance": [note(ControlVerb.HOLD), note(ControlVerb.ADVANCE), job(1)],
    "after the gate held and then did not": [job(1), verdict(Decision.HOLD), verdict(Decision.PROMOTE), job(2)],
    "against a gate that only observes": [job(1), verdict(Decision.HALT, is_binding=False), job(1)],
    "after the gate held and a person resumed": [
        job(1),
        verdict(Decision.HOLD),
        note(ControlVerb.RESUME),
        job(1, JobPurpose.RETRY),
    ],
    "a wave that a person lets begin although the evidence grew": [job(1), note(ControlVerb.ADVANCE), GROWN, job(2)],
    "a wave behind one that was promoted before the evidence grew": [*PROMOTED, GROWN, job(2)],
    "a wave behind one whose promotion later devices have not lost": [*PROMOTED, verdict(Decision.UNDECIDED), job(2)],
    "an excluded device stops nothing": [note(ControlVerb.EXCLUDE), job(1)],
    "an answer from outside stops nothing by itself": [
        OutsideSaid(answer=OutsideEvidence(source="s", decision=Decision.HALT, reason="r")),
        job(1),
    ],
    "with an approval": [*PROMOTED, ASKED, answer(ApprovalAnswer.APPROVED), job(3)],
    "asked again after a timeout": [
        *PROMOTED,
        ASKED,
        answer(ApprovalAnswer.TIMED_OUT, who=""),
        ASKED,
        answer(ApprovalAnswer.APPROVED, asked=7),
        job(3),
    ],
    "a retry while waves wait": [job(1), job(1, JobPurpose.RETRY)],
    "a verification": [job(0, JobPurpose.VERIFICATION)],
}
REFUSED: dict[str, tuple[FindingKind, list[Content]]] = {
    "after the gate halted": (FindingKind.JOB_AFTER_HALT, [job(1), verdict(Decision.HALT), job(1)]),
    "after a person halted": (FindingKind.JOB_AFTER_HALT, [note(ControlVerb.HALT), job(1)]),
    "after a halt and a resume": (
        FindingKind.JOB_AFTER_HALT,
        [note(ControlVerb.HALT), note(ControlVerb.RESUME), job(1)],
    ),
    "after a rejection": (
        FindingKind.JOB_AFTER_HALT,
        [*PROMOTED, ASKED, answer(ApprovalAnswer.REJECTED), job(2)],
    ),
    "after a receipt": (FindingKind.JOB_AFTER_HALT, [HaltReceipt(rounds=0, reason="r"), job(1)]),
    "a retry after a halt": (FindingKind.JOB_AFTER_HALT, [note(ControlVerb.HALT), job(1, JobPurpose.RETRY)]),
    "while a person holds": (FindingKind.JOB_WHILE_HELD, [note(ControlVerb.HOLD), job(1)]),
    "while the gate holds": (FindingKind.JOB_WHILE_HELD, [job(1), verdict(Decision.HOLD), job(1)]),
    "without a promotion": (FindingKind.NOT_PROMOTED, [job(1), verdict(Decision.UNDECIDED), job(2)]),
    "with the promotion of another wave": (FindingKind.NOT_PROMOTED, [job(1), verdict(Decision.PROMOTE, 2), job(2)]),
    "advanced by nobody": (FindingKind.NOT_PROMOTED, [job(1), note(ControlVerb.ADVANCE, who=""), job(2)]),
    "resumed by nobody": (
        FindingKind.JOB_WHILE_HELD,
        [note(ControlVerb.HOLD), note(ControlVerb.RESUME, who=" \u200b\u3164"), job(1)],
    ),
    "resumed without a reason": (
        FindingKind.JOB_WHILE_HELD,
        [note(ControlVerb.HOLD), note(ControlVerb.RESUME, why="\n"), job(1)],
    ),
    "without an approval": (FindingKind.NOT_APPROVED, [*PROMOTED, job(2), verdict(Decision.PROMOTE, 2), job(3)]),
    "with an approval that timed out": (
        FindingKind.NOT_APPROVED,
        [*PROMOTED, ASKED, answer(ApprovalAnswer.TIMED_OUT, who=""), job(3)],
    ),
    "with an approval that lapsed": (
        FindingKind.NOT_APPROVED,
        [*PROMOTED, ASKED, answer(ApprovalAnswer.APPROVED), answer(ApprovalAnswer.LAPSED), job(3)],
    ),
    "of a wave that is not planned": (FindingKind.NOT_PLANNED, [job(4)]),
}
WRONG_ANSWERS: dict[str, tuple[str, list[Content]]] = {
    "to no request": ("entry 4, to which it answers, asks for no approval", [answer(ApprovalAnswer.APPROVED, asked=4)]),
    "to something else": ("was shown something else", [answer(ApprovalAnswer.APPROVED, shown_digest="0" * 64)]),
    "of nobody": ("nobody is named who answered", [answer(ApprovalAnswer.REJECTED, who="")]),
    "of a blank": ("nobody is named who answered", [answer(ApprovalAnswer.APPROVED, who=" \u2800")]),
    "of no approver": ("'eve' is none of the approvers", [answer(ApprovalAnswer.APPROVED, who="eve")]),
    "of who triggered it": ("'ada' triggered the release", [answer(ApprovalAnswer.APPROVED, who="ada")]),
    "after another": (
        "entry 5 was answered before: rejected",
        [answer(ApprovalAnswer.REJECTED), answer(ApprovalAnswer.APPROVED)],
    ),
    "after it lapsed": (
        "entry 5 was answered before: lapsed",
        [answer(ApprovalAnswer.LAPSED, who=""), answer(ApprovalAnswer.APPROVED)],
    ),
}


@pytest.mark.parametrize("contents", ALLOWED.values(), ids=ALLOWED)
def test_a_job_may_be_created(contents: list[Content]) -> None:
    assert problems(*contents) == []


@pytest.mark.parametrize(("kind", "contents"), REFUSED.values(), ids=REFUSED)
def test_a_job_may_not_be_created(kind: FindingKind, contents: list[Content]) -> None:
    assert kind in {found for found, _ in problems(*contents)}


@pytest.mark.parametrize(("problem", "contents"), WRONG_ANSWERS.values(), ids=WRONG_ANSWERS)
def test_an_answer_is_wrong(problem: str, contents: list[Content]) -> None:
    ((kind, text),) = problems(*PROMOTED, ASKED, *contents)

    assert kind is FindingKind.WRONG_APPROVAL
    assert problem in text


def test_a_wrong_answer_approves_nothing() -> None:
    wrong = answer(ApprovalAnswer.APPROVED, who="eve")

    assert FindingKind.NOT_APPROVED in {kind for kind, _ in problems(*PROMOTED, ASKED, wrong, job(3))}


def test_who_triggered_the_release_may_reject_it() -> None:
    assert problems(*PROMOTED, ASKED, answer(ApprovalAnswer.REJECTED, who="ada")) == []


def test_without_named_approvers_anybody_else_may_approve() -> None:
    anybody = replace(ASKED, approvers=(), two_person=False)

    assert problems(*PROMOTED, anybody, answer(ApprovalAnswer.APPROVED, who="ada"), job(3)) == []


def test_a_job_before_any_plan_is_not_planned() -> None:
    assert [kind for kind, _ in Course().take(0, job(1))] == [FindingKind.NOT_PLANNED]


def test_a_gate_that_only_observes_promotes_nothing_and_stops_nothing() -> None:
    observing = GateSettings(gate=Gate(observe_only=True), who="ada", why="first release")

    assert problems(observing, job(1), verdict(Decision.HALT, is_binding=False), job(2)) == []


@pytest.mark.parametrize("verb", ControlVerb)
def test_a_note_names_a_person_and_a_reason(verb: ControlVerb) -> None:
    assert problems(note(verb, who=" ", why="\u200b")) == [
        (FindingKind.NOBODY_NAMED, f"nobody and no reason is named for the {verb}")
    ]
    assert problems(note(verb, why="")) == [(FindingKind.NOBODY_NAMED, f"no reason is named for the {verb}")]


def test_a_halt_and_a_hold_by_nobody_still_stop_the_release() -> None:
    halted = [kind for kind, _ in problems(note(ControlVerb.HALT, who=""), job(1))]
    held = [kind for kind, _ in problems(note(ControlVerb.HOLD, who=""), job(1))]

    assert halted == [FindingKind.NOBODY_NAMED, FindingKind.JOB_AFTER_HALT]
    assert held == [FindingKind.NOBODY_NAMED, FindingKind.JOB_WHILE_HELD]


def test_an_override_of_the_gate_names_a_person_and_a_reason() -> None:
    assert problems(OVERRIDE) == []
    assert problems(replace(OVERRIDE, who="")) == [
        (FindingKind.NOBODY_NAMED, "nobody is named that the gate of the plan was overridden")
    ]
    assert problems(replace(OVERRIDE, who="", why=" "))[0][1].startswith("nobody and no reason is named")


def test_a_receipt_needs_a_halt_before_it() -> None:
    receipt = HaltReceipt(rounds=0, reason="halted by ada")

    assert problems(receipt) == [
        (FindingKind.WRONG_RECEIPT, "no verdict, no person and no rejection before it has halted the release")
    ]
    assert problems(note(ControlVerb.HALT), receipt) == []
    assert problems(job(1), verdict(Decision.HALT), receipt) == []


@pytest.mark.parametrize("name", ["Ada", " ada ", "ADA", "a\u200bda", "\uff41da"])
def test_the_two_person_rule_knows_a_person_in_another_spelling(name: str) -> None:
    open_to_all = replace(ASKED, approvers=())
    ((kind, text),) = problems(*PROMOTED, open_to_all, answer(ApprovalAnswer.APPROVED, who=name))

    assert kind is FindingKind.WRONG_APPROVAL
    assert "triggered the release" in text
    assert problems(*PROMOTED, open_to_all, answer(ApprovalAnswer.APPROVED, who="adam"), job(3)) == []
