"""The one form in which benchmarks print what they measured: a line for each figure, with its target beside it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True)
class Figure:
    """One line of the table.

    :param what: what was measured.
    :param value: the median.
    :param unit: its unit; empty for a ratio.
    :param most: the target, which the value must not exceed; None for a figure that is shown for comparison alone.
    """

    what: str
    value: float
    unit: str = ""
    most: float | None = None

    @property
    def is_met(self) -> bool:
        """Whether the target is met."""
        return self.most is None or self.value <= self.most


def print_table(figures: Sequence[Figure]) -> bool:
    """Print the figures.

    :returns: whether all targets are met.
    """
    print(f"{'':56}{'median':>12}  {'target':>8}")
    for figure in figures:
        digits = 1 if figure.unit in {"ms", "MiB", "us"} else 2
        value = f"{figure.value:,.{digits}f} {figure.unit}".rstrip()
        target = "" if figure.most is None else f"{figure.most:g}"
        print(f"{figure.what:56}{value:>12}  {target:>8}{'' if figure.is_met else '  missed'}")
    return all(figure.is_met for figure in figures)
