"""Wait for the job from before a clear: a new job would fail on each device that is still busy with the old one."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from airflow_provider_tuya_ota.core.errors import TuyaOTAError
from airflow_provider_tuya_ota.core.model.outcome_errors import JobFailedError, WaitTimeoutError
from airflow_provider_tuya_ota.core.status.job_set_wait import JobSetWait, WaitedJob, require_only_success
from airflow_provider_tuya_ota.hooks.tuya_ota import TuyaOTAHook
from airflow_provider_tuya_ota.runtime.kill import RunningJobs
from airflow_provider_tuya_ota.runtime.task_report import reported
from airflow_provider_tuya_ota.runtime.wait import parse_event, wait_in_triggerer, wait_in_worker
from airflow_provider_tuya_ota.triggers.job import TuyaOTAJobTrigger
from airflow_provider_tuya_ota.triggers.job_set import DRAINED_BY

if TYPE_CHECKING:
    from airflow.sdk import Context

    from airflow_provider_tuya_ota.core.status.wait import WaitOptions
    from airflow_provider_tuya_ota.runtime.job_operator import JobOperator
    from airflow_provider_tuya_ota.runtime.task_report import TaskReport


def wait_until_drained(
    operator: JobOperator, context: Context, report: TaskReport, job_id: str, options: WaitOptions
) -> None:
    """Wait for an old job: in the triggerer if the task is deferrable, otherwise in this worker.

    A kill during this wait stops nothing: the clear has already stopped what could be stopped.

    :param job_id: the old job.
    :param options: how to wait for it.
    """
    report.leave_waiting(summary=f"waits for job {job_id}, from before this task was cleared; no new job was created")
    if operator.deferrable:
        operator.running = None
        trigger = TuyaOTAJobTrigger(
            job_id=job_id,
            tuya_ota_conn_id=operator.tuya_ota_conn_id,
            options=options.to_dict(),
            on_cancel="keep",
            resume_state={DRAINED_BY: options.deadline.astimezone(UTC).isoformat()},
        )
        wait_in_triggerer(operator, trigger, options)
    hook = TuyaOTAHook(operator.tuya_ota_conn_id)
    operator.running = RunningJobs.of(
        context,
        hook.get_settings(),
        log_only=f"while it waited for job {job_id}, from before this task was cleared, to end. Nothing was"
        f" cancelled beyond what the clear had cancelled, and no new job was created",
    )
    # The old job may end in any way: the next check of its devices decides.
    with suppress(JobFailedError, WaitTimeoutError):
        wait = JobSetWait([WaitedJob(job_id=job_id, is_known=True)], options)
        require_only_success(wait_in_worker(hook, wait, operator.log))


def is_drained(operator: JobOperator, context: Context, event: dict[str, Any] | None) -> bool:
    """Whether an event ends the wait for an old job; then the task starts again.

    :raises TuyaOTAError: the old job could not be polled.
    """
    drained_by = ((event or {}).get("resume_state") or {}).get(DRAINED_BY, "")
    if not drained_by:
        return False
    operator.drained_by = datetime.fromisoformat(drained_by)
    try:
        require_only_success(parse_event(event))
    except (JobFailedError, WaitTimeoutError):
        return True
    except TuyaOTAError:
        with reported(context, operator):
            raise
    return True
