"""A request for a verification or an upgrade job, before and after it is sent."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from airflow_provider_tuya_ota.core.actions import CreateOTAStaticUpgradeJob
from airflow_provider_tuya_ota.core.flows.effects import Flow, ReadContext
from airflow_provider_tuya_ota.core.flows.lists import list_jobs
from airflow_provider_tuya_ota.core.jobs.intent import Attempt, Intent, Stage
from airflow_provider_tuya_ota.core.jobs.target import Target, fingerprint_of
from airflow_provider_tuya_ota.core.jobs.tracked_job import NAMES, JobOrigin, TrackedJob

if TYPE_CHECKING:
    from airflow_provider_tuya_ota.core.actions import CreateOTAVerifyJob
    from airflow_provider_tuya_ota.core.flows.pages import Listing
    from airflow_provider_tuya_ota.core.model.entities import Job
    from airflow_provider_tuya_ota.core.model.states import JobType
    from airflow_provider_tuya_ota.core.settings import Settings


@dataclass(frozen=True, slots=True)
class JobRequest:
    """A request for a job.

    :param action: what is sent.
    :param kind: type of the job.
    """

    settings: Settings
    action: CreateOTAVerifyJob | CreateOTAStaticUpgradeJob
    kind: JobType

    @property
    def label(self) -> str:
        """How messages call the job, e.g. ``upgrade job of firmware 178``."""
        return f"{NAMES[self.kind]} job of firmware {self.action.firmware_id}"

    def tracked(self, job_id: str, origin: JobOrigin, *, utc_create: str = "", request_id: str = "") -> TrackedJob:
        """Build the job of this request."""
        action = self.action
        selection = action.target_selection if isinstance(action, CreateOTAStaticUpgradeJob) else ""
        return TrackedJob(
            job_id=job_id,
            firmware_id=action.firmware_id,
            kind=self.kind,
            origin=origin,
            utc_create=utc_create,
            request_id=request_id,
            selection=selection,
        )

    def list_jobs(self) -> Flow[Listing[Job]]:
        """List the firmware's jobs of this type, the newest first."""
        listing = yield from list_jobs(self.settings, self.action.firmware_id)
        jobs = (job for job in listing.items if job.type == self.kind)
        return replace(listing, items=sorted(jobs, key=lambda job: job.utc_create, reverse=True))

    def new_intent(self, attempt: Attempt, stage: Stage) -> Flow[Intent]:
        """Build the intent to save; it reads the clock."""
        return Intent(
            fingerprint=fingerprint_of(self.action),
            target=Target.of(self.action),
            stage=stage,
            started_at=(yield ReadContext()).now,
            clear_number=attempt.clear_number,
            cleared_after=attempt.cleared_after,
        )
