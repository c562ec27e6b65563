"""Waiting for the job from before a clear: a new one would fail on each device that is still at the old one.

The wait has a time of its own, ``timeout`` again, and the new job's begins when it is created.
"""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from airflow_provider_tuya_ota.core.errors import TuyaOTAError
from airflow_provider_tuya_ota.core.jobs.stop import StillDrainingError
from airflow_provider_tuya_ota.core.model.outcome_errors import JobFailedError, WaitTimeoutError
from airflow_provider_tuya_ota.hooks.tuya_ota import TuyaOTAHook
from airflow_provider_tuya_ota.runtime.kill import RunningJob
from airflow_provider_tuya_ota.runtime.task_report import reported
from airflow_provider_tuya_ota.runtime.wait import verdict_of, wait_deferred, wait_here
from airflow_provider_tuya_ota.triggers.job import DRAINED_BY, TuyaOTAJobTrigger

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow.sdk import Context

    from airflow_provider_tuya_ota.core.jobs.tracked_job import TrackedJob
    from airflow_provider_tuya_ota.core.settings import Settings
    from airflow_provider_tuya_ota.core.status.wait import WaitOptions
    from airflow_provider_tuya_ota.runtime.job import JobOperator
    from airflow_provider_tuya_ota.runtime.task_report import TaskReport


def start_after_draining(
    operator: JobOperator,
    context: Context,
    report: TaskReport,
    how: WaitOptions,
    begin: Callable[[datetime], tuple[Settings, TrackedJob]],
) -> tuple[Settings, TrackedJob]:
    """Begin as often as it takes, and wait for the old job in between: in the triggerer, or here.

    :param how: how to wait for the old job.
    :param begin: starts the new job, given when to give up waiting for the old one; raises StillDrainingError instead.
    """
    drained_by = operator.drained_by or how.deadline
    waited_for = ""
    while True:
        try:
            return begin(drained_by)
        except StillDrainingError as still:
            if still.job_id == waited_for:
                # The job has ended and its devices have not, as far as lists tell: they catch up.
                time.sleep(how.poll_interval)
            waited_for = still.job_id
        report.wait(summary=f"waits for job {waited_for}, from before this task was cleared; no new job was created")
        _wait_for(operator, context, waited_for, replace(how, deadline=drained_by))


def _wait_for(operator: JobOperator, context: Context, job_id: str, how: WaitOptions) -> None:
    if operator.deferrable:
        operator.running = None
        trigger = TuyaOTAJobTrigger(
            job_id=job_id,
            tuya_ota_conn_id=operator.tuya_ota_conn_id,
            options=how.to_dict(),
            on_cancel="keep",
            resume_state={DRAINED_BY: how.deadline.astimezone(UTC).isoformat()},
        )
        wait_deferred(operator, trigger, how)
    hook = TuyaOTAHook(operator.tuya_ota_conn_id)
    operator.running = RunningJob.of(
        context,
        hook.get_settings(),
        job_id,
        instead=f"while it waited for job {job_id}, from before this task was cleared, to end. What the clear stopped"
        f" stays stopped and nothing more is; no new job was created",
    )
    # However the old job ends, the next look at its devices decides.
    with suppress(JobFailedError, WaitTimeoutError):
        wait_here(hook, job_id, how, operator.log)


def is_drained(operator: JobOperator, context: Context, event: dict[str, Any] | None) -> bool:
    """Whether an event ends the wait for an old job, after which the task has to begin again.

    :raises TuyaOTAError: the old job could not be looked at.
    """
    drained_by = ((event or {}).get("resume_state") or {}).get(DRAINED_BY, "")
    if not drained_by:
        return False
    operator.drained_by = datetime.fromisoformat(drained_by)
    try:
        verdict_of(event)
    except (JobFailedError, WaitTimeoutError):
        return True
    except TuyaOTAError:
        with reported(context, operator):
            raise
    return True
