"""The boundaries of the gate: how many failures among how many devices halt, hold or promote a release.

Two e-processes test the failure rate against the ceiling c, one for "not above", one for "not below". Each is the mean
of likelihood ratios over a grid of alternative rates q: ``LR_q = (q/c)^x · ((1-q)/(1-c))^(n-x)`` for x failures among n
devices. By Ville's inequality, where its hypothesis is true, such a mean ever reaches 1/a with a probability of at most
a. So the gate may be judged after each outcome, and evidence may be carried from wave to wave.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from fractions import Fraction

WORSE: Final = (1.25, 1.5, 2, 3, 5, 8, 12)
"""Failure rates that the test for a halt looks for, as multiples of the ceiling."""
BETTER: Final = (0.8, 0.6, 0.4, 0.2, 0.05)
"""Failure rates that the test for a promotion looks for, as multiples of the ceiling."""
WORST: Final = 0.95
"""The highest failure rate on the grid."""
AMBER: Final = 4
"""Statistic of the devices with an outcome from which the gate holds. Fast outcomes bias it, so it only holds."""
_TIE: Final = 1e-9
"""Logarithms differ in their last digits between machines. A tie halts, and does not promote."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BoundaryRow:
    """What each number of failures among ``devices`` allows.

    :param amber: failures from which the gate holds; None where no number does.
    :param halt: failures from which it halts; None where no number does.
    :param promote: most failures with which it promotes; None where it does not promote even without a failure.
    """

    devices: int
    amber: int | None
    halt: int | None
    promote: int | None


class Boundaries:
    """The boundaries for one ceiling and one pair of error rates.

    :param ceiling: the highest acceptable failure rate, above 0 and below 0.75.
    :param false_halt: the largest probability of ever halting a release whose failure rate is at most the ceiling.
    :param false_promote: the largest probability of ever promoting one whose failure rate is at least the ceiling.
    :param amber: the statistic from which the gate holds; below 1 / ``false_halt``.
    """

    def __init__(
        self, ceiling: Fraction, false_halt: Fraction, false_promote: Fraction, amber: Fraction | int = AMBER
    ) -> None:
        rate = float(ceiling)
        worse = _log_mean(rate, sorted({min(WORST, rate * times) for times in WORSE}))
        better = _log_mean(rate, [rate * times for times in BETTER])
        halt, hold = -math.log(false_halt) - _TIE, math.log(amber) - _TIE
        promote = -math.log(false_promote) + _TIE
        self._halt = _Steps(lambda devices, failures: worse(devices, failures) < halt)
        self._amber = _Steps(lambda devices, failures: worse(devices, failures) < hold)
        self._promote = _Steps(lambda devices, failures: better(devices, failures) >= promote)

    @property
    def first_clean_promotion(self) -> int:
        """Devices after which a release without any failure is promoted; a smaller wave cannot promote by itself."""
        return self._promote.at(0)

    @property
    def first_halt(self) -> int:
        """Devices after which a release is halted where every one fails; a smaller wave cannot halt."""
        failures = 1
        while self.halt_within(failures) < failures:
            failures += 1
        return failures

    def halt_within(self, failures: int) -> int:
        """Give the most devices among which so many failures halt; fewer than ``failures`` where they never do."""
        return self._halt.at(failures) - 1

    def amber_within(self, failures: int) -> int:
        """Give the most devices among which so many failures hold; fewer than ``failures`` where they never do."""
        return self._amber.at(failures) - 1

    def promote_from(self, failures: int) -> int:
        """Give the fewest devices among which so many failures promote."""
        return self._promote.at(failures)

    def row(self, devices: int) -> BoundaryRow:
        """Give the boundaries for one number of devices."""
        amber, halt = self._amber.count_up_to(devices), self._halt.count_up_to(devices)
        promote = self._promote.count_up_to(devices) - 1
        return BoundaryRow(
            devices=devices,
            amber=amber if amber <= devices else None,
            halt=halt if halt <= devices else None,
            promote=promote if promote >= 0 else None,
        )


@lru_cache(maxsize=256)
def boundaries_for(
    ceiling: Fraction, false_halt: Fraction, false_promote: Fraction, amber: Fraction | int = AMBER
) -> Boundaries:
    """Give the boundaries, which are computed once in a process; parameters as :class:`Boundaries` has them."""
    return Boundaries(ceiling, false_halt, false_promote, amber)


def _log_mean(ceiling: float, grid: Sequence[float]) -> Callable[[int, int], float]:
    """Give the logarithm of the mean of the likelihood ratios, as a function of devices and failures."""
    ratios = [(math.log(rate / ceiling), math.log1p(-rate) - math.log1p(-ceiling)) for rate in grid]
    size = math.log(len(ratios))

    def log_mean(devices: int, failures: int) -> float:
        others = devices - failures
        terms = [failed * failures + other * others for failed, other in ratios]
        largest = max(terms)
        return largest + math.log(sum(math.exp(term - largest) for term in terms)) - size

    return log_mean


class _Steps:
    """For each number of failures, the first number of devices for which ``is_past`` holds.

    ``is_past`` is monotone in the devices. One more device that is a failure never makes it true, so each step is
    above the step before. They are computed as far as they are asked for, with a few evaluations each, however many
    devices lie between two steps.
    """

    def __init__(self, is_past: Callable[[int, int], bool]) -> None:
        self._is_past = is_past
        self._steps: list[int] = []

    def at(self, failures: int) -> int:
        """Give the step for a number of failures."""
        if failures >= len(self._steps):
            self._grow(failures)
        return self._steps[failures]

    def count_up_to(self, devices: int) -> int:
        """Count the steps at or below a number of devices."""
        while not self._steps or self._steps[-1] <= devices:
            self._grow(len(self._steps))
        return bisect_right(self._steps, devices)

    def _grow(self, failures: int) -> None:
        # Threads share the boundaries of a process. A list that others may read is replaced, never changed.
        steps = self._steps.copy()
        for number in range(len(steps), max(failures + 1, len(steps) * 5 // 4)):
            steps.append(self._search(number, steps))
        self._steps = steps

    def _search(self, failures: int, steps: list[int]) -> int:
        # The step before is not past: see above.
        near = steps[-1] if steps else -1
        stride = steps[-1] - steps[-2] if len(steps) > 1 else 1
        while not self._is_past(near + stride, failures):
            near, stride = near + stride, 2 * stride
        far = near + stride
        while far - near > 1:
            middle = (near + far) // 2
            if self._is_past(middle, failures):
                far = middle
            else:
                near = middle
        return far
