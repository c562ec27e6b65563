from __future__ import annotations

from fractions import Fraction
from itertools import product

import pytest

from airflow_provider_tuya_ota.rollout.gate.boundaries import Boundaries
from airflow_provider_tuya_ota.rollout.gate.error_rates import compute_rates
from airflow_provider_tuya_ota.rollout.gate.series import find_halt, find_promotion

FIVE = Fraction(5, 100)
BOUNDARIES = Boundaries(FIVE, FIVE, FIVE)


@pytest.mark.parametrize("failure_rate", [0.1, 0.3, 0.5])
def test_the_rates_are_those_of_all_possible_waves(failure_rate: float) -> None:
    ceiling = Fraction(1, 2)
    boundaries = Boundaries(ceiling, Fraction(1, 5), Fraction(1, 5))
    rates = compute_rates(boundaries, 12, failure_rate)
    halted = promoted = ever_halted = ever_promoted = 0.0
    for outcomes in product(b"SF", repeat=12):
        wave = bytes(outcomes)
        share = failure_rate ** wave.count(b"F") * (1 - failure_rate) ** wave.count(b"S")
        halt, promotion = find_halt(wave, boundaries), find_promotion(wave, boundaries)
        ever_halted += share * (halt is not None)
        ever_promoted += share * (promotion is not None)
        if halt and (promotion is None or halt.devices < promotion.devices):
            halted += share
        elif promotion:
            promoted += share

    assert rates.halted == pytest.approx(halted, rel=1e-9)
    assert rates.promoted == pytest.approx(promoted, rel=1e-9)
    assert rates.ever_halted == pytest.approx(ever_halted, rel=1e-9)
    assert rates.ever_promoted == pytest.approx(ever_promoted, rel=1e-9)
    assert rates.undecided == pytest.approx(1 - halted - promoted, rel=1e-6)
    assert min(halted, promoted) > 0


@pytest.mark.parametrize("devices", [50, 500])
@pytest.mark.parametrize("percent", [1, 2, 5, 10])
def test_a_release_at_its_ceiling_is_halted_and_promoted_no_more_often_than_stated(percent: int, devices: int) -> None:
    ceiling = Fraction(percent, 100)
    rates = compute_rates(Boundaries(ceiling, FIVE, FIVE), devices, float(ceiling))

    assert rates.ever_halted <= 0.05
    assert rates.ever_promoted <= 0.05


def test_the_rates_at_a_ceiling_of_five_percent_are_those_of_the_docs() -> None:
    at_ceiling, doubled = (compute_rates(BOUNDARIES, 500, rate) for rate in (0.05, 0.1))

    assert (round(at_ceiling.ever_halted, 4), round(at_ceiling.ever_promoted, 4)) == (0.0229, 0.0340)
    assert (round(doubled.ever_halted, 4), round(doubled.mean_halt or 0)) == (0.9508, 177)
    assert [round(compute_rates(BOUNDARIES, 500, rate).mean_halt or 0) for rate in (0.2, 0.5)] == [31, 6]


def test_a_wave_that_is_too_small_decides_nothing() -> None:
    rates = compute_rates(BOUNDARIES, 1, 0.5)

    assert (rates.ever_halted, rates.ever_promoted, rates.mean_halt, rates.undecided) == (0, 0, None, 1)
