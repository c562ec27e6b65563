"""Starting a batch upgrade without ever starting two."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_tuya_ota.core.new_jobs import NewJob, create_job, list_jobs_of_type
from airflow_provider_tuya_ota.core.states import JobType

if TYPE_CHECKING:
    from airflow_provider_tuya_ota.core.actions import CreateOTAStaticUpgradeJob
    from airflow_provider_tuya_ota.core.flow import Flow
    from airflow_provider_tuya_ota.core.settings import Settings


def start_upgrade(settings: Settings, action: CreateOTAStaticUpgradeJob) -> Flow[NewJob]:
    """Create an upgrade job; one whose answer was lost is found in the package's list.

    :raises AmbiguousOutcomeError: several jobs could be the created one.
    :raises TuyaOTAError: anything else that went wrong; after an error in doubt no new job was found.
    """
    known = yield from list_jobs_of_type(settings, action.firmware_id, JobType.UPGRADE_FIRMWARE)
    return (yield from create_job(settings, action, JobType.UPGRADE_FIRMWARE, known))
