"""How often a release that is everywhere at its ceiling is halted, where a red stratum halts it: simulated."""

from __future__ import annotations

import math
import random
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from airflow_provider_tuya_ota.rollout.gate.rules import Rules

SEED: Final = 7


def share_halted(rules: Rules, strata: int, devices: int, runs: int) -> float:
    """Give the share of releases that are ever halted, as a whole or by one stratum.

    :param strata: their devices start in turn.
    """
    chance = random.Random(SEED)  # noqa: S311 - reproducible, nothing secret
    ceiling = float(rules.ceiling)
    most = int(devices * ceiling * 1.6) + 60
    release, stratum = rules.boundaries, rules.stratum_boundaries(strata)
    within = [release.halt_within(number) for number in range(most + 1)]
    within_stratum = [stratum.halt_within(number) for number in range(most + 1)]
    return sum(_is_halted(chance, ceiling, devices, within, within_stratum, strata) for _ in range(runs)) / runs


def _is_halted(  # noqa: PLR0917 - both boundaries and what is simulated
    chance: random.Random, ceiling: float, devices: int, release: list[int], stratum: list[int], strata: int
) -> bool:
    position, failures, of_stratum = -1, 0, [0] * strata
    while True:
        position += 1 + int(math.log(1 - chance.random()) / math.log1p(-ceiling))
        if position >= devices or failures + 1 >= len(release):
            return position < devices
        failures += 1
        place, number = divmod(position, strata)
        of_stratum[number] += 1
        if position < release[failures] or place < stratum[of_stratum[number]]:
            return True
