from __future__ import annotations

import math
from fractions import Fraction
from typing import TYPE_CHECKING

import pytest

from airflow_provider_tuya_ota.rollout.gate.boundaries import (
    BETTER,
    WORSE,
    Boundaries,
    BoundaryRow,
    _Steps,
    boundaries_for,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

FIVE, ONE = Fraction(5, 100), Fraction(1, 100)
PUBLISHED = """
devices   2 5 10 20 30 50 81 100 150 200 300 500 1000
amber     2 2  3  4  5  7 10  11  15  18  25  38   68
halt      2 3  4  5  7  9 11  13  17  21  28  42   73
promote   - -  -  -  -  -  0   0   1   2   5  12   31
"""


def exact_mean(ceiling: Fraction, grid: Sequence[Fraction], devices: int, failures: int) -> Fraction:
    ratios = [(rate / ceiling) ** failures * ((1 - rate) / (1 - ceiling)) ** (devices - failures) for rate in grid]
    return sum(ratios, Fraction(0)) / len(ratios)


def test_the_boundaries_are_those_of_the_published_table() -> None:
    rows = [line.split()[1:] for line in PUBLISHED.split("\n")[1:-1]]
    boundaries = Boundaries(FIVE, FIVE, FIVE)

    for devices, amber, halt, promote in zip(*rows, strict=True):
        wanted = BoundaryRow(
            devices=int(devices),
            amber=int(amber),
            halt=int(halt),
            promote=None if promote == "-" else int(promote),
        )
        assert boundaries.row(int(devices)) == wanted


@pytest.mark.parametrize(("ceiling", "devices"), [(1, 415), (2, 206), (3, 137), (5, 81), (10, 40)])
def test_a_clean_release_is_promoted_after_so_many_devices(ceiling: int, devices: int) -> None:
    assert Boundaries(Fraction(ceiling, 100), FIVE, FIVE).first_clean_promotion == devices


@pytest.mark.parametrize("ceiling", [FIVE, Fraction(1, 5), Fraction(1, 2)])
def test_the_boundaries_are_those_of_exact_arithmetic(ceiling: Fraction) -> None:
    worse = sorted({min(Fraction(95, 100), ceiling * Fraction(times)) for times in WORSE})
    better = [ceiling * Fraction(str(times)) for times in BETTER]
    boundaries = Boundaries(ceiling, ONE, FIVE)

    for devices in range(61):
        row = boundaries.row(devices)
        counts = range(devices + 1)
        halting = [x for x in counts if exact_mean(ceiling, worse, devices, x) >= 100]
        holding = [x for x in counts if exact_mean(ceiling, worse, devices, x) >= 4]
        promoting = [x for x in counts if exact_mean(ceiling, better, devices, x) >= 20]
        assert (row.halt, row.amber) == (min(halting, default=None), min(holding, default=None))
        assert row.promote == max(promoting, default=None)


def test_both_views_of_the_boundaries_agree() -> None:
    boundaries = Boundaries(FIVE, FIVE, FIVE)
    rows = [boundaries.row(devices) for devices in range(1, 400)]

    for failures in range(15):
        assert boundaries.halt_within(failures) == max(
            (row.devices for row in rows if row.halt is not None and row.halt <= failures), default=failures - 1
        )
        assert boundaries.amber_within(failures) == max(
            (row.devices for row in rows if row.amber is not None and row.amber <= failures), default=failures - 1
        )
        promoting = [row.devices for row in rows if row.promote is not None and row.promote >= failures]
        assert not promoting or boundaries.promote_from(failures) == promoting[0]


def test_the_smallest_wave_that_can_halt_needs_more_failures_for_more_confidence() -> None:
    assert Boundaries(FIVE, FIVE, FIVE).first_halt == 2
    assert Boundaries(FIVE, Fraction(1, 10_000), FIVE).first_halt == 5
    assert Boundaries(FIVE, Fraction(1, 4), FIVE).first_halt == 1


def test_no_device_decides_nothing() -> None:
    assert Boundaries(FIVE, FIVE, FIVE).row(0) == BoundaryRow(devices=0, amber=None, halt=None, promote=None)


def test_a_tie_halts_and_holds_and_does_not_promote() -> None:
    # One failure among one device has the statistic 131/28 at any ceiling whose grid is not capped.
    tie = Fraction(28, 131)
    assert math.isclose(sum(WORSE) / len(WORSE), 1 / tie)
    assert Boundaries(FIVE, tie, FIVE).row(1).halt == 1
    assert Boundaries(FIVE, FIVE, FIVE, 1 / tie).row(1).amber == 1

    # The grid of a promotion at 1/2 gives 159/100 for one clean device.
    half = Fraction(1, 2)
    mean = exact_mean(half, [half * Fraction(str(times)) for times in BETTER], 1, 0)
    assert Boundaries(half, FIVE, 1 / mean).row(1).promote is None


def test_a_larger_amber_statistic_holds_later() -> None:
    assert [Boundaries(FIVE, FIVE, FIVE, amber).row(100).amber for amber in (4, 8, 16)] == [11, 12, 13]


def test_asking_in_any_order_gives_the_same_boundaries() -> None:
    upwards, downwards = Boundaries(FIVE, FIVE, FIVE), Boundaries(FIVE, FIVE, FIVE)
    numbers = range(1, 3000, 77)

    assert [upwards.row(number) for number in numbers] == [downwards.row(n) for n in reversed(numbers)][::-1]


def test_the_work_grows_with_the_failures_and_not_with_the_devices(monkeypatch: pytest.MonkeyPatch) -> None:
    evaluated = grown = 0

    def log(value: float) -> float:
        nonlocal evaluated
        evaluated += 1
        return real_log(value)

    def grow(steps: _Steps, failures: int) -> None:
        nonlocal grown
        grown += 1
        real_grow(steps, failures)

    real_log, real_grow = math.log, _Steps._grow
    boundaries = Boundaries(FIVE, FIVE, FIVE)
    monkeypatch.setattr(math, "log", log)
    monkeypatch.setattr(_Steps, "_grow", grow)
    row = boundaries.row(100_000)

    assert (row.amber, row.halt, row.promote) == (5618, 5625, 4462)
    assert evaluated < 8 * (5618 + 5625 + 4462)
    assert grown < 150


def test_equal_parameters_share_their_boundaries() -> None:
    assert boundaries_for(FIVE, FIVE, ONE) is boundaries_for(FIVE, FIVE, ONE)
    assert boundaries_for(FIVE, FIVE, ONE) is not boundaries_for(FIVE, ONE, FIVE)
