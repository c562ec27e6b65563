"""Check verifications and retries, which are in no wave, and that each job is recorded before its evidence."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from airflow_provider_tuya_ota.rollout.gate.outcomes import CODES, FAILURES
from airflow_provider_tuya_ota.rollout.record.course import JobCreated, JobPurpose
from airflow_provider_tuya_ota.rollout.record.evidence_part import EvidencePart
from airflow_provider_tuya_ota.rollout.record.finding import Finding, FindingKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_provider_tuya_ota.rollout.record.record_file import RecordFile

_FAILED: Final = [chr(CODES[outcome]) for outcome in FAILURES]


def check_other_jobs(file: RecordFile) -> Iterator[Finding]:
    """Find verifications and retries that were not allowed when they were created, and evidence before its job."""
    jobs = _Jobs({job.job_id for _, job in file.of(JobCreated)})
    for place, entry in enumerate(file.entries):
        if isinstance(entry.content, EvidencePart):
            for text in jobs.take_evidence(entry.content):
                yield Finding(kind=FindingKind.WRONG_EVIDENCE, text=text, entry=place)
        elif isinstance(entry.content, JobCreated):
            for text in jobs.take_job(entry.content):
                yield Finding(kind=FindingKind.NOT_PLANNED, text=text, entry=place)


@dataclass(slots=True)
class _Jobs:
    """The jobs and the failures up to an entry.

    :param known: ids of all jobs of the record.
    """

    known: set[str]
    created: set[str] = field(default_factory=set)
    waves: set[int] = field(default_factory=set)
    firmware_id: str | None = None
    failures: int = 0

    def take_evidence(self, part: EvidencePart) -> Iterator[str]:
        self.failures += sum(map(part.outcomes.count, _FAILED)) + len(part.corrected)
        for job_id in part.jobs:
            if job_id in self.known and job_id not in self.created:
                yield f"it has devices of job {job_id}, which was created later"

    def take_job(self, job: JobCreated) -> Iterator[str]:
        if self.firmware_id not in {None, job.firmware_id}:
            yield f"job {job.job_id} installs firmware {job.firmware_id}, and the release is of {self.firmware_id}"
        self.firmware_id = self.firmware_id or job.firmware_id
        self.created.add(job.job_id)
        if job.purpose is JobPurpose.WAVE:
            self.waves.add(job.wave)
            return
        if job.devices is None:
            yield f"job {job.job_id} is a {job.purpose}, and does not say how many devices it has"
        if job.purpose is JobPurpose.VERIFICATION and self.waves:
            yield f"job {job.job_id} is a verification, and a wave had begun"
        if job.purpose is JobPurpose.RETRY and job.wave not in self.waves:
            yield f"job {job.job_id} is a retry of wave {job.wave}, which had not begun"
        if job.purpose is JobPurpose.RETRY and (job.devices or 0) > self.failures:
            yield f"job {job.job_id} tries {job.devices} devices again, and {self.failures} had failed"
