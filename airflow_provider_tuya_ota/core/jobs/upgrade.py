"""Start a batch upgrade once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_tuya_ota.core.jobs.intent import Attempt
from airflow_provider_tuya_ota.core.jobs.job_request import JobRequest
from airflow_provider_tuya_ota.core.jobs.start import start_job
from airflow_provider_tuya_ota.core.model.states import JobType

if TYPE_CHECKING:
    from airflow_provider_tuya_ota.core.actions import CreateOTAStaticUpgradeJob
    from airflow_provider_tuya_ota.core.flows.effects import Flow
    from airflow_provider_tuya_ota.core.jobs.tracked_job import TrackedJob
    from airflow_provider_tuya_ota.core.settings import Settings


def start_upgrade(
    settings: Settings, action: CreateOTAStaticUpgradeJob, attempt: Attempt | None = None
) -> Flow[TrackedJob]:
    """Resume the upgrade job that an earlier try created, or create one.

    :param attempt: what Airflow knows about this try; the first one by default.
    :raises AlreadyUnderWayError: another unfinished job upgrades the same devices; the error names it.
    :raises AmbiguousOutcomeError: several jobs may be the one that an earlier try created, or that a request
        with a lost answer created.
    :raises TuyaOTAError: anything else. If ``in_doubt`` is set, the jobs were searched and none was found.
    """
    return start_job(JobRequest(settings, action, JobType.UPGRADE_FIRMWARE), attempt or Attempt())
