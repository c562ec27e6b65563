"""What happens while something is polled."""

from __future__ import annotations

from dataclasses import dataclass

from airflow_provider_tuya_ota.core.flows.events import FlowEvent, FlowWarning


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
