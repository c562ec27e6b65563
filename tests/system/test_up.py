"""``tuya-ota up`` in a real Airflow, left and started again."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from airflow_provider_tuya_ota.demo.airflow_api import AirflowApi
from airflow_provider_tuya_ota.demo.image import write_image
from tests.emulator.plain_client import PlainClient, over_socket

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.system
DAG, PRODUCT = "release_firmware", "k1demoproduct"


@dataclass(frozen=True)
class Running:
    airflow: str
    emulator: str

    def release(self, source: Path, version: str, device: str) -> str:
        """Release to a device, and give where the task's link to the console leads."""
        with AirflowApi(self.airflow) as api:
            conf = {"product_key": PRODUCT, "version": version, "source": str(source), "device_names": [device]}
            run = api.trigger(DAG, conf)
            while (state := api.run_state(DAG, run)) not in {"success", "failed"}:
                threading.Event().wait(0.5)  # Airflow's own time
            assert state == "success", api.log_lines(DAG, run, "verify")
            task = f"dags/{DAG}/dagRuns/{run}/taskInstances/verify"
            link: str = api._call("GET", f"{task}/links")["extra_links"]["Tuya console"]
            return link


@contextmanager
def up(home: Path) -> Iterator[Running]:
    # Whoever runs tests in the background of a script has them ignore SIGINT, and their children with them.
    program = (
        "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler);"
        "from airflow_provider_tuya_ota.cli import main; sys.exit(main())"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, "up", "--home", str(home), "--speed", "20"],
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout
            printed = ""
            while "Ctrl-C" not in printed:
                line = process.stdout.readline()
                assert line, printed
                printed += line
            airflow, emulator = (
                re.findall(rf"^{name} +(http://127\.0\.0\.1:\d+)$", printed, re.MULTILINE)[0]
                for name in ("Airflow", "Emulator")
            )
            yield Running(airflow, emulator)
        finally:
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=90)
    assert process.returncode == 0


def test_an_airflow_that_is_left_and_started_again_finds_its_platform_as_it_was(tmp_path: Path) -> None:
    jobs: list[str] = []
    for version, device in (("1.1.0", "device-001"), ("1.2.0", "device-002")):
        with up(tmp_path) as running:
            link = running.release(write_image(tmp_path, version), version, device)
            plain_client = PlainClient(over_socket(running.emulator))
            known = [job["JobId"] for job in plain_client.control("GET", "state")["jobs"]]
            page = plain_client.send("GET", link.removeprefix(running.emulator), {"Accept": "text/html"}, b"")

        assert known[:-1] == jobs
        assert known[-1] not in jobs
        assert link == f"{running.emulator}/_emulator/console/?job={known[-1]}"
        assert (page[0], b"OTA emulator" in page[2]) == (200, True)
        jobs = known
