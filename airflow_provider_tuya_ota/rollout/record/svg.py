"""The parts of a picture in SVG: escaped texts, lines that are thinned, and scales with round ticks."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Final

from airflow_provider_tuya_ota.core.texts import bounded_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Point = tuple[float, float]
_STEPS: Final = (1, 2, 5)
_SECONDS: Final = (
    1,
    5,
    15,
    60,
    300,
    900,
    1800,
    3600,
    7200,
    10800,
    21600,
    43200,
    86400,
    172800,
    604800,
    2592000,
    31536000,
)
_UNITS: Final = ((86400, "d"), (3600, "h"), (60, "min"))
LONGEST_TEXT: Final = 200
"""Characters of a text in a picture."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """Where the values of an axis lie.

    :param low: pixels of the value 0.
    :param high: pixels of the largest value.
    :param most: the largest value, above 0.
    """

    low: float
    high: float
    most: float

    def at(self, value: float) -> float:
        """Give the pixels of a value; one beyond the axis lies at its end."""
        return self.low + (self.high - self.low) * min(value, self.most) / self.most

    def ticks(self, number: int = 5) -> list[int]:
        """Give about so many round values from 0 on."""
        power = 1
        while True:
            for step in _STEPS:
                if self.most / (step * power) <= number:
                    return list(range(0, int(self.most) + 1, step * power))
            power *= 10

    def time_ticks(self, number: int = 8) -> dict[int, str]:
        """Give about so many round numbers of seconds from 0 on, each as people read it, such as ``6 h``."""
        step = next((one for one in _SECONDS if self.most / one <= number), int(self.most / number) + 1)
        size, unit = next(((size, unit) for size, unit in _UNITS if step % size == 0), (1, "s"))
        return {at: f"{at // size} {unit}" if at else "0" for at in range(0, int(self.most) + 1, step)}


def tag(name: str, content: str = "", /, **attributes: str | float) -> str:
    """Give an element; ``class_`` is the attribute ``class``, and ``_`` inside a name is a hyphen."""
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{_attribute(value)}"' for key, value in attributes.items()
    )
    return f"<{name}{written}>{content}</{name}>" if content else f"<{name}{written}/>"


def text(x: float, y: float, said: str, **attributes: str | float) -> str:
    """Give a text on one line."""
    return tag("text", escape(bounded_line(said, LONGEST_TEXT)), x=x, y=y, **attributes)


def line(one: Point, other: Point, class_: str) -> str:
    """Give a straight line."""
    return tag("line", x1=one[0], y1=one[1], x2=other[0], y2=other[1], class_=class_)


def steps(points: Iterable[Point], class_: str) -> str:
    """Give a line that goes right and then up or down to each point; one point for each half pixel is enough."""
    kept: list[Point] = []
    for x, y in points:
        if kept and int(kept[-1][0] * 2) == int(x * 2):
            kept[-1] = x, y
        else:
            kept.append((x, y))
    if not kept:
        return ""
    path = f"M{_number(kept[0][0])} {_number(kept[0][1])}" + "".join(f"H{_number(x)}V{_number(y)}" for x, y in kept[1:])
    return tag("path", d=path, class_=class_)


def legend(x: float, y: float, entries: Sequence[tuple[str, str]]) -> str:
    """Explain lines: a piece of each one with its name, in a row."""
    parts = []
    for class_, said in entries:
        parts += [line((x, y - 4), (x + 22, y - 4), class_), text(x + 28, y, said, class_="small")]
        x += 28 + 7 * len(said) + 18
    return "".join(parts)


def _attribute(value: str | float) -> str:
    return escape(value) if isinstance(value, str) else _number(value)


def _number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
