"""The release that the demo makes, checked before anything starts."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from airflow_provider_tuya_ota.demo.processes import DemoError

if TYPE_CHECKING:
    import argparse
    from pathlib import Path

RUNNING = "1.0.0"
"""Version of the emulator's devices before a release."""
_VERSION = re.compile(r"[A-Za-z0-9._-]{1,64}")


class ArgumentError(DemoError):
    """An argument is wrong; the message names it, its mistake and what is allowed."""


@dataclass(frozen=True, slots=True)
class ReleasePlan:
    """One release.

    :param version: version of the firmware; also part of the name of a generated image.
    :param devices: devices to release to.
    :param failing: those that fail while they flash.
    :param firmware: firmware file; None to generate an image.
    """

    version: str
    devices: tuple[str, ...]
    failing: tuple[str, ...]
    firmware: Path | None

    @classmethod
    def from_arguments(cls, arguments: argparse.Namespace) -> ReleasePlan:
        """Read and check the arguments of ``demo``.

        :raises ArgumentError: an argument is wrong.
        """
        version: str = arguments.firmware_version
        if not _VERSION.fullmatch(version):
            raise ArgumentError(f"--version {version!r}: allowed are 1 to 64 of A-Z a-z 0-9 . _ -")
        if version == RUNNING:
            raise ArgumentError(f"--version {version}: the devices already run it; choose another")
        devices = tuple(name.strip() for name in arguments.devices.split(",") if name.strip())
        if not devices:
            raise ArgumentError("--devices names no device; allowed are device-001 to device-100, with commas between")
        if repeated := sorted({name for name in devices if devices.count(name) > 1}):
            raise ArgumentError(f"--devices names {', '.join(repeated)} more than once")
        if arguments.fail and arguments.fail not in devices:
            raise ArgumentError(f"--fail {arguments.fail}: not one of the devices {', '.join(devices)}")
        if arguments.firmware and not arguments.firmware.is_file():
            raise ArgumentError(f"--firmware {arguments.firmware}: there is no such file")
        firmware = arguments.firmware.resolve() if arguments.firmware else None
        return cls(version, devices, (arguments.fail,) if arguments.fail else (), firmware)
