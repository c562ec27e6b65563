"""What happens in a flow, as data: a listener acts on the fields, and a log gets the line.

A flow yields an event like any other effect. Events hold plain values alone, so that a page can show them.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How much attention an event deserves."""

    INFO = "info"
    WARNING = "warning"


class FlowEvent(ABC):
    """Something that happened in a flow."""

    __slots__ = ()

    @property
    def level(self) -> Level:
        """How much attention it deserves."""
        return Level.INFO

    @abstractmethod
    def line(self) -> str:
        """Write it as one line for a log."""


class FlowWarning(FlowEvent):
    """Something that deserves attention."""

    __slots__ = ()

    @property
    def level(self) -> Level:
        """How much attention it deserves."""
        return Level.WARNING


@dataclass(frozen=True, slots=True)
class RequestAdvised(FlowWarning):
    """A request is sent although a document of the API speaks against it.

    :param action: operation on the wire.
    :param advice: what the document says.
    """

    action: str
    advice: str

    def line(self) -> str:
        """Write it as one line for a log."""
        return self.advice


@dataclass(frozen=True, slots=True)
class RequestRetried(FlowWarning):
    """A request failed and is sent again.

    :param action: operation on the wire.
    :param problem: the error, as a sentence.
    :param delay: seconds until it is sent again.
    """

    action: str
    problem: str
    delay: float

    def line(self) -> str:
        """Write it as one line for a log."""
        return f"{self.problem} Trying again in {self.delay:.1f} s."


@dataclass(frozen=True, slots=True)
class ListIncomplete(FlowWarning):
    """A list shows fewer items than its ``Total`` counts, and is read again.

    :param action: operation on the wire.
    :param missing: number of items that are not shown.
    :param delay: seconds until it is read again.
    """

    action: str
    missing: int
    delay: float

    def line(self) -> str:
        """Write it as one line for a log."""
        return (
            f"{self.action} shows {self.missing:,} items fewer than its Total counts. Reading the list again in"
            f" {self.delay:g} s."
        )
