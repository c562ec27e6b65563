"""What the worker does for operators that start a job: create it once, push, wait, tell, and stop it when asked.

It stands apart from their classes because a Dag file is parsed far more often than it runs, and parsing needs no
protocol.
"""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, NoReturn, Protocol

from airflow.sdk.exceptions import TaskDeferralError

from airflow_provider_tuya_ota.core.errors import TuyaOTAError
from airflow_provider_tuya_ota.core.jobs.intent import OnFailedJob
from airflow_provider_tuya_ota.core.jobs.stop import stop_job
from airflow_provider_tuya_ota.core.model.outcome_errors import WaitTimeoutError
from airflow_provider_tuya_ota.core.status.event import Event
from airflow_provider_tuya_ota.core.status.job_snapshot import fetch_verdict
from airflow_provider_tuya_ota.core.status.wait import late
from airflow_provider_tuya_ota.core.status.wait_state import WaitState
from airflow_provider_tuya_ota.hooks.tuya_ota import TuyaOTAHook
from airflow_provider_tuya_ota.links import XCOM_KEY, console_url
from airflow_provider_tuya_ota.runtime.alarm import Unbroken
from airflow_provider_tuya_ota.runtime.arguments import parse_choice, parse_names, require_flag
from airflow_provider_tuya_ota.runtime.attempt import attempt_of, noted_job, state_store_of
from airflow_provider_tuya_ota.runtime.drain import is_drained, start_after_draining
from airflow_provider_tuya_ota.runtime.kill import ON_CANCEL, TIMED_OUT_SECONDS, RunningJob, answer_kill
from airflow_provider_tuya_ota.runtime.notify import require_notifiers
from airflow_provider_tuya_ota.runtime.task_report import reported
from airflow_provider_tuya_ota.runtime.wait import options, verdict_of, wait_deferred, wait_here
from airflow_provider_tuya_ota.triggers.job import TuyaOTAJobTrigger

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from airflow.sdk import BaseNotifier, Context
    from airflow.sdk.exceptions import TaskDeferralTimeout
    from airflow.triggers.base import BaseTrigger

    from airflow_provider_tuya_ota.core.flows.effects import Flow
    from airflow_provider_tuya_ota.core.jobs.intent import Attempt
    from airflow_provider_tuya_ota.core.jobs.tracked_job import TrackedJob
    from airflow_provider_tuya_ota.core.model.verdict import Verdict
    from airflow_provider_tuya_ota.core.settings import Settings
    from airflow_provider_tuya_ota.core.status.wait import WaitOptions
    from airflow_provider_tuya_ota.runtime.task_report import TaskReport


class JobOperator(Protocol):
    """What this needs of an operator that starts a job."""

    firmware_id: str
    product_key: str
    device_names: Sequence[str] | str | None
    wait_for_completion: bool
    deferrable: bool
    poll_interval: float
    poll_error_tolerance: float
    timeout: float
    on_cancel: str
    on_failed_job: str
    notifiers: BaseNotifier | Sequence[BaseNotifier]
    tuya_ota_conn_id: str
    execution_timeout: timedelta | None
    retries: int | None
    running: RunningJob | None
    drained_by: datetime | None

    @property
    def log(self) -> Any:
        """Airflow's task log."""

    def defer(self, *, trigger: BaseTrigger, method_name: str, timeout: timedelta | float | None = None) -> NoReturn:
        """Wait in the triggerer."""


@dataclass(frozen=True, slots=True)
class Waited:
    """What was waited for.

    :param on_cancel: what running out of time does to it.
    :param stopped: what came of it already, where the triggerer has stopped it.
    """

    job_id: str
    on_cancel: str
    stopped: str = ""


def start(
    operator: JobOperator,
    context: Context,
    report: TaskReport,
    flow: Callable[[Settings, Attempt], Flow[TrackedJob]],
) -> tuple[TrackedJob, WaitOptions]:
    """Go on with the job of an earlier try, or create one; push what others look for.

    :param flow: starts the job.
    :returns: the job, and how to wait for it.
    """
    parse_choice("on_cancel", operator.on_cancel, ON_CANCEL)
    parse_choice("on_failed_job", operator.on_failed_job, tuple(OnFailedJob))
    require_notifiers(operator.notifiers, operator.log)
    require_flag("wait_for_completion", operator.wait_for_completion)
    require_flag("deferrable", operator.deferrable)
    began = time.monotonic()
    how = _patience(operator)

    def begin(drained_by: datetime) -> tuple[Settings, TrackedJob]:
        attempt = attempt_of(
            context,
            retries=operator.retries or 0,
            on_failed_job=operator.on_failed_job,
            may_cancel=operator.on_cancel == "stop",
            drained_by=drained_by,
            poll_interval=how.poll_interval,
        )
        with TuyaOTAHook(operator.tuya_ota_conn_id).get_conn(operator.log) as client:
            operator.running = RunningJob.of(context, client.settings, instead=_creating(operator))
            state_store = state_store_of(context, settings=client.settings, firmware_id=operator.firmware_id)
            return client.settings, client.run(flow(client.settings, attempt), state_store=state_store)

    settings, started = start_after_draining(operator, context, report, how, begin)
    operator.running = RunningJob.of(
        context, settings, started.job_id, is_own=started.is_own, on_cancel=operator.on_cancel
    )
    how = _patience(operator, spent=time.monotonic() - began)
    link = console_url(
        settings, job_id=started.job_id, firmware_id=operator.firmware_id, product_key=operator.product_key
    )
    # Pushed before anything that may fail or take long: whoever looks for the job must find it.
    ti = context["ti"]
    report.know(Event.STARTED, job_id=started.job_id, link=link)
    ti.xcom_push(key="job_id", value=started.job_id)
    # Airflow's XCom page reads a text of digits as a number and rounds it; this one it shows as it is.
    ti.xcom_push(key="job", value=f"job {started.job_id} of firmware {operator.firmware_id}")
    ti.xcom_push(key="firmware_id", value=operator.firmware_id)
    ti.xcom_push(key="utc_create", value=started.utc_create)
    ti.xcom_push(key="request_id", value=started.request_id)
    ti.xcom_push(key=XCOM_KEY, value=link)
    operator.log.info("%s", started.line())
    return started, how


def _patience(operator: JobOperator, spent: float = 0.0) -> WaitOptions:
    """Set the deadline, from now.

    :param spent: seconds that this worker has spent on the task, which its ``execution_timeout`` counts.
    """
    allowed = operator.execution_timeout
    if allowed and not operator.deferrable:
        allowed = max(allowed - timedelta(seconds=spent), timedelta(seconds=1))
    return options(
        timeout=operator.timeout,
        poll_interval=operator.poll_interval,
        execution_timeout=allowed,
        poll_error_tolerance=operator.poll_error_tolerance,
    )


def _creating(operator: JobOperator) -> str:
    return (
        f"while it was creating a job: firmware {operator.firmware_id} may have a new one, which nobody stops and a"
        " retry goes on with. Look at the firmware's jobs in the vendor's console"
    )


def wait(operator: JobOperator, report: TaskReport, started: TrackedJob, how: WaitOptions) -> str:
    """Wait for the verdict, here or in the triggerer.

    :returns: the job's id.
    """
    how = replace(how, expected=expected_devices(operator))
    on_cancel = operator.on_cancel if started.is_own else "keep"
    report.wait(on_cancel=on_cancel)
    resume_state = report.resume_state()
    if operator.deferrable:
        trigger = TuyaOTAJobTrigger(
            job_id=started.job_id,
            tuya_ota_conn_id=operator.tuya_ota_conn_id,
            options=how.to_dict(),
            on_cancel=on_cancel,
            firmware_id=operator.firmware_id,
            resume_state=resume_state,
        )
        wait_deferred(operator, trigger, how)
    hook = TuyaOTAHook(operator.tuya_ota_conn_id)
    waited = Waited(started.job_id, on_cancel)
    seen = WaitState()

    def look(how: WaitOptions) -> Verdict:
        return wait_here(hook, started.job_id, how, operator.log, seen)

    once = replace(how, deadline=datetime.now(UTC))
    return _finish(operator, report, waited, lambda: look(how), lambda: look(once))


def expected_devices(operator: JobOperator) -> tuple[str, ...]:
    """Give the devices that success must cover, exactly; none where the author leaves the choice to the platform."""
    # A verification has no selection; an upgrade goes to the named devices only with SPECIFIC.
    if getattr(operator, "target_selection", "SPECIFIC") != "SPECIFIC":
        return ()
    return tuple(parse_names("device_names", operator.device_names) or ())


def resume(operator: JobOperator, context: Context, event: dict[str, Any] | None, again: Callable[[], str]) -> str:
    """Go on after the triggerer's event.

    :param again: begins anew, where the wait was for the job from before a clear.
    """
    if is_drained(operator, context, event):
        return again()
    told = event or {}
    waited = Waited(told.get("job_id", ""), told.get("on_cancel", "keep"), told.get("stopped", ""))
    with reported(context, operator) as report:
        report.go_on(job_id=waited.job_id, **told.get("resume_state", {}))
        return _finish(operator, report, waited, lambda: verdict_of(event))


def give_up(operator: JobOperator, context: Context, why: TaskDeferralError | TaskDeferralTimeout) -> str:
    """Go on after Airflow's own end of a deferral.

    After its timeout the triggerer has not fired, which it does ten minutes earlier when it runs: looks once more, in
    this worker, at the job that the task waits for.

    :raises TaskDeferralError: the trigger broke; a retry goes on with the job.
    """
    with reported(context, operator) as report:
        own_id, is_certain = noted_job(context)
        job_id = report.load_state()
        if isinstance(why, TaskDeferralError):
            raise why
        if job_id == "":
            raise WaitTimeoutError(
                "the triggerer did not answer in time; the job from before this task was cleared may still go on, and"
                " no new one was created. Clear the task once more when the old job has ended"
            )
        job_id = job_id or own_id
        if not job_id:
            raise WaitTimeoutError(
                "the triggerer did not answer in time, and this task has not written down which job it waits for"
            )
        operator.log.warning("The triggerer did not answer in time; looking at job %s from here", job_id)
        how = options(timeout=1.0, poll_interval=operator.poll_interval, execution_timeout=None)
        how = replace(how, expected=expected_devices(operator))
        hook = TuyaOTAHook(operator.tuya_ota_conn_id)
        # A job that is not certainly this task's is not stopped.
        waited = Waited(job_id, operator.on_cancel if job_id == own_id and is_certain else "keep")
        return _finish(operator, report, waited, lambda: wait_here(hook, job_id, how, operator.log))


def killed(operator: JobOperator) -> None:
    """Stop the job, if a person asked for it; see :mod:`airflow_provider_tuya_ota.runtime.kill`."""
    if operator.running is not None:
        answer_kill(operator.running, operator.log)


def _finish(
    operator: JobOperator,
    report: TaskReport,
    waited: Waited,
    wait_on: Callable[[], Verdict],
    look_again: Callable[[], Verdict] | None = None,
) -> str:
    """Wait, and end the task well also where Airflow's alarm for its ``execution_timeout`` breaks the wait off.

    :param look_again: looks once; waits like the first time by default.
    """
    try:
        verdict = _ended(operator, waited, wait_on, look_again or wait_on)
    except Exception:
        operator.running = None
        raise
    # After a second alarm, which is no Exception, Airflow calls on_kill, and that stops the job.
    operator.running = None
    report.know(Event.SUCCEEDED)
    report.see(verdict)
    operator.log.info("%s", verdict.line())
    return verdict.job_id


def _ended(
    operator: JobOperator, waited: Waited, wait_on: Callable[[], Verdict], look_again: Callable[[], Verdict]
) -> Verdict:
    with Unbroken(TIMED_OUT_SECONDS, operator.log) as unbroken:
        try:
            return unbroken.do(wait_on, look_again)
        except WaitTimeoutError as error:
            stop = partial(_stopped, operator, error, waited)
            raise unbroken.do(stop, stop) from None


def _stopped(operator: JobOperator, error: WaitTimeoutError, waited: Waited) -> WaitTimeoutError:
    if waited.on_cancel != "stop" or not waited.job_id:
        return error
    verdict = error.verdict
    said = waited.stopped
    try:
        with TuyaOTAHook(operator.tuya_ota_conn_id).get_conn(operator.log) as client:
            said = said or client.run(stop_job(client.settings, waited.job_id)).line(waited.job_id)
            with suppress(TuyaOTAError):
                verdict = client.run(fetch_verdict(client.settings, waited.job_id))
    except TuyaOTAError as failure:
        if not said:
            return WaitTimeoutError(
                f"{error.sentence} Stopping it did not work either: {failure.sentence}", verdict=error.verdict
            )
    said = f"What had not begun was stopped (on_cancel is 'stop'): {said}"
    return WaitTimeoutError(f"{late(waited.job_id, error.verdict)} {said}", verdict=verdict)
