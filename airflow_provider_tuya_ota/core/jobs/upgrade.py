"""Starting a batch upgrade without ever starting two."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_tuya_ota.core.jobs.create import JobRequest, start_job
from airflow_provider_tuya_ota.core.jobs.intent import Attempt
from airflow_provider_tuya_ota.core.model.states import JobType

if TYPE_CHECKING:
    from airflow_provider_tuya_ota.core.actions import CreateOTAStaticUpgradeJob
    from airflow_provider_tuya_ota.core.flows.effects import Flow
    from airflow_provider_tuya_ota.core.jobs.tracked_job import TrackedJob
    from airflow_provider_tuya_ota.core.settings import Settings


def start_upgrade(
    settings: Settings, action: CreateOTAStaticUpgradeJob, attempt: Attempt | None = None
) -> Flow[TrackedJob]:
    """Go on with the upgrade job that an earlier try created, or create one.

    :param attempt: what the scheduler knows of this try; by default the first one.
    :raises AlreadyUnderWayError: somebody else's unfinished job upgrades the same devices; it is named.
    :raises AmbiguousOutcomeError: several jobs could be the one that an earlier try, or a lost answer, left.
    :raises TuyaOTAError: anything else that went wrong; after an error in doubt no new job was found.
    """
    return start_job(JobRequest(settings, action, JobType.UPGRADE_FIRMWARE), attempt or Attempt())
