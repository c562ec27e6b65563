"""The Airflow side of a wait: in a worker or in the triggerer, it ends in the same verdict or the same error."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NoReturn, Protocol

from airflow_provider_tuya_ota.client import LogListener, TuyaOTAClient
from airflow_provider_tuya_ota.core.durations import require_seconds
from airflow_provider_tuya_ota.core.errors import StateUnavailableError, TriggerEventError
from airflow_provider_tuya_ota.core.model.error_event import rebuild_error
from airflow_provider_tuya_ota.core.model.outcome_errors import JobFailedError, WaitTimeoutError
from airflow_provider_tuya_ota.core.model.verdict import Verdict
from airflow_provider_tuya_ota.core.status.wait import JobWait, WaitOptions, require_success, wait_for_job
from airflow_provider_tuya_ota.core.status.wait_state import DEFAULT_TOLERANCE, WaitState
from airflow_provider_tuya_ota.transports.runtime import Runtime

if TYPE_CHECKING:
    from airflow.triggers.base import BaseTrigger

    from airflow_provider_tuya_ota.hooks.tuya_ota import TuyaOTAHook
    from airflow_provider_tuya_ota.triggers.job import TuyaOTAJobTrigger

LEAD = 10.0
"""Seconds by which a wait ends before Airflow breaks it off, at most a tenth of the time: enough to end it well."""
BACKSTOP = timedelta(minutes=10)
"""How much later than the trigger's own deadline Airflow gives up: only for a triggerer that never fires."""


def wait_options(
    *,
    timeout: float,
    poll_interval: float,
    execution_timeout: timedelta | None,
    poll_error_tolerance: float = DEFAULT_TOLERANCE,
) -> WaitOptions:
    """Set the deadline: the earlier of ``timeout`` and ``execution_timeout``.

    Airflow itself does not enforce the latter while a task is deferred.

    :param timeout: seconds to wait from now.
    :param poll_interval: seconds between two polls.
    :param execution_timeout: of the task.
    :param poll_error_tolerance: seconds that polls may keep failing.
    :raises InvalidParameterError: one of them is no such number.
    """
    require_seconds("timeout", timeout)
    require_seconds("poll_interval", poll_interval)
    require_seconds("poll_error_tolerance", poll_error_tolerance, or_zero=True)
    seconds = timeout
    if execution_timeout:
        allowed = execution_timeout.total_seconds()
        seconds = min(timeout, allowed - min(LEAD, allowed / 10))
    return WaitOptions(
        deadline=datetime.now(UTC) + timedelta(seconds=seconds),
        poll_interval=poll_interval,
        poll_error_tolerance=poll_error_tolerance,
    )


def wait_in_worker(
    hook: TuyaOTAHook, job_id: str, options: WaitOptions, log: Any, state: WaitState | None = None
) -> Verdict:
    """Wait for a job in this process.

    :param state: what was seen before, and from now on; nothing by default.
    :raises JobFailedError: the job ended without reaching every device.
    :raises WaitTimeoutError: the deadline passed, the job goes on.
    :raises TuyaOTAError: polls kept failing.
    """
    state = state or WaitState()
    with _connect(hook, JobWait(job_id, options, state), log) as client:
        verdict = client.run(wait_for_job(client.settings, job_id, options, state))
    require_success(verdict)
    return verdict


def _connect(hook: TuyaOTAHook, job_wait: JobWait, log: Any) -> TuyaOTAClient:
    """Open a client; where Airflow's API does not give the connection, that counts as a poll that failed."""
    runtime, listener = Runtime(), LogListener(log)
    while True:
        now = runtime.context().steady
        try:
            return TuyaOTAClient(hook.get_settings(), listener=listener, runtime=runtime)
        except StateUnavailableError as error:
            event, pause = job_wait.pause_after(error, now)
        listener.event(event)
        runtime.sleep(pause)


class Defers(Protocol):
    """A task that can wait in the triggerer."""

    def defer(self, *, trigger: BaseTrigger, method_name: str, timeout: timedelta | float | None = None) -> NoReturn:
        """Free the worker."""


def wait_in_triggerer(operator: Defers, trigger: TuyaOTAJobTrigger, options: WaitOptions) -> NoReturn:
    """Defer: the triggerer waits, the worker is free, and the task goes on in ``execute_complete``."""
    operator.defer(
        trigger=trigger,
        method_name="execute_complete",
        timeout=options.deadline - datetime.now(UTC) + BACKSTOP,
    )


def parse_event(event: dict[str, Any] | None) -> Verdict:
    """Read the trigger's event: a verdict of success, or the error that the blocking wait would have raised.

    :raises TriggerEventError: the event has no form that this version knows.
    """
    match event:
        case {"status": "success", "verdict": dict(verdict)}:
            return Verdict.from_dict(verdict)
        case {"status": "failure", "verdict": dict(verdict), "message": str(message)}:
            raise JobFailedError(message, verdict=Verdict.from_dict(verdict))
        case {"status": "timeout", "verdict": dict(verdict), "message": str(message)}:
            raise WaitTimeoutError(message, verdict=Verdict.from_dict(verdict))
        case {"status": "timeout", "message": str(message)}:
            raise WaitTimeoutError(message, verdict=None)
        case {"status": "error", "error": dict(error)}:
            raise rebuild_error(error)
    status = event.get("status") if event else None
    raise TriggerEventError(
        f"the triggerer sent an event that this version does not know (status {status!r});"
        " run the same version of airflow-provider-tuya-ota on workers and triggerers, then clear the task"
    )
