"""The emulator as a child process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

from airflow_provider_tuya_ota.demo.processes import ChildProcess, DemoError

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Announcement:
    """The line of JSON that the emulator prints when it is ready."""

    url: str
    access_key_id: str = field(repr=False)
    access_key_secret: str = field(repr=False)
    product_keys: tuple[str, ...]


class EmulatorProcess:
    """Runs the emulator while its context is open.

    :param folder: folder for the scenario file.
    :param speed: seconds of device time per second.
    :param access_key: ``ID:SECRET`` to accept instead of the default pair.
    :param failing: devices that fail while flashing.
    :param state: file that keeps the emulator's state; by default each start begins with a new one.
    :param port: port to listen on; a free one by default.
    """

    def __init__(
        self,
        folder: Path,
        *,
        speed: float,
        access_key: str | None = None,
        failing: tuple[str, ...] = (),
        state: Path | None = None,
        port: int = 0,
    ) -> None:
        command = [sys.executable, "-m", "airflow_provider_tuya_ota.emulator", "--speed", str(speed)]
        command += ["--port", str(port)]
        if state:
            command += ["--state", str(state)]
        if access_key:
            command += ["--access-key", access_key]
        if failing:
            path = folder / "scenario.json"
            path.write_text(json.dumps(_scenario(failing)))
            command += ["--scenario", str(path)]
        self._child = ChildProcess(command, os.environ, subprocess.PIPE, stop_seconds=5)
        try:
            self.announcement = self._read()
        except BaseException:
            self._child.stop()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._child.stop()

    @property
    def is_running(self) -> bool:
        """Whether the emulator is still running."""
        return self._child.is_running

    def _read(self) -> Announcement:
        line = self._child.process.stdout.readline() if self._child.process.stdout else ""
        if not line:
            raise DemoError("The emulator did not start; its message is above.")
        values = json.loads(line)
        return Announcement(**values | {"product_keys": tuple(values["product_keys"])})


def _scenario(failing: tuple[str, ...]) -> dict[str, Any]:
    fails = {"outcome": "fails", "step": -4, "at_progress": 60, "reason": "flash write failed at block 0x3f"}
    return {"products": [{"device": dict.fromkeys(failing, fails)}]}
