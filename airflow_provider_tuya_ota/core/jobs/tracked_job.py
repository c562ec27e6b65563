"""The job of a task, and its origin."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from airflow_provider_tuya_ota.core.model.states import JobType
from airflow_provider_tuya_ota.core.status.job_set_wait import WaitedJob

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow_provider_tuya_ota.core.status.queried_job import QueriedJob


class JobOrigin(StrEnum):
    """The origin of a task's job."""

    CREATED = "created"
    """This try created it, and the platform named it in answer."""
    RESUMED = "resumed"
    """An earlier try created it, and the platform named it in answer."""
    FOUND = "found"
    """The answer to this task's request was lost or named no job. A list shows this job and it fits; another program
    may have created it."""
    FOLLOWED = "followed"
    """Another program or task created it: a verification of the same firmware that was running already."""
    VERIFIED_BEFORE = "verified_before"
    """No job was started: the firmware was verified already. This is the job that did it, if the platform shows it."""
    NOT_NEEDED = "not_needed"
    """No job was started: the firmware needs no verification."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackedJob:
    """A job that a task waits for.

    :param job_id: empty only where no job was started and the platform names none.
    :param firmware_id: firmware of the job.
    :param kind: verification or upgrade.
    :param origin: it decides whether the task may stop the job.
    :param utc_create: when the platform created it, as the platform writes it; empty if unknown.
    :param request_id: of the request that created it; empty where its answer was lost or an earlier try sent it.
    :param selection: ALL, SPECIFIC, GRAY or GROUP for an upgrade; empty for a verification.
    :param queried: the job as this try has queried it after creating it; None otherwise.
    """

    job_id: str
    firmware_id: str
    kind: JobType
    origin: JobOrigin
    utc_create: str = ""
    request_id: str = ""
    selection: str = ""
    queried: QueriedJob | None = field(default=None, compare=False)

    @property
    def is_own(self) -> bool:
        """Whether the platform named the job in answer to this task's request. A task stops only such a job."""
        return self.origin in {JobOrigin.CREATED, JobOrigin.RESUMED}

    @property
    def is_started(self) -> bool:
        """Whether there is a job to wait for."""
        return self.origin not in {JobOrigin.VERIFIED_BEFORE, JobOrigin.NOT_NEEDED}

    def waited_for(self, *, on_cancel: str, expected: tuple[str, ...]) -> WaitedJob:
        """Describe how a task waits for it; a job that is not certainly the task's own is kept whatever happens.

        :param on_cancel: ``stop`` or ``keep``, as set in the Dag.
        :param expected: devices that were asked for by name; empty where the platform chose them.
        """
        return WaitedJob(
            job_id=self.job_id,
            firmware_id=self.firmware_id,
            expected=expected,
            on_cancel=on_cancel if self.is_own else "keep",
            is_known=True,
            queried=self.queried,
        )

    def line(self) -> str:
        """Write it as a line for the log."""
        if self.origin is JobOrigin.NOT_NEEDED:
            return (
                f"Firmware {self.firmware_id} needs no verification, so the platform made none; no device has tried it"
            )
        if self.origin is JobOrigin.VERIFIED_BEFORE:
            return f"Firmware {self.firmware_id} is verified already; nothing was started"
        verb, remark = _LINES[self.origin]
        selection = f" ({self.selection})" if self.selection else ""
        return f"{verb} {NAMES[self.kind]} job {self.job_id} of firmware {self.firmware_id}{selection}{remark}"


NAMES: Final[Mapping[JobType, str]] = {JobType.VERIFY_FIRMWARE: "verification", JobType.UPGRADE_FIRMWARE: "upgrade"}
"""What a kind of job is called in messages."""
_LOST_ANSWER: Final = (
    ": a list showed it, and no answer to this task's request named it. Another program may have created it, so killing"
    " the task does not stop it"
)
_LINES: Final[Mapping[JobOrigin, tuple[str, str]]] = {
    JobOrigin.CREATED: ("Created", ""),
    JobOrigin.RESUMED: ("Resuming", ", which an earlier try created"),
    JobOrigin.FOUND: ("Waiting for", _LOST_ANSWER),
    JobOrigin.FOLLOWED: ("Following", ", which this task did not create and will not stop"),
}
