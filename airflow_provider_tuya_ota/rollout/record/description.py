"""One sentence for each entry of a record, for people."""

from __future__ import annotations

from functools import singledispatch
from typing import TYPE_CHECKING

from airflow_provider_tuya_ota.core.texts import one_line
from airflow_provider_tuya_ota.rollout.record.begin import FrozenPlan, GateSettings, ReleaseBegun
from airflow_provider_tuya_ota.rollout.record.course import (
    ApprovalAnswered,
    ApprovalAsked,
    ControlNote,
    JobCreated,
    OutsideSaid,
    VerdictGiven,
)
from airflow_provider_tuya_ota.rollout.record.evidence_part import EvidencePart
from airflow_provider_tuya_ota.rollout.record.finish import HaltReceipt, LandedCheck, ReleaseEnded

if TYPE_CHECKING:
    from airflow_provider_tuya_ota.rollout.record.entry import Content


def describe(content: Content) -> str:
    """Say in one line what an entry says; control characters are replaced."""
    return one_line(_describe(content))


@singledispatch
def _describe(content: object) -> str:
    raise TypeError(f"{type(content).__name__} is no entry of a record")


@_describe.register
def _begun(begun: ReleaseBegun) -> str:
    source = f", from {begun.source} ({begun.size:,} bytes)" if begun.source else ""
    what = f"{begun.product_key}, module {begun.module_name}, version {begun.version}"
    return f"release {begun.release_id} of {what}, by {begun.triggered_by}{source}"


@_describe.register
def _plan(plan: FrozenPlan) -> str:
    excluded = "".join(f", {number:,} {reason}" for reason, number in plan.excluded.items())
    waves = "; ".join(f"{wave.text} ({wave.size:,} devices)" for wave in plan.waves)
    return f"{plan.devices:,} of {plan.candidates:,} devices{excluded}; waves {waves}"


@_describe.register
def _settings(settings: GateSettings) -> str:
    by = f", overridden by {settings.who}: {settings.why}" if settings.who else ""
    return f"ceiling {settings.gate.ceiling}, silent after {settings.gate.rules.silent_after:g} s{by}"


@_describe.register
def _job(job: JobCreated) -> str:
    devices = "devices that the platform chooses" if job.devices is None else f"{job.devices:,} devices"
    where = f"wave {job.wave}, pulse {job.pulse}" if job.wave else "no wave"
    return f"job {job.job_id} ({job.purpose}, {where}) of firmware {job.firmware_id}: {devices}"


@_describe.register
def _part(part: EvidencePart) -> str:
    corrected = f", {len(part.corrected):,} turned out to run another version" if part.corrected else ""
    return f"{len(part.devices):,} devices started, {len(part.ended):,} have an outcome{corrected}"


@_describe.register
def _given(given: VerdictGiven) -> str:
    return f"wave {given.verdict.occasion.wave}: {given.verdict}"


@_describe.register
def _said(said: OutsideSaid) -> str:
    answer = said.answer
    return f"{answer.source}: {answer.decision}{f', {answer.reason}' if answer.reason else ''}"


@_describe.register
def _asked(asked: ApprovalAsked) -> str:
    who = ", ".join(asked.approvers) or "anybody"
    return f"wave {asked.wave}: asked {who}{', not who triggered it' if asked.two_person else ''}"


@_describe.register
def _answered(answered: ApprovalAnswered) -> str:
    why = f": {answered.why}" if answered.why else ""
    return f"to entry {answered.asked}: {answered.answer} by {answered.who or 'nobody'}{why}"


@_describe.register
def _note(note: ControlNote) -> str:
    devices = f" {', '.join(note.devices)}" if note.devices else ""
    return f"{note.verb}{devices} by {note.who}: {note.why}"


@_describe.register
def _receipt(receipt: HaltReceipt) -> str:
    return ", ".join(f"{len(names):,} {kind}" for kind, names in receipt.by_receipt.items())


@_describe.register
def _check(check: LandedCheck) -> str:
    sample = "a sample of " if check.is_sample else ""
    found = f"{check.on_target:,} on the version, {len(check.elsewhere):,} on another one"
    return f"{sample}{check.checked:,} checked: {found}, {len(check.not_known):,} not known"


@_describe.register
def _end(end: ReleaseEnded) -> str:
    counts = ", ".join(f"{number:,} {outcome}" for outcome, number in end.counts.items()) or "no device started"
    retried = f", {end.succeeded_on_retry:,} of them succeeded in a retry" if end.succeeded_on_retry else ""
    return f"{end.outcome}: {end.reason}; {end.planned:,} planned, {end.in_no_job:,} in no job; {counts}{retried}"
