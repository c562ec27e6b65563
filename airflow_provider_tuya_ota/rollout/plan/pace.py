"""The pace of a wave: how many devices start together, and how long the release then waits for their results."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from airflow_provider_tuya_ota.core.errors import InvalidParameterError
from airflow_provider_tuya_ota.rollout.plan.duration import parse_duration, render_duration
from airflow_provider_tuya_ota.rollout.plan.intent_text import NOT_GIVEN, NotGiven, require_whole

if TYPE_CHECKING:
    from datetime import timedelta

MOST_DEVICES: Final = 10_000_000
MOST_PULSES: Final = 10_000
"""Pulses of one wave; more would take longer than anybody waits, and comes from a first pulse that is too small."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How a wave is cut into pulses. Each wave begins with the first pulse again.

    :param first: devices in the first pulse of a wave; 50 by default, which is enough to see a firmware that breaks one
        device in five, and few enough to lose.
    :param double_every: ``1h``: each pulse is twice as large as the one before and starts so long after it.
    :param every: ``1h``: each pulse is as large as the first one. Either this or ``double_every``.
    :param at_most: devices in the largest pulse; no limit if left out.
    :raises InvalidParameterError: names the argument.
    """

    first: int = 50
    double_every: str | float | timedelta | NotGiven = field(default=NOT_GIVEN, kw_only=True)
    every: str | float | timedelta | NotGiven = field(default=NOT_GIVEN, kw_only=True)
    at_most: int | NotGiven = field(default=NOT_GIVEN, kw_only=True)
    interval: int = field(init=False, repr=False, compare=False)
    """Seconds between the starts of two pulses."""

    def __post_init__(self) -> None:
        first: Any = self.first
        require_whole("pace first", first, 1, MOST_DEVICES)
        if (self.double_every is NOT_GIVEN) == (self.every is NOT_GIVEN):
            both = "are both given" if self.every is not NOT_GIVEN else "are both missing"
            raise InvalidParameterError(
                field="pace double_every, every", problem=both, allowed="one of them, for example double_every='1h'"
            )
        name = "every" if self.double_every is NOT_GIVEN else "double_every"
        object.__setattr__(self, "interval", parse_duration(f"pace {name}", getattr(self, name)))
        if self.at_most is not NOT_GIVEN:
            require_whole("pace at_most", self.at_most, self.first, MOST_DEVICES)

    @property
    def is_doubling(self) -> bool:
        """Whether the pulses grow."""
        return self.double_every is not NOT_GIVEN

    def pulse_sizes(self, devices: int) -> list[int]:
        """Cut a number of devices into pulses; the last one holds what is left.

        :raises InvalidParameterError: there would be more than 10,000 pulses.
        """
        sizes: list[int] = []
        size = self.first
        while devices > 0:
            sizes.append(min(size, devices))
            devices -= size
            size = self._next(size)
            if len(sizes) == MOST_PULSES and devices > 0:
                raise InvalidParameterError(
                    field="pace",
                    problem=f"{self} cuts a wave into more than {MOST_PULSES:,} pulses",
                    allowed="a larger first pulse, or double_every",
                )
        return sizes

    def _next(self, size: int) -> int:
        grown = 2 * size if self.is_doubling else size
        return grown if self.at_most is NOT_GIVEN else min(grown, self.at_most)

    def to_dict(self) -> dict[str, Any]:
        """Give canonical values; seconds."""
        return {
            "first": self.first,
            "interval": self.interval,
            "doubles": self.is_doubling,
            "at_most": None if self.at_most is NOT_GIVEN else self.at_most,
        }

    def __str__(self) -> str:
        grows = "doubling every" if self.is_doubling else "the same every"
        most = "" if self.at_most is NOT_GIVEN else f", at most {self.at_most:,}"
        return f"{self.first:,} first, {grows} {render_duration(self.interval)}{most}"


def require_pace(value: Any) -> Pace:
    """Refuse what is no :class:`Pace`.

    :raises InvalidParameterError: it is something else.
    """
    if isinstance(value, Pace):
        return value
    raise InvalidParameterError(
        field="pace", problem="is no Pace", allowed="Pace(first=50, double_every='1h') or Pace(first=50, every='1h')"
    )
