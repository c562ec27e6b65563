"""A real Airflow and a platform for it, on which campaigns run."""

from __future__ import annotations

import sys
import tempfile
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import psutil  # type: ignore[import-untyped] # it ships no types

from airflow_provider_tuya_ota.demo import airflow_process
from airflow_provider_tuya_ota.demo.airflow_api import AirflowApi
from airflow_provider_tuya_ota.demo.airflow_process import AirflowProcess
from airflow_provider_tuya_ota.demo.emulator_process import Announcement
from airflow_provider_tuya_ota.demo.processes import ChildProcess, free_ports
from airflow_provider_tuya_ota.emulator.emulator import Emulator
from airflow_provider_tuya_ota.emulator.scenario import read
from airflow_provider_tuya_ota.emulator.server import EmulatorServer
from tests.emulator.plain_client import PlainClient, over_socket

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

DAGS = """
from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import DAG
from datetime import timedelta
from airflow_provider_tuya_ota.operators.upgrade import TuyaOTACreateUpgradeJobOperator

KINDS = {
    "deferred": {"deferrable": True, "retries": 3},
    "blocking": {"deferrable": False, "retries": 3},
    "hurried": {"deferrable": True, "retries": 0, "execution_timeout": timedelta(seconds=30)},
    "frozen": {"deferrable": False, "retries": 3, "retry_delay": timedelta(seconds=20)},
}
for name, how in KINDS.items():
    with DAG(name, schedule=None, params={"firmware_id": "", "device": ""}) as dag:
        TuyaOTACreateUpgradeJobOperator(
            task_id="upgrade", firmware_id="{{ params.firmware_id }}", product_key="k1demoproduct",
            target_selection="SPECIFIC", device_names="{{ params.device }}", poll_interval=1,
            **{"retry_delay": timedelta(seconds=1)} | how,
        )
        EmptyOperator(task_id="other")
    globals()[name] = dag

for name, first, last in (("many", 901, 920), ("crowd", 501, 800)):
    with DAG(name, schedule=None, max_active_tasks=100, params={"firmware_id": "", "device": ""}) as dag:
        TuyaOTACreateUpgradeJobOperator.partial(
            task_id="upgrade", firmware_id="{{ params.firmware_id }}", product_key="k1demoproduct", deferrable=True,
            target_selection="SPECIFIC", poll_interval=3,
        ).expand(device_names=[[f"device-{number}"] for number in range(first, last + 1)])
    globals()[name] = dag
"""
LONGEST_WAIT = 180.0
SOONER = {
    # A worker that is gone is noticed sooner than in the five minutes of the default.
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "30",
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": "3",
}
_ENVIRONMENT = airflow_process.environment
QUIET = 8.0
"""Seconds in which what must not happen would have happened."""


@dataclass
class Field:
    """A running Airflow and the platform that it talks to."""

    api: AirflowApi
    emulator: Emulator
    client: PlainClient
    home: Path
    port: int
    children: ExitStack
    cases: int = 0

    def trigger(self, dag: str) -> Case:
        """Ask for a job on a device of its own."""
        self.cases += 1
        device = f"device-{self.cases:03d}"
        firmware_id = self.client.create_firmware(
            f"9.0.{self.cases}", f"firmware {self.cases}".encode(), NeedToVerify="false"
        )
        run = self.api.trigger(dag, {"firmware_id": firmware_id, "device": device})
        return Case(self, dag, run, device, firmware_id)

    def start(self, dag: str) -> Case:
        """Let a task wait for a job."""
        case = self.trigger(dag)
        # Airflow forgets a trigger that no triggerer has begun when its task is killed, and runs nothing of it.
        case.wait(lambda: case.is_waiting() and case.is_notified() and case.polls() > 1, "task that polls its job")
        return case

    def processes(self, *words: str) -> list[psutil.Process]:
        """Find processes of this Airflow by words of their command lines."""
        found = []
        for process in psutil.process_iter(["cmdline", "environ"]):
            line = " ".join(process.info["cmdline"] or ())
            if (process.info["environ"] or {}).get("AIRFLOW_HOME") == str(self.home) and all(w in line for w in words):
                found.append(process)
        return found

    def task_processes(self) -> list[psutil.Process]:
        """Find the processes that carry tasks out, below the scheduler's workers."""
        below = [child for one in self.processes("scheduler") for child in one.children(recursive=True)]
        return [
            one
            for one in below
            if one.status() != psutil.STATUS_ZOMBIE
            and (line := " ".join(one.cmdline())).startswith("airflow worker -- ")
            and "LocalExecutor" not in line
        ]

    def frozen_worker(self) -> list[psutil.Process]:
        """Freeze the only worker that carries a task out: both the task's process and the one that watches over it."""
        frozen = [process for task in self.task_processes() for process in (task, task.parent()) if process]
        for process in frozen:
            process.suspend()
        return frozen

    def triggerers(self) -> list[psutil.Process]:
        return [one for one in self.processes("airflow", "triggerer") if "internal" not in " ".join(one.cmdline())]

    def triggerer_processes(self) -> list[psutil.Process]:
        """Find everything that belongs to a triggerer."""
        return [process for one in self.triggerers() for process in (one, *one.children(recursive=True))]

    def start_triggerer(self) -> ChildProcess:
        """Start one more triggerer."""
        program = str(Path(sys.executable).parent / "airflow")
        environment = airflow_process.environment(self.home, self.port)
        log = self.children.enter_context((self.home / f"triggerer-{time.time():.0f}.log").open("w"))
        child = ChildProcess([program, "triggerer"], environment, log, stop_seconds=10)
        self.children.callback(child.stop)
        return child


@dataclass
class Case:
    """One task that waits for one job."""

    field: Field
    dag: str
    run: str
    device: str
    firmware_id: str

    @property
    def _task(self) -> str:
        return f"dags/{self.dag}/dagRuns/{self.run}/taskInstances/upgrade"

    def jobs(self) -> list[str]:
        world = self.field.emulator.world
        return [
            job.job_id
            for job in list(world.engine.jobs.values())
            if job.tasks and job.tasks[0].device.name == self.device
        ]

    def is_notified(self) -> bool:
        self.field.client.control("GET", "clock")
        return bool(self.jobs()) and all(
            self.field.emulator.world.engine.jobs[job].tasks[0].status in {"NOTIFIED", "CANCELED"}
            for job in self.jobs()
        )

    def asked(self, action: str) -> int:
        jobs = set(self.jobs())
        return sum(
            entry["action"] == action and entry["parameters"].get("JobId") in jobs
            for entry in list(self.field.emulator.log)
        )

    def has_asked(self) -> bool:
        """Whether a job for the device was asked for."""
        return any(
            entry["action"] == "CreateOTAStaticUpgradeJob" and self.device in entry["parameters"].values()
            for entry in list(self.field.emulator.log)
        )

    def is_waiting(self) -> bool:
        """Whether the task waits for its job."""
        return self.state() == ("running" if self.dag in {"blocking", "frozen"} else "deferred")

    def cancels(self) -> int:
        return self.asked("CancelOTATaskByJob")

    def polls(self) -> int:
        return self.asked("QueryOTAJob")

    def try_number(self) -> int:
        number: int = self.field.api._call("GET", self._task)["try_number"]
        return number

    def state(self) -> str:
        return self.field.api.task_states(self.dag, self.run)["upgrade"]

    def wait(self, happened: Callable[[], bool], what: str, seconds: float = LONGEST_WAIT) -> None:
        deadline = time.monotonic() + seconds
        while not happened():
            if time.monotonic() > deadline:
                raise TimeoutError(f"{self.dag} {self.run}: no {what}; the task is {self.state()}")
            time.sleep(0.3)

    def states(self) -> list[str]:
        """Give the state of each task of the run."""
        path = f"dags/{self.dag}/dagRuns/{self.run}/taskInstances"
        states: list[str] = []
        while True:
            found = self.field.api._call("GET", path, params={"limit": 100, "offset": len(states)})
            states += [str(one["state"]) for one in found["task_instances"]]
            if not found["task_instances"] or len(states) >= found["total_entries"]:
                return states

    def mark(self, state: str) -> None:
        self.field.api._call("PATCH", self._task, json={"new_state": state})

    def mark_run(self, state: str) -> None:
        self.field.api._call("PATCH", f"dags/{self.dag}/dagRuns/{self.run}", json={"state": state})

    def clear(self, task: str = "upgrade") -> None:
        body = {"dry_run": False, "dag_run_id": self.run, "task_ids": [task], "only_failed": False}
        self.field.api._call("POST", f"dags/{self.dag}/clearTaskInstances", json=body)

    def finish(self) -> None:
        """Let the device do its update, so that the task can end."""
        self.field.client.script(self.device, outcome="succeeds")
        self.field.client.advance(300)


@contextmanager
def open_field() -> Iterator[Field]:
    """Start the platform, whose devices say nothing, and Airflow."""
    airflow_process.environment = lambda home, port: _ENVIRONMENT(home, port) | SOONER
    scenario = read({"quotas": {"enabled": False}, "products": [{"devices": 999, "silent": 1.0}]})
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="campaign-")))
        dags = home / "dags"
        dags.mkdir()
        (dags / "targets.py").write_text(DAGS)
        airflow_process.dags_folder = lambda: dags
        server = stack.enter_context(EmulatorServer(Emulator(scenario=scenario)))
        (port,) = free_ports(1)
        airflow = stack.enter_context(AirflowProcess(home, port))
        airflow.wait_until_healthy()
        api = stack.enter_context(AirflowApi(airflow.url))
        key = server.emulator.key
        api.set_connection(Announcement(server.url, key.access_key_id, key.access_key_secret, ("k1demoproduct",)))
        for dag in ("deferred", "blocking", "hurried", "frozen", "many", "crowd"):
            api.wait_for_dag(dag, 90)
        children = stack.enter_context(ExitStack())
        yield Field(api, server.emulator, PlainClient(over_socket(server.url)), home, port, children)
