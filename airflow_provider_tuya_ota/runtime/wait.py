"""The Airflow side of a wait: in a worker or in the triggerer, it ends in the same results."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NoReturn, Protocol

from airflow_provider_tuya_ota.client import LogListener, TuyaOTAClient
from airflow_provider_tuya_ota.core.durations import require_seconds
from airflow_provider_tuya_ota.core.errors import ConfigurationError, StateUnavailableError, TuyaOTAError
from airflow_provider_tuya_ota.core.model.result_event import rebuild_result
from airflow_provider_tuya_ota.core.status.job_set_wait import WaitedJob, wait_for_jobs
from airflow_provider_tuya_ota.core.status.wait import WaitOptions
from airflow_provider_tuya_ota.core.status.wait_state import DEFAULT_TOLERANCE
from airflow_provider_tuya_ota.runtime.connection_watch import ConnectionChangedError, ConnectionWatch
from airflow_provider_tuya_ota.transports.runtime import Runtime

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow.triggers.base import BaseTrigger

    from airflow_provider_tuya_ota.core.model.job_results import JobResult
    from airflow_provider_tuya_ota.core.settings import Settings
    from airflow_provider_tuya_ota.core.status.job_set_wait import JobSetWait
    from airflow_provider_tuya_ota.hooks.tuya_ota import TuyaOTAHook
    from airflow_provider_tuya_ota.triggers.job_set import TuyaOTAJobSetTrigger

LEAD = 10.0
"""A wait ends this many seconds before Airflow interrupts it, at most a tenth of the time, to finish cleanly."""
BACKSTOP = timedelta(minutes=10)
"""How long after the trigger's own deadline Airflow gives up; it is needed only if no triggerer runs."""


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
    hook: TuyaOTAHook, wait: JobSetWait, log: Any, adopt: Callable[[Settings], None] = lambda _: None
) -> dict[str, JobResult]:
    """Wait for a set of jobs in this process, over the connection as it is now if that was changed.

    :param wait: receives the results; called again with the same wait, this continues where it stopped.
    :param adopt: receives the settings of each connection before it is used.
    :returns: the result of each job, by job id.
    """
    listener, runtime = LogListener(log), Runtime()
    settings: Settings | None = None
    while wait.unfinished:
        try:
            settings = settings or _read_settings(hook, wait, listener, runtime)
            adopt(settings)
            watch = ConnectionWatch(hook, settings, wait=wait, listener=listener, runtime=runtime)
            with TuyaOTAClient(settings, listener=watch, runtime=runtime) as client:
                client.run(wait_for_jobs(settings, wait))
        except ConnectionChangedError as changed:
            settings = changed.settings
        except TuyaOTAError as error:
            settings = None
            for event in wait.give_up(error):
                listener.event(event)
    return wait.results


def _read_settings(hook: TuyaOTAHook, wait: JobSetWait, listener: LogListener, runtime: Runtime) -> Settings:
    """Read the connection. Without an answer of Airflow's API, or half-written by a person, it is a failed poll.

    :raises StateUnavailableError: Airflow's API did not give it, and this ended the wait for every job.
    :raises ConfigurationError: it is undefined or wrong, and this ended the wait for every job.
    """
    while True:
        now = runtime.context().steady
        try:
            return hook.get_settings()
        except (StateUnavailableError, ConfigurationError) as error:
            events, pause = wait.pause_after(error, now)
            for event in events:
                listener.event(event)
            if not wait.unfinished:
                raise
        runtime.sleep(pause)


class Defers(Protocol):
    """A task that can wait in the triggerer."""

    def defer(self, *, trigger: BaseTrigger, method_name: str, timeout: timedelta | float | None = None) -> NoReturn:
        """Free the worker."""


def wait_in_triggerer(operator: Defers, trigger: TuyaOTAJobSetTrigger, options: WaitOptions) -> NoReturn:
    """Defer: the triggerer waits, the worker is free, and the task goes on in ``execute_complete``."""
    operator.defer(
        trigger=trigger,
        method_name="execute_complete",
        timeout=options.deadline - datetime.now(UTC) + BACKSTOP,
    )


def parse_event(event: dict[str, Any] | None) -> dict[str, JobResult]:
    """Read a trigger's event: what :func:`wait_in_worker` would have returned.

    :raises TriggerEventError: the event has no form that this version knows.
    """
    return {one.get("job_id", ""): rebuild_result(one) for one in _job_events(event)}


def parse_jobs(event: dict[str, Any] | None) -> tuple[list[WaitedJob], dict[str, str]]:
    """Read from a trigger's event which jobs it waited for.

    :returns: the jobs, and what the triggerer has cancelled, as a sentence, by job id.
    """
    events = [one for one in _job_events(event) if one.get("job_id")]
    jobs = [WaitedJob(job_id=one["job_id"], on_cancel=one.get("on_cancel", "keep")) for one in events]
    return jobs, {one["job_id"]: one["stopped"] for one in events if one.get("stopped")}


def _job_events(event: dict[str, Any] | None) -> list[dict[str, Any]]:
    match event:
        case {"jobs": [_, *_] as jobs}:
            events = [one for one in jobs if isinstance(one, dict) and one.get("job_id")]
            if len({one["job_id"] for one in events}) == len(jobs):
                return events
    # The form of one job; also of an event that is none, which is refused where its result is read.
    return [event or {}]
