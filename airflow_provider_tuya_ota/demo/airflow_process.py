"""A whole Airflow as one child process: scheduler, triggerer, Dag processor, API server, SQLite, loopback only."""

from __future__ import annotations

import fcntl
import os
import shutil
import sys
import time
from pathlib import Path
from typing import IO, Self

import requests

from airflow_provider_tuya_ota.demo.processes import ChildProcess, DemoError, free_ports, loopback_session

START_SECONDS = 150
"""Seconds for the first start, which migrates an empty database: ten on an idle machine, far more on a busy one."""


def dags_folder() -> Path:
    """Find the sample Dags: in the installed package, or next to it in a checkout."""
    package = Path(__file__).parents[1]
    for folder in (package / "example_dags", package.parent / "dags_examples"):
        if (folder / "release_firmware.py").is_file():
            return folder
    raise DemoError("The sample Dags are missing from this installation; install the package again.")


def environment(home: Path, port: int) -> dict[str, str]:
    """Give the environment variables: no examples, no login, loopback only."""
    worker_logs, trigger_logs = free_ports(2)
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW_", "_AIRFLOW_"))},
        # A proxy cannot reach loopback, and Airflow's own processes talk to each other by HTTP.
        "NO_PROXY": "127.0.0.1,localhost",
        "no_proxy": "127.0.0.1,localhost",
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}",
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__API__BASE_URL": f"http://127.0.0.1:{port}",
        "AIRFLOW__API__HOST": "127.0.0.1",
        "AIRFLOW__API__PORT": str(port),
        "AIRFLOW__API__WORKERS": "1",
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "AIRFLOW__CORE__DAGS_FOLDER": str(dags_folder()),
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"http://127.0.0.1:{port}/execution/",
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__PARALLELISM": "4",
        # Every user of this port is an administrator, so it listens on loopback only.
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
        "AIRFLOW__CORE__TEST_CONNECTION": "Enabled",
        "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "15",
        "AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT": str(worker_logs),
        "AIRFLOW__LOGGING__TRIGGER_LOG_SERVER_PORT": str(trigger_logs),
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
    }


def _lock(home: Path) -> IO[str]:
    # Two schedulers on one SQLite file would run the same tasks and stop each other's processes.
    lock = (home / "in-use").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        raise DemoError(f"Another Airflow runs in {home}; stop it, or choose another folder with --home.") from None
    return lock


def require_unused(home: Path) -> None:
    """Check that no Airflow runs in a folder.

    :raises DemoError: an Airflow runs there.
    """
    _lock(home).close()


class AirflowProcess:
    """Runs Airflow while its context is open.

    :param home: its folder; an existing one is reused.
    :param port: port of UI and API.
    :raises DemoError: Airflow is not installed, or another one runs in this folder.
    """

    def __init__(self, home: Path, port: int) -> None:
        program = shutil.which("airflow", path=str(Path(sys.executable).parent)) or shutil.which("airflow")
        if program is None:
            raise DemoError("The command 'airflow' is not installed next to this Python; install apache-airflow.")
        home.mkdir(parents=True, exist_ok=True)
        self._lock = _lock(home)
        self.url = f"http://127.0.0.1:{port}"
        self._session = loopback_session()
        self.log_path = home / "standalone.log"
        self._log = self.log_path.open("w")
        self._child = ChildProcess([program, "standalone"], environment(home, port), self._log, stop_seconds=30)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self._child.stop()
        finally:
            self._session.close()
            self._log.close()
            self._lock.close()

    @property
    def is_running(self) -> bool:
        """Whether Airflow is still running."""
        return self._child.is_running

    def wait_until_healthy(self) -> None:
        """Wait for database, scheduler, triggerer and Dag processor.

        :raises DemoError: a part is missing; the message names it and the log.
        """
        deadline = time.monotonic() + START_SECONDS
        missing = "the API server"
        while time.monotonic() < deadline:
            if not self.is_running:
                raise DemoError(f"Airflow ended while it was starting; its log is {self.log_path}.")
            missing = self._missing()
            if not missing:
                return
            time.sleep(0.5)
        raise DemoError(f"Airflow did not start within {START_SECONDS} s: {missing} is missing; see {self.log_path}.")

    def _missing(self) -> str:
        try:
            health = self._session.get(f"{self.url}/api/v2/monitor/health", timeout=5).json()
        except (requests.RequestException, ValueError):
            return "the API server"
        parts = ("metadatabase", "scheduler", "triggerer", "dag_processor")
        return ", ".join(part for part in parts if (health.get(part) or {}).get("status") != "healthy")
