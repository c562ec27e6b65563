"""When pulses may start: inside any window, and outside every blackout."""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, Self

from airflow_provider_tuya_ota.core.errors import InvalidParameterError
from airflow_provider_tuya_ota.rollout.plan.blackout import parse_blackout
from airflow_provider_tuya_ota.rollout.plan.intent_text import NOT_GIVEN, NotGiven, require_list
from airflow_provider_tuya_ota.rollout.plan.window import ALLOWED, parse_window

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from airflow_provider_tuya_ota.rollout.plan.blackout import Blackout
    from airflow_provider_tuya_ota.rollout.plan.window import Opening, Window

ALWAYS: Final = "always"
"""What stands for no window. It has to be written or left out: an empty list is refused."""
HORIZON: Final = timedelta(days=366)
"""How far an opening is searched for."""
_MARGIN: Final = timedelta(days=3)
"""A window that is open now may have opened on the day before, and a zone may be a day ahead or behind."""
_NEVER: Final = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpeningHours:
    """Windows and blackouts together.

    :param windows: pulses start inside any of them; none for always.
    :param blackouts: pulses start outside all of them.
    """

    windows: tuple[Window, ...] = ()
    blackouts: tuple[Blackout, ...] = ()

    def is_open(self, at: datetime) -> bool:
        """Whether a pulse may start at a moment."""
        return self.next_opening(at) == at

    def next_opening(self, at: datetime) -> datetime | None:
        """Give the first moment, from ``at`` on, at which a pulse may start.

        :returns: in UTC; ``at`` itself while it is open; None if there is none within 366 days.
        """
        found = next(self._from(at), None)
        return None if found is None else max(found[0], at).astimezone(UTC)

    def closes_at(self, at: datetime) -> datetime | None:
        """Give when the opening that holds a moment ends.

        :returns: in UTC; None where it is closed, or does not close within 366 days.
        """
        found = next(self._from(at), None)
        if found is None or found[0] > at or found[1] - at > HORIZON:
            return None
        return found[1]

    def to_dict(self) -> dict[str, Any]:
        """Give canonical values."""
        return {
            "windows": [window.text for window in self.windows],
            "blackouts": [blackout.text for blackout in self.blackouts],
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Rebuild what :meth:`to_dict` gave.

        :raises KeyError: a name is missing.
        """
        return cls(
            windows=tuple(parse_window("window", text) for text in values["windows"]),
            blackouts=tuple(map(parse_blackout, values["blackouts"])),
        )

    def _from(self, at: datetime) -> Iterator[Opening]:
        closed = sorted(_closed_span(blackout, self.windows) for blackout in self.blackouts)
        for start, end in self._merged(at):
            for first, last in _without(closed, start, end):
                if last > at and first <= at + HORIZON:
                    yield first, last

    def _merged(self, at: datetime) -> Iterator[Opening]:
        """Give the openings of all windows; those that touch or overlap are one."""
        if not self.windows:
            yield at - HORIZON, _NEVER
            return
        first, last = (at - _MARGIN).date(), (at + HORIZON + _MARGIN).date()
        openings = heapq.merge(*(window.openings(first, last) for window in self.windows))
        # Each window opens at least once in these days.
        start, end = next(openings)
        for opens, closes in openings:
            if opens > end:
                yield start, end
                start = opens
            end = max(end, closes)
        yield start, end


def _closed_span(blackout: Blackout, windows: Sequence[Window]) -> Opening:
    # A day without a zone is closed from its beginning in the first zone to its end in the last one.
    zones = [window.zone for window in windows] if blackout.zone is None else [blackout.zone]
    spans = [blackout.span(zone) for zone in zones]
    return min(start for start, _ in spans), max(end for _, end in spans)


def _without(closed: Sequence[Opening], start: datetime, end: datetime) -> Iterator[Opening]:
    """Cut the closed spans, which are sorted by their beginning, out of an opening."""
    for closes, opens in closed:
        if start < min(closes, end):
            yield start, min(closes, end)
        start = max(start, opens)
    if start < end:
        yield start, end


def parse_opening_hours(
    window: Any | NotGiven, blackout: Any | NotGiven, *, timeout_in_minutes: int | None
) -> OpeningHours:
    """Read windows and blackouts.

    :param window: one text, a list of texts, or ``always``, which it is if left out.
    :param blackout: a list of texts; none if left out.
    :param timeout_in_minutes: of a device; None where it has none.
    :raises InvalidParameterError: one has a wrong form; a window is shorter than a device's timeout, so that each of
        its pulses would go on behind it; a blackout has no zone where no window gives it one.
    """
    windows = () if window is NOT_GIVEN or window == ALWAYS else _parse_windows(window)
    for one in windows:
        if timeout_in_minutes is not None and one.minutes < timeout_in_minutes:
            raise InvalidParameterError(
                field="window",
                problem=f"{one.text} is open for {one.minutes} minutes, shorter than a device's timeout of"
                f" {timeout_in_minutes} minutes",
                allowed="a longer window, or a shorter timeout_in_minutes",
            )
    listed = () if blackout is NOT_GIVEN else require_list("blackout", blackout, "a list of dates")
    blackouts = tuple(map(parse_blackout, listed))
    for closed in blackouts:
        if closed.zone is None and not windows:
            raise InvalidParameterError(
                field="blackout",
                problem=f"{closed.text} has no zone, and there is no window that gives it one",
                allowed=f"{closed.text} Europe/Berlin",
            )
    return OpeningHours(windows=windows, blackouts=blackouts)


def _parse_windows(value: Any) -> tuple[Window, ...]:
    if isinstance(value, str):
        return (parse_window("window", value),)
    return tuple(parse_window("window", one) for one in require_list("window", value, ALLOWED))
