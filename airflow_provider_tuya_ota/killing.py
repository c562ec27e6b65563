"""Stopping a job because a person killed its task: never because a process did not survive."""

from __future__ import annotations

import socket
import sys
import threading
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from airflow.providers.common.compat.sdk import conf
from airflow.sdk.exceptions import AirflowTaskTimeout

from airflow_provider_tuya_ota.client import LogListener, TuyaOTAClient
from airflow_provider_tuya_ota.core.errors import TuyaOTAError
from airflow_provider_tuya_ota.core.stopping import not_stopped, stop_job

if TYPE_CHECKING:
    from airflow.sdk import Context

    from airflow_provider_tuya_ota.core.settings import Settings

ON_CANCEL: Final = ("stop", "keep")
"""What killing a task does to its job."""
PROBE_SECONDS: Final = 1.0
"""Of the five that a killed worker process has left."""


@dataclass(frozen=True, slots=True)
class RunningJob:
    """All that is needed to stop a job when nobody answers questions any more.

    :param settings: of the connection.
    :param job_id: job that this task created.
    :param dag_id: with the next three, the task instance.
    """

    settings: Settings
    job_id: str
    dag_id: str
    run_id: str
    task_id: str
    map_index: int

    @classmethod
    def of(cls, context: Context, settings: Settings, job_id: str) -> RunningJob:
        """Take down what a killed process cannot ask for."""
        ti = context["ti"]
        # A stand-in for a task instance, as tests use, may know less of itself.
        dag_id, run_id, task_id = (getattr(ti, name, "") for name in ("dag_id", "run_id", "task_id"))
        return cls(settings, job_id, dag_id, run_id, task_id, getattr(ti, "map_index", -1))

    @property
    def impatient(self) -> Settings:
        """Settings that leave time for an answer before the process is gone."""
        return replace(self.settings, connect_timeout=1.0, read_timeout=2.5)


def stop_killed(running: RunningJob, log: Any) -> None:
    """Stop what the job has not begun, if a person killed the task; say why not otherwise.

    A worker's process is told to end in the same way by a person, by a deployment that replaces it and by an API server
    that is away. Only while a person's kill is carried out does the supervisor not answer and the API server does.
    """
    if isinstance(sys.exc_info()[1], AirflowTaskTimeout):
        reason = "the task's execution_timeout is over"
    else:
        state = _own_state(running)
        if state in {"running", "deferred"}:
            log.warning(
                "This process was told to end while its task is %s: nobody asked to stop job %s, which goes on",
                state,
                running.job_id,
            )
            return
        if state is None and not _api_server_answers():
            log.warning(
                "This process was told to end and Airflow's API server cannot be reached: whether somebody asked to"
                " stop job %s cannot be told, so it goes on",
                running.job_id,
            )
            return
        reason = "the task was killed"
    log.warning("Stopping job %s, because %s", running.job_id, reason)
    try:
        with TuyaOTAClient(running.impatient, listener=LogListener(log)) as client:
            client.run(stop_job(client.settings, running.job_id))
    except TuyaOTAError as error:
        log.error(  # noqa: TRY400 - the sentence says it all, and a traceback might show an address
            "%s %s", error.sentence, not_stopped(running.job_id)
        )


def _own_state(running: RunningJob) -> str | None:
    """Ask the supervisor; None where it does not answer."""
    found: list[str] = []

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
        found.append(state_in(states, running.run_id))

    # The main thread may hold the line to the supervisor at this very moment; a thread can be left behind.
    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(PROBE_SECONDS)
    return found[0] if found else None


def state_in(states: dict[str, Any], run_id: str) -> str:
    """Read the one task's state out of what Airflow answers; empty where it has none."""
    return next((str(state or "") for state in states.get(run_id, {}).values()), "")


def _api_server_answers() -> bool:
    url = urlsplit(
        conf.get("core", "execution_api_server_url", fallback="") or conf.get("api", "base_url", fallback="")
    )
    port = url.port or {"https": 443}.get(url.scheme, 80)
    try:
        with socket.create_connection((url.hostname or "localhost", port), timeout=0.5):
            return True
    except OSError:
        return False
