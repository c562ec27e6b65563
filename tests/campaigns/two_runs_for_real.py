"""Two runs in a real Airflow that create jobs for equal, overlapping or disjoint devices at the same moment.

Requests are lost before or after they arrive, lists lag, device tasks are listed later than their job, and workers are
killed with SIGKILL. The platform's own books say afterwards what came of it.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING

from airflow_provider_tuya_ota.demo.processes import DemoError
from tests.campaigns.crash_for_real import kill_tasks

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.campaigns.field import Field

CREATE = "CreateOTAStaticUpgradeJob"
RELATIONS = {"equal": ((0, 1), (0, 1)), "subset": ((0, 1), (0,)), "overlap": ((0, 1), (1, 2)), "disjoint": ((0,), (1,))}
LOST = ("", "drop_before", "drop_after", "no_id")
AT_ONCE = 4
LONGEST = 900.0


@dataclass(frozen=True)
class Run:
    """One of the two runs."""

    dag: str
    run: str
    devices: frozenset[str]


@dataclass(frozen=True)
class Pair:
    """Two runs that want a job of the same firmware."""

    relation: str
    lost: str
    runs: tuple[Run, Run]

    @property
    def devices(self) -> frozenset[str]:
        return self.runs[0].devices | self.runs[1].devices


def _begin(field: Field, number: int, random: Random) -> Pair:
    relation, lost = list(RELATIONS)[number % 4], LOST[number // 4 % 4]
    field.cases += 1
    firmware_id = field.client.create_firmware(
        f"8.0.{field.cases}", f"firmware of pair {field.cases}".encode(), NeedToVerify="false"
    )
    names = [f"device-{300 + 3 * field.cases + place}" for place in range(3)]
    for name in names:
        field.client.script(name, outcome="succeeds")
    if lost:
        # Which of the two it hits is decided by who comes first.
        where = {"FirmwareId": firmware_id}
        field.client.control("POST", "faults", {"action": CREATE, "kind": lost, "nth": 1, "where": where})
    runs = []
    for places in RELATIONS[relation]:
        devices = [names[place] for place in places]
        mode = random.choice(["deferred", "blocking"])
        run = _trigger(field, mode, {"firmware_id": firmware_id, "device": ",".join(devices)})
        runs.append(Run(mode, run, frozenset(devices)))
        time.sleep(random.choice([0.0, 0.0, 1.0]))
    return Pair(relation, lost or "answered", (runs[0], runs[1]))


def _trigger(field: Field, dag: str, conf: dict[str, str]) -> str:
    """Trigger a run; where many write at once, SQLite may be locked for longer than Airflow waits."""
    for pause in (1.0, 5.0, 15.0):
        try:
            return field.api.trigger(dag, conf)
        except DemoError as error:
            if "Database error" not in str(error):
                raise
            time.sleep(pause)
    return field.api.trigger(dag, conf)


def _state(field: Field, run: Run) -> str:
    return field.api.task_states(run.dag, run.run)["upgrade"]


def _judge(field: Field, pair: Pair) -> str:
    jobs = [
        frozenset(task.device.name for task in job.tasks)
        for job in field.emulator.world.engine.jobs.values()
        if any(task.device.name in pair.devices for task in job.tasks)
    ]
    states = sorted(_state(field, run) for run in pair.runs)
    wanted = [{run.devices} for run in pair.runs]
    if pair.relation == "disjoint":
        is_right = states == ["success", "success"] and sorted(map(sorted, jobs)) == sorted(
            map(sorted, (w for s in wanted for w in s))
        )
    else:
        done = [run for run in pair.runs if _state(field, run) == "success"]
        is_right = states == ["failed", "success"] and jobs == [done[0].devices]
    return "" if is_right else f"{states}, jobs for {[sorted(job) for job in jobs]}"


def _cancels(field: Field) -> int:
    return sum(entry["action"] == "CancelOTATaskByJob" for entry in list(field.emulator.log))


def _play(field: Field, pairs: list[Pair], *, is_killed: bool, random: Random) -> None:
    if is_killed:
        time.sleep(random.uniform(2.0, 8.0))
        kill_tasks(field)
    everybody = [run for pair in pairs for run in pair.runs]
    deadline = time.monotonic() + LONGEST
    while any(_state(field, run) not in {"success", "failed"} for run in everybody):
        if time.monotonic() > deadline:
            raise TimeoutError(f"still under way: {[(run.dag, run.run, _state(field, run)) for run in everybody]}")
        time.sleep(3.0)
        # Devices take their time; lists lag in the same time.
        field.client.advance(3)


def campaign(field: Field, pairs: int, *, seed: int = 1) -> Iterator[tuple[str, str, str]]:
    """Play pairs of runs, some of them at the same time.

    :returns: relation, what was lost, and what was wrong, empty where nothing was.
    """
    random = Random(seed)  # noqa: S311 - a campaign, repeatable by its seed as far as processes are
    for batch, first in enumerate(range(0, pairs, AT_ONCE)):
        lag = {"list_delay": 20.0, "task_delay": 10.0} if batch % 2 else {"list_delay": 0.0, "task_delay": 0.0}
        field.client.control("POST", "quirks", lag)
        before = _cancels(field)
        begun = [_begin(field, number, random) for number in range(first, min(pairs, first + AT_ONCE))]
        late = ", lists lag" if batch % 2 else ""
        is_killed = batch // 2 % 2 == 0
        kills = ", killed" if is_killed else ""
        try:
            _play(field, begun, is_killed=is_killed, random=random)
        except Exception as error:  # noqa: BLE001 - the table shows whatever it is
            yield "a batch", f"{late}{kills}", f"{type(error).__name__}: {error}"
        for pair in begun:
            yield pair.relation, f"{pair.lost}{late}{kills}", _judge(field, pair)
        if cancels := _cancels(field) - before:
            yield "nobody stops anything", f"batch {batch}", f"{cancels} cancels"
    field.client.control("POST", "quirks", {"list_delay": 0.0, "task_delay": 0.0})
