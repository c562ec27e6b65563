"""Processes that know nothing of each other at one account's limit; run as a module, this is one of them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from airflow_provider_tuya_ota.client import TuyaOTAClient
from airflow_provider_tuya_ota.core.actions import ListOTAFirmware
from airflow_provider_tuya_ota.core.errors import ThrottledError
from airflow_provider_tuya_ota.core.settings import Settings
from airflow_provider_tuya_ota.demo.emulator_process import EmulatorProcess
from tests.campaigns.table import Row
from tests.contract.worlds import Quiet
from tests.emulator.plain_client import PlainClient, over_socket

if TYPE_CHECKING:
    from collections.abc import Iterator

LIMIT = 10
"""Requests a second that the account may ask, all its processes together."""
STORM = 0.1
"""Share of refusals in what is served from which on processes rather fight than share."""
FAIR = 0.5
"""Share of an equal part that each must have at least."""


def rows(folder: Path, *, processes: int, seconds: float) -> Iterator[Row]:
    """Let processes ask as often as they may, each for itself."""
    with EmulatorProcess(folder, speed=1.0) as emulator:
        announced = emulator.announcement
        where = {"host": announced.url, "login": announced.access_key_id, "password": announced.access_key_secret}
        # What the demo of another test may have left in the environment is none of this account's.
        environment = os.environ | {"SHARING": json.dumps(where | {"seconds": seconds})}
        command = [sys.executable, "-m", "tests.campaigns.sharing"]
        root = Path(__file__).parents[2]
        running = [
            subprocess.Popen(command, stdout=subprocess.PIPE, env=environment, cwd=root) for _ in range(processes)
        ]
        served = [int(process.communicate(timeout=seconds * 2 + 60)[0]) for process in running]
        plain_client = PlainClient(over_socket(announced.url), announced.access_key_id, announced.access_key_secret)
        requests = plain_client.control("GET", "requests")
    refused = sum("Throttling" in str(entry["outcome"]) for entry in requests)
    least = min(served) / (sum(served) / processes)
    wrong = []
    if least < FAIR:
        wrong.append("one of them starves")
    if refused > STORM * sum(served):
        wrong.append("a storm of refusals")
    figures = (
        f"{sum(served) / seconds:.1f} of {LIMIT} a second served, {refused} refused ({refused / sum(served):.1%}),"
        f" the least had {least:.0%} of an equal share"
    )
    yield Row("sharing, processes", f"{processes} processes for {seconds:g} s", processes, wrong=wrong, figures=figures)


def ask() -> int:
    """Ask as often as the budget lets this process, and count what was served."""
    where = json.loads(os.environ["SHARING"])
    give_up = time.monotonic() + where.pop("seconds")
    served = 0
    with TuyaOTAClient(Settings.from_connection_fields(**where, extra={}), listener=Quiet()) as client:
        while time.monotonic() < give_up:
            try:
                client.do(ListOTAFirmware(current_page=1, page_size=1))
                served += 1
            except ThrottledError:
                continue
    return served


if __name__ == "__main__":
    print(ask())  # noqa: T201 - whoever started this process reads it
