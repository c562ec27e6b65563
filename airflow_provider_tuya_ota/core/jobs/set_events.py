"""Events of the flow that creates a set of jobs."""

from __future__ import annotations

from dataclasses import dataclass

from airflow_provider_tuya_ota.core.flows.events import FlowEvent, FlowWarning


@dataclass(frozen=True, slots=True)
class JobSetResumed(FlowEvent):
    """An earlier try has created jobs of the set.

    :param firmware_id: of all jobs.
    :param existing: number of jobs that exist.
    :param total: number of jobs of the set.
    """

    firmware_id: str
    existing: int
    total: int

    def line(self) -> str:
        """Write it as one line for a log."""
        return f"{self.existing} of {self.total} upgrade jobs of firmware {self.firmware_id} exist from an earlier try"


@dataclass(frozen=True, slots=True)
class JobSetInterrupted(FlowWarning):
    """The next job of a set was not created; an error that says why follows.

    :param firmware_id: of all jobs.
    :param existing: number of jobs that exist.
    :param total: number of jobs of the set.
    """

    firmware_id: str
    existing: int
    total: int

    def line(self) -> str:
        """Write it as one line for a log."""
        return (
            f"Stopped at job {self.existing + 1} of {self.total} of firmware {self.firmware_id}. The {self.existing}"
            f" jobs before it go on, and a retry continues with job {self.existing + 1}"
        )
