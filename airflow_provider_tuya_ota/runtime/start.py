"""Start a job once: resume the job of an earlier try or create one, and push it before anything else."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from airflow.sdk.exceptions import AirflowTaskTimeout

from airflow_provider_tuya_ota.core.jobs.drain import StillDrainingError
from airflow_provider_tuya_ota.core.jobs.intent import OnFailedJob
from airflow_provider_tuya_ota.core.status.event import Event
from airflow_provider_tuya_ota.hooks.tuya_ota import TuyaOTAHook
from airflow_provider_tuya_ota.links import console_url
from airflow_provider_tuya_ota.runtime.alarm import has_alarm_rung, hold_alarm, release_alarm
from airflow_provider_tuya_ota.runtime.arguments import parse_choice, require_flag
from airflow_provider_tuya_ota.runtime.attempt import attempt_of
from airflow_provider_tuya_ota.runtime.drain import wait_until_drained
from airflow_provider_tuya_ota.runtime.kill import ON_CANCEL, TIMED_OUT_SECONDS, RunningJobs
from airflow_provider_tuya_ota.runtime.notify import require_notifiers
from airflow_provider_tuya_ota.runtime.state_store import state_store_of
from airflow_provider_tuya_ota.runtime.wait import wait_options
from airflow_provider_tuya_ota.runtime.xcom import push_job

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from airflow.sdk import Context

    from airflow_provider_tuya_ota.core.flows.effects import Flow
    from airflow_provider_tuya_ota.core.jobs.intent import Attempt
    from airflow_provider_tuya_ota.core.jobs.tracked_job import TrackedJob
    from airflow_provider_tuya_ota.core.settings import Settings
    from airflow_provider_tuya_ota.core.status.wait import WaitOptions
    from airflow_provider_tuya_ota.runtime.job_operator import JobOperator
    from airflow_provider_tuya_ota.runtime.task_report import TaskReport


def start_job(
    operator: JobOperator,
    context: Context,
    report: TaskReport,
    flow: Callable[[Settings, Attempt], Flow[TrackedJob]],
) -> tuple[TrackedJob, WaitOptions]:
    """Start the job of a task, after the job from before a clear has ended.

    Once the job is created, Airflow's alarm for the ``execution_timeout`` is delayed until the wait.

    :param flow: resumes the job of an earlier try, or creates one.
    :returns: the job, and how to wait for it.
    """
    _require_arguments(operator)
    began = time.monotonic()
    settings, job = _start(operator, context, report, flow)
    operator.running = RunningJobs.of(
        context, settings, job, conn_id=operator.tuya_ota_conn_id, on_cancel=operator.on_cancel
    )
    options = _wait_options(operator, spent=time.monotonic() - began)
    link = console_url(settings, job_id=job.job_id, firmware_id=operator.firmware_id, product_key=operator.product_key)
    # Before anything that may fail or take long, so that the job can be found. The report comes first: it has to exist
    # if the task is killed during the push.
    report.update(Event.STARTED, job_id=job.job_id, link=link)
    try:
        if job.is_started:
            report.leave_waiting(on_cancel=operator.on_cancel if job.is_own else "keep")
        push_job(context["ti"], job, link=link)
    except AirflowTaskTimeout:
        # Airflow's API hangs. The wait polls the job once and stops it.
        if not has_alarm_rung():
            raise
    if not job.is_started:
        release_alarm()
    return job, options


def _require_arguments(operator: JobOperator) -> None:
    parse_choice("on_cancel", operator.on_cancel, ON_CANCEL)
    parse_choice("on_failed_job", operator.on_failed_job, tuple(OnFailedJob))
    require_notifiers(operator.notifiers, operator.log)
    require_flag("wait_for_completion", operator.wait_for_completion)
    require_flag("deferrable", operator.deferrable)


def _wait_options(operator: JobOperator, spent: float = 0.0) -> WaitOptions:
    """Set the deadline, from now.

    :param spent: seconds that this worker has spent on the task, which its ``execution_timeout`` counts.
    """
    allowed = operator.execution_timeout
    if allowed and not operator.deferrable:
        allowed = max(allowed - timedelta(seconds=spent), timedelta(seconds=1))
    return wait_options(
        timeout=operator.timeout,
        poll_interval=operator.poll_interval,
        execution_timeout=allowed,
        poll_error_tolerance=operator.poll_error_tolerance,
    )


def _start(
    operator: JobOperator,
    context: Context,
    report: TaskReport,
    flow: Callable[[Settings, Attempt], Flow[TrackedJob]],
) -> tuple[Settings, TrackedJob]:
    """Run the flow again until no job from before a clear blocks it.

    The wait for that job has its own ``timeout`` seconds; those of the new job begin when it is created.
    """
    options = _wait_options(operator)
    drained_by = operator.drained_by or options.deadline
    old_job_id = ""
    while True:
        try:
            return _run(operator, context, flow, drained_by=drained_by, poll_interval=options.poll_interval)
        except StillDrainingError as still:
            if still.job_id == old_job_id:
                # The job has ended, but lists still show unfinished device tasks of it. They catch up.
                time.sleep(options.poll_interval)
            old_job_id = still.job_id
        wait_until_drained(operator, context, report, old_job_id, replace(options, deadline=drained_by))


def _run(
    operator: JobOperator,
    context: Context,
    flow: Callable[[Settings, Attempt], Flow[TrackedJob]],
    *,
    drained_by: datetime,
    poll_interval: float,
) -> tuple[Settings, TrackedJob]:
    attempt = attempt_of(
        context,
        retries=operator.retries or 0,
        on_failed_job=operator.on_failed_job,
        may_cancel=operator.on_cancel == "stop",
        drained_by=drained_by,
        poll_interval=poll_interval,
    )
    with TuyaOTAHook(operator.tuya_ota_conn_id).get_conn(operator.log) as client:
        operator.running = RunningJobs.of(context, client.settings, log_only=_creating(operator.firmware_id))
        state_store = state_store_of(context, settings=client.settings, firmware_id=operator.firmware_id)
        job = client.run(flow(client.settings, attempt), state_store=state_store)
        hold_alarm(TIMED_OUT_SECONDS)
        return client.settings, job


def _creating(firmware_id: str) -> str:
    return (
        f"while it was creating a job. Firmware {firmware_id} may have a new job that was not cancelled. A retry will"
        " resume it. Look at the firmware's jobs in the vendor's console"
    )
