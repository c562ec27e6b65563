"""Stopping a job because a person killed its task: never because a process did not survive.

Airflow calls ``on_kill`` inside a signal handler, wherever the main thread happened to be: also while it holds the lock
of a log or of a budget, which nobody can take before the handler returns. So everything is done in threads with a
client and a budget of their own, and the handler waits for them only so long.
"""

from __future__ import annotations

import queue
import sys
import threading
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from airflow.providers.common.compat.sdk import conf
from airflow.sdk.exceptions import AirflowTaskTimeout

from airflow_provider_tuya_ota.client import TuyaOTAClient
from airflow_provider_tuya_ota.core.errors import TuyaOTAError
from airflow_provider_tuya_ota.core.jobs.kill_decision import Decision, Kill, Where, decide, state_in
from airflow_provider_tuya_ota.core.jobs.stop import cancel_job, count_stopped, not_stopped
from airflow_provider_tuya_ota.core.jobs.stopped import UNCOUNTED, Stopped
from airflow_provider_tuya_ota.core.policy.rate import RateLimitGroup
from airflow_provider_tuya_ota.polling.stall_detector import STOOD_STILL, ThreadStallDetector
from airflow_provider_tuya_ota.transports.limiter import RateLimiter

if TYPE_CHECKING:
    from airflow.sdk import Context

    from airflow_provider_tuya_ota.core.flows.events import FlowEvent
    from airflow_provider_tuya_ota.core.model.verdict import Verdict
    from airflow_provider_tuya_ota.core.settings import Settings

ON_CANCEL: Final = ("stop", "keep")
"""What killing a task does to its job."""
KILLED_SECONDS: Final = 4.0
"""Of the five after which Airflow kills a process for good."""
TIMED_OUT_SECONDS: Final = 60.0
"""After an ``execution_timeout`` nobody is in a hurry, but the task's process ends when this is over."""
PROBE_SECONDS: Final = 1.5
"""Of :data:`KILLED_SECONDS`, for the question for the task's state; it takes some milliseconds."""
LOG_SECONDS: Final = 0.3


@dataclass(frozen=True, slots=True)
class RunningJob:
    """All that is needed to stop a job when nobody answers questions any more.

    :param settings: of the connection.
    :param job_id: job that this task waits for; empty while it creates one.
    :param dag_id: with the next three, the task instance.
    :param is_own: whether this task certainly created the job.
    :param on_cancel: ``stop`` or ``keep``.
    :param instead: what to say in place of stopping anything, where the task does not wait for its job.
    """

    settings: Settings
    job_id: str
    dag_id: str
    run_id: str
    task_id: str
    map_index: int
    is_own: bool = True
    on_cancel: str = "stop"
    instead: str = ""

    @classmethod
    def of(cls, context: Context, settings: Settings, job_id: str = "", **more: Any) -> RunningJob:
        """Take down what a killed process cannot ask for."""
        stall_detector()
        ti = context["ti"]
        # A stand-in for a task instance, as tests use, may know less of itself.
        dag_id, run_id, task_id = (getattr(ti, name, "") for name in ("dag_id", "run_id", "task_id"))
        return cls(settings, job_id, dag_id, run_id, task_id, getattr(ti, "map_index", -1), **more)


@cache
def stall_detector() -> ThreadStallDetector:
    """Give the pulse of this process, which begins to beat when it is first asked for."""
    # The scheduler takes a task for lost whose worker is silent for so long; half of it, because no beat hits the end.
    given_up_after = conf.getfloat("scheduler", "task_instance_heartbeat_timeout", fallback=300.0)
    return ThreadStallDetector(min(STOOD_STILL, given_up_after / 2))


class _Lines:
    """Lines for the log, written by a thread of their own.

    :param log: of the task.
    """

    def __init__(self, log: Any) -> None:
        self._log = log
        self._lines: queue.SimpleQueue[tuple[str, str] | None] = queue.SimpleQueue()
        self._writer = threading.Thread(target=self._write, daemon=True)
        self._writer.start()

    def say(self, level: str, text: str) -> None:
        """Take a line; never blocks."""
        self._lines.put((level, text))

    def event(self, event: FlowEvent) -> None:
        """Take an event of a flow."""
        self.say(event.level, event.line())

    def report(self, verdict: Verdict) -> None:
        """Take a job's state; a stop reads none."""

    def close(self, seconds: float) -> None:
        """Let the lines be written, in so many seconds or later."""
        self._lines.put(None)
        self._writer.join(seconds)

    def _write(self) -> None:
        while (line := self._lines.get()) is not None:
            level, text = line
            getattr(self._log, level)("%s", text)


def answer_kill(running: RunningJob, log: Any) -> None:
    """Stop what the job has not begun, if a person killed the task; say why not otherwise."""
    is_out_of_time = isinstance(sys.exc_info()[1], AirflowTaskTimeout)
    lines = _Lines(log)
    if running.instead:
        lines.say("warning", f"This process was told to end {running.instead}")
        lines.close(LOG_SECONDS)
        return
    answer = _Answer(running, lines, is_out_of_time=is_out_of_time)
    answer.start()
    answer.wait(TIMED_OUT_SECONDS if is_out_of_time else KILLED_SECONDS)
    lines.close(LOG_SECONDS)


class _Answer(threading.Thread):
    """Decides, and stops the job where that is the decision."""

    def __init__(self, running: RunningJob, lines: _Lines, *, is_out_of_time: bool) -> None:
        super().__init__(name="tuya-ota-kill", daemon=True)
        self._running = running
        self._lines = lines
        self._is_out_of_time = is_out_of_time
        self._is_over = threading.Event()
        self._stopped: Stopped | None = None

    def wait(self, seconds: float) -> None:
        """Wait until it is known what becomes of the job, but only so long."""
        job_id = self._running.job_id
        if self._is_over.wait(seconds):
            return
        if self._stopped is not None:
            self._lines.say("warning", self._stopped.line(job_id))
            return
        self._lines.say(
            "error",
            f"Whether job {job_id} was stopped is not known after {seconds:g} s, and this process ends; look at its"
            " device tasks in the vendor's console",
        )

    def run(self) -> None:
        """Stop the job, or say why not."""
        job_id = self._running.job_id
        try:
            decision = self._decide()
            if decision.stop:
                self._lines.say("warning", f"Stopping job {job_id}, because {decision.reason}")
                self._stop_job()
            else:
                self._lines.say(
                    "warning",
                    f"This process was told to end. Job {job_id} goes on at the platform, because {decision.reason}",
                )
        except Exception as error:  # noqa: BLE001 - nobody else would say that the job goes on
            sentence = error.sentence if isinstance(error, TuyaOTAError) else f"{type(error).__name__}."
            self._lines.say("error", f"{sentence} {not_stopped(job_id)}")
        finally:
            self._is_over.set()

    def _decide(self) -> Decision:
        running = self._running
        return decide(
            Kill(
                where=Where.WORKER,
                state=None if self._is_out_of_time else _own_state(running),
                is_own=running.is_own,
                on_cancel=running.on_cancel,
                has_stalled=stall_detector().recently_stalled(),
                is_out_of_time=self._is_out_of_time,
            )
        )

    def _stop_job(self) -> None:
        settings = self._running.settings
        if not self._is_out_of_time:
            settings = replace(settings, connect_timeout=1.0, read_timeout=2.0)
        rates = {
            RateLimitGroup.CALLS: settings.requests_per_second,
            RateLimitGroup.CANCELS: settings.cancels_per_second,
        }
        with TuyaOTAClient(settings, listener=self._lines, limiter=RateLimiter(rates)) as client:
            job_id = self._running.job_id
            is_cancelled = client.run(cancel_job(settings, job_id))
            self._stopped = UNCOUNTED if is_cancelled else None
            self._stopped = client.run(count_stopped(settings, job_id, is_cancelled=is_cancelled, again_after=()))
            if self._stopped.may_change:
                # This process may end meanwhile; what is known until then is said.
                self._stopped = client.run(count_stopped(settings, job_id, is_cancelled=is_cancelled))


def _own_state(running: RunningJob) -> str | None:
    """Ask the supervisor, which answers also while it kills this process; None where it does not."""
    found: list[str | None] = []

    def ask() -> None:
        from airflow.sdk.execution_time.task_runner import RuntimeTaskInstance  # noqa: PLC0415 - exists in a running task only

        try:
            states = RuntimeTaskInstance.get_task_states(
                dag_id=running.dag_id,
                task_ids=[running.task_id],
                run_ids=[running.run_id],
                map_index=running.map_index,
            )
        except Exception:  # noqa: BLE001 - whatever went wrong, it is no answer
            return
        found.append(state_in(states, run_id=running.run_id, task_id=running.task_id, map_index=running.map_index))

    # The main thread may hold the line to the supervisor at this very moment; a thread can be left behind.
    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(PROBE_SECONDS)
    return found[0] if found else None
