"""Check the final counts against the evidence and the entries."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from airflow_provider_tuya_ota.rollout.gate.outcomes import FAILURES, DeviceOutcome
from airflow_provider_tuya_ota.rollout.record.course import JobCreated, JobPurpose
from airflow_provider_tuya_ota.rollout.record.finding import Finding, FindingKind
from airflow_provider_tuya_ota.rollout.record.finish import HaltReceipt, ReleaseEnded

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_provider_tuya_ota.rollout.record.begin import FrozenPlan
    from airflow_provider_tuya_ota.rollout.record.record_file import RecordFile
    from airflow_provider_tuya_ota.rollout.record.recorded_devices import RecordedDevices


def check_end(file: RecordFile, devices: RecordedDevices, plan: FrozenPlan) -> Iterator[Finding]:
    """Find final counts that the evidence does not give."""
    for place, end in file.of(ReleaseEnded):
        counts = count_outcomes(devices)
        texts = (
            *_problems_of_counts(end, counts, plan),
            *_problems_of_no_job(end, file, devices, plan),
            *_problem_of_retries(end, file, counts),
        )
        for text in texts:
            yield Finding(kind=FindingKind.WRONG_COUNTS, text=text, entry=place)


def count_outcomes(devices: RecordedDevices) -> dict[str, int]:
    """Count the devices by the outcome of their last listing, in the order of the outcomes."""
    found = Counter(devices.outcome(place) for place in devices.last.values())
    return {outcome.value: found[outcome] for outcome in DeviceOutcome if found[outcome]}


def _problems_of_counts(end: ReleaseEnded, counts: dict[str, int], plan: FrozenPlan) -> Iterator[str]:
    if end.counts != counts:
        yield f"it says {_counts(end.counts)}; the evidence says {_counts(counts)}"
    if end.planned != plan.planned:
        yield f"planned devices: it says {end.planned}; the plan says {plan.planned}"


def _problems_of_no_job(
    end: ReleaseEnded, file: RecordFile, devices: RecordedDevices, plan: FrozenPlan
) -> Iterator[str]:
    tried_again = len(devices.in_jobs) - len(set(devices.in_jobs))
    in_no_job = plan.planned - (devices.created - tried_again)
    if end.in_no_job != in_no_job:
        yield f"planned devices in no job: it says {end.in_no_job}; the entries say {in_no_job}"
    # A receipt may leave out devices that the evidence lists without a job, such as those that a person excluded.
    listed = len(devices.in_no_job - set(devices.in_jobs))
    for _, receipt in file.of(HaltReceipt):
        if not in_no_job - listed <= len(receipt.spared) <= in_no_job:
            yield f"planned devices in no job: {in_no_job}; spared in the receipt: {len(receipt.spared)}"


def _problem_of_retries(end: ReleaseEnded, file: RecordFile, counts: dict[str, int]) -> Iterator[str]:
    failed = sum(counts.get(outcome, 0) for outcome in FAILURES)
    retries = [job for _, job in file.of(JobCreated) if job.purpose is JobPurpose.RETRY]
    tried = sum(job.devices or 0 for job in retries)
    if end.succeeded_on_retry > min(failed, tried):
        more = f"{failed} failed, and {tried} were tried again" if retries else "nothing was retried"
        yield f"{end.succeeded_on_retry} cannot have succeeded in a retry: {more}"


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{number} {name[:40]}" for name, number in list(counts.items())[:20]) or "no device"
