"""Check that no device was in two jobs, that each job has its own devices, and that none is of a held stratum."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_tuya_ota.rollout.gate.evidence import NO_STRATUM
from airflow_provider_tuya_ota.rollout.gate.outcomes import NOT_TRIED
from airflow_provider_tuya_ota.rollout.record.canonical import digest_of_devices
from airflow_provider_tuya_ota.rollout.record.course import JobCreated, VerdictGiven
from airflow_provider_tuya_ota.rollout.record.finding import Finding, FindingKind
from airflow_provider_tuya_ota.rollout.record.recorded_devices import some_names

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_provider_tuya_ota.rollout.record.record_file import RecordFile
    from airflow_provider_tuya_ota.rollout.record.recorded_devices import RecordedDevices


def check_devices(devices: RecordedDevices) -> Iterator[Finding]:
    """Find devices that were tried twice, and jobs that the evidence knows otherwise than their entry."""
    twice = [
        name
        for place, name in enumerate(devices.evidence.devices)
        if devices.last[name] != place and devices.outcome(place) not in NOT_TRIED
    ]
    if twice:
        text = f"tried in two jobs: {some_names(twice)}"
        yield Finding(kind=FindingKind.DEVICE_IN_TWO_JOBS, text=text)
    for text in _problems_of_jobs(devices):
        yield Finding(kind=FindingKind.WRONG_DEVICES, text=text)


def _problems_of_jobs(devices: RecordedDevices) -> Iterator[str]:
    evidence = devices.evidence
    names: dict[str, list[str]] = {job: [] for job in (*evidence.jobs, *devices.jobs)}
    waves: dict[str, set[int]] = {job: set() for job in names}
    for place, name in enumerate(evidence.devices):
        names[devices.job_id(place)].append(name)
        waves[devices.job_id(place)].add(evidence.wave_of[place])
    for job_id, listed in names.items():
        if not job_id:
            continue
        if job_id not in devices.jobs:
            yield f"the evidence names job {job_id}, and no entry says that a wave created it"
            continue
        job = devices.jobs[job_id]
        if not waves[job_id] <= {job.wave, 0}:
            yield f"the evidence has devices of job {job_id} in another wave than {job.wave}"
        if len(set(listed)) != len(listed):
            yield f"the evidence has a device of job {job_id} twice"
        if job.devices is not None and len(listed) > job.devices:
            yield f"job {job_id} was created for {job.devices} devices, and the evidence has {len(listed)} of it"
        elif len(listed) == job.devices and digest_of_devices(listed) != job.devices_digest:
            yield f"job {job_id} was created for other devices than those that the evidence has"


def check_held_strata(file: RecordFile, devices: RecordedDevices) -> Iterator[Finding]:
    """Find devices that a job took although their stratum was held before it was created, and so for the release."""
    evidence = devices.evidence
    created = {job.job_id: place for place, job in file.of(JobCreated)}
    held: dict[str, int] = {}
    for place, given in file.of(VerdictGiven):
        if given.verdict.is_binding:
            held = dict.fromkeys(given.verdict.held_strata, place) | held
    taken = [
        name
        for listing, name in enumerate(evidence.devices)
        if evidence.stratum_of[listing] != NO_STRATUM
        and held.get(evidence.strata[evidence.stratum_of[listing]], len(file.entries))
        < created.get(devices.job_id(listing), -1)
    ]
    if taken:
        text = f"of a stratum that was held, and in a job that was created later: {some_names(taken)}"
        yield Finding(kind=FindingKind.JOB_WHILE_HELD, text=text)
