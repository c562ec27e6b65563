"""The calls of Airflow's REST API that the demo needs."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any, Self

import requests

from airflow_provider_tuya_ota.demo.processes import DemoError, loopback_session

if TYPE_CHECKING:
    from airflow_provider_tuya_ota.demo.emulator_process import Announcement

CONNECTION_ID = "tuya_ota_default"
# SQLite, which the demo's Airflow uses, refuses a request while another process holds its lock for five seconds.
PAUSE, TRIES = 1.0, 10


class AirflowApi:
    """A client for a running Airflow.

    :param url: address of its UI.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._session = loopback_session()
        try:
            token = self._send("GET", "auth/token").json()["access_token"]
        except BaseException:
            self._session.close()
            raise
        self._session.headers["Authorization"] = f"Bearer {token}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._session.close()

    def set_connection(self, service: Announcement) -> None:
        """Store the connection to the emulator, replacing an older one."""
        host, _, port = service.url.rpartition(":")
        body = {
            "connection_id": CONNECTION_ID,
            "conn_type": "tuya_ota",
            "description": "The emulator on this machine",
            "host": host,
            "port": int(port),
            "login": service.access_key_id,
            "password": service.access_key_secret,
            # The target of a task's console link.
            "extra": json.dumps({"console_url": f"{service.url}/_emulator/console/?job={{job_id}}"}),
        }
        self._send("DELETE", f"api/v2/connections/{CONNECTION_ID}")
        self._call("POST", "connections", json=body)

    def wait_for_dag(self, dag_id: str, seconds: float) -> None:
        """Wait until the Dag processor has read a Dag.

        :raises DemoError: it has not within this time; the message has the import error if there is one.
        """
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if self._send("GET", f"api/v2/dags/{dag_id}").ok:
                return
            time.sleep(0.5)
        errors = self._call("GET", "importErrors").get("import_errors", [])
        reason = errors[0]["stack_trace"].strip().splitlines()[-1] if errors else "no error was reported"
        raise DemoError(f"Airflow did not read the Dag {dag_id} within {seconds:.0f} s: {reason}")

    def trigger(self, dag_id: str, conf: dict[str, Any]) -> str:
        """Start a run as the trigger form does, and return its id."""
        run = self._call("POST", f"dags/{dag_id}/dagRuns", json={"logical_date": None, "conf": conf})
        run_id: str = run["dag_run_id"]
        return run_id

    def run_state(self, dag_id: str, run_id: str) -> str:
        """Read a run's state."""
        state: str = self._call("GET", f"dags/{dag_id}/dagRuns/{run_id}")["state"]
        return state

    def task_states(self, dag_id: str, run_id: str) -> dict[str, str]:
        """Read the state of each task of a run; ``waiting`` if a task has none yet."""
        tasks = self._call("GET", f"dags/{dag_id}/dagRuns/{run_id}/taskInstances")["task_instances"]
        return {task["task_id"]: task["state"] or "waiting" for task in tasks}

    def xcom(self, dag_id: str, run_id: str, task_id: str, key: str) -> Any:
        """Read what a task pushed; None if it pushed nothing."""
        task = f"api/v2/dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task_id}"
        answer = self._send("GET", f"{task}/xcomEntries/{key}")
        return answer.json()["value"] if answer.ok else None

    def log_lines(self, dag_id: str, run_id: str, task_id: str) -> list[str]:
        """Read the log of a task's first try: events and exceptions, without Airflow's group markers."""
        answer = self._call("GET", f"dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task_id}/logs/1")
        lines = [line for entry in answer.get("content") or [] for line in _lines(entry)]
        return [line for line in lines if not line.startswith("::")]

    def _call(self, method: str, path: str, **kwargs: Any) -> dict[str, Any]:
        answer = self._send(method, f"api/v2/{path}", **kwargs)
        if not answer.ok:
            raise DemoError(f"Airflow refused {method} {path}: HTTP {answer.status_code}, {_reason(answer)}")
        values: dict[str, Any] = answer.json()
        return values

    def _send(self, method: str, path: str, **kwargs: Any) -> requests.Response:
        """Send a request, and again while Airflow's database undoes it."""
        answer = self._send_once(method, path, **kwargs)
        for _ in range(TRIES - 1):
            if not _is_undone(answer):
                break
            time.sleep(PAUSE)
            answer = self._send_once(method, path, **kwargs)
        return answer

    def _send_once(self, method: str, path: str, **kwargs: Any) -> requests.Response:
        try:
            return self._session.request(method, f"{self._url}/{path}", timeout=30, **kwargs)
        except requests.RequestException as error:
            raise DemoError(f"Airflow at {self._url} does not answer {method} {path}: {error!r}") from None


def _is_undone(answer: requests.Response) -> bool:
    """Tell whether a request failed in Airflow's database, so that nothing of it has happened."""
    return answer.status_code == requests.codes.internal_server_error and "Database error" in answer.text


def _lines(entry: dict[str, Any] | str) -> list[str]:
    # The event of an entry only says that something was raised; ``error_detail`` says what.
    if isinstance(entry, str):
        return [entry]
    raised = entry.get("error_detail") or []
    return [str(entry["event"]), *(f"{error['exc_type']}: {error['exc_value']}" for error in raised)]


def _reason(answer: requests.Response) -> str:
    # The whole answer may repeat what was sent, including secrets.
    try:
        detail = answer.json()["detail"]
    except (ValueError, KeyError, TypeError):
        return answer.reason
    if isinstance(detail, list):
        return "; ".join(f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in detail)
    return str(detail)
