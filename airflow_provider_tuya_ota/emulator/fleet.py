"""Products and their devices, each with a script of how it takes an update."""

from __future__ import annotations

from dataclasses import dataclass, field

OUTCOMES = ("succeeds", "fails", "silent", "wrong_version", "lies")
STEPS = {-1: "upgrade failed", -2: "download failed", -3: "verification of the image failed", -4: "flashing failed"}


@dataclass(frozen=True, slots=True)
class Behaviour:
    """How a device takes an update.

    :param outcome: succeeds, fails, silent (is told and never says anything), wrong_version (reports ``version``) or
        lies (reports 100 % and never the new version).
    :param step: for fails: -1 upgrade, -2 download, -3 check, -4 flash.
    :param at_progress: for fails: percent reported before.
    :param reason: for fails: what the device says; by default the step's meaning.
    :param flash_seconds: from the first progress report to the end.
    :param version: for wrong_version: what it reports.
    :param polls: asks for updates itself, as it must where nothing is pushed.
    :param poll_seconds: from one asking to the next.
    """

    outcome: str = "succeeds"
    step: int = -1
    at_progress: int = 50
    reason: str = ""
    flash_seconds: float = 10.0
    version: str = "0.0.0"
    polls: bool = False
    poll_seconds: float = 10.0


WELL = Behaviour()


@dataclass(slots=True)
class Device:
    """One device.

    :param versions: reported version by module; a device that never reported has none.
    """

    name: str
    product_key: str
    versions: dict[str, str]
    online: bool = True
    behaviour: Behaviour = WELL

    @property
    def iot_id(self) -> str:
        """Id that is unique in the account."""
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
