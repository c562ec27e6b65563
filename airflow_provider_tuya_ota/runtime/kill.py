"""Answer a kill in a worker: stop the task's jobs if a person killed it, never because a process was lost.

Airflow calls ``on_kill`` inside a signal handler. The interrupted main thread may hold the lock of a log or of a rate
limiter, and cannot release it before the handler returns. So other threads do the work, with their own client and
limiter, and the handler waits for them for a limited time. The decision itself is
:mod:`airflow_provider_tuya_ota.core.jobs.kill_decision`.
"""

from __future__ import annotations

import sys
import threading
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import TYPE_CHECKING, Any, Final, TypeVar

from airflow.providers.common.compat.sdk import conf
from airflow.sdk.exceptions import AirflowTaskTimeout
from airflow.sdk.execution_time import task_runner
from airflow.sdk.execution_time.comms import CommsDecoder

from airflow_provider_tuya_ota.client import TuyaOTAClient
from airflow_provider_tuya_ota.core.errors import AuthenticationError, TuyaOTAError
from airflow_provider_tuya_ota.core.jobs.cancel import cancel_jobs
from airflow_provider_tuya_ota.core.jobs.kill_decision import (
    Kill,
    KilledProcess,
    TaskState,
    assess_kill,
    is_ended_from_outside,
    parse_task_state,
)
from airflow_provider_tuya_ota.core.jobs.stop import count_stopped_jobs, not_stopped
from airflow_provider_tuya_ota.core.jobs.stopped import NotCounted
from airflow_provider_tuya_ota.core.policy.rate import RateLimitGroup
from airflow_provider_tuya_ota.hooks.tuya_ota import TuyaOTAHook
from airflow_provider_tuya_ota.polling.stall_detector import STOOD_STILL, ThreadStallDetector
from airflow_provider_tuya_ota.runtime.airflow_watch import AirflowWatch
from airflow_provider_tuya_ota.runtime.log_thread import LogThread
from airflow_provider_tuya_ota.transports.limiter import RateLimiter

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow.sdk import Context

    from airflow_provider_tuya_ota.core.jobs.stopped import StopResult
    from airflow_provider_tuya_ota.core.jobs.tracked_job import TrackedJob
    from airflow_provider_tuya_ota.core.settings import Settings

T = TypeVar("T")

ON_CANCEL: Final = ("stop", "keep")
"""What killing a task does to its job."""
KILLED_SECONDS: Final = 4.0
"""Airflow sends SIGKILL five seconds after it asked a process to end."""
TIMED_OUT_SECONDS: Final = 60.0
"""After an ``execution_timeout`` Airflow sends no signal, but the task's process ends when this is over."""
PROBE_SECONDS: Final = 1.5
"""Part of :data:`KILLED_SECONDS` for each question to Airflow, which usually takes milliseconds."""
LOG_SECONDS: Final = 0.3


@dataclass(frozen=True, slots=True)
class RunningJobs:
    """All that a killed process needs to stop its jobs, because it can request nothing more from Airflow.

    :param settings: of the connection.
    :param jobs: jobs that this task waits for; none while it creates one. Only its own are stopped.
    :param dag_id: with the next three, the task instance.
    :param conn_id: id of the connection, which is read again if the cancel's key is refused.
    :param on_cancel: ``stop`` or ``keep``.
    :param log_only: what the task does while it does not wait for its own job. A kill then cancels nothing and logs
        this.
    """

    settings: Settings
    jobs: tuple[TrackedJob, ...]
    dag_id: str
    run_id: str
    task_id: str
    map_index: int
    conn_id: str = ""
    on_cancel: str = "stop"
    log_only: str = ""

    @classmethod
    def of(cls, context: Context, settings: Settings, *jobs: TrackedJob, **more: Any) -> RunningJobs:
        """Collect what a killed process cannot request any more."""
        stall_detector()
        ti = context["ti"]
        # A stand-in for a task instance, as tests use, may lack attributes.
        dag_id, run_id, task_id = (getattr(ti, name, "") for name in ("dag_id", "run_id", "task_id"))
        running = cls(settings, jobs, dag_id, run_id, task_id, getattr(ti, "map_index", -1), **more)
        if jobs:
            _airflow_watch(running.key)
        return running

    @property
    def key(self) -> tuple[str, str, str, int]:
        """The task instance."""
        return self.dag_id, self.run_id, self.task_id, self.map_index


@cache
def stall_detector() -> ThreadStallDetector:
    """Give the stall detector of this process, started at the first call."""
    # The scheduler gives up a task whose worker sends no heartbeat for this time. Half of it, because a freeze may
    # begin just before a heartbeat.
    return ThreadStallDetector(min(STOOD_STILL, _heartbeat_timeout() / 2))


@cache
def _airflow_watch(key: tuple[str, str, str, int]) -> AirflowWatch | None:
    """Give the watch of this process, started at the first call; None where no supervisor process is asked."""
    comms: Any = getattr(task_runner, "SUPERVISOR_COMMS", None)
    # Others, as that of ``dag.test()``, cannot be used by two threads.
    is_process = isinstance(comms, CommsDecoder)
    return AirflowWatch(partial(_get_states, *key), _heartbeat_timeout()) if is_process else None


def _heartbeat_timeout() -> float:
    return float(conf.getfloat("scheduler", "task_instance_heartbeat_timeout", fallback=300.0))


def answer_kill(running: RunningJobs, log: Any) -> bool:
    """Cancel the device tasks that have not begun if a person killed the task; otherwise log why not.

    :returns: whether the task was ended from outside. Then the wait, which goes on when the signal handler returns,
        must not report the cancel as its outcome.
    """
    is_out_of_time = isinstance(sys.exc_info()[1], AirflowTaskTimeout)
    log_thread = LogThread(log)
    if running.log_only:
        log_thread.write("warning", f"This process was asked to end {running.log_only}")
        log_thread.close(LOG_SECONDS)
        return False
    answer = _KillThread(running, log_thread, is_out_of_time=is_out_of_time)
    answer.start()
    answer.wait(TIMED_OUT_SECONDS if is_out_of_time else KILLED_SECONDS)
    log_thread.close(LOG_SECONDS)
    return answer.is_ended_from_outside


class _KillThread(threading.Thread):
    """Decides which jobs to stop, and stops them."""

    def __init__(self, running: RunningJobs, log_thread: LogThread, *, is_out_of_time: bool) -> None:
        super().__init__(name="tuya-ota-kill", daemon=True)
        self._running = running
        self._log_thread = log_thread
        self._is_out_of_time = is_out_of_time
        self._is_over = threading.Event()
        self._left = {job.job_id for job in running.jobs}
        """Jobs about which nothing was logged yet: neither that they go on nor that they could not be stopped."""
        self._stopped: dict[str, StopResult] = {}
        self.is_ended_from_outside = False

    def wait(self, seconds: float) -> None:
        """Wait until the decision is carried out, at most so long; then log what is known."""
        if self._is_over.wait(seconds):
            return
        for job in self._running.jobs:
            stopped = self._stopped.get(job.job_id)
            if stopped is not None:
                self._log_thread.write("warning", stopped.line(job.job_id))
            elif job.job_id in self._left:
                self._log_thread.write(
                    "error",
                    f"Whether job {job.job_id} was stopped is not known after {seconds:g} s, and this process ends;"
                    " look at its device tasks in the vendor's console",
                )

    def run(self) -> None:
        """Stop the task's own jobs, or log why not."""
        try:
            if own := self._choose():
                self._stop_jobs(own)
        except Exception as error:  # noqa: BLE001 - only this logs that the jobs go on
            for job in self._running.jobs:
                if job.job_id in self._left:
                    self._say_not_stopped(job.job_id, error)
        finally:
            self._is_over.set()

    def _choose(self) -> list[str]:
        kill = self._describe()
        self.is_ended_from_outside = is_ended_from_outside(kill)
        chosen = []
        for job in self._running.jobs:
            decision = assess_kill(replace(kill, is_own=job.is_own))
            if decision.stop:
                chosen.append(job.job_id)
                self._log_thread.write("warning", f"Stopping job {job.job_id}, because {decision.reason}")
                continue
            self._left.discard(job.job_id)
            self._log_thread.write(
                "warning",
                f"This process was asked to end. Job {job.job_id} goes on at the platform, because {decision.reason}",
            )
        return chosen

    def _describe(self) -> Kill:
        running = self._running
        watch = _airflow_watch(running.key)
        return Kill(
            process=KilledProcess.WORKER,
            state=None if self._is_out_of_time else _own_state(running),
            on_cancel=running.on_cancel,
            has_stalled=stall_detector().recently_stalled(),
            was_silent=watch is not None and watch.was_silent(),
            is_out_of_time=self._is_out_of_time,
        )

    def _stop_jobs(self, job_ids: list[str]) -> None:
        refused = self._stop_over(self._running.settings, job_ids)
        if refused and (changed := _changed_settings(self._running)):
            refused = self._stop_over(changed, list(refused))
        for job_id, error in refused.items():
            self._say_not_stopped(job_id, error)

    def _stop_over(self, settings: Settings, job_ids: list[str]) -> dict[str, AuthenticationError]:
        """Cancel the jobs over a connection, and count.

        :returns: by job id, the errors of the cancels whose key was refused; they are not logged yet.
        """
        if not self._is_out_of_time:
            settings = replace(settings, connect_timeout=1.0, read_timeout=2.0)
        rates = {
            RateLimitGroup.CALLS: settings.requests_per_second,
            RateLimitGroup.CANCELS: settings.cancels_per_second,
        }
        with TuyaOTAClient(settings, listener=self._log_thread, limiter=RateLimiter(rates)) as client:
            cancelled, refused = self._cancel(client, job_ids)
            # One after the other: this process may end meanwhile, and logs what is known then.
            for job_id, is_cancelled in cancelled.items():
                self._take(client.run(count_stopped_jobs(settings, {job_id: is_cancelled}, again_after=())))
            again = {job_id: cancelled[job_id] for job_id, stopped in self._stopped.items() if stopped.may_change}
            if again:
                self._take(client.run(count_stopped_jobs(settings, again)))
        return refused

    def _cancel(
        self, client: TuyaOTAClient, job_ids: list[str]
    ) -> tuple[dict[str, bool], dict[str, AuthenticationError]]:
        """Cancel every job before anything is counted.

        :returns: whether the platform accepted the cancel, by job id, without the jobs whose cancel failed; and the
            errors of those whose key was refused.
        """
        cancelled: dict[str, bool] = {}
        refused: dict[str, AuthenticationError] = {}
        for job_id, outcome in client.run(cancel_jobs(client.settings, job_ids)).items():
            if isinstance(outcome, AuthenticationError):
                refused[job_id] = outcome
                continue
            if isinstance(outcome, TuyaOTAError):
                self._say_not_stopped(job_id, outcome)
                continue
            cancelled[job_id] = outcome
            if outcome:
                self._stopped[job_id] = NotCounted()
        return cancelled, refused

    def _take(self, outcomes: dict[str, StopResult | TuyaOTAError]) -> None:
        for job_id, outcome in outcomes.items():
            if isinstance(outcome, TuyaOTAError):
                self._stopped.pop(job_id, None)
                self._say_not_stopped(job_id, outcome)
            else:
                self._stopped[job_id] = outcome

    def _say_not_stopped(self, job_id: str, error: Exception) -> None:
        self._left.discard(job_id)
        self._log_thread.write("error", not_stopped(job_id, error))


def _own_state(running: RunningJobs) -> TaskState | None:
    """Read the task's state from the supervisor, which answers while it kills this process; None without an answer."""

    def read() -> TaskState | None:
        dag_id, run_id, task_id, map_index = running.key
        states = _get_states(dag_id, run_id, task_id, map_index)
        return parse_task_state(states, run_id=run_id, task_id=task_id, map_index=map_index)

    return _ask_airflow(read)


def _get_states(dag_id: str, run_id: str, task_id: str, map_index: int) -> dict[str, Any]:
    from airflow.sdk.execution_time.task_runner import RuntimeTaskInstance  # noqa: PLC0415 - exists in a running task only

    return RuntimeTaskInstance.get_task_states(dag_id=dag_id, task_ids=[task_id], run_ids=[run_id], map_index=map_index)


def _changed_settings(running: RunningJobs) -> Settings | None:
    """Read the connection from the supervisor; None if it is still the same, or without an answer."""
    settings = _ask_airflow(TuyaOTAHook(running.conn_id).get_settings)
    return None if settings == running.settings else settings


def _ask_airflow(read: Callable[[], T]) -> T | None:
    """Read something from Airflow, for a limited time; None without an answer."""
    found: list[T] = []

    def ask() -> None:
        # Whatever goes wrong, there is no answer.
        with suppress(Exception):
            found.append(read())

    # The main thread may hold the lock of the supervisor connection now; a thread can be left behind.
    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(PROBE_SECONDS)
    return found[0] if found else None
