"""A fleet described by shares: its versions, offline devices, and outcomes of updates."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final, TypeVar

from airflow_provider_tuya_ota.emulator.documents import DECADE, VERSION, Entry, read_table
from airflow_provider_tuya_ota.emulator.fleet import OUTCOMES, STEPS, WELL, Behaviour

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from random import Random

    from airflow_provider_tuya_ota.emulator.fleet import Device

Value = TypeVar("Value")
DISTRIBUTIONS: Final = ("fixed", "uniform", "normal", "lognormal")
_SHARE: Final = Entry(float, 0, 1)
_MIX: Final = {
    "versions": Entry(dict),
    "offline": _SHARE,
    "silent": _SHARE,
    "lies": _SHARE,
    "falls_back": _SHARE,
    "fails": Entry(list),
    "flash": Entry(dict),
    "fallback": Entry(dict),
    "reports": Entry(dict),
    "modules": Entry(dict),
}
NAMES: Final = frozenset(_MIX)
"""The names of a product's table that are read here."""
_FAILS: Final = {
    "share": Entry(float, 0, 1, required=True),
    "step": Entry(int, choices=tuple(STEPS)),
    "at_progress": Entry(int, 0, 100),
    "reason": Entry(str),
}
_REPORTING: Final = tuple(outcome for outcome in OUTCOMES if outcome not in {"silent", "lies"})
"""Outcomes of devices that report how their update ended."""
_REPORTS: Final = {outcome: Entry(dict) for outcome in _REPORTING}
_DELAY: Final = {
    "distribution": Entry(str, choices=DISTRIBUTIONS),
    "seconds": Entry(float, 0, DECADE),
    "spread": Entry(float, 0, DECADE),
}
_MODULE: Final = {"share": _SHARE, "versions": Entry(dict)}


@dataclass(frozen=True, slots=True)
class Delay:
    """The distribution of the time that devices take for something.

    :param distribution: fixed; uniform (``seconds`` plus or minus ``spread``); normal (mean and standard deviation);
        lognormal (median, and the standard deviation of the logarithm).
    """

    distribution: str = "fixed"
    seconds: float = 10.0
    spread: float = 0.0

    def draw(self, random: Random) -> float:
        """Draw the seconds of one device, never below 0."""
        match self.distribution:
            case "uniform":
                return max(0.0, random.uniform(self.seconds - self.spread, self.seconds + self.spread))
            case "normal":
                return max(0.0, random.gauss(self.seconds, self.spread))
            case "lognormal":
                return self.seconds * random.lognormvariate(0.0, self.spread)
            case _:
                return self.seconds


@dataclass(frozen=True, slots=True)
class ModuleMix:
    """A module that a share of the devices has."""

    share: float
    versions: tuple[tuple[str, float], ...]


@dataclass(frozen=True, slots=True)
class Mix:
    """Shares of a product's devices, each from 0 to 1.

    :param versions: versions of the default module; the other devices have the product's ``version``.
    :param offline: devices that are not connected.
    :param outcomes: behaviours other than success; the updates of the other devices succeed.
    :param flash: duration of an update, from the first report to the end; None: as each behaviour has it.
    :param fallback: time from a success to the old version, of devices that fall back.
    :param reports: time from the end of an update to its report, by outcome.
    :param modules: further modules, by name.
    """

    versions: tuple[tuple[str, float], ...] = ()
    offline: float = 0.0
    outcomes: tuple[tuple[Behaviour, float], ...] = ()
    flash: Delay | None = None
    fallback: Delay | None = None
    reports: dict[str, Delay] = field(default_factory=dict)
    modules: dict[str, ModuleMix] = field(default_factory=dict)

    def apply(self, devices: Sequence[Device], random: Random) -> None:
        """Assign the shares: exactly as many devices as the shares say, the same ones for the same seed."""
        for device, version in _dealt(devices, self.versions, random):
            device.versions["default"] = version
        for name, module in self.modules.items():
            having = [device for device, _ in _dealt(devices, (("", module.share),), random)]
            for device, version in _dealt(having, module.versions, random):
                device.versions[name] = version
        for device, _ in _dealt(devices, (("", self.offline),), random):
            device.online = False
        for device, behaviour in _dealt(devices, self.outcomes, random):
            device.behaviour = behaviour
        if self.flash is not None:
            for device in devices:
                device.behaviour = replace(device.behaviour, flash_seconds=self.flash.draw(random))
        for device in devices:
            self._delay(device, random)

    def _delay(self, device: Device, random: Random) -> None:
        outcome = device.behaviour.outcome
        if outcome in self.reports:
            device.behaviour = replace(device.behaviour, report_seconds=self.reports[outcome].draw(random))
        if outcome == "falls_back" and self.fallback is not None:
            device.behaviour = replace(device.behaviour, fallback_seconds=self.fallback.draw(random))


def read_mix(values: dict[str, Any], product: str) -> Mix:
    """Read a product's shares.

    :param product: name of the product in errors.
    :raises ValueError: a value is wrong; the message says which and what is allowed.
    """
    known = read_table(values, f"product {product}", _MIX)
    _require_form(known.get("modules", {}), f"product {product}: modules")
    fails = [read_table(item, f"product {product}: fails", _FAILS) for item in known.get("fails", [])]
    outcomes = [
        *((replace(WELL, outcome="fails", **_without(item, "share")), float(item["share"])) for item in fails),
        (replace(WELL, outcome="silent"), known.get("silent", 0.0)),
        (replace(WELL, outcome="lies"), known.get("lies", 0.0)),
        (replace(WELL, outcome="falls_back"), known.get("falls_back", 0.0)),
    ]
    _require_whole((share for _, share in outcomes), f"product {product}: fails, silent, lies and falls_back")
    return Mix(
        versions=_versions(known.get("versions", {}), f"product {product}: versions"),
        offline=known.get("offline", 0.0),
        outcomes=tuple((behaviour, share) for behaviour, share in outcomes if share),
        flash=_delay(known["flash"], f"product {product}: flash") if "flash" in known else None,
        fallback=_delay(known["fallback"], f"product {product}: fallback") if "fallback" in known else None,
        reports={
            outcome: _delay(values, f"product {product}: reports: {outcome}")
            for outcome, values in read_table(known.get("reports", {}), f"product {product}: reports", _REPORTS).items()
        },
        modules={
            name: _module(item, f"product {product}: module {name}") for name, item in known.get("modules", {}).items()
        },
    )


def _delay(values: Any, what: str) -> Delay:
    return Delay(**read_table(values, what, _DELAY))


def _module(values: Any, what: str) -> ModuleMix:
    known = read_table(values, what, _MODULE)
    versions = _versions(known.get("versions", {"1.0.0": 1.0}), f"{what}: versions")
    return ModuleMix(known.get("share", 1.0), versions)


def _versions(values: dict[str, Any], what: str) -> tuple[tuple[str, float], ...]:
    known = read_table(values, what, dict.fromkeys(values, _SHARE))
    _require_whole(known.values(), what)
    _require_form(known, what)
    return tuple(known.items())


def _require_form(names: Iterable[str], what: str) -> None:
    if wrong := [name for name in names if not re.fullmatch(VERSION, name)]:
        raise ValueError(f"{what}: {wrong[0]!r:.80} is not of the form {VERSION}")


def _require_whole(shares: Iterable[float], what: str) -> None:
    total = sum(shares)
    if total > 1 + 1e-9:
        raise ValueError(f"{what} make {total:g} of the devices; shares add up to 1 at most")


def _dealt(
    devices: Sequence[Device], shares: Sequence[tuple[Value, float]], random: Random
) -> list[tuple[Device, Value]]:
    """Assign values to devices by share: exact numbers, random devices."""
    if not any(share for _, share in shares):
        return []
    shuffled = random.sample(devices, len(devices))
    dealt: list[tuple[Device, Value]] = []
    reached = 0.0
    for value, share in shares:
        begin, reached = reached, reached + share
        dealt += [(device, value) for device in shuffled[round(begin * len(devices)) : round(reached * len(devices))]]
    return dealt


def _without(values: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in values.items() if key != name}
