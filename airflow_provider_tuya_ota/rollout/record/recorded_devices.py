"""The devices of a record: what its evidence, its jobs and the receipt of a halt say of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

from airflow_provider_tuya_ota.core.short_repr import short_repr
from airflow_provider_tuya_ota.rollout.gate.outcomes import OUTCOMES
from airflow_provider_tuya_ota.rollout.record.course import JobCreated, JobPurpose
from airflow_provider_tuya_ota.rollout.record.finish import HaltReceipt

if TYPE_CHECKING:
    from collections.abc import Iterable

    from airflow_provider_tuya_ota.rollout.gate.evidence import Evidence
    from airflow_provider_tuya_ota.rollout.gate.outcomes import DeviceOutcome
    from airflow_provider_tuya_ota.rollout.record.record_file import RecordFile


@dataclass(frozen=True, slots=True)
class RecordedDevices:
    """The devices of a record.

    :param evidence: of all parts.
    :param jobs: the jobs of the waves by their id.
    :param last: place of the last listing of each device.
    :param in_receipt: names that a receipt has as cancelled or not; none where the platform chose devices, because
        then the names do not show whether a device was planned.
    """

    evidence: Evidence
    jobs: dict[str, JobCreated]
    last: dict[str, int]
    in_receipt: frozenset[str]

    @classmethod
    def of(cls, file: RecordFile, evidence: Evidence) -> Self:
        """Collect them."""
        jobs = {job.job_id: job for _, job in file.of(JobCreated) if job.purpose is JobPurpose.WAVE}
        last = {name: place for place, name in enumerate(evidence.devices)}
        devices = cls(evidence, jobs, last, frozenset())
        if devices.has_chosen:
            return devices
        names = (name for _, one in file.of(HaltReceipt) for name in (*one.cancelled, *one.not_cancelled))
        return replace(devices, in_receipt=frozenset(names))

    @property
    def has_chosen(self) -> bool:
        """Whether the platform has chosen the devices of a job."""
        return any(job.devices is None for job in self.jobs.values())

    def outcome(self, place: int) -> DeviceOutcome:
        """Give the outcome of one listing."""
        return OUTCOMES[self.evidence.outcomes[place]]

    def job_id(self, place: int) -> str:
        """Give the job of one listing; empty where the device was in none."""
        return self.evidence.jobs[self.evidence.job_of[place]]

    @property
    def created(self) -> int:
        """How many devices the jobs were created for, without jobs whose devices the platform chooses."""
        return sum(job.devices or 0 for job in self.jobs.values())

    @property
    def in_jobs(self) -> list[str]:
        """The devices that the evidence has of these jobs; one that was tried again is there twice."""
        planned = {job_id for job_id, job in self.jobs.items() if job.devices is not None}
        return [name for place, name in enumerate(self.evidence.devices) if self.job_id(place) in planned]

    @property
    def in_no_job(self) -> set[str]:
        """Planned devices that the evidence lists without a job."""
        evidence = self.evidence
        return {
            name for place, name in enumerate(evidence.devices) if not self.job_id(place) and evidence.wave_of[place]
        }


def some_names(names: Iterable[str]) -> str:
    """Show some of the names, and how many there are."""
    found = sorted(names)
    return f"{', '.join(map(short_repr, found[:10]))}{' …' if found[10:] else ''} ({len(found):,} in all)"
