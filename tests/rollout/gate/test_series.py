from __future__ import annotations

import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_tuya_ota.rollout.gate.boundaries import BETTER, WORSE, Boundaries, boundaries_for
from airflow_provider_tuya_ota.rollout.gate.series import Prefix, find_halt, find_promotion, is_amber

TENTH = Fraction(1, 10)
BOUNDARIES = boundaries_for(TENTH, TENTH, TENTH)


def statistic(grid: tuple[float, ...], devices: int, failures: int) -> float:
    rates = sorted({min(0.95, 0.1 * times) for times in grid})
    ratios = [(rate / 0.1) ** failures * ((1 - rate) / 0.9) ** (devices - failures) for rate in rates]
    return math.fsum(ratios) / len(ratios)


def series() -> st.SearchStrategy[bytes]:
    weights = [b"SSSSSSSSSSSSSSSF", b"SSSSP", b"SF", b"SFP", b"S", b"SSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSP"]
    return st.sampled_from(weights).flatmap(
        lambda letters: st.lists(st.sampled_from(list(letters)), max_size=90).map(bytes)
    )


@given(series())
def test_every_prefix_is_judged_with_its_pending_devices_as_successes_for_a_halt(outcomes: bytes) -> None:
    halting = [
        Prefix(devices=end, failures=outcomes[:end].count(b"F"))
        for end in range(1, len(outcomes) + 1)
        if statistic(WORSE, end, outcomes[:end].count(b"F")) >= 10
    ]

    assert find_halt(outcomes, BOUNDARIES) == (halting[0] if halting else None)


@given(series())
def test_every_prefix_is_judged_with_its_pending_devices_as_failures_for_a_promotion(outcomes: bytes) -> None:
    ends = range(1, len(outcomes) + 1)
    promoting = [
        Prefix(devices=end, failures=end - outcomes[:end].count(b"S"))
        for end in ends
        if statistic(BETTER, end, end - outcomes[:end].count(b"S")) >= 10
    ]

    assert find_promotion(outcomes, BOUNDARIES) == (promoting[0] if promoting else None)


@given(series())
def test_amber_takes_only_the_devices_with_an_outcome(outcomes: bytes) -> None:
    failed, succeeded = outcomes.count(b"F"), outcomes.count(b"S")

    assert is_amber(outcomes, BOUNDARIES) == (statistic(WORSE, failed + succeeded, failed) >= 4)


@given(series(), st.data())
def test_a_pending_device_that_ends_takes_back_no_halt_and_no_promotion(outcomes: bytes, data: st.DataObject) -> None:
    later = bytes(
        data.draw(st.sampled_from(b"SF")) if outcome == ord("P") and data.draw(st.booleans()) else outcome
        for outcome in outcomes
    )

    if find_halt(outcomes, BOUNDARIES):
        assert find_halt(later, BOUNDARIES)
    if find_promotion(outcomes, BOUNDARIES):
        assert find_promotion(later, BOUNDARIES)


def test_failures_among_the_first_started_halt_however_many_succeeded_after_them() -> None:
    five = Fraction(5, 100)
    boundaries = Boundaries(five, five, five)

    assert find_halt(b"SSFSFSSFSF" + b"S" * 500, boundaries) == Prefix(devices=10, failures=4)
    assert find_halt(b"SSFSFSSFSS" + b"S" * 500, boundaries) is None


@pytest.mark.parametrize(("clean", "promotes"), [(80, False), (81, True), (5000, True)])
def test_a_clean_release_is_promoted_from_its_first_clean_promotion_on(clean: int, promotes: bool) -> None:
    five = Fraction(5, 100)
    found = find_promotion(b"S" * clean, Boundaries(five, five, five))

    assert found == (Prefix(devices=81, failures=0) if promotes else None)


def test_a_pending_device_at_the_front_keeps_a_small_clean_wave_from_its_promotion() -> None:
    five = Fraction(5, 100)
    boundaries = Boundaries(five, five, five)

    assert find_promotion(b"P" + b"S" * 100, boundaries) is None
    assert find_promotion(b"S" * 81 + b"P" * 500, boundaries) == Prefix(devices=81, failures=0)


def test_nothing_is_decided_by_no_device() -> None:
    assert find_halt(b"", BOUNDARIES) is None
    assert find_promotion(b"", BOUNDARIES) is None
    assert not is_amber(b"", BOUNDARIES)


def test_a_prefix_comes_back_from_its_values() -> None:
    prefix = Prefix(devices=100, failures=13)

    assert Prefix.from_dict(prefix.to_dict()) == prefix
