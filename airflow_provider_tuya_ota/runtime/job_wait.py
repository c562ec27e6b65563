"""Wait for the verdict of a task's job, in the worker or in the triggerer."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from airflow_provider_tuya_ota.core.status.event import Event
from airflow_provider_tuya_ota.core.status.job_set_wait import JobSetWait, require_only_success
from airflow_provider_tuya_ota.hooks.tuya_ota import TuyaOTAHook
from airflow_provider_tuya_ota.runtime.alarm import has_alarm_rung, release_alarm
from airflow_provider_tuya_ota.runtime.late_stop import LateStop
from airflow_provider_tuya_ota.runtime.wait import wait_in_triggerer, wait_in_worker
from airflow_provider_tuya_ota.triggers.job import TuyaOTAJobTrigger

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_provider_tuya_ota.core.jobs.tracked_job import TrackedJob
    from airflow_provider_tuya_ota.core.model.job_results import JobResult
    from airflow_provider_tuya_ota.core.settings import Settings
    from airflow_provider_tuya_ota.core.status.wait import WaitOptions
    from airflow_provider_tuya_ota.runtime.job_operator import JobOperator
    from airflow_provider_tuya_ota.runtime.task_report import TaskReport


def wait_for_verdict(operator: JobOperator, report: TaskReport, job: TrackedJob, options: WaitOptions) -> str:
    """Wait for a job: in the triggerer if the task is deferrable, otherwise in this worker.

    If the ``execution_timeout`` has passed since the job was created, the job is polled once more here, and stopped.

    :param options: with the devices that a success must cover.
    :returns: the job's id.
    """
    if not operator.wait_for_completion and not has_alarm_rung():
        return job.job_id
    waited = job.waited_for(on_cancel=operator.on_cancel, expected=options.expected)
    resume_state = report.resume_state()
    if operator.deferrable and not has_alarm_rung():
        # An alarm that rings from here on stays delayed: the trigger has its own deadline.
        trigger = TuyaOTAJobTrigger(
            job_id=job.job_id,
            tuya_ota_conn_id=operator.tuya_ota_conn_id,
            options=options.to_dict(),
            on_cancel=waited.on_cancel,
            firmware_id=waited.firmware_id,
            resume_state=resume_state,
            queried=None if waited.queried is None else waited.queried.to_dict(),
        )
        wait_in_triggerer(operator, trigger, options)
    wait = JobSetWait([waited], options)

    def adopt(settings: Settings) -> None:
        # A kill stops the job over the connection over which it is polled.
        if operator.running is not None:
            operator.running = replace(operator.running, settings=settings)

    go_on = partial(wait_in_worker, TuyaOTAHook(operator.tuya_ota_conn_id), wait, operator.log, adopt)

    def wait_with_alarm() -> dict[str, JobResult]:
        release_alarm()
        return go_on()

    def poll_once() -> dict[str, JobResult]:
        wait.change_options(deadline=datetime.now(UTC))
        return go_on()

    return finish(operator, report, LateStop(operator.tuya_ota_conn_id, [waited]), wait_with_alarm, poll_once)


def finish(
    operator: JobOperator,
    report: TaskReport,
    late_stop: LateStop,
    wait: Callable[[], dict[str, JobResult]],
    poll_once: Callable[[], dict[str, JobResult]] | None = None,
) -> str:
    """Wait for the task's job, and finish cleanly even if Airflow's alarm interrupts the wait.

    :param poll_once: what to do after the alarm; the same wait by default.
    :returns: the job's id.
    """
    try:
        verdict = require_only_success(late_stop.wait(wait, poll_once or wait, operator.log))
    except Exception:
        operator.running = None
        raise
    # Still set after a second alarm, which is no Exception: then Airflow calls on_kill, which stops the job.
    operator.running = None
    report.update(Event.SUCCEEDED)
    report.set_verdict(verdict)
    operator.log.info("%s", verdict.line())
    return verdict.job_id
