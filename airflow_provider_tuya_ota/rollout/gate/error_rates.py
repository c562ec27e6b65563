"""How often a gate halts or promotes a release of a given failure rate: computed exactly, not simulated."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from math import fsum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_provider_tuya_ota.rollout.gate.boundaries import Boundaries


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionRates:
    """What becomes of releases of one failure rate that are judged after each outcome.

    :param halted: share that is halted first, of all releases.
    :param promoted: share that is promoted first.
    :param ever_halted: share that is halted at any time, where a promotion does not end the judging.
    :param ever_promoted: share that could be promoted at any time, where a halt does not end the judging.
    :param mean_halt: outcomes after which those that are ever halted are halted, on average; None where none is.
    """

    devices: int
    failure_rate: float
    halted: float
    promoted: float
    ever_halted: float
    ever_promoted: float
    mean_halt: float | None

    @property
    def undecided(self) -> float:
        """Share on which nothing has been decided after the last outcome."""
        return max(0.0, 1 - self.halted - self.promoted)


def compute_rates(boundaries: Boundaries, devices: int, failure_rate: float) -> DecisionRates:
    """Follow the number of failures through all outcomes of a wave.

    The devices fail independently of each other with the same probability.

    :param devices: devices of the wave, at least one, judged after each outcome.
    """
    never, always = -1, devices + 1
    rows = [boundaries.row(number) for number in range(1, devices + 1)]
    halts = [always if row.halt is None else row.halt for row in rows]
    promotes = [never if row.promote is None else row.promote for row in rows]
    first = list(_absorbed(promotes, halts, failure_rate))
    halted = [share for _, share in _absorbed([never] * devices, halts, failure_rate)]
    ever = fsum(halted)
    most = max(promotes)
    # Above the last boundary nothing is promoted any more, so these numbers of failures need not be told apart.
    promoted = [share for share, _ in _absorbed(promotes, [most + 1] * devices, failure_rate)]
    return DecisionRates(
        devices=devices,
        failure_rate=failure_rate,
        halted=fsum(share for _, share in first),
        promoted=fsum(share for share, _ in first),
        ever_halted=ever,
        ever_promoted=fsum(promoted),
        mean_halt=fsum(number * share for number, share in enumerate(halted, start=1)) / ever if ever else None,
    )


def _absorbed(low: list[int], high: list[int], failure_rate: float) -> Iterator[tuple[float, float]]:
    """Give, for each outcome, the shares that reach at most ``low`` and at least ``high`` failures with it."""
    shares, least = [1.0], 0
    for bottom, top in zip(low, high, strict=True):
        shares = [stay * (1 - failure_rate) + rise * failure_rate for rise, stay in pairwise([0.0, *shares, 0.0])]
        above, below = shares[top - least :], shares[: max(0, bottom + 1 - least)]
        del shares[top - least :], shares[: len(below)]
        least += len(below)
        yield fsum(below), fsum(above)
