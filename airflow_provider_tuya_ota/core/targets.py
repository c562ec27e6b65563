"""What a job is aimed at: as a fingerprint of the request, and as the platform tells it of a job."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

from airflow_provider_tuya_ota.core.actions import CreateOTAStaticUpgradeJob, QueryOTAJob
from airflow_provider_tuya_ota.core.calls import call
from airflow_provider_tuya_ota.core.lists import list_tasks

if TYPE_CHECKING:
    from airflow_provider_tuya_ota.core.actions import CreateOTAVerifyJob
    from airflow_provider_tuya_ota.core.flow import Flow
    from airflow_provider_tuya_ota.core.models import Job
    from airflow_provider_tuya_ota.core.settings import Settings


def fingerprint_of(action: CreateOTAVerifyJob | CreateOTAStaticUpgradeJob) -> str:
    """Give the same text for the same request, in whatever order its devices and source versions are named."""
    wire = {
        name: sorted(map(str, value)) if isinstance(value, list | tuple) else value
        for name, value in action.wire().items()
    }
    return hashlib.sha256(json.dumps([action.name, wire], sort_keys=True).encode()).hexdigest()


def fits(settings: Settings, job: Job, action: CreateOTAVerifyJob | CreateOTAStaticUpgradeJob) -> Flow[bool]:
    """Whether a job could have come of a request: nothing that the platform tells of it speaks against it.

    Devices that could not take the package may be missing from the job, others may not be in it.
    """
    if isinstance(action, CreateOTAStaticUpgradeJob):
        if job.target_selection not in {action.target_selection, ""}:
            return False
        if action.target_selection in {"GRAY", "GROUP"}:
            told = yield from call(settings, QueryOTAJob(job_id=job.job_id))
            return _same_share(told.gray_percent, action.gray_percent) and told.group_id in {action.group_id or "", ""}
    if action.target_device_name is None:
        return True
    tasks = yield from list_tasks(settings, job.job_id)
    return {task.device_name for task in tasks} <= set(action.target_device_name)


def _same_share(told: str, asked: str | None) -> bool:
    try:
        return not told or asked is None or float(told) == float(asked)
    except ValueError:
        return False
