"""Wait for the verdict of a job, and stop what has not begun when the time is over."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from airflow_provider_tuya_ota.core.errors import TuyaOTAError
from airflow_provider_tuya_ota.core.jobs.stop import stop_job
from airflow_provider_tuya_ota.core.model.outcome_errors import WaitTimeoutError
from airflow_provider_tuya_ota.core.status.event import Event
from airflow_provider_tuya_ota.core.status.job_snapshot import fetch_verdict
from airflow_provider_tuya_ota.core.status.wait import describe_timeout
from airflow_provider_tuya_ota.core.status.wait_state import WaitState
from airflow_provider_tuya_ota.hooks.tuya_ota import TuyaOTAHook
from airflow_provider_tuya_ota.runtime.alarm import AlarmGuard, has_alarm_rung, release_alarm
from airflow_provider_tuya_ota.runtime.kill import TIMED_OUT_SECONDS
from airflow_provider_tuya_ota.runtime.wait import wait_in_triggerer, wait_in_worker
from airflow_provider_tuya_ota.triggers.job import TuyaOTAJobTrigger

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_provider_tuya_ota.core.jobs.tracked_job import TrackedJob
    from airflow_provider_tuya_ota.core.model.verdict import Verdict
    from airflow_provider_tuya_ota.core.status.wait import WaitOptions
    from airflow_provider_tuya_ota.runtime.job_operator import JobOperator
    from airflow_provider_tuya_ota.runtime.task_report import TaskReport


@dataclass(frozen=True, slots=True)
class WaitedJob:
    """A job whose wait has ended or is about to.

    :param on_cancel: ``stop`` or ``keep``: what running out of time does to it.
    :param stopped: what the triggerer's stop has cancelled, as a sentence; empty where it stopped nothing.
    """

    job_id: str
    on_cancel: str
    stopped: str = ""


def wait_for_verdict(operator: JobOperator, report: TaskReport, job: TrackedJob, options: WaitOptions) -> str:
    """Wait for a job where the task does: in the triggerer where it is deferrable, in this worker otherwise.

    Where the ``execution_timeout`` was over since the job was created, the job is polled once more here, and stopped.

    :param options: with the devices that a success must cover.
    :returns: the job's id.
    """
    if not operator.wait_for_completion and not has_alarm_rung():
        return job.job_id
    on_cancel = operator.on_cancel if job.is_own else "keep"
    resume_state = report.resume_state()
    if operator.deferrable and not has_alarm_rung():
        # An alarm that rings from here on stays held back: the trigger has a deadline of its own.
        trigger = TuyaOTAJobTrigger(
            job_id=job.job_id,
            tuya_ota_conn_id=operator.tuya_ota_conn_id,
            options=options.to_dict(),
            on_cancel=on_cancel,
            firmware_id=operator.firmware_id,
            resume_state=resume_state,
        )
        wait_in_triggerer(operator, trigger, options)
    hook, state = TuyaOTAHook(operator.tuya_ota_conn_id), WaitState()
    wait = partial(wait_in_worker, hook, job.job_id, log=operator.log, state=state)
    poll_once = partial(wait, replace(options, deadline=datetime.now(UTC)))

    def wait_with_alarm() -> Verdict:
        release_alarm()
        return wait(options)

    return finish(operator, report, WaitedJob(job.job_id, on_cancel), wait_with_alarm, poll_once)


def finish(
    operator: JobOperator,
    report: TaskReport,
    waited: WaitedJob,
    wait: Callable[[], Verdict],
    poll_once: Callable[[], Verdict] | None = None,
) -> str:
    """Wait, and end the task well also where Airflow's alarm for its ``execution_timeout`` breaks the wait off.

    :param poll_once: what to do after the alarm; the same wait by default.
    :returns: the job's id.
    """
    try:
        verdict = _wait_or_stop(operator, waited, wait, poll_once or wait)
    except Exception:
        operator.running = None
        raise
    # After a second alarm, which is no Exception, Airflow calls on_kill, and that stops the job.
    operator.running = None
    report.update(Event.SUCCEEDED)
    report.set_verdict(verdict)
    operator.log.info("%s", verdict.line())
    return verdict.job_id


def _wait_or_stop(
    operator: JobOperator, waited: WaitedJob, wait: Callable[[], Verdict], poll_once: Callable[[], Verdict]
) -> Verdict:
    with AlarmGuard(TIMED_OUT_SECONDS, operator.log) as guard:
        try:
            return guard.run(wait, poll_once)
        except WaitTimeoutError as error:
            stop = partial(_stop_late, operator, error, waited)
            raise guard.run(stop, stop) from None


def _stop_late(operator: JobOperator, error: WaitTimeoutError, waited: WaitedJob) -> WaitTimeoutError:
    """Stop what the job has not begun, unless the triggerer did.

    :returns: the error to raise, which says what was stopped.
    """
    if waited.on_cancel != "stop" or not waited.job_id:
        return error
    verdict = error.verdict
    stopped = waited.stopped
    try:
        with TuyaOTAHook(operator.tuya_ota_conn_id).get_conn(operator.log) as client:
            stopped = stopped or client.run(stop_job(client.settings, waited.job_id)).line(waited.job_id)
            with suppress(TuyaOTAError):
                verdict = client.run(fetch_verdict(client.settings, waited.job_id))
    except TuyaOTAError as failure:
        if not stopped:
            return WaitTimeoutError(
                f"{error.sentence} Stopping it did not work either: {failure.sentence}", verdict=error.verdict
            )
    summary = f"What had not begun was stopped (on_cancel is 'stop'): {stopped}"
    return WaitTimeoutError(f"{describe_timeout(waited.job_id, error.verdict)} {summary}", verdict=verdict)
