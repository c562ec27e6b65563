"""What happens while a file becomes a firmware."""

from __future__ import annotations

from dataclasses import dataclass

from airflow_provider_tuya_ota.core.flows.events import FlowEvent, FlowWarning


@dataclass(frozen=True, slots=True)
class FirmwareAdopted(FlowEvent):
    """The platform has a firmware of this version with the same bytes."""

    firmware_id: str

    def line(self) -> str:
        """Write it as one line for a log."""
        return f"Firmware {self.firmware_id} has the same bytes already; nothing is uploaded"


@dataclass(frozen=True, slots=True)
class FirmwareOutcomeUnknown(FlowWarning):
    """Whether a firmware was created is not known; the firmwares of its version are listed to find out.

    :param problem: the error, as a sentence.
    """

    problem: str

    def line(self) -> str:
        """Write it as one line for a log."""
        return f"{self.problem} Checking whether the firmware exists."


@dataclass(frozen=True, slots=True)
class FileReadStarted(FlowEvent):
    """A file is read for its digests.

    :param size: bytes.
    """

    name: str
    size: int

    def line(self) -> str:
        """Write it as one line for a log."""
        return f"Reading {self.name}, {self.size:,} bytes, to compare it with the firmware that has its version"


@dataclass(frozen=True, slots=True)
class FileUploadStarted(FlowEvent):
    """A file is sent to object storage.

    :param size: bytes.
    """

    name: str
    size: int

    def line(self) -> str:
        """Write it as one line for a log."""
        return f"Uploading {self.name}, {self.size:,} bytes"


@dataclass(frozen=True, slots=True)
class FileTransferRetried(FlowWarning):
    """Reading or sending a file failed and starts again.

    :param step: ``Reading`` or ``Uploading``.
    :param problem: the error, as a sentence.
    :param delay: seconds until it begins.
    """

    step: str
    problem: str
    delay: float

    def line(self) -> str:
        """Write it as one line for a log."""
        return f"{self.problem} {self.step} again in {self.delay:.1f} s."
