"""The wait for one job, as a flow that returns its verdict or raises its error."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_tuya_ota.core.errors import TuyaOTAError
from airflow_provider_tuya_ota.core.status.job_set_wait import JobSetWait, WaitedJob, wait_for_jobs

if TYPE_CHECKING:
    from airflow_provider_tuya_ota.core.flows.effects import Flow
    from airflow_provider_tuya_ota.core.model.verdict import Verdict
    from airflow_provider_tuya_ota.core.settings import Settings
    from airflow_provider_tuya_ota.core.status.wait import WaitOptions
    from airflow_provider_tuya_ota.core.status.wait_state import WaitState


def wait_for_job(
    settings: Settings, job_id: str, options: WaitOptions, state: WaitState | None = None
) -> Flow[Verdict]:
    states = {} if state is None else {job_id: state}
    wait = JobSetWait([WaitedJob(job_id=job_id, expected=options.expected)], options, states=states)
    yield from wait_for_jobs(settings, wait)
    result = wait.results[job_id]
    if isinstance(result, TuyaOTAError):
        raise result
    return result
