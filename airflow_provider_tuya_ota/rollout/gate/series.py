"""Rule P: judge the devices of a release in the order in which they were started, although outcomes come in another.

A series has one byte for each device: ``S`` succeeded, ``F`` failed, ``P`` pending. For each prefix, a halt takes its
pending devices as successes, and a promotion takes them as failures. Both then hold whatever the delay of an outcome
has to do with the outcome itself.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow_provider_tuya_ota.rollout.gate.boundaries import Boundaries

SUCCEEDED, FAILED, PENDING = b"S", b"F", b"P"
_NOT_SUCCEEDED: Final = re.compile(b"[^S]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Prefix:
    """The devices, counted from the first one started, that decide.

    :param devices: how many they are.
    :param failures: how many of them failed; for a promotion, how many failed or are pending.
    """

    devices: int
    failures: int

    def to_dict(self) -> dict[str, int]:
        """Give plain JSON values."""
        return {"devices": self.devices, "failures": self.failures}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Prefix:
        """Rebuild what :meth:`to_dict` gave."""
        return cls(devices=values["devices"], failures=values["failures"])


def find_halt(series: bytes, boundaries: Boundaries) -> Prefix | None:
    """Find the shortest prefix whose failures halt; None where no prefix does."""
    failures, position = 0, series.find(FAILED)
    while position >= 0:
        failures += 1
        if position < boundaries.halt_within(failures):
            return Prefix(devices=position + 1, failures=failures)
        position = series.find(FAILED, position + 1)
    return None


def find_promotion(series: bytes, boundaries: Boundaries) -> Prefix | None:
    """Find the shortest prefix that promotes; None where no prefix does."""
    most = boundaries.row(len(series)).promote
    if most is None:
        return None
    ends = chain((found.start() for found in _NOT_SUCCEEDED.finditer(series)), [len(series)])
    for others, end in zip(range(most + 1), ends, strict=False):
        if end >= boundaries.promote_from(others):
            return Prefix(devices=boundaries.promote_from(others), failures=others)
    return None


def is_amber(series: bytes, boundaries: Boundaries) -> bool:
    """Whether the devices with an outcome, taken alone, look so bad that no more should be started now."""
    failed = series.count(FAILED)
    return series.count(SUCCEEDED) + failed <= boundaries.amber_within(failed)
