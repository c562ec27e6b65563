"""Start a job once for each intent: resume the job of an earlier try, or create one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_tuya_ota.core.jobs.create import create_job
from airflow_provider_tuya_ota.core.jobs.events import start_event
from airflow_provider_tuya_ota.core.jobs.recover import recover_job

if TYPE_CHECKING:
    from airflow_provider_tuya_ota.core.flows.effects import Flow
    from airflow_provider_tuya_ota.core.jobs.intent import Attempt
    from airflow_provider_tuya_ota.core.jobs.job_request import JobRequest
    from airflow_provider_tuya_ota.core.jobs.tracked_job import TrackedJob


def start_job(request: JobRequest, attempt: Attempt) -> Flow[TrackedJob]:
    """Resume the job of an earlier try, or create one.

    :raises TuyaOTAError: as :func:`~airflow_provider_tuya_ota.core.jobs.recover.recover_job` and
        :func:`~airflow_provider_tuya_ota.core.jobs.create.create_job`.
    """
    job = yield from recover_job(request, attempt)
    if job is None:
        job = yield from create_job(request, attempt)
    yield start_event(job)
    return job
