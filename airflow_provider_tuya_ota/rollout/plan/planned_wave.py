"""A wave with its devices: pulses, and the jobs of each pulse."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class Pulse:
    """Jobs that start together.

    :param number: 1 for the first pulse of its wave.
    :param jobs: the devices of each job with SPECIFIC, in start order.
    """

    number: int
    jobs: tuple[tuple[str, ...], ...] = field(repr=False)

    @property
    def size(self) -> int:
        """Number of devices."""
        return sum(map(len, self.jobs))

    @property
    def devices(self) -> Iterator[str]:
        """The names of its devices, in start order."""
        return (name for job in self.jobs for name in job)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedWave:
    """A wave with its devices.

    :param number: 1 for the first wave.
    :param text: what the author of the Dag wrote, in one spelling.
    :param kind: share, count, named or platform.
    :param total: devices that have started when it ends, waves before included; of a wave of the platform, which
        chooses devices itself, those of the waves before.
    :param needs_approval: whether a person has to approve before it starts.
    :param pulses: none for a wave of the platform.
    :param selection: ALL, GRAY or GROUP for a wave of the platform; empty otherwise.
    :param gray_percent: with GRAY.
    :param group_id: with GROUP.
    """

    number: int
    text: str
    kind: str
    total: int
    needs_approval: bool
    pulses: tuple[Pulse, ...]
    selection: str = ""
    gray_percent: str = ""
    group_id: str = ""

    @property
    def is_paceable(self) -> bool:
        """Whether it is cut into pulses; the platform starts all devices of its own wave at once."""
        return not self.selection

    @property
    def size(self) -> int:
        """Number of devices that it adds."""
        return sum(pulse.size for pulse in self.pulses)

    @property
    def jobs(self) -> int:
        """Number of its jobs; one for a wave of the platform."""
        return sum(len(pulse.jobs) for pulse in self.pulses) + bool(self.selection)

    def to_dict(self) -> dict[str, Any]:
        """Give canonical values."""
        return {
            "number": self.number,
            "text": self.text,
            "kind": self.kind,
            "total": self.total,
            "needs_approval": self.needs_approval,
            "pulses": [pulse.jobs for pulse in self.pulses],
            "selection": self.selection,
            "gray_percent": self.gray_percent,
            "group_id": self.group_id,
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Rebuild what :meth:`to_dict` gave, also after its way through JSON."""
        pulses = tuple(
            Pulse(number=number, jobs=tuple(map(tuple, jobs))) for number, jobs in enumerate(values["pulses"], start=1)
        )
        return cls(**{**values, "pulses": pulses})


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedStratum:
    """Devices of the cohort that share the values of the rule's attributes.

    :param values: in the order of the rule's attributes; empty where the devices lack one.
    :param devices: number of devices.
    :param in_first_pulse: how many of them start with the first pulse of the release.
    """

    values: tuple[str, ...]
    devices: int
    in_first_pulse: int
