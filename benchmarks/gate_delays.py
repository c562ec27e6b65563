"""Releases whose outcomes arrive late, judged by rule P and by the devices with an outcome alone; seeded.

A wave of 500 devices starts in ten pulses of 50, ten minutes apart. Each device fails with the true rate, and reports
after a time that depends on its outcome. Both rules use the same boundaries at every minute; the first decision counts.
"""

from __future__ import annotations

import random
import statistics
from collections import Counter
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Final

from airflow_provider_tuya_ota.rollout.gate.boundaries import Boundaries, boundaries_for
from airflow_provider_tuya_ota.rollout.gate.series import FAILED, PENDING, SUCCEEDED, find_halt, find_promotion

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

PULSES, PULSE, EVERY, MINUTES, SPREAD = 10, 50, 10, 360, 0.3
FIVE: Final = Fraction(5, 100)

Wave = list[tuple[float, bool]]
"""For each device in the order of their start, when its outcome arrives, in minutes, and whether it failed."""


@dataclass(frozen=True, slots=True)
class Delays:
    """One kind of release.

    :param rate: the true failure rate.
    :param failure: median minutes from a device's start until its failure is known.
    :param success: the same for its success.
    """

    name: str
    rate: float
    failure: float
    success: float


SCENARIOS: Final = (
    Delays("failures late, bad (10 %)", 0.10, 60, 8),
    Delays("failures late, good (1 %)", 0.01, 60, 8),
    Delays("failures late, at the ceiling (5 %)", 0.05, 60, 8),
    Delays("successes late, bad (10 %)", 0.10, 8, 60),
    Delays("successes late, good (1 %)", 0.01, 8, 60),
    Delays("successes late, good (4 %)", 0.04, 8, 60),
    Delays("successes late, at the ceiling (5 %)", 0.05, 8, 60),
    Delays("no difference, bad (10 %)", 0.10, 12, 12),
    Delays("no difference, good (1 %)", 0.01, 12, 12),
)


@dataclass(frozen=True, slots=True)
class Decisions:
    """What one rule decided, over all runs of a scenario.

    :param minutes: the median time of its decisions; None where it decided nothing.
    """

    halted: int
    promoted: int
    undecided: int
    minutes: float | None


def play(delays: Delays, seed: int) -> Wave:
    """Draw one wave."""
    chance = random.Random(f"{delays.name} {seed}")  # noqa: S311 - a simulation, no secret
    wave: Wave = []
    for number in range(PULSES * PULSE):
        failed = chance.random() < delays.rate
        median = delays.failure if failed else delays.success
        wave.append((number // PULSE * EVERY + median * chance.lognormvariate(0, SPREAD), failed))
    return wave


def by_rule_p(wave: Wave, boundaries: Boundaries) -> tuple[str, int]:
    """Judge each prefix, with pending devices as successes for a halt and as failures for a promotion."""
    outcomes = sorted((end, place, failed) for place, (end, failed) in enumerate(wave))
    series, known = bytearray(PENDING * len(wave)), 0
    for minute in range(MINUTES):
        while known < len(outcomes) and outcomes[known][0] <= minute:
            _, place, failed = outcomes[known]
            series[place] = ord(FAILED if failed else SUCCEEDED)
            known += 1
        started = bytes(series[: (minute // EVERY + 1) * PULSE])
        if find_halt(started, boundaries):
            return "halt", minute
        if find_promotion(started, boundaries):
            return "promote", minute
    return "undecided", MINUTES


def by_outcomes(wave: Wave, boundaries: Boundaries) -> tuple[str, int]:
    """Judge the devices with an outcome, in the order in which their outcomes arrive."""
    failures = 0
    for devices, (end, failed) in enumerate(sorted(wave), start=1):
        failures += failed
        if devices <= boundaries.halt_within(failures):
            return "halt", int(end)
        if devices >= boundaries.promote_from(failures):
            return "promote", int(end)
    return "undecided", MINUTES


def simulate(delays: Delays, seeds: Sequence[int], rule: Callable[[Wave, Boundaries], tuple[str, int]]) -> Decisions:
    """Run one scenario once for each seed."""
    boundaries = boundaries_for(FIVE, FIVE, FIVE)
    decided = [rule(play(delays, seed), boundaries) for seed in seeds]
    counts = Counter(decision for decision, _ in decided)
    minutes = [minute for decision, minute in decided if decision != "undecided"]
    return Decisions(
        counts["halt"], counts["promote"], counts["undecided"], statistics.median(minutes) if minutes else None
    )
