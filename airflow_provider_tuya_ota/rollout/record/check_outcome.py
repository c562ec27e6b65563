"""Check that the outcome at the end is the one that the entries give."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from airflow_provider_tuya_ota.rollout.gate.outcomes import DeviceOutcome
from airflow_provider_tuya_ota.rollout.record.check_course import Course
from airflow_provider_tuya_ota.rollout.record.check_excluded import excluded_devices
from airflow_provider_tuya_ota.rollout.record.course import JobCreated, JobPurpose, VerdictGiven
from airflow_provider_tuya_ota.rollout.record.finding import Finding, FindingKind
from airflow_provider_tuya_ota.rollout.record.finish import HaltReceipt, LandedCheck, ReleaseEnded, ReleaseOutcome

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_provider_tuya_ota.rollout.record.begin import FrozenPlan
    from airflow_provider_tuya_ota.rollout.record.record_file import RecordFile
    from airflow_provider_tuya_ota.rollout.record.recorded_devices import RecordedDevices

_COMPLETE: Final = frozenset({ReleaseOutcome.COMPLETE, ReleaseOutcome.WITH_EXCEPTIONS})


def check_outcome(file: RecordFile, devices: RecordedDevices, plan: FrozenPlan) -> Iterator[Finding]:
    """Find an outcome that the entries contradict."""
    for place, end in file.of(ReleaseEnded):
        problems = (*_problems_of_halt(end, file), *_problems_of_exceptions(end, file, devices))
        for text in (*problems, *_problem_of_waves(end, file, devices, plan)):
            yield Finding(kind=FindingKind.WRONG_COUNTS, text=text, entry=place)


def _problems_of_halt(end: ReleaseEnded, file: RecordFile) -> Iterator[str]:
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


def _problems_of_exceptions(end: ReleaseEnded, file: RecordFile, devices: RecordedDevices) -> Iterator[str]:
    on_version = (DeviceOutcome.SUCCEEDED, DeviceOutcome.ON_TARGET)
    others = sum(end.counts.values()) - sum(end.counts.get(outcome, 0) for outcome in on_version)
    exceptions = others - end.succeeded_on_retry + end.in_no_job
    unheard = [name for name, job in devices.jobs.items() if job.devices is None and name not in devices.evidence.jobs]
    elsewhere = _elsewhere(file)
    if end.outcome is ReleaseOutcome.COMPLETE:
        if exceptions > 0:
            yield f"it is complete, and there are devices that do not run the version: {exceptions}"
        if unheard:
            yield f"it is complete, and nothing is known of the devices of job {', '.join(unheard[:10])}"
        if elsewhere:
            yield f"it is complete, and the last check found {elsewhere} devices with another version"
    if end.outcome is ReleaseOutcome.WITH_EXCEPTIONS and exceptions <= 0 and not unheard and not elsewhere:
        yield "it is complete with exceptions, and there is none"


def _elsewhere(file: RecordFile) -> int:
    """Count the devices that the last check found with another version, if no retry followed."""
    checks = file.of(LandedCheck)
    retries = [place for place, job in file.of(JobCreated) if job.purpose is JobPurpose.RETRY]
    return len(checks[-1][1].elsewhere) if checks and max(retries, default=-1) < checks[-1][0] else 0


def _problem_of_waves(end: ReleaseEnded, file: RecordFile, devices: RecordedDevices, plan: FrozenPlan) -> Iterator[str]:
    """Find waves that never began; only one whose devices are all excused may be left out."""
    if end.outcome not in _COMPLETE:
        return
    begun = {job.wave for _, job in file.of(JobCreated) if job.purpose is JobPurpose.WAVE}
    left = [wave for wave in plan.waves if wave.number not in begun]
    # The record does not say of which stratum a device is that was in no job.
    is_held = any(given.verdict.is_binding and given.verdict.held_strata for _, given in file.of(VerdictGiven))
    excused = plan.planned if is_held else len(excluded_devices(file).keys() | devices.in_no_job)
    if any(not wave.size for wave in left) or sum(wave.size for wave in left) > excused:
        names = ", ".join(f"{wave.number} ({wave.text})" for wave in left[:10])
        yield f"the outcome is {end.outcome}, and these waves never began: {names}"
