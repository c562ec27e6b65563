"""What happens while something is polled."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from airflow_provider_tuya_ota.core.flows.events import FlowEvent, FlowWarning, Level

if TYPE_CHECKING:
    from airflow_provider_tuya_ota.core.model.job_results import JobSetVerdict


@dataclass(frozen=True, slots=True)
class PollFailed(FlowWarning):
    """A poll failed, and the wait goes on.

    :param subject: what was polled, e.g. ``job 9001``.
    :param problem: the error, as a sentence.
    """

    subject: str
    problem: str

    def line(self) -> str:
        """Write it as one line for a log."""
        return f"{self.problem} The wait for {self.subject} goes on."


@dataclass(frozen=True, slots=True)
class JobFailureObserved(FlowWarning):
    """A job looks failed, and is polled for a while longer before that counts.

    :param problem: why it counts as failed.
    """

    job_id: str
    problem: str

    def line(self) -> str:
        """Write it as one line for a log."""
        return f"{self.problem}. Polling job {self.job_id} again, in case the platform lags"


@dataclass(frozen=True, slots=True)
class JobWaitEnded(FlowWarning):
    """The wait for one job of a set has ended without a success; the wait for the others goes on.

    :param problem: the error, as a sentence.
    """

    job_id: str
    problem: str

    def line(self) -> str:
        """Write it as one line for a log."""
        return f"The wait for job {self.job_id} has ended. {self.problem}"


@dataclass(frozen=True, slots=True)
class JobSetEnded(FlowEvent):
    """The wait for a set of several jobs has ended.

    :param verdict: how each job ended, and counts and reasons over all of them.
    """

    verdict: JobSetVerdict

    @property
    def level(self) -> Level:
        """How much attention it deserves: a warning unless every job has succeeded."""
        return Level.INFO if self.verdict.has_succeeded else Level.WARNING

    def line(self) -> str:
        """Write it as one line for a log."""
        return self.verdict.line()


@dataclass(frozen=True, slots=True)
class ConditionChanged(FlowEvent):
    """What a condition waits for has changed.

    :param subject: what was polled, e.g. ``firmware 178``.
    :param state: its new state, as a line.
    """

    subject: str
    state: str

    def line(self) -> str:
        """Write it as one line for a log."""
        return self.state
