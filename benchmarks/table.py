"""The one form in which benchmarks print what they measured: a line for each figure, with its target beside it.

The figure is the median of all rounds. The noise beside it is half of the distance between the quartiles.
"""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


@dataclass(frozen=True)
class Figure:
    """One line of the table.

    :param what: what was measured.
    :param value: the median.
    :param unit: its unit; empty for a ratio.
    :param most: the target, which the value must not exceed; None for a figure that is shown for comparison alone.
    :param noise: half of the distance between the quartiles of what was measured; None for a single measurement.
    """

    what: str
    value: float
    unit: str = ""
    most: float | None = None
    noise: float | None = None

    @classmethod
    def of(cls, what: str, measured: Iterable[float], unit: str = "", most: float | None = None) -> Self:
        """Build the line from what was measured round by round, at least twice."""
        low, middle, high = statistics.quantiles(measured, n=4, method="inclusive")
        return cls(what, middle, unit, most, (high - low) / 2)

    @property
    def is_met(self) -> bool:
        """Whether the target is met."""
        return self.most is None or self.value <= self.most


def print_table(figures: Sequence[Figure]) -> bool:
    """Print the figures.

    :returns: whether all targets are met.
    """
    print(f"{'':58}{'median':>12}  {'noise':>7}  {'target':>7}")
    for figure in figures:
        digits = 1 if figure.unit in {"ms", "MiB", "us"} else 2
        value = f"{figure.value:,.{digits}f} {figure.unit}".rstrip()
        noise = "" if figure.noise is None else f"±{figure.noise:.{digits}f}"
        target = "" if figure.most is None else f"{figure.most:g}"
        print(f"{figure.what:58}{value:>12}  {noise:>7}  {target:>7}{'' if figure.is_met else '  missed'}".rstrip())
    return all(figure.is_met for figure in figures)
