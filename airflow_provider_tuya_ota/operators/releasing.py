"""What the worker does for operators that start a job: create it once, push, wait, tell, and stop it when asked.

It stands apart from their classes because a Dag file is parsed far more often than it runs, and parsing needs no
protocol.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NoReturn, Protocol

from airflow_provider_tuya_ota.attempts import attempt_of, memory_of
from airflow_provider_tuya_ota.core.errors import (
    InvalidParameterError,
    JobFailedError,
    TuyaOTAError,
    WaitTimeoutError,
)
from airflow_provider_tuya_ota.core.intents import Intent, OnFailedJob
from airflow_provider_tuya_ota.core.release_report import report_job
from airflow_provider_tuya_ota.core.stopping import stop_job
from airflow_provider_tuya_ota.core.watching import late
from airflow_provider_tuya_ota.hooks.tuya_ota import TuyaOTAHook
from airflow_provider_tuya_ota.killing import ON_CANCEL, RunningJob, stop_killed
from airflow_provider_tuya_ota.links import XCOM_KEY, console_url
from airflow_provider_tuya_ota.notifications.telling import every_notifier, tell
from airflow_provider_tuya_ota.triggers.job import TuyaOTAJobTrigger
from airflow_provider_tuya_ota.values import require_flag
from airflow_provider_tuya_ota.waiting import patience, verdict_of, wait_deferred, wait_here

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import timedelta

    from airflow.sdk import BaseNotifier, Context
    from airflow.triggers.base import BaseTrigger

    from airflow_provider_tuya_ota.core.flow import Flow
    from airflow_provider_tuya_ota.core.intents import Attempt
    from airflow_provider_tuya_ota.core.settings import Settings
    from airflow_provider_tuya_ota.core.verdicts import Verdict
    from airflow_provider_tuya_ota.core.watching import Patience


class JobOperator(Protocol):
    """What this needs of an operator that starts a job."""

    firmware_id: str
    product_key: str
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

    @property
    def log(self) -> Any:
        """Airflow's task log."""

    def defer(self, *, trigger: BaseTrigger, method_name: str, timeout: timedelta | float | None = None) -> NoReturn:
        """Wait in the triggerer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """The job that a task goes on with.

    :param is_own: True when this task created it, now or in an earlier try: only then may the task stop it.
    :param words: what to say of it in the log.
    """

    job_id: str
    utc_create: str
    request_id: str
    is_own: bool
    words: str


@dataclass(frozen=True, slots=True)
class Waited:
    """What was waited for.

    :param on_cancel: what running out of time does to it.
    :param carry: what the task wanted back.
    """

    job_id: str
    on_cancel: str
    carry: dict[str, str]


def start(
    operator: JobOperator, context: Context, flow: Callable[[Settings, Attempt], Flow[Started]]
) -> tuple[Started, str, Patience]:
    """Go on with the job of an earlier try, or create one; push what others look for.

    :param flow: starts the job.
    :returns: the job, the address of its page, and how to wait for it.
    """
    _require_choice("on_cancel", operator.on_cancel, ON_CANCEL)
    _require_choice("on_failed_job", operator.on_failed_job, tuple(OnFailedJob))
    every_notifier(operator.notifiers)
    require_flag("wait_for_completion", operator.wait_for_completion)
    require_flag("deferrable", operator.deferrable)
    how = patience(
        timeout=operator.timeout,
        poll_interval=operator.poll_interval,
        execution_timeout=operator.execution_timeout,
        poll_error_tolerance=operator.poll_error_tolerance,
    )
    attempt = attempt_of(
        context,
        retries=operator.retries or 0,
        on_failed_job=operator.on_failed_job,
        may_cancel=operator.on_cancel == "stop",
        drained_by=how.deadline,
        poll_interval=how.poll_interval,
    )
    with TuyaOTAHook(operator.tuya_ota_conn_id).get_conn(operator.log) as client:
        operator.running = RunningJob.of(context, client.settings, "")
        started = client.run(flow(client.settings, attempt), memory=memory_of(context))
        may_stop = started.is_own and operator.on_cancel == "stop"
        operator.running = RunningJob.of(context, client.settings, started.job_id) if may_stop else None
        link = console_url(
            client.settings,
            job_id=started.job_id,
            firmware_id=operator.firmware_id,
            product_key=operator.product_key,
        )
    # Pushed before anything that may fail or take long: whoever looks for the job must find it.
    ti = context["ti"]
    ti.xcom_push(key="job_id", value=started.job_id)
    ti.xcom_push(key="firmware_id", value=operator.firmware_id)
    ti.xcom_push(key="utc_create", value=started.utc_create)
    ti.xcom_push(key="request_id", value=started.request_id)
    ti.xcom_push(key=XCOM_KEY, value=link)
    operator.log.info("%s", started.words)
    return started, link, how


def wait(operator: JobOperator, context: Context, started: Started, link: str, how: Patience) -> str:
    """Wait for the verdict, here or in the triggerer.

    :returns: the job's id.
    """
    carry = {"started_at": datetime.now(UTC).isoformat(), "link": link}
    on_cancel = operator.on_cancel if started.is_own else "keep"
    if operator.deferrable:
        trigger = TuyaOTAJobTrigger(
            job_id=started.job_id,
            tuya_ota_conn_id=operator.tuya_ota_conn_id,
            patience=how.to_dict(),
            on_cancel=on_cancel,
            firmware_id=operator.firmware_id,
            carry=carry,
        )
        wait_deferred(operator, trigger, how)
    hook = TuyaOTAHook(operator.tuya_ota_conn_id)
    waited = Waited(started.job_id, on_cancel, carry)
    return _finish(operator, context, waited, lambda: wait_here(hook, started.job_id, how, operator.log))


def resume(operator: JobOperator, context: Context, event: dict[str, Any] | None) -> str:
    """Go on after the triggerer's event."""
    told = event or {}
    waited = Waited(told.get("job_id", ""), told.get("on_cancel", "keep"), told.get("carry", {}))
    return _finish(operator, context, waited, lambda: verdict_of(event))


def give_up(operator: JobOperator, context: Context) -> str:
    """Go on after Airflow's own timeout: the triggerer has not fired, which it does ten minutes earlier when it runs.

    Looks once more, in this worker, at the job that the task wrote down.
    """
    note = memory_of(context).recall().value
    job_id = Intent.from_dict(note).entity_id if note else ""
    if not job_id:
        raise WaitTimeoutError(
            "the triggerer did not answer in time, and this task has not written down which job it waits for"
        )
    operator.log.warning("The triggerer did not answer in time; looking at job %s from here", job_id)
    how = patience(timeout=1.0, poll_interval=operator.poll_interval, execution_timeout=None)
    hook = TuyaOTAHook(operator.tuya_ota_conn_id)
    waited = Waited(job_id, operator.on_cancel, {})
    return _finish(operator, context, waited, lambda: wait_here(hook, job_id, how, operator.log))


def killed(operator: JobOperator) -> None:
    """Stop the job, if a person asked for it; see :mod:`airflow_provider_tuya_ota.killing`."""
    if operator.running is None:
        return
    if operator.running.job_id:
        stop_killed(operator.running, operator.log)
    else:
        operator.log.warning(
            "This process was told to end while it was creating a job: package %s may have a new one, which nobody"
            " stops and a retry goes on with. Look at the package's jobs in the vendor's console",
            operator.firmware_id,
        )


def push_release(operator: JobOperator, context: Context, release: dict[str, Any]) -> None:
    """Push what came of it, and tell those who want to know."""
    context["ti"].xcom_push(key="ota_release", value=release)
    tell(operator.notifiers, context, release, operator.log)


def _finish(operator: JobOperator, context: Context, waited: Waited, wait_on: Callable[[], Verdict]) -> str:
    try:
        verdict = wait_on()
    except JobFailedError as error:
        _report(operator, context, error.verdict, waited.carry, error=str(error))
        raise
    except WaitTimeoutError as error:
        late = _stopped(operator, error, waited)
        if late.verdict is not None:
            _report(operator, context, late.verdict, waited.carry, error=str(late))
        raise late from None
    finally:
        operator.running = None
    _report(operator, context, verdict, waited.carry)
    operator.log.info("%s", verdict.line())
    return verdict.job_id


def _stopped(operator: JobOperator, error: WaitTimeoutError, waited: Waited) -> WaitTimeoutError:
    if waited.on_cancel != "stop" or not waited.job_id:
        return error
    try:
        with TuyaOTAHook(operator.tuya_ota_conn_id).get_conn(operator.log) as client:
            stopped = client.run(stop_job(client.settings, waited.job_id))
    except TuyaOTAError as failure:
        return WaitTimeoutError(
            f"{error.sentence} Stopping it did not work either: {failure.sentence}", verdict=error.verdict
        )
    said = f"What had not begun was stopped (on_cancel is 'stop'): {stopped.line(waited.job_id)}"
    return WaitTimeoutError(f"{late(waited.job_id, error.verdict)} {said}", verdict=error.verdict)


def _report(
    operator: JobOperator, context: Context, verdict: Verdict, carry: dict[str, str], *, error: str = ""
) -> None:
    now = datetime.now(UTC)
    duration = (now - datetime.fromisoformat(carry.get("started_at", now.isoformat()))).total_seconds()
    link = carry.get("link", "")
    release = report_job(verdict, product_key=operator.product_key, duration=duration, link=link, error=error)
    push_release(operator, context, release)


def _require_choice(field: str, value: str, choices: Sequence[str]) -> None:
    if value not in choices:
        raise InvalidParameterError(field=field, problem=f"{value!r} is not allowed", allowed=", ".join(choices))
