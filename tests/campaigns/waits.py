"""A thousand waits on one connection, shared and one by one: ``python -m tests.campaigns.waits [WAITS]``.

In virtual time: when each end is noticed, how many requests a second leave, what the platform refuses, what is kept in
memory. In real time and over sockets: how long the event loop stands still, and what a wait costs.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
from collections import deque
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

from airflow_provider_tuya_ota.client import AsyncTuyaOTAClient
from airflow_provider_tuya_ota.core.rate import Lane
from airflow_provider_tuya_ota.core.watching import Patience, watch_job
from airflow_provider_tuya_ota.emulator.clock import Clock
from airflow_provider_tuya_ota.emulator.emulator import Emulator
from airflow_provider_tuya_ota.emulator.quotas import UNLIMITED, Quotas
from airflow_provider_tuya_ota.emulator.scenario import read
from airflow_provider_tuya_ota.polling.poller import Poller
from airflow_provider_tuya_ota.transports.budget import Budget
from tests.campaigns.virtual import BIRTH, LATENCY, LoopWorld, Metered, VirtualLoop
from tests.contract.worlds import Quiet, settings
from tests.emulator.stranger import Stranger, in_memory

if TYPE_CHECKING:
    from airflow_provider_tuya_ota.core.verdicts import Verdict

RATE = 10.0
MINUTES = 30
COLUMNS = ("jobs", "poller", "late (s)", "best", "ratio", "one in ten", "requests", "in a second", "throttled")


@dataclass(frozen=True)
class Shape:
    """How the waits lie.

    :param poll_interval: seconds, as the Dag author wrote it.
    """

    waits: int
    packages: int
    poll_interval: float

    def __str__(self) -> str:
        return f"{self.waits} jobs of {self.packages} packages, poll_interval {self.poll_interval:g}"


@dataclass(frozen=True)
class Result:
    """What came of one run."""

    late: list[float]
    requests: int
    most_in_a_second: int
    refused: int
    actions: dict[str, int]

    @property
    def median(self) -> float:
        return statistics.median(self.late)

    def cells(self, ideal: float) -> list[str]:
        tenth = statistics.quantiles(self.late, n=10)[-1]
        return [
            f"{self.median:.1f}",
            f"{ideal:.1f}",
            f"{self.median / ideal:.2f}",
            f"{tenth:.1f}",
            str(self.requests),
            str(self.most_in_a_second),
            str(self.refused),
        ]


def shapes(waits: int) -> list[Shape]:
    """Give few and many packages, and looks as often as the budget allows and as rarely as by default."""
    return [
        Shape(waits, waits // 2, 15),
        Shape(waits, waits // 5, 15),
        Shape(waits, waits // 50, 1),
        Shape(waits, waits // 50, 15),
    ]


def release(
    shape: Shape, loop: VirtualLoop, *, silent: bool = False, minutes: float = MINUTES, seed: int = 1
) -> tuple[Emulator, dict[str, str]]:
    """Start the jobs: one device each, done at a moment spread over the whole time.

    :returns: the platform, and each job's package.
    """
    chance = Random(seed)  # noqa: S311 - a simulation, repeatable by its seed
    devices: dict[str, Any] = {
        f"device-{number:04d}": {"outcome": "silent"}
        if silent
        else {"flash_seconds": chance.uniform(30, minutes * 60 - 120)}
        for number in range(1, shape.waits + 1)
    }
    scenario = read({"products": [{"devices": shape.waits, "device": devices}]})
    emulator = Emulator(clock=Clock(loop.wall), scenario=scenario)
    emulator.world.quotas = UNLIMITED
    stranger = Stranger(in_memory(emulator), now=loop.wall)
    jobs: dict[str, str] = {}
    packages = [stranger.package(f"2.0.{number}", NeedToVerify="false") for number in range(shape.packages)]
    for number, name in enumerate(devices):
        package = packages[number % shape.packages]
        job = stranger.upgrade(package, name)
        jobs[job] = package
    emulator.world.quotas = Quotas()
    return emulator, jobs


def run(shape: Shape, *, shared: bool) -> Result:
    """Wait for every job in virtual time."""
    loop = VirtualLoop()
    try:
        return loop.run_until_complete(_wait(shape, loop, shared=shared))
    finally:
        loop.close()


async def _wait(shape: Shape, loop: VirtualLoop, *, shared: bool) -> Result:
    emulator, jobs = release(shape, loop)
    transport = Metered(emulator)
    world = LoopWorld(loop)
    budget = Budget({Lane.CALLS: RATE, Lane.CANCELS: RATE / 2}, clock=loop.time)
    where = settings("http://127.0.0.1:1", requests_per_second=RATE)
    where = type(where)(**{name: getattr(where, name) for name in where.__slots__} | {"requests_per_second": RATE})
    client = AsyncTuyaOTAClient(where, transport=transport, listener=Quiet(), world=world, budget=budget)
    patience = Patience(
        deadline=datetime.fromtimestamp(BIRTH, UTC) + timedelta(hours=3), poll_interval=shape.poll_interval
    )
    noticed: dict[str, float] = {}

    async def wait(job_id: str, watching: Any) -> Verdict:
        verdict: Verdict = await watching
        noticed[job_id] = loop.wall()
        return verdict

    poller = Poller(client)
    if shared:
        watching = {
            job: poller.watch(job, patience, firmware_id=package, listener=Quiet(), world=world)
            for job, package in jobs.items()
        }
    else:
        watching = {job: client.run(watch_job(where, job, patience)) for job in jobs}
    await asyncio.gather(*(wait(job, how) for job, how in watching.items()))
    await poller.close()
    ended = {task.job.job_id: task.modified for task in emulator.world.engine.tasks.values()}
    late = [noticed[job] - ended[job] for job in jobs]
    return Result(late, len(transport.arrived), transport.most_in_a_second, transport.refused, transport.actions)


def best(shape: Shape) -> list[float]:
    """How late the best of all pollers at this rate would be, given when the jobs end.

    It wastes no request: each goes to the package that was glanced at longest ago among those in which something still
    runs, or reads the device of a job that has just been seen to have ended. Its answers take as long as ours.
    """
    loop = VirtualLoop()
    emulator, jobs = release(shape, loop)
    loop.jump(MINUTES * 60 + 600)
    emulator.world.engine.run()
    loop.close()
    ended = {task.job.job_id: task.modified - BIRTH for task in emulator.world.engine.tasks.values()}
    running: dict[str, set[str]] = {}
    for job, package in jobs.items():
        running.setdefault(package, set()).add(job)
    turn, to_read = deque(running), deque[tuple[float, str]]()
    now, late = 0.0, []
    while running or to_read:
        now += 1 / RATE
        if to_read and to_read[0][0] <= now:
            _, job = to_read.popleft()
            late.append(now + 2 * LATENCY - ended[job])
            continue
        if not turn:
            continue
        package = turn.popleft()
        over = {job for job in running[package] if ended[job] <= now + LATENCY}
        to_read.extend((now + 2 * LATENCY, job) for job in over)
        running[package] -= over
        if running[package]:
            turn.append(package)
        else:
            del running[package]
    return late


def main() -> int:
    """Print one table; the exit status says whether everything was as promised."""
    waits = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    table = Table(
        title=f"{waits} waits on one connection, at most {RATE:g} requests a second, {MINUTES} virtual minutes"
    )
    for column in COLUMNS:
        table.add_column(column, justify="left" if column in COLUMNS[:2] else "right")
    for shape in shapes(waits):
        ideal = statistics.median(best(shape))
        for shared in (True, False):
            result = run(shape, shared=shared)
            table.add_row(str(shape), "shared" if shared else "one each", *result.cells(ideal))
    Console().print(table)
    return 0


if __name__ == "__main__":
    sys.exit(main())
