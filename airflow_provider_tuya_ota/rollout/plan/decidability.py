"""Whether the gate can decide after a wave, which is known before it starts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from airflow_provider_tuya_ota.rollout.gate.boundaries import Boundaries


@dataclass(frozen=True, slots=True, kw_only=True)
class Decidability:
    """What the evidence of all devices that have started with a wave can decide.

    :param devices: those devices; the gate carries their results from wave to wave.
    :param promotes_with: most failures with which the gate promotes; None where it cannot promote at all.
    :param halts_with: fewest failures with which it halts at the end of the wave; None where it cannot halt.
    :param clean_devices: devices without a failure after which it promotes at the earliest.
    """

    devices: int
    promotes_with: int | None
    halts_with: int | None
    clean_devices: int

    def __str__(self) -> str:
        halts = "cannot halt" if self.halts_with is None else f"halts at {self.halts_with:,} failures"
        if self.promotes_with is None:
            return f"a person decides: promotes from {self.clean_devices:,} devices on; {halts}"
        return f"promotes with at most {self.promotes_with:,} failures of {self.devices:,}; {halts}"


def decide_with(devices: int, boundaries: Boundaries) -> Decidability:
    """Give what the results of so many devices can decide."""
    row = boundaries.row(devices)
    return Decidability(
        devices=devices,
        promotes_with=row.promote,
        halts_with=row.halt,
        clean_devices=boundaries.first_clean_promotion,
    )
