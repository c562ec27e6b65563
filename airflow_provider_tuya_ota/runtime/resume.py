"""Continue a task after its wait in the triggerer."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from airflow.sdk.exceptions import TaskDeferralError

from airflow_provider_tuya_ota.core.model.outcome_errors import WaitTimeoutError
from airflow_provider_tuya_ota.core.status.job_set_wait import JobSetWait, WaitedJob
from airflow_provider_tuya_ota.hooks.tuya_ota import TuyaOTAHook
from airflow_provider_tuya_ota.runtime.job_wait import finish
from airflow_provider_tuya_ota.runtime.late_stop import LateStop
from airflow_provider_tuya_ota.runtime.state_store import job_since_clear, stored_job
from airflow_provider_tuya_ota.runtime.task_report import reported
from airflow_provider_tuya_ota.runtime.wait import parse_event, parse_jobs, wait_in_worker, wait_options

if TYPE_CHECKING:
    from airflow.sdk import Context
    from airflow.sdk.exceptions import TaskDeferralTimeout

    from airflow_provider_tuya_ota.runtime.job_operator import JobOperator


def resume(operator: JobOperator, context: Context, event: dict[str, Any] | None) -> str:
    """Continue after the triggerer's event.

    :returns: the job's id.
    """
    jobs, stopped = parse_jobs(event)
    with reported(context, operator) as report:
        report.resume(job_id=jobs[0].job_id if jobs else "", **(event or {}).get("resume_state", {}))
        return finish(operator, report, LateStop(operator.tuya_ota_conn_id, jobs, stopped), partial(parse_event, event))


def resume_without_event(operator: JobOperator, context: Context, why: TaskDeferralError | TaskDeferralTimeout) -> str:
    """Continue after Airflow itself has ended the deferral.

    Airflow's timeout comes ten minutes after the trigger's deadline, so the triggerer did not run. The job is polled
    once more, in this worker.

    :returns: the job's id.
    :raises TaskDeferralError: the trigger failed; a retry resumes the job.
    """
    with reported(context, operator) as report:
        own_id, is_certain = stored_job(context)
        job_id = report.load_state()
        if isinstance(why, TaskDeferralError):
            raise why
        if job_id == "":
            raise WaitTimeoutError(
                "the triggerer did not answer in time; the job from before this task was cleared may still go on, and"
                " no new one was created. Clear the task once more when the old job has ended"
            )
        if job_id is None:
            # Without the report, a job from before a clear could be taken for this task's.
            job_id, _ = job_since_clear(context, retries=operator.retries or 0)
        if not job_id:
            raise WaitTimeoutError(
                "the triggerer did not answer in time, and this task has not stored which job it waits for"
            )
        operator.log.warning("The triggerer did not answer in time; polling job %s from this worker", job_id)
        options = wait_options(timeout=1.0, poll_interval=operator.poll_interval, execution_timeout=None)
        job = WaitedJob(
            job_id=job_id,
            expected=operator.expected_devices(),
            # A job that is not certainly this task's is not stopped.
            on_cancel=operator.on_cancel if job_id == own_id and is_certain else "keep",
        )
        hook = TuyaOTAHook(operator.tuya_ota_conn_id)
        wait = partial(wait_in_worker, hook, JobSetWait([job], options), operator.log)
        return finish(operator, report, LateStop(operator.tuya_ota_conn_id, [job]), wait)
