"""Products and their devices, and how each device reacts to an update."""

from __future__ import annotations

from dataclasses import dataclass, field

OUTCOMES = ("succeeds", "fails", "silent", "wrong_version", "lies", "falls_back")
STEPS = {-1: "upgrade failed", -2: "download failed", -3: "verification of the image failed", -4: "flashing failed"}


@dataclass(frozen=True, slots=True)
class Behaviour:
    """How a device reacts to an update.

    :param outcome: succeeds, fails, silent (never reports anything), wrong_version (reports ``version``), lies
        (reports 100 % but never the new version) or falls_back (reports the new version, and later the old one).
    :param step: the failing step: -1 upgrade, -2 download, -3 check, -4 flash.
    :param at_progress: percent that a failing device reports before it fails.
    :param reason: text that a failing device reports; by default the meaning of the step.
    :param flash_seconds: seconds from the first progress report to the end.
    :param report_seconds: seconds from the end of flashing to the report of how it ended, in addition to those that
        every device takes.
    :param fallback_seconds: seconds after which a falls_back device runs the old version again.
    :param version: version that a wrong_version device reports.
    :param polls: whether the device polls for updates; needed if the job does not push.
    :param poll_seconds: seconds between two polls.
    """

    outcome: str = "succeeds"
    step: int = -1
    at_progress: int = 50
    reason: str = ""
    flash_seconds: float = 10.0
    report_seconds: float = 0.0
    fallback_seconds: float = 60.0
    version: str = "0.0.0"
    polls: bool = False
    poll_seconds: float = 10.0


WELL = Behaviour()


@dataclass(slots=True)
class Device:
    """One device.

    :param versions: reported version by module; empty for a device that has never reported.
    """

    name: str
    product_key: str
    versions: dict[str, str]
    online: bool = True
    behaviour: Behaviour = WELL

    @property
    def iot_id(self) -> str:
        """The device's id, unique in the account."""
        return f"iot{self.product_key}{self.name}".lower()


DEFAULT_MODULE = "default"


@dataclass(slots=True)
class Module:
    """A part of a product's devices that is upgraded separately."""

    name: str
    alias: str
    desc: str
    created: float
    modified: float


@dataclass(slots=True)
class Product:
    """One product with its devices and modules by name, and its groups by id.

    :param groups: device names.
    """

    product_key: str
    name: str
    devices: dict[str, Device] = field(default_factory=dict)
    modules: dict[str, Module] = field(default_factory=dict)
    groups: dict[str, list[str]] = field(default_factory=dict)
