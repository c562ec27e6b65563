"""The scenario: products, devices, quirks and limits, read from TOML or JSON."""

from __future__ import annotations

import json
import tomllib
from dataclasses import dataclass, field, replace
from random import Random
from typing import TYPE_CHECKING, Any

from airflow_provider_tuya_ota.emulator.documents import DECADE, VERSION_OR_NONE, Entry, read_table
from airflow_provider_tuya_ota.emulator.fleet import (
    DEFAULT_MODULE,
    OUTCOMES,
    STEPS,
    WELL,
    Behaviour,
    Device,
    Module,
    Product,
)
from airflow_provider_tuya_ota.emulator.gateway.quotas import Quotas
from airflow_provider_tuya_ota.emulator.mix import NAMES, Mix, read_mix
from airflow_provider_tuya_ota.emulator.quirks import Quirks

if TYPE_CHECKING:
    from pathlib import Path

DEMO_PRODUCT = "k1demoproduct"
MOST_DEVICES = 100_000

_SCENARIO = {"seed": Entry(int), "quirks": Entry(dict), "quotas": Entry(dict), "products": Entry(list)}
_PRODUCT = {
    "product_key": Entry(str, pattern="[0-9A-Za-z]+"),
    "name": Entry(str),
    "devices": Entry(int, 0, MOST_DEVICES),
    "version": Entry(str, pattern=VERSION_OR_NONE),
    "device": Entry(dict),
    "groups": Entry(dict),
}
_BEHAVIOUR = {
    "outcome": Entry(str, choices=OUTCOMES),
    "step": Entry(int, choices=tuple(STEPS)),
    "at_progress": Entry(int, 0, 100),
    "reason": Entry(str),
    "flash_seconds": Entry(float, 0, DECADE),
    "report_seconds": Entry(float, 0, DECADE),
    "fallback_seconds": Entry(float, 0, DECADE),
    "polls": Entry(bool),
    "poll_seconds": Entry(float, 0.1, DECADE),
}
_DEVICE = _BEHAVIOUR | {
    "online": Entry(bool),
    "version": Entry(str, pattern=VERSION_OR_NONE),
    "reports": Entry(str, pattern=VERSION_OR_NONE),
}


@dataclass(frozen=True, slots=True)
class DeviceScript:
    """The settings of one named device."""

    online: bool = True
    version: str | None = None
    behaviour: Behaviour = WELL

    def apply(self, device: Device) -> None:
        """Apply these settings to a device, whatever its share was."""
        device.online, device.behaviour = self.online, self.behaviour
        self.give_version(device)

    def give_version(self, device: Device) -> None:
        """Set the version of a device; an empty version means that it has never reported one."""
        if self.version:
            device.versions[DEFAULT_MODULE] = self.version
        elif self.version is not None:
            device.versions.pop(DEFAULT_MODULE, None)


@dataclass(frozen=True, slots=True)
class ProductPlan:
    """A product with ``devices`` devices named ``device-001`` and so on."""

    product_key: str = DEMO_PRODUCT
    name: str = "Demo product"
    devices: int = 100
    version: str = "1.0.0"
    scripts: dict[str, DeviceScript] = field(default_factory=dict)
    groups: dict[str, list[str]] = field(default_factory=dict)
    mix: Mix = field(default_factory=Mix)

    def build(self, seed: int = 0, now: float = 0.0) -> Product:
        """Make the product and its devices.

        :param seed: decides which devices get which share.
        :param now: time at which its modules were created.
        """
        product = Product(self.product_key, self.name)
        for module in (DEFAULT_MODULE, *self.mix.modules):
            product.modules[module] = Module(module, "", "", now, now)
        width = max(3, len(str(self.devices)))
        names = (f"device-{number:0{width}d}" for number in range(1, self.devices + 1))
        for name in dict.fromkeys((*names, *self.scripts)):
            versions = {DEFAULT_MODULE: self.version} if self.version else {}
            product.devices[name] = Device(name, self.product_key, versions)
        chance = Random(f"{seed} fleet {self.product_key}")  # noqa: S311 - a simulation, repeatable by its seed
        self.mix.apply(list(product.devices.values()), chance)
        for name, script in self.scripts.items():
            script.apply(product.devices[name])
        for group, members in self.groups.items():
            unknown = [name for name in members if name not in product.devices]
            if unknown:
                raise ValueError(f"group {group}: {', '.join(unknown)} is no device of product {self.product_key}")
            product.groups[group] = list(members)
        return product


@dataclass(frozen=True, slots=True)
class Scenario:
    """The state of an account before its first request."""

    products: tuple[ProductPlan, ...] = (ProductPlan(),)
    quirks: Quirks = field(default_factory=Quirks)
    seed: int = 0
    quotas: Quotas = field(default_factory=Quotas)

    def build_products(self, now: float = 0.0) -> dict[str, Product]:
        """Make every product."""
        return {plan.product_key: plan.build(self.seed, now) for plan in self.products}


def load_document(path: Path) -> Any:
    """Parse a scenario file, without checking its contents.

    :raises ValueError: the file cannot be read, or is not valid TOML or JSON.
    """
    try:
        text = path.read_text(encoding="utf-8")
        return json.loads(text) if path.suffix == ".json" else tomllib.loads(text)
    except OSError as error:
        raise ValueError(f"scenario {path} cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise ValueError(
            f"scenario {path} is not valid {'JSON' if path.suffix == '.json' else 'TOML'}: {error}"
        ) from None


def read(document: Any) -> Scenario:
    """Read a scenario from parsed TOML or JSON.

    :raises ValueError: a value is wrong; the message says which, where, and what is allowed.
    """
    known = read_table(document, "scenario", _SCENARIO)
    plans = tuple(_plan(item) for item in known.get("products", [{}]))
    if len({plan.product_key for plan in plans}) != len(plans):
        raise ValueError("scenario: a product_key is given twice")
    quirks, quotas = Quirks().changed(known.get("quirks", {})), Quotas().changed(known.get("quotas", {}))
    return Scenario(plans, quirks, known.get("seed", 0), quotas)


def _plan(item: Any) -> ProductPlan:
    shares = {name: item[name] for name in NAMES & set(item)} if isinstance(item, dict) else {}
    rest = {name: item[name] for name in item if name not in NAMES} if isinstance(item, dict) else item
    known = read_table(rest, "product", _PRODUCT)
    for group, members in known.get("groups", {}).items():
        if not isinstance(members, list) or not all(isinstance(name, str) for name in members):
            raise ValueError(f"group {group}: a list of device names is needed")
    if "" in known.get("device", {}):
        raise ValueError("product: a device has no name")
    scripts = {name: script(values, what=f"device {name}") for name, values in known.pop("device", {}).items()}
    mix = read_mix(shares, known.get("product_key", DEMO_PRODUCT))
    plan = replace(ProductPlan(), **known, scripts=scripts, mix=mix)
    if plan.groups:
        # Built once to find groups of unknown devices now, not during a later request.
        plan.build()
    return plan


def script(values: Any, before: DeviceScript | None = None, *, what: str = "device") -> DeviceScript:
    """Read the settings of one device, as changes of earlier ones.

    :param before: the earlier settings; the defaults if None.
    :param what: name of the device in errors.
    :raises ValueError: a value is wrong; the message says which and what is allowed.
    """
    base = before or DeviceScript()
    known = read_table(values, what, _DEVICE)
    changes = {name: known[name] for name in _BEHAVIOUR if name in known}
    if "reports" in known:
        changes["version"] = known["reports"]
    behaviour = replace(base.behaviour, **changes)
    online, version = known.get("online", base.online), known.get("version", base.version)
    return DeviceScript(online=online, version=version, behaviour=behaviour)
