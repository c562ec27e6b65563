"""The few calls of Airflow's REST API that the demo needs."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import requests

from airflow_provider_tuya_ota.demo.processes import DemoError

if TYPE_CHECKING:
    from airflow_provider_tuya_ota.demo.emulator_process import Announcement

CONNECTION_ID = "tuya_ota_default"


class AirflowApi:
    """Talk to a running Airflow.

    :param url: of its UI.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._session = requests.Session()
        token = self._session.get(f"{url}/auth/token", timeout=30).json()["access_token"]
        self._session.headers["Authorization"] = f"Bearer {token}"

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
        }
        self._session.delete(f"{self._url}/api/v2/connections/{CONNECTION_ID}", timeout=30)
        self._call("POST", "connections", json=body)

    def wait_for_dag(self, dag_id: str, seconds: float) -> None:
        """Wait until the Dag processor has read a Dag.

        :raises DemoError: it has not in time; names the import error where there is one.
        """
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if self._session.get(f"{self._url}/api/v2/dags/{dag_id}", timeout=30).ok:
                return
            time.sleep(0.5)
        errors = self._call("GET", "importErrors").get("import_errors", [])
        reason = errors[0]["stack_trace"].strip().splitlines()[-1] if errors else "no error was reported"
        raise DemoError(f"Airflow did not read the Dag {dag_id} within {seconds:.0f} s: {reason}")

    def trigger(self, dag_id: str, conf: dict[str, Any]) -> str:
        """Start a run as the trigger form does; returns its id."""
        run = self._call("POST", f"dags/{dag_id}/dagRuns", json={"logical_date": None, "conf": conf})
        run_id: str = run["dag_run_id"]
        return run_id

    def run_state(self, dag_id: str, run_id: str) -> str:
        """Read a run's state."""
        state: str = self._call("GET", f"dags/{dag_id}/dagRuns/{run_id}")["state"]
        return state

    def task_states(self, dag_id: str, run_id: str) -> dict[str, str]:
        """Read the state of each task of a run; a task that waits for others has none yet."""
        tasks = self._call("GET", f"dags/{dag_id}/dagRuns/{run_id}/taskInstances")["task_instances"]
        return {task["task_id"]: task["state"] or "waiting" for task in tasks}

    def xcom(self, dag_id: str, run_id: str, task_id: str, key: str) -> Any:
        """Read what a task pushed, None where it pushed nothing."""
        path = f"{self._url}/api/v2/dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task_id}/xcomEntries/{key}"
        answer = self._session.get(path, timeout=30)
        return answer.json()["value"] if answer.ok else None

    def log_lines(self, dag_id: str, run_id: str, task_id: str) -> list[str]:
        """Read a task's log, the first try's."""
        answer = self._call("GET", f"dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task_id}/logs/1")
        content = answer.get("content") or []
        return [str(line["event"]) if isinstance(line, dict) else str(line) for line in content]

    def _call(self, method: str, path: str, **kwargs: Any) -> dict[str, Any]:
        answer = self._session.request(method, f"{self._url}/api/v2/{path}", timeout=30, **kwargs)
        if not answer.ok:
            raise DemoError(f"Airflow refused {method} {path}: HTTP {answer.status_code} {answer.text[:300]}")
        values: dict[str, Any] = answer.json()
        return values
