"""What happens while a job is stopped."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from airflow_provider_tuya_ota.core.flows.events import FlowEvent, FlowWarning, Level

if TYPE_CHECKING:
    from airflow_provider_tuya_ota.core.jobs.stopped import StopResult


@dataclass(frozen=True, slots=True)
class CancelSent(FlowEvent):
    """The platform accepted the cancel of a job."""

    job_id: str

    def line(self) -> str:
        """Write it as one line for a log."""
        return f"The platform accepted the cancel of job {self.job_id}"


@dataclass(frozen=True, slots=True)
class CancelRefused(FlowWarning):
    """The platform refused a cancel; it may have had nothing to cancel.

    :param problem: the refusal, as a sentence.
    """

    job_id: str
    problem: str

    def line(self) -> str:
        """Write it as one line for a log."""
        return f"{self.problem} Reading the state of job {self.job_id}."


@dataclass(frozen=True, slots=True)
class CancelRepeated(FlowWarning):
    """A job may still begin device tasks after its cancel, and is cancelled again.

    :param waiting: device tasks that wait; 0 where the job has none yet and has not ended.
    :param delay: seconds until the next cancel.
    """

    job_id: str
    waiting: int = 0
    delay: float = 0.0

    def line(self) -> str:
        """Write it as one line for a log."""
        state = f"has {self.waiting} device tasks that wait" if self.waiting else "has not ended"
        moment = f"in {self.delay:g} s" if self.delay else "now"
        return f"Job {self.job_id} still {state}. Cancelling again {moment}"


@dataclass(frozen=True, slots=True)
class CancelNotRepeated(FlowWarning):
    """A further cancel of a job failed, after one that the platform may have accepted.

    :param problem: the failure, as a sentence.
    """

    job_id: str
    problem: str

    def line(self) -> str:
        """Write it as one line for a log."""
        return f"Cancelling job {self.job_id} again failed, an earlier cancel may have been accepted. {self.problem}"


@dataclass(frozen=True, slots=True)
class JobStopped(FlowEvent):
    """A job was cancelled, with this effect."""

    job_id: str
    stopped: StopResult

    @property
    def level(self) -> Level:
        """How much attention it deserves: a warning where anything goes on, may begin, or was not counted."""
        return Level.INFO if self.stopped.is_complete else Level.WARNING

    def line(self) -> str:
        """Write it as one line for a log."""
        return self.stopped.line(self.job_id)


@dataclass(frozen=True, slots=True)
class OldJobUnfinished(FlowEvent):
    """The job from before a clear has not ended, and no new one is created until it has.

    :param state: what is left of it, as the end of a sentence.
    """

    job_id: str
    state: str

    def line(self) -> str:
        """Write it as one line for a log."""
        return f"Waiting for job {self.job_id}, from before this task was cleared: it still {self.state}"
