"""A thousand waits on one connection, shared and one by one.

In virtual time: when each end is noticed, how many requests a second leave, what the platform refuses, what is kept in
memory. In real time and over sockets: how long the event loop stands still, and what a wait costs.
"""

from __future__ import annotations

import asyncio
import gc
import statistics
import tracemalloc
from collections import deque
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import TYPE_CHECKING, Any

from airflow_provider_tuya_ota.client import AsyncTuyaOTAClient
from airflow_provider_tuya_ota.core.policy.rate import RateLimitGroup
from airflow_provider_tuya_ota.core.status.wait import WaitOptions
from airflow_provider_tuya_ota.emulator.clock import Clock
from airflow_provider_tuya_ota.emulator.emulator import Emulator
from airflow_provider_tuya_ota.emulator.gateway.quotas import UNLIMITED, Quotas
from airflow_provider_tuya_ota.emulator.scenario import read
from airflow_provider_tuya_ota.polling.poller import Poller
from airflow_provider_tuya_ota.transports.limiter import RateLimiter
from tests.campaigns.table import Row
from tests.campaigns.virtual import BIRTH, LATENCY, LoopWorld, Metered, VirtualLoop
from tests.campaigns.waits_for_real import Figures, measure
from tests.contract.worlds import Quiet, settings
from tests.core.one_job import wait_for_job
from tests.emulator.plain_client import PlainClient, in_memory

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from airflow_provider_tuya_ota.core.model.verdict import Verdict

RATE = 10.0
MINUTES = 30
SECONDS = 300.0
"""After which the last device is done, in real time."""
LAG = 0.1
FIRST_POLL = 2.0
"""Seconds in which polling begins and the last of a thousand waits has joined it."""
WARM = 25.0
"""Minutes in which each of a thousand jobs is polled."""
FLAT = 1.02
OURS = ("polling", "core", "transports", "asyncio")
"""Where a wait's memory is taken from; what simulates the platform is elsewhere."""


@dataclass(frozen=True)
class Shape:
    """How the waits lie.

    :param poll_interval: seconds, as the Dag author wrote it.
    """

    waits: int
    firmwares: int
    poll_interval: float

    def __str__(self) -> str:
        return f"{self.waits} jobs of {self.firmwares} firmwares, poll_interval {self.poll_interval:g}"


@dataclass(frozen=True)
class Result:
    """What came of one run.

    :param late: seconds from each end until its wait knew.
    :param lasted: seconds.
    """

    late: list[float]
    lasted: float
    requests: int
    most_in_a_second: int
    refused: int

    @property
    def median(self) -> float:
        return statistics.median(self.late)

    @property
    def rate(self) -> float:
        return self.requests / self.lasted


def shapes(waits: int) -> list[Shape]:
    """Give few and many firmwares, and polls as often as the budget allows and as rarely as by default."""
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

    :returns: the platform, and each job's firmware.
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
    plain_client = PlainClient(in_memory(emulator), now=loop.wall)
    jobs: dict[str, str] = {}
    firmwares = [
        plain_client.create_firmware(f"2.0.{number}", NeedToVerify="false") for number in range(shape.firmwares)
    ]
    for number, name in enumerate(devices):
        firmware_id = firmwares[number % shape.firmwares]
        job = plain_client.upgrade(firmware_id, name)
        jobs[job] = firmware_id
    emulator.world.quotas = Quotas()
    return emulator, jobs


def run(shape: Shape, *, shared: bool, minutes: float = MINUTES) -> Result:
    """Wait for every job in virtual time."""
    loop = VirtualLoop()
    try:
        return loop.run_until_complete(_wait(shape, loop, shared=shared, minutes=minutes))
    finally:
        loop.close()


async def _wait(shape: Shape, loop: VirtualLoop, *, shared: bool, minutes: float) -> Result:
    emulator, jobs = release(shape, loop, minutes=minutes)
    poller, world, transport = _poller(emulator, loop)
    options = WaitOptions(
        deadline=datetime.fromtimestamp(BIRTH, UTC) + timedelta(hours=3), poll_interval=shape.poll_interval
    )

    def how(job: str) -> WaitOptions:
        # Named devices: where the platform chose them, a success is held for a minute.
        tasks = emulator.world.engine.jobs[job].tasks
        return replace(options, expected=tuple(task.device.name for task in tasks))

    client = poller._client
    noticed: dict[str, float] = {}

    async def wait(job_id: str, watching: Any) -> Verdict:
        verdict: Verdict = await watching
        noticed[job_id] = loop.wall()
        return verdict

    if shared:
        watching = {
            job: poller.wait_for_job(job, how(job), firmware_id=firmware_id, listener=Quiet(), runtime=world)
            for job, firmware_id in jobs.items()
        }
    else:
        watching = {job: client.run(wait_for_job(client.settings, job, how(job))) for job in jobs}
    await asyncio.gather(*(wait(job, watched) for job, watched in watching.items()))
    await poller.close()
    ended = {task.job.job_id: task.modified for task in emulator.world.engine.tasks.values()}
    late = [noticed[job] - ended[job] for job in jobs]
    return Result(late, loop.time(), len(transport.arrived), transport.most_in_a_second, transport.refused)


def best(shape: Shape, rate: float, minutes: float = MINUTES) -> float:
    """How late, in the median, the best of all pollers at a rate would be, given when the jobs end.

    It wastes no request: each goes to the firmware that was listed longest ago among those in which something still
    runs, or reads the device of a job that has just been seen to have ended. Its answers take as long as ours.
    """
    loop = VirtualLoop()
    emulator, jobs = release(shape, loop, minutes=minutes)
    loop.jump(minutes * 60 + 600)
    emulator.world.engine.run()
    loop.close()
    ended = {task.job.job_id: task.modified - BIRTH for task in emulator.world.engine.tasks.values()}
    running: dict[str, set[str]] = {}
    for job, firmware_id in jobs.items():
        running.setdefault(firmware_id, set()).add(job)
    turn, to_read = deque(running), deque[tuple[float, str]]()
    now, late = 0.0, []
    while running or to_read:
        now += 1 / rate
        if to_read and to_read[0][0] <= now:
            _, job = to_read.popleft()
            late.append(now + 2 * LATENCY - ended[job])
        elif turn:
            firmware_id = turn.popleft()
            over = {job for job in running[firmware_id] if ended[job] <= now + LATENCY}
            to_read.extend((now + 2 * LATENCY, job) for job in over)
            running[firmware_id] -= over
            if running[firmware_id]:
                turn.append(firmware_id)
            else:
                del running[firmware_id]
    return statistics.median(late)


def endure(waits: int, minutes: float, *, warm: float) -> tuple[float, float]:
    """Wait for devices that never say anything.

    :param warm: minutes before the first measurement: until each job has been polled once, more becomes known.
    :returns: bytes that the waits and their poller hold after the first and after the second time.
    """
    loop = VirtualLoop()
    try:
        return loop.run_until_complete(_endure(waits, minutes, warm, loop))
    finally:
        loop.close()


async def _endure(waits: int, minutes: float, warm: float, loop: VirtualLoop) -> tuple[float, float]:
    emulator, jobs = release(Shape(waits, waits // 5, 15), loop, silent=True)
    poller, world, _ = _poller(emulator, loop)
    options = WaitOptions(deadline=datetime.fromtimestamp(BIRTH, UTC) + timedelta(days=1))
    tracemalloc.start()
    watching = [
        asyncio.ensure_future(
            poller.wait_for_job(job, options, firmware_id=firmware_id, listener=Quiet(), runtime=world)
        )
        for job, firmware_id in jobs.items()
    ]
    await asyncio.sleep(warm * 60)
    early = await _held()
    await asyncio.sleep(minutes * 60)
    late = await _held()
    tracemalloc.stop()
    for one in watching:
        one.cancel()
    await asyncio.gather(*watching, return_exceptions=True)
    await poller.close()
    return early, late


async def _held() -> int:
    # A loop keeps cancelled timers until they are more than a hundred and outnumber the others: a few percent of what
    # is measured here, more or less at each moment. So many more make it throw all of them away.
    for _ in range(1000):
        asyncio.get_running_loop().call_later(1.0, int).cancel()
    await asyncio.sleep(0)
    gc.collect()
    ours = [tracemalloc.Filter(inclusive=True, filename_pattern=f"*/{part}/*") for part in OURS]
    return sum(trace.size for trace in tracemalloc.take_snapshot().filter_traces(ours).traces)


def _poller(emulator: Emulator, loop: VirtualLoop) -> tuple[Poller, LoopWorld, Metered]:
    transport, world = Metered(emulator), LoopWorld(loop)
    limiter = RateLimiter({RateLimitGroup.CALLS: RATE, RateLimitGroup.CANCELS: RATE / 2}, clock=loop.time)
    where = replace(settings("http://127.0.0.1:1"), requests_per_second=RATE)
    client = AsyncTuyaOTAClient(where, transport=transport, listener=Quiet(), runtime=world, limiter=limiter)
    return Poller(client), world, transport


def rows(waits: int, folder: Path) -> Iterator[Row]:
    """Give a row for each shape, shared and one by one, and for what was measured in real time."""
    for shape in shapes(waits):
        for shared in (True, False):
            yield row_of(shape, run(shape, shared=shared), shared=shared)
    early, late = endure(waits, MINUTES, warm=WARM)
    grown = [] if late < FLAT * early else ["memory grows"]
    figures = (
        f"{early / waits / 1024:.1f} KiB a wait after {MINUTES / 6:g} minutes, {late / waits / 1024:.1f} at the end"
    )
    yield Row("waits, virtual time", f"{waits} waits for {MINUTES} minutes", waits, wrong=grown, figures=figures)
    yield row_of_figures(measure(folder, waits, firmwares=waits // 5, seconds=SECONDS))


def row_of(shape: Shape, result: Result, *, shared: bool, minutes: float = MINUTES) -> Row:
    """Say what came of a run, beside the best that is possible."""
    ideal, ideal_at_its_rate = best(shape, RATE, minutes), best(shape, result.rate, minutes)
    wrong = []
    if result.most_in_a_second > RATE or result.refused:
        wrong.append(f"{result.most_in_a_second} requests in a second, {result.refused} refused")
    if shared and result.median > 2 * ideal_at_its_rate:
        wrong.append("later than twice the best")
    tenth = statistics.quantiles(result.late, n=10)[-1]
    figures = (
        f"{result.median:.1f} s late (one in ten {tenth:.1f}); best {ideal:.1f} at {RATE:g} a second,"
        f" {ideal_at_its_rate:.1f} at the {result.rate:.1f} used; {result.requests} requests, at most"
        f" {result.most_in_a_second} in a second, {result.refused} refused"
    )
    poller = "one poller" if shared else "one for each job"
    return Row("waits, virtual time", f"{shape}: {poller}", shape.waits, wrong=wrong, figures=figures)


def row_of_figures(figures: Figures) -> Row:
    """Say what was measured in real time."""
    wrong = []
    if figures.succeeded < figures.waits or figures.pollers_left:
        wrong.append(f"{figures.succeeded} of {figures.waits} succeeded, {figures.pollers_left} pollers left")
    if figures.most_in_a_second > RATE or figures.refused:
        wrong.append(f"{figures.most_in_a_second} requests in a second, {figures.refused} refused")
    if figures.longest_lag >= LAG:
        wrong.append(f"the loop stood still for {figures.longest_lag * 1000:.0f} ms")
    if max(figures.first_poll, figures.all_joined) > FIRST_POLL or figures.connection_reads > 1:
        wrong.append(f"{figures.connection_reads} reads of the connection, all joined after {figures.all_joined:.1f} s")
    said = (
        f"first poll after {figures.first_poll:.1f} s, all joined after {figures.all_joined:.1f} s,"
        f" {figures.connection_reads} reads of the connection; {figures.median_late:.1f} s late; the loop stood still"
        f" for {figures.longest_lag * 1000:.0f} ms at most; {figures.memory / 1024:.1f} KiB and"
        f" {figures.processor:.2f} s of a core an hour for each wait; at most {figures.most_in_a_second} requests in a"
        f" second, {figures.refused} refused"
    )
    return Row("waits, triggers", f"{figures.waits} triggers over sockets", figures.waits, wrong=wrong, figures=said)
