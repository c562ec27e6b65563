"""Lies that a record can tell although its chain is right: each one changes a true record wherever it can be told."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, TypeVar

from airflow_provider_tuya_ota.rollout.gate.decision import Decision
from airflow_provider_tuya_ota.rollout.gate.outcomes import CODES, DeviceOutcome
from airflow_provider_tuya_ota.rollout.gate.outside import OutsideEvidence
from airflow_provider_tuya_ota.rollout.record.begin import FrozenPlan, GateSettings, RecordedWave
from airflow_provider_tuya_ota.rollout.record.course import (
    ApprovalAnswered,
    ApprovalAsked,
    ControlNote,
    JobCreated,
    JobPurpose,
    OutsideSaid,
    VerdictGiven,
)
from airflow_provider_tuya_ota.rollout.record.evidence_part import EvidencePart
from airflow_provider_tuya_ota.rollout.record.finding import FindingKind
from airflow_provider_tuya_ota.rollout.record.finish import (
    HaltReceipt,
    LandedCheck,
    ReleaseOutcome,
    VersionFound,
)
from tests.rollout.record.forgery import rewritten
from tests.rollout.record.story import SHOWN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from airflow_provider_tuya_ota.rollout.record.release_record import ReleaseRecord

Kind = TypeVar("Kind")
Contents = list[Any]
CALM: Final = OutsideEvidence(source="crash rate", decision=Decision.PROMOTE)
ALARM: Final = OutsideEvidence(source="crash rate", decision=Decision.HALT, reason="crashes rose tenfold")
LIES: Final[dict[str, tuple[FindingKind, Callable[[Contents], Iterator[Contents]]]]] = {}


def lie(kind: FindingKind) -> Callable[[Callable[[Contents], Iterator[Contents]]], None]:
    """Register a lie with the finding that has to notice it."""

    def register(tell: Callable[[Contents], Iterator[Contents]]) -> None:
        LIES[tell.__name__.replace("_", " ")] = kind, tell

    return register


def told(record: ReleaseRecord, name: str) -> Iterator[bytes]:
    """Give the record with one lie at each place where it can be told."""
    contents: Contents = [entry.content for entry in record.entries]
    for changed in LIES[name][1](contents):
        yield rewritten(record, lambda own, changed=changed: own.__setitem__(slice(None), changed))  # type: ignore[misc] # its default binds the lie of this turn


def places(contents: Contents, kind: type[Kind]) -> list[tuple[int, Kind]]:
    return [(place, content) for place, content in enumerate(contents) if isinstance(content, kind)]


def put(contents: Contents, place: int, *new: Any, instead: int = 0) -> Contents:
    return [*contents[:place], *new, *contents[place + instead :]]


def before_end(contents: Contents, *new: Any) -> Contents:
    return put(contents, len(contents) - 1, *new)


def with_end(contents: Contents, **fields: Any) -> Contents:
    return [*contents[:-1], replace(contents[-1], **fields)]


def a_job(purpose: JobPurpose, wave: int, devices: int | None) -> JobCreated:
    digest = "" if devices is None else SHOWN
    return JobCreated(
        job_id="lie", firmware_id="178", purpose=purpose, wave=wave, pulse=0, devices=devices, devices_digest=digest
    )


@lie(FindingKind.WRONG_VERDICT)
def a_verdict_leaves_out_later_evidence(contents: Contents) -> Iterator[Contents]:
    for place, verdict in places(contents, VerdictGiven):
        if later := [at for at, part in places(contents, EvidencePart) if at > place and part.rounds]:
            yield put(put(contents, later[0] + 1, verdict), place, instead=1)


@lie(FindingKind.WRONG_VERDICT)
def a_verdict_leaves_out_an_answer(contents: Contents) -> Iterator[Contents]:
    for place, _ in places(contents, VerdictGiven):
        yield put(contents, place, OutsideSaid(answer=ALARM))


@lie(FindingKind.WRONG_VERDICT)
def a_verdict_uses_an_older_answer(contents: Contents) -> Iterator[Contents]:
    for place, given in places(contents, VerdictGiven):
        occasion = replace(given.verdict.occasion, outside=(CALM,))
        deaf = VerdictGiven(verdict=replace(given.verdict, occasion=occasion))
        yield put(contents, place, OutsideSaid(answer=CALM), OutsideSaid(answer=ALARM), deaf, instead=1)


@lie(FindingKind.WRONG_VERDICT)
def a_wave_has_soaked_for_years(contents: Contents) -> Iterator[Contents]:
    for place, given in places(contents, VerdictGiven):
        occasion = replace(given.verdict.occasion, soaked=1e9)
        yield put(contents, place, VerdictGiven(verdict=replace(given.verdict, occasion=occasion)), instead=1)


@lie(FindingKind.WRONG_VERDICT)
def the_halt_was_never_written(contents: Contents) -> Iterator[Contents]:
    # A halt by what the check of landed versions found behind the last wave need not be written.
    is_late = any(part.corrected for _, part in places(contents, EvidencePart))
    if contents[-1].outcome is ReleaseOutcome.HALTED and not is_late:
        kept = [one for one in contents if not isinstance(one, HaltReceipt) and not halts(one)]
        yield with_end(kept, outcome=ReleaseOutcome.WITH_EXCEPTIONS)


@lie(FindingKind.WRONG_RECEIPT)
def a_receipt_follows_no_halt(contents: Contents) -> Iterator[Contents]:
    if places(contents, HaltReceipt):
        yield [one for one in contents if not halts(one)]


@lie(FindingKind.NOT_PROMOTED)
def a_wave_begins_without_its_promotion(contents: Contents) -> Iterator[Contents]:
    waves = [job.wave for _, job in places(contents, JobCreated)]
    notes = places(contents, ControlNote)
    if 2 in waves and not notes:
        yield [
            one
            for one in contents
            if not isinstance(one, VerdictGiven)
            or one.verdict.occasion.wave != 1
            or one.verdict.decision is not Decision.PROMOTE
        ]


@lie(FindingKind.NOBODY_NAMED)
def nobody_steers(contents: Contents) -> Iterator[Contents]:
    for place, note in places(contents, ControlNote):
        yield put(contents, place, replace(note, who=" "), instead=1)
        yield put(contents, place, replace(note, why="\u200b"), instead=1)


@lie(FindingKind.NOBODY_NAMED)
def nobody_overrides_the_gate(contents: Contents) -> Iterator[Contents]:
    gate = next(one for _, one in places(contents, GateSettings))
    for place, _ in places(contents, VerdictGiven):
        yield put(contents, place, gate)


@lie(FindingKind.WRONG_APPROVAL)
def nobody_approves(contents: Contents) -> Iterator[Contents]:
    for place, answer in places(contents, ApprovalAnswered):
        yield put(contents, place, replace(answer, who="\u3164"), instead=1)


@lie(FindingKind.WRONG_APPROVAL)
def who_triggered_the_release_approves_in_capitals(contents: Contents) -> Iterator[Contents]:
    for place, asked in places(contents, ApprovalAsked):
        answer = replace(contents[place + 1], who=" ADA")
        yield put(contents, place, replace(asked, approvers=()), answer, instead=2)


@lie(FindingKind.WRONG_RECEIPT)
def a_receipt_is_of_another_round(contents: Contents) -> Iterator[Contents]:
    for place, receipt in places(contents, HaltReceipt):
        for rounds in (receipt.rounds - 1, receipt.rounds + 1):
            yield put(contents, place, replace(receipt, rounds=rounds), instead=1)


@lie(FindingKind.EXCLUDED_DEVICE)
def a_device_was_removed_and_nobody_said_so(contents: Contents) -> Iterator[Contents]:
    yield from with_outcome(contents, DeviceOutcome.REMOVED)


@lie(FindingKind.WRONG_EVIDENCE)
def a_device_is_silent_within_an_hour(contents: Contents) -> Iterator[Contents]:
    yield from with_outcome(contents, DeviceOutcome.SILENT)


@lie(FindingKind.WRONG_PLAN)
def a_wave_is_larger_than_it_says(contents: Contents) -> Iterator[Contents]:
    ((place, plan),) = places(contents, FrozenPlan)
    for number, wave in enumerate(plan.waves):
        for other in (replace(wave, text="1 device", kind="count"), replace(wave, kind="shares")):
            waves = tuple(put(list(plan.waves), number, other, instead=1))
            yield put(contents, place, replace(plan, waves=waves), instead=1)


@lie(FindingKind.NOT_PLANNED)
def a_retry_takes_more_devices_than_failed(contents: Contents) -> Iterator[Contents]:
    for devices in (5000, None):
        yield before_end(contents, a_job(JobPurpose.RETRY, 1, devices))


@lie(FindingKind.NOT_PLANNED)
def a_retry_is_of_a_wave_that_never_began(contents: Contents) -> Iterator[Contents]:
    yield before_end(contents, a_job(JobPurpose.RETRY, 9, 1))


@lie(FindingKind.NOT_PLANNED)
def a_verification_flashes_the_fleet(contents: Contents) -> Iterator[Contents]:
    yield before_end(contents, a_job(JobPurpose.VERIFICATION, 0, 1))
    yield put(contents, 3, a_job(JobPurpose.VERIFICATION, 0, None))


@lie(FindingKind.NOT_PLANNED)
def a_job_installs_another_firmware(contents: Contents) -> Iterator[Contents]:
    for place, job in places(contents, JobCreated):
        yield put(contents, place, replace(job, firmware_id="179"), instead=1)


@lie(FindingKind.WRONG_EVIDENCE)
def a_job_was_created_after_its_evidence(contents: Contents) -> Iterator[Contents]:
    for place, job in places(contents, JobCreated):
        if first := [at for at, part in places(contents, EvidencePart) if job.job_id in part.jobs]:
            yield put(put(contents, first[0] + 1, job), place, instead=1)


@lie(FindingKind.WRONG_DEVICES)
def a_flashed_device_is_left_out(contents: Contents) -> Iterator[Contents]:
    names = [name for _, part in places(contents, EvidencePart) for name in part.devices]
    yield with_end(contents, left_out=(*contents[-1].left_out, names[0]))


@lie(FindingKind.WRONG_DEVICES)
def a_device_is_left_out_twice(contents: Contents) -> Iterator[Contents]:
    yield with_end(contents, left_out=("lamp-0001", "lamp-0001"))


@lie(FindingKind.WRONG_COUNTS)
def more_devices_succeed_in_a_retry_than_were_tried_again(contents: Contents) -> Iterator[Contents]:
    yield with_end(contents, succeeded_on_retry=1)


@lie(FindingKind.WRONG_COUNTS)
def a_wave_of_the_platform_never_began(contents: Contents) -> Iterator[Contents]:
    if contents[-1].outcome is not ReleaseOutcome.HALTED:
        yield with_platform(contents)


@lie(FindingKind.WRONG_COUNTS)
def nothing_is_known_of_a_wave_of_the_platform(contents: Contents) -> Iterator[Contents]:
    if contents[-1].outcome is ReleaseOutcome.COMPLETE:
        yield before_end(with_platform(contents), a_job(JobPurpose.WAVE, 4, None))


@lie(FindingKind.WRONG_LANDED_CHECK)
def a_stranger_was_checked(contents: Contents) -> Iterator[Contents]:
    for place, check in places(contents, LandedCheck):
        more = (*check.elsewhere, VersionFound(device="stranger", version="1.0.0"))
        if check.on_target:
            fewer = replace(check, on_target=check.on_target - 1)
            yield put(contents, place, replace(fewer, elsewhere=more), instead=1)
            yield put(contents, place, replace(fewer, not_known=("stranger",)), instead=1)


@lie(FindingKind.WRONG_COUNTS)
def it_is_complete_although_devices_run_another_version(contents: Contents) -> Iterator[Contents]:
    for place, check in places(contents, LandedCheck):
        if contents[-1].outcome is ReleaseOutcome.COMPLETE:
            other = VersionFound(device="lamp-0001", version="1.0.0")
            checked = replace(check, elsewhere=(other,), on_target=check.on_target - 1)
            yield put(contents, place, checked, instead=1)


def halts(content: Any) -> bool:
    return isinstance(content, VerdictGiven) and content.verdict.decision is Decision.HALT


def with_platform(contents: Contents) -> Contents:
    ((place, plan),) = places(contents, FrozenPlan)
    last = plan.waves[-1]
    number, total = last.number + 1, last.total
    wave = RecordedWave(
        number=number, text="platform ALL", kind="platform", total=total, needs_approval=False, pulses=(), jobs=1
    )
    return put(contents, place, replace(plan, waves=(*plan.waves, wave)), instead=1)


def with_outcome(contents: Contents, outcome: DeviceOutcome) -> Iterator[Contents]:
    """Give one device of each part of the evidence another outcome."""
    corrected = {at for _, part in places(contents, EvidencePart) for at, _ in part.corrected}
    for place, part in places(contents, EvidencePart):
        at = next((one for one, device in enumerate(part.ended) if device not in corrected), None)
        if at is not None:
            outcomes = part.outcomes[:at] + chr(CODES[outcome]) + part.outcomes[at + 1 :]
            yield put(contents, place, replace(part, outcomes=outcomes), instead=1)
