"""The rules of a gate: what its author wrote, parsed."""

from __future__ import annotations

from dataclasses import dataclass
from math import comb
from typing import TYPE_CHECKING, Final

from airflow_provider_tuya_ota.rollout.gate.boundaries import AMBER, Boundaries, boundaries_for
from airflow_provider_tuya_ota.rollout.gate.outcomes import CODES, UNFINISHED, DeviceOutcome
from airflow_provider_tuya_ota.rollout.gate.series import FAILED, PENDING, SUCCEEDED

if TYPE_CHECKING:
    from collections.abc import Mapping
    from fractions import Fraction

_SAME: Final = bytes(range(256))


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What a gate decides by.

    :param ceiling: the highest acceptable failure rate.
    :param false_halt: the probability with which a release at the ceiling may be halted.
    :param false_promote: the probability with which a release at the ceiling may be promoted.
    :param silent_after: seconds.
    :param min_soak: seconds.
    :param min_share: share of a wave's started devices that need an outcome; 0 where a number is given.
    :param min_devices: devices of a wave that need an outcome; 0 where a share is given.
    :param stall_after: seconds.
    :param counts: outcomes that count as failures.
    :param texts: outcomes by a text of the platform's reasons.
    :param halts_on_stratum: whether a red stratum halts the release.
    :param outside: names of the sources that have to answer.
    :param observe_only: whether verdicts do not bind.
    """

    ceiling: Fraction
    false_halt: Fraction
    false_promote: Fraction
    silent_after: float
    min_soak: float
    min_share: Fraction
    min_devices: int
    stall_after: float
    counts: frozenset[DeviceOutcome]
    texts: Mapping[str, DeviceOutcome]
    halts_on_stratum: bool
    outside: tuple[str, ...]
    observe_only: bool

    @property
    def boundaries(self) -> Boundaries:
        """The boundaries of a release of which no stratum is held."""
        return boundaries_for(self.ceiling, self._false_halt, self.false_promote)

    def stratum_boundaries(self, strata: int) -> Boundaries:
        """Give the boundaries of one of so many strata.

        All of them together have the error rate of one release.
        """
        return boundaries_for(self.ceiling, self._false_halt / strata, self.false_promote, AMBER * strata)

    def rest_boundaries(self, strata: int, held: int) -> Boundaries:
        """Give the boundaries of what is left where some strata are held.

        Which strata are left depends on their failures, and the rest looks better for it. So the error rate of a
        promotion is shared among all choices of strata that could have been held.
        """
        shared = self.false_promote / (2**held * comb(strata, held)) if held else self.false_promote
        return boundaries_for(self.ceiling, self._false_halt, shared)

    @property
    def _false_halt(self) -> Fraction:
        """The share of the release as a whole, and of all strata together, where each of the two halts it."""
        return self.false_halt / 2 if self.halts_on_stratum else self.false_halt

    def needed(self, devices: int) -> int:
        """Give how many of a wave's started devices need an outcome before a promotion."""
        return self.min_devices or -(-devices * self.min_share.numerator // self.min_share.denominator)

    def series_codec(self) -> tuple[bytes, bytes]:
        """Give the table and the codes to leave out that turn the codes of outcomes into a series."""
        table = bytearray(_SAME)
        left_out = bytearray()
        for outcome, code in CODES.items():
            if outcome is DeviceOutcome.SUCCEEDED:
                table[code] = ord(SUCCEEDED)
            elif outcome in UNFINISHED:
                table[code] = ord(PENDING)
            elif outcome in self.counts:
                table[code] = ord(FAILED)
            else:
                left_out.append(code)
        return bytes(table), bytes(left_out)
