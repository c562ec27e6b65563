"""What happens while a job is created or found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from airflow_provider_tuya_ota.core.flows.events import FlowEvent, FlowWarning
from airflow_provider_tuya_ota.core.jobs.tracked_job import NAMES, JobOrigin

if TYPE_CHECKING:
    from airflow_provider_tuya_ota.core.jobs.tracked_job import TrackedJob
    from airflow_provider_tuya_ota.core.model.states import JobType


@dataclass(frozen=True, slots=True)
class JobCreated(FlowEvent):
    """The platform created a job and named it."""

    job: TrackedJob

    def line(self) -> str:
        """Write it as one line for a log."""
        return self.job.line()


@dataclass(frozen=True, slots=True)
class JobAdopted(FlowEvent):
    """The task goes on with a job that exists; ``job.origin`` says whose it is."""

    job: TrackedJob

    def line(self) -> str:
        """Write it as one line for a log."""
        return self.job.line()


@dataclass(frozen=True, slots=True)
class VerificationSkipped(FlowEvent):
    """No job was started: the firmware is verified, or needs no verification."""

    job: TrackedJob

    def line(self) -> str:
        """Write it as one line for a log."""
        return self.job.line()


def start_event(job: TrackedJob) -> FlowEvent:
    """Give the event for the job that a task goes on with."""
    if not job.is_started:
        return VerificationSkipped(job)
    return JobCreated(job) if job.origin is JobOrigin.CREATED else JobAdopted(job)


@dataclass(frozen=True, slots=True)
class JobOutcomeUnknown(FlowWarning):
    """The answer to a create was lost; the firmware's jobs are listed to find out whether there is one.

    :param problem: the error, as a sentence.
    """

    firmware_id: str
    kind: JobType
    problem: str

    def line(self) -> str:
        """Write it as one line for a log."""
        return f"{self.problem} Checking whether the {NAMES[self.kind]} job of firmware {self.firmware_id} exists."


@dataclass(frozen=True, slots=True)
class JobUnnamed(FlowWarning):
    """The platform accepted a create and named no new job; the firmware's jobs are listed to find it.

    :param action: operation on the wire.
    """

    action: str

    def line(self) -> str:
        """Write it as one line for a log."""
        return f"{self.action} succeeded, but its answer names no new job. Searching the firmware's jobs for it"


@dataclass(frozen=True, slots=True)
class IntentMissing(FlowWarning):
    """An earlier try has run and stored no intent; the firmware's jobs are listed to find out what it created."""

    firmware_id: str

    def line(self) -> str:
        """Write it as one line for a log."""
        return (
            f"No intent of an earlier try is stored. Searching the jobs of firmware {self.firmware_id} for one that it"
            " created"
        )


@dataclass(frozen=True, slots=True)
class OtherTaskCleared(FlowEvent):
    """Another task of the run was cleared, not this one."""

    job_id: str

    def line(self) -> str:
        """Write it as one line for a log."""
        return f"Another task of this run was cleared, not this one: it still waits for job {self.job_id}"


@dataclass(frozen=True, slots=True)
class FailedJobReplaced(FlowWarning):
    """The job of an earlier try has failed, and ``on_failed_job`` is ``new_job``."""

    job_id: str

    def line(self) -> str:
        """Write it as one line for a log."""
        return f"Job {self.job_id} has failed and on_failed_job is 'new_job', so a new job is created"


@dataclass(frozen=True, slots=True)
class MissingJobReplaced(FlowWarning):
    """The stored job cannot be used, and the task was cleared.

    :param problem: what is wrong with it, as the end of a sentence.
    """

    job_id: str
    problem: str

    def line(self) -> str:
        """Write it as one line for a log."""
        return (
            f"Job {self.job_id}, which this task stored, {self.problem}; the task was cleared, so a new one is created"
        )


@dataclass(frozen=True, slots=True)
class RivalCheckFailed(FlowWarning):
    """A job was created, and whether another program created the same one could not be read.

    :param problem: the error, as a sentence.
    """

    job_id: str
    problem: str

    def line(self) -> str:
        """Write it as one line for a log."""
        return (
            f"{self.problem} Whether another program created the same upgrade as job {self.job_id} at the same time is"
            " not known."
        )
