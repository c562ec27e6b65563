"""A thousand triggers of this package in one process, in real time and over sockets.

The emulator is a process of its own. Measured are how long the event loop stood still, what a wait costs in memory and
processor time, how many requests arrived in any second, and when each end was noticed.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from statistics import median
from typing import TYPE_CHECKING, Any

import psutil  # type: ignore[import-untyped] # it ships no types

from airflow_provider_tuya_ota.core.status.wait import WaitOptions
from airflow_provider_tuya_ota.demo.emulator_process import EmulatorProcess
from airflow_provider_tuya_ota.hooks.tuya_ota import TuyaOTAHook
from airflow_provider_tuya_ota.polling.shared import _POLLERS
from airflow_provider_tuya_ota.triggers.job import TuyaOTAJobTrigger
from tests.emulator.plain_client import PlainClient, over_socket

if TYPE_CHECKING:
    from collections.abc import Iterator

STEP = 0.01
"""Seconds between two looks at the loop's clock."""
READ = 0.056
"""Seconds in which Airflow answers for a connection in a triggerer, one question after the other."""


@dataclass(frozen=True)
class Figures:
    """What was measured.

    :param longest_lag: seconds for which the loop ran nothing that was due.
    :param memory: bytes for each wait.
    :param processor: seconds of a core for each wait and hour.
    :param late: seconds from an end to its event.
    :param first_poll: seconds from the first trigger's start to the first request.
    :param all_joined: seconds from the first trigger's start until the poller knew of every wait.
    :param connection_reads: how often the connection was read; each read takes a moment, one after the other.
    """

    waits: int
    succeeded: int
    longest_lag: float
    memory: float
    processor: float
    late: list[float]
    most_in_a_second: int
    refused: int
    pollers_left: int
    first_poll: float
    all_joined: float
    connection_reads: int

    @property
    def median_late(self) -> float:
        return median(self.late)


class _Airflow:
    """Reads connections as slowly as a triggerer does."""

    def __init__(self) -> None:
        self.reads = 0
        self._line = asyncio.Lock()
        self._inner = TuyaOTAHook.aget_connection

    async def read(self, conn_id: str) -> Any:
        async with self._line:
            self.reads += 1
            await asyncio.sleep(READ)
            return await self._inner(conn_id)


async def _all_joined(waits: int) -> None:
    pollers = _POLLERS.setdefault(asyncio.get_running_loop(), {})
    while sum(shared.users for shared in pollers.values()) < waits:  # noqa: ASYNC110 - the poller has no event for it
        await asyncio.sleep(STEP)


async def _attend(lags: list[float]) -> None:
    loop = asyncio.get_running_loop()
    while True:
        due = loop.time() + STEP
        await asyncio.sleep(STEP)
        lags.append(loop.time() - due)


@contextmanager
def _platform(folder: Path, waits: int, firmwares: int, seconds: float) -> Iterator[tuple[PlainClient, dict[str, str]]]:
    chance = Random(1)  # noqa: S311 - a simulation, repeatable by its seed
    with EmulatorProcess(folder, speed=1.0) as emulator:
        announced = emulator.announcement
        plain_client = PlainClient(over_socket(announced.url), announced.access_key_id, announced.access_key_secret)
        names = [f"device-{number:04d}" for number in range(1, waits + 1)]
        scripts = {name: {"flash_seconds": chance.uniform(seconds / 4, seconds)} for name in names}
        quiet = {"enabled": False}
        plain_client.control("POST", "seed", {"products": [{"devices": waits, "device": scripts}], "quotas": quiet})
        made = [plain_client.create_firmware(f"2.0.{number}", NeedToVerify="false") for number in range(firmwares)]
        wanted = [(made[number % firmwares], name) for number, name in enumerate(names)]
        jobs = {plain_client.upgrade(firmware_id, name): firmware_id for firmware_id, name in wanted}
        plain_client.control("POST", "quotas", {"enabled": True})
        os.environ["AIRFLOW_CONN_TUYA_OTA_DEFAULT"] = json.dumps(
            {
                "conn_type": "tuya_ota",
                "host": announced.url.rpartition(":")[0],
                "port": int(announced.url.rpartition(":")[2]),
                "login": announced.access_key_id,
                "password": announced.access_key_secret,
            }
        )
        yield plain_client, jobs


def measure(folder: Path, waits: int, *, firmwares: int, seconds: float, poll_interval: float = 15.0) -> Figures:
    """Let a new process start the jobs, let as many triggers wait for them, and measure until the last has fired.

    :param seconds: after which the last device is done.
    """
    wanted = {"folder": str(folder), "waits": waits, "firmwares": firmwares, "seconds": seconds}
    environment = os.environ | {"AIRFLOW_HOME": str(folder), "AIRFLOW__LOGGING__LOGGING_LEVEL": "WARNING"}
    announced = subprocess.run(
        [sys.executable, "-m", "tests.campaigns.waits_for_real", json.dumps(wanted | {"poll_interval": poll_interval})],
        check=True,
        stdout=subprocess.PIPE,
        env=environment,
        cwd=Path(__file__).parents[2],
    )
    return Figures(**json.loads(announced.stdout.splitlines()[-1]))


def _here(*, folder: str, waits: int, firmwares: int, seconds: float, poll_interval: float) -> Figures:
    with _platform(Path(folder), waits, firmwares, seconds) as (plain_client, jobs):
        gc.collect()
        # What Airflow has loaded is not what is measured: to look through all of it takes the collector 0.14 s.
        gc.freeze()
        return asyncio.run(_measure(plain_client, jobs, seconds=seconds, poll_interval=poll_interval))


async def _measure(plain_client: PlainClient, jobs: dict[str, str], *, seconds: float, poll_interval: float) -> Figures:
    process = psutil.Process()
    options = WaitOptions(deadline=datetime.now(UTC) + timedelta(seconds=seconds * 10), poll_interval=poll_interval)
    events: dict[str, tuple[float, Any]] = {}

    async def fire(job_id: str, firmware_id: str) -> None:
        trigger = TuyaOTAJobTrigger(
            job_id=job_id, tuya_ota_conn_id="tuya_ota_default", options=options.to_dict(), firmware_id=firmware_id
        )
        async for event in trigger.run():
            events[job_id] = time.time(), event.payload

    airflow = _Airflow()
    TuyaOTAHook.aget_connection = airflow.read  # type: ignore[method-assign] # of this process alone
    lags: list[float] = []
    attending = asyncio.create_task(_attend(lags))
    memory, processor, began = process.memory_info().rss, time.process_time(), time.time()
    waiting = []
    for job_id, firmware_id in jobs.items():
        waiting.append(asyncio.create_task(fire(job_id, firmware_id)))
        # As the triggerer does: one after the other, each in a turn of the loop of its own.
        await asyncio.sleep(0)
    await _all_joined(len(jobs))
    joined = time.time() - began
    await asyncio.sleep(seconds / 4)
    memory = process.memory_info().rss - memory
    await asyncio.gather(*waiting)
    processor, lasted = time.process_time() - processor, time.time() - began
    attending.cancel()
    left = len(_POLLERS.get(asyncio.get_running_loop(), {}))
    requests = await asyncio.to_thread(plain_client.control, "GET", "requests")
    ended = await asyncio.to_thread(_ends, plain_client)
    return Figures(
        waits=len(jobs),
        succeeded=sum(payload["status"] == "success" for _, payload in events.values()),
        longest_lag=max(lags),
        memory=memory / len(jobs),
        processor=processor / lasted / len(jobs) * 3600,
        late=[moment - ended[job_id] for job_id, (moment, _) in events.items()],
        most_in_a_second=_most_in_a_second([entry["at"] for entry in requests if entry["at"] >= began]),
        refused=sum("Throttling" in str(entry["outcome"]) for entry in requests),
        pollers_left=left,
        first_poll=min(entry["at"] for entry in requests if entry["at"] >= began) - began,
        all_joined=joined,
        connection_reads=airflow.reads,
    )


def _ends(plain_client: PlainClient) -> dict[str, float]:
    tasks = plain_client.control("GET", "state")["tasks"]
    return {task["JobId"]: datetime.fromisoformat(task["UtcModified"]).timestamp() for task in tasks}


def _most_in_a_second(moments: list[float]) -> int:
    return max(sum(begin <= moment < begin + 1 for moment in moments) for begin in moments)


if __name__ == "__main__":
    print(json.dumps(asdict(_here(**json.loads(sys.argv[1])))))  # noqa: T201 - whoever started this process reads it
