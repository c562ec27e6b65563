"""A whole release in a real Airflow, beside the same release written by hand with Python tasks and the vendor's SDK.

Both run at the same time in one Airflow, each on a simulated platform of its own: upload, verification of 2 devices,
upgrades of 5, 12, 30 and 50 devices, polls every 5 seconds. Beside them runs a Dag of five deferrable operators that
sleep for as long as the devices of the five jobs take, and do nothing else: what Airflow itself costs.

Prints wall time, worker-slot seconds (how long tasks were running, not deferred) and API calls, and the shares of ours
beside their targets; a round takes about two minutes: ``python -m benchmarks.whole_release [ROUNDS]``.
"""

from __future__ import annotations

import compileall
import sqlite3
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import airflow_provider_tuya_ota
from airflow_provider_tuya_ota.demo import airflow_process
from airflow_provider_tuya_ota.demo.airflow_api import AirflowApi
from airflow_provider_tuya_ota.demo.airflow_process import AirflowProcess
from airflow_provider_tuya_ota.demo.emulator_process import Announcement
from airflow_provider_tuya_ota.demo.processes import free_ports
from airflow_provider_tuya_ota.emulator.emulator import Emulator
from airflow_provider_tuya_ota.emulator.scenario import read
from airflow_provider_tuya_ota.emulator.server import EmulatorServer
from benchmarks.release_dags import DAGS, TRIGGER
from benchmarks.table import Figure, print_table

if TYPE_CHECKING:
    from collections.abc import Sequence

PRODUCT = "k1demoproduct"
WAVES = (5, 12, 30, 50)
VERIFIED = 2
DEVICE_SECONDS = (12.4, 14.1, 14.2, 14.8, 14.9)
"""How long the devices of the five jobs take on the simulated platform."""
SAMPLED_EVERY = 0.1
LONGEST = 900.0
TARGETS = {"wall time": 1.0, "worker slots": 0.1, "API calls": 1.5}
UNITS = dict.fromkeys(("wall time", "worker slots"), "s")
DAG_IDS = ("ours", "by_hand", "sleeps")
WARM_UP = "warm_up"
"""A run before all others: at their first request API server and triggerer build for seconds what they need."""
PLACES = {"running": "in workers", "deferred": "in the triggerer"}
SHOWN = (*PLACES.values(), "with the scheduler")
LAST_LINES = 20
"""Lines of the log of a task that has failed."""


@dataclass
class Measured:
    """One run of a Dag, while it runs and at its end.

    :param emulator: the platform on which it releases; None where it only sleeps.
    :param seconds: how long its current task was in a worker, in the triggerer and with the scheduler.
    """

    run: str
    emulator: Emulator | None
    calls_before: int
    begun: float
    seconds: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    slot_seconds: float = 0.0
    wall: float = 0.0
    calls: int = 0
    state: str = "running"

    def end(self, state: str, now: float) -> None:
        """Note that it has ended. The uploaded file goes to object storage, so that it is no API call."""
        self.state, self.wall = state, now - self.begun
        log = list(self.emulator.log)[self.calls_before :] if self.emulator else []
        self.calls = sum(entry["action"] != "PostObject" for entry in log)

    def sample(self, states: Sequence[str], passed: float) -> None:
        """Take the states of all tasks as those of the time since the sample before."""
        self.slot_seconds += passed * states.count("running")
        place = next((place for state, place in PLACES.items() if state in states), "with the scheduler")
        self.seconds[place] += passed


@dataclass
class Figures:
    """All rounds of one Dag."""

    rounds: list[Measured] = field(default_factory=list)

    def medians(self) -> dict[str, float]:
        """Give a figure for each measured thing."""
        columns = [(one.wall, one.slot_seconds, float(one.calls)) for one in self.rounds]
        return dict(zip(TARGETS, map(statistics.median, zip(*columns, strict=True)), strict=True))

    def places(self) -> str:
        """Say where the wall time went."""
        medians = {place: statistics.median(one.seconds[place] for one in self.rounds) for place in SHOWN}
        return ", ".join(f"{seconds:.1f} s {place}" for place, seconds in medians.items())


class Database:
    """Reads the states of tasks and runs from Airflow's database: its API would take CPU time from what is measured."""

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=30)

    def task_states(self, dag_id: str, run_id: str) -> list[str]:
        """Read the state of each task of a run."""
        return self._read("SELECT state FROM task_instance WHERE dag_id = ? AND run_id = ?", dag_id, run_id)

    def run_state(self, dag_id: str, run_id: str) -> str:
        """Read a run's state."""
        (state,) = self._read("SELECT state FROM dag_run WHERE dag_id = ? AND run_id = ?", dag_id, run_id)
        return state

    def _read(self, query: str, *values: str) -> list[str]:
        return [str(state) for (state,) in self._connection.execute(query, values).fetchall()]


def _play(
    api: AirflowApi,
    database: Database,
    emulators: dict[str, Emulator],
    version: str,
    dags: Sequence[str] = DAG_IDS,
) -> dict[str, Measured]:
    """Let both release the same version at the same time, and the third Dag sleep beside them."""
    under_way = {}
    for dag in dags:
        emulator = emulators.get(dag)
        run = api.trigger(dag, {"version": version})
        under_way[dag] = Measured(run, emulator, len(emulator.log) if emulator else 0, time.monotonic())
    sampled = time.monotonic()
    while any(one.state == "running" for one in under_way.values()):
        time.sleep(SAMPLED_EVERY)
        now = time.monotonic()
        for dag, one in under_way.items():
            if one.state != "running":
                continue
            one.sample(database.task_states(dag, one.run), now - sampled)
            if (state := database.run_state(dag, one.run)) in {"success", "failed"}:
                one.end(state, now)
            if now - one.begun > LONGEST:
                raise TimeoutError(f"{dag} goes on after {LONGEST:g} s: {api.task_states(dag, one.run)}")
        sampled = now
    for dag, one in under_way.items():
        if one.state != "success":
            raise RuntimeError(f"{dag} ended as {one.state}: {_why(api, dag, one.run)}")
    return under_way


def _why(api: AirflowApi, dag_id: str, run_id: str) -> str:
    states = api.task_states(dag_id, run_id)
    failed = [task_id for task_id, state in states.items() if state == "failed"]
    logs = [line for task_id in failed for line in api.log_lines(dag_id, run_id, task_id)[-LAST_LINES:]]
    return "\n".join([str(states), *logs])


def _release(rounds: int) -> dict[str, Figures]:
    """Start Airflow and both platforms, and run every Dag."""
    figures = {dag: Figures() for dag in DAG_IDS}
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="whole-release-")))
        dags, configuration = home / "dags", home / "airflow" / "config"
        dags.mkdir()
        configuration.mkdir(parents=True)
        source = home / "firmware.bin"
        source.write_bytes(b"firmware of a whole release")
        scenario = {"quotas": {"enabled": False}, "products": [{"product_key": PRODUCT, "devices": 100}]}
        servers = {
            dag: stack.enter_context(EmulatorServer(Emulator(scenario=read(scenario)))) for dag in ("ours", "by_hand")
        }
        hand, ours = servers["by_hand"], servers["ours"]
        key = hand.emulator.key
        constants = (
            *(PRODUCT, VERIFIED, WAVES, hand.url, key.access_key_id, key.access_key_secret),
            *(str(source), DEVICE_SECONDS),
        )
        (dags / "releases.py").write_text(f"CONSTANTS = {constants!r}\n{DAGS}")
        (configuration / "sleep_trigger.py").write_text(TRIGGER)
        # As pip leaves it. A source tree may have no bytecode, and may forbid to write any: then each start of a task
        # would time the compiler.
        compileall.compile_dir(Path(airflow_provider_tuya_ota.__file__).parent, quiet=1)
        airflow_process.dags_folder = lambda: dags
        (port,) = free_ports(1)
        airflow = stack.enter_context(AirflowProcess(home / "airflow", port))
        airflow.wait_until_healthy()
        api = stack.enter_context(AirflowApi(airflow.url))
        own = ours.emulator.key
        api.set_connection(Announcement(ours.url, own.access_key_id, own.access_key_secret, (PRODUCT,)))
        for dag in (*figures, WARM_UP):
            api.wait_for_dag(dag, 120)
        emulators = {dag: server.emulator for dag, server in servers.items()}
        database = Database(home / "airflow" / "airflow.db")
        _play(api, database, {}, "2.0.0", [WARM_UP])
        for number in range(rounds):
            for dag, one in _play(api, database, emulators, f"2.0.{number}").items():
                figures[dag].rounds.append(one)
    return figures


def measure(rounds: int = 1) -> list[Figure]:
    """Measure."""
    figures = _release(rounds)
    ours, by_hand, sleeps = (figures[dag].medians() for dag in DAG_IDS)
    shown = []
    for name, target in TARGETS.items():
        unit = UNITS.get(name, "")
        shown += [
            Figure(f"release, {name}, with the operators", ours[name], unit),
            Figure(f"release, {name}, by hand", by_hand[name], unit),
            Figure(f"release, {name}, operators / by hand", ours[name] / by_hand[name], most=target),
        ]
        if unit:
            shown += [
                Figure(f"release, {name}, five deferrals that only sleep", sleeps[name], unit),
                Figure(f"release, {name}, operators / only sleep", ours[name] / sleeps[name]),
            ]
    for dag, measured in figures.items():
        print(f"{dag}: {measured.places()}")
    return shown


def main() -> int:
    """Measure and print."""
    return 0 if print_table(measure(*map(int, sys.argv[1:]))) else 1


if __name__ == "__main__":
    sys.exit(main())
