"""Check the landed versions, the final counts and the outcome against the evidence."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from airflow_provider_tuya_ota.core.short_repr import short_repr
from airflow_provider_tuya_ota.rollout.gate.outcomes import FAILURES, DeviceOutcome
from airflow_provider_tuya_ota.rollout.record.begin import ReleaseBegun
from airflow_provider_tuya_ota.rollout.record.check_course import Course
from airflow_provider_tuya_ota.rollout.record.course import JobCreated, JobPurpose
from airflow_provider_tuya_ota.rollout.record.finding import Finding, FindingKind
from airflow_provider_tuya_ota.rollout.record.finish import HaltReceipt, LandedCheck, ReleaseEnded, ReleaseOutcome

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_provider_tuya_ota.rollout.record.begin import FrozenPlan
    from airflow_provider_tuya_ota.rollout.record.record_file import RecordFile
    from airflow_provider_tuya_ota.rollout.record.recorded_devices import RecordedDevices


def check_landed(file: RecordFile, devices: RecordedDevices) -> Iterator[Finding]:
    """Find checks of landed versions that do not add up, or that the evidence contradicts."""
    begun, end = file.first(ReleaseBegun), file.first(ReleaseEnded)
    target, retried = begun.version if begun else "", end.succeeded_on_retry if end else 0
    for place, check in file.of(LandedCheck):
        for text in _problems_of_landed(check, devices, target, retried):
            yield Finding(kind=FindingKind.WRONG_LANDED_CHECK, text=text, entry=place)


def _problems_of_landed(check: LandedCheck, devices: RecordedDevices, target: str, retried: int) -> Iterator[str]:
    names = [*(found.device for found in check.elsewhere), *check.not_known]
    if len(set(names)) != len(names):
        yield "a device is there twice"
    if check.on_target + len(names) != check.checked:
        yield f"{check.on_target} on the version and {len(names)} others are not {check.checked} checked devices"
    if any(found.version == target for found in check.elsewhere):
        yield f"a device with version {target} is among those that run another version"
    successes = [
        found.device
        for found in check.elsewhere
        if found.device in devices.last and devices.outcome(devices.last[found.device]) is DeviceOutcome.SUCCEEDED
    ]
    if successes:
        shown = f"{', '.join(map(short_repr, successes[:10]))} ({len(successes):,} in all)"
        yield f"on another version, and succeeded in the evidence: {shown}"
    corrected = len(devices.evidence.corrected)
    reported = corrected + sum(devices.outcome(place) is DeviceOutcome.SUCCEEDED for place in devices.last.values())
    if check.checked > reported + retried or (check.checked < reported and not check.is_sample):
        yield f"{check.checked} devices were checked, and {reported} have reported success"


def check_end(file: RecordFile, devices: RecordedDevices, plan: FrozenPlan) -> Iterator[Finding]:
    """Find final counts that the evidence does not give, and an outcome that the entries do not give."""
    for place, end in file.of(ReleaseEnded):
        for text in (*_problems_of_counts(end, file, devices, plan), *_problems_of_outcome(end, file)):
            yield Finding(kind=FindingKind.WRONG_COUNTS, text=text, entry=place)


def count_outcomes(devices: RecordedDevices) -> dict[str, int]:
    """Count the devices by the outcome of their last listing, in the order of the outcomes."""
    found = Counter(devices.outcome(place) for place in devices.last.values())
    return {outcome.value: found[outcome] for outcome in DeviceOutcome if found[outcome]}


def _problems_of_counts(
    end: ReleaseEnded, file: RecordFile, devices: RecordedDevices, plan: FrozenPlan
) -> Iterator[str]:
    counts = count_outcomes(devices)
    if end.counts != counts:
        yield f"it says {_counts(end.counts)}; the evidence says {_counts(counts)}"
    if end.planned != plan.planned:
        yield f"planned devices: it says {end.planned}; the plan says {plan.planned}"
    tried_again = len(devices.in_jobs) - len(set(devices.in_jobs))
    in_no_job = plan.planned - (devices.created - tried_again)
    if end.in_no_job != in_no_job:
        yield f"planned devices in no job: it says {end.in_no_job}; the entries say {in_no_job}"
    for _, receipt in file.of(HaltReceipt):
        if len(receipt.spared) != in_no_job:
            yield f"planned devices in no job: {in_no_job}; spared in the receipt: {len(receipt.spared)}"
    failed = sum(counts.get(outcome, 0) for outcome in FAILURES)
    has_retry = any(job.purpose is JobPurpose.RETRY for _, job in file.of(JobCreated))
    if end.succeeded_on_retry > (failed if has_retry else 0):
        more = f"{failed} failed" if has_retry else "nothing was retried"
        yield f"{end.succeeded_on_retry} cannot have succeeded in a retry: {more}"
    yield from _problem_of_exceptions(end, counts)


def _problem_of_exceptions(end: ReleaseEnded, counts: dict[str, int]) -> Iterator[str]:
    on_version = (
        counts.get(DeviceOutcome.SUCCEEDED, 0) + counts.get(DeviceOutcome.ON_TARGET, 0) + end.succeeded_on_retry
    )
    exceptions = sum(counts.values()) - on_version + end.in_no_job
    if end.outcome is ReleaseOutcome.COMPLETE and exceptions > 0:
        yield f"it is complete, and there are devices that do not run the version: {exceptions}"
    if end.outcome is ReleaseOutcome.WITH_EXCEPTIONS and exceptions <= 0:
        yield "it is complete with exceptions, and there is none"


def _problems_of_outcome(end: ReleaseEnded, file: RecordFile) -> Iterator[str]:
    course = Course()
    for place, entry in enumerate(file.entries):
        course.take(place, entry.content)
    is_halted, has_begun, has_receipt = course.halted_at is not None, bool(course.begun), bool(file.of(HaltReceipt))
    was = f"the release was {'' if is_halted else 'not '}halted"
    if has_begun == (end.outcome is ReleaseOutcome.NOT_STARTED):
        yield f"the outcome is {end.outcome}, and {'a' if has_begun else 'no'} wave began"
    if has_begun and is_halted != (end.outcome is ReleaseOutcome.HALTED):
        yield f"the outcome is {end.outcome}, and {was}"
    if has_begun and is_halted != has_receipt:
        yield f"there is {'a' if has_receipt else 'no'} receipt of a halt, and {was}"


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{number} {name[:40]}" for name, number in list(counts.items())[:20]) or "no device"
