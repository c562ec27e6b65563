"""What happens during a check of landed versions."""

from __future__ import annotations

from dataclasses import dataclass

from airflow_provider_tuya_ota.core.flows.events import FlowEvent, FlowWarning
from airflow_provider_tuya_ota.core.wire.redaction import safe_name


@dataclass(frozen=True, slots=True)
class LandedCheckBegun(FlowEvent):
    """The check begins.

    :param checked: devices that are asked.
    :param reported: devices that reported success.
    :param seconds: how long it takes at least.
    """

    checked: int
    reported: int
    seconds: float

    def line(self) -> str:
        """Write it as one line for a log."""
        which = "all" if self.checked == self.reported else f"{self.checked:,} of the"
        return (
            f"Asking {which} {self.reported:,} devices that reported success for their version; this takes at least"
            f" {self.seconds:,.0f} s"
        )


@dataclass(frozen=True, slots=True)
class LandedReadFailed(FlowWarning):
    """A device could not be asked, and is asked again after all others.

    :param problem: the error, as a sentence.
    """

    device: str
    problem: str

    def line(self) -> str:
        """Write it as one line for a log."""
        return f"{self.problem} Asking for the version of device {safe_name(self.device)} again later."


@dataclass(frozen=True, slots=True)
class LandedElsewhere(FlowWarning):
    """A device reported success and runs another version.

    :param version: the version that it reports.
    """

    device: str
    version: str

    def line(self) -> str:
        """Write it as one line for a log."""
        return f"Device {safe_name(self.device)} reported success and runs version {self.version}"


@dataclass(frozen=True, slots=True)
class LandedUnknown(FlowWarning):
    """A device reported success, and the platform knows no version of it."""

    device: str

    def line(self) -> str:
        """Write it as one line for a log."""
        return f"Device {safe_name(self.device)} reported success, and the platform knows no version of it"
