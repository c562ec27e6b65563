"""What happens while a release is halted."""

from __future__ import annotations

from dataclasses import dataclass

from airflow_provider_tuya_ota.core.flows.events import FlowEvent, FlowWarning, Level


@dataclass(frozen=True, slots=True)
class HaltBegun(FlowEvent):
    """A halt begins, or goes on after its process was lost.

    :param reason: why the release is halted.
    :param jobs: how many jobs are stopped.
    :param is_resumed: whether an earlier process began it.
    """

    reason: str
    jobs: int
    is_resumed: bool

    def line(self) -> str:
        """Write it as one line for a log."""
        verb = "Going on with the halt of" if self.is_resumed else "Halting"
        return f"{verb} the release: cancelling {self.jobs:,} jobs. Reason: {self.reason}"


@dataclass(frozen=True, slots=True)
class HaltStateLost(FlowWarning):
    """The stored state of a halt cannot be used; the halt goes on without it.

    :param problem: what is wrong with it, as the end of a sentence.
    """

    problem: str

    def line(self) -> str:
        """Write it as one line for a log."""
        return f"The stored state of the halt {self.problem}. Every job is cancelled and read again."


@dataclass(frozen=True, slots=True)
class HaltCancelFailed(FlowWarning):
    """The cancel of a job failed; it is sent again in the next round unless a list shows nothing to cancel.

    :param problem: the error, as a sentence.
    """

    job_id: str
    problem: str

    def line(self) -> str:
        """Write it as one line for a log."""
        return f"Job {self.job_id} may not be cancelled yet. {self.problem}"


@dataclass(frozen=True, slots=True)
class HaltJobUnread(FlowWarning):
    """The device tasks of a job could not be read; it is cancelled and read again.

    :param problem: the error, as a sentence.
    """

    job_id: str
    problem: str

    def line(self) -> str:
        """Write it as one line for a log."""
        return f"{self.problem} Cancelling and reading job {self.job_id} again."


@dataclass(frozen=True, slots=True)
class HaltListed(FlowEvent):
    """The jobs were cancelled where needed, and listed.

    :param waiting: device tasks that could still be cancelled.
    :param flashing: device tasks that cannot be cancelled and have not ended.
    :param missing: devices of which no task is listed, in jobs that may still begin some.
    :param unread: jobs that could not be read.
    """

    waiting: int
    flashing: int
    missing: int
    unread: int

    @property
    def level(self) -> Level:
        """How much attention it deserves."""
        return Level.WARNING if self.unread else Level.INFO

    def line(self) -> str:
        """Write it as one line for a log."""
        parts = [
            f"{self.waiting:,} device tasks can still be cancelled",
            f"{self.flashing:,} cannot be cancelled and go on",
        ]
        parts += [f"{self.missing:,} devices have no task yet"] * bool(self.missing)
        parts += [f"{self.unread:,} jobs could not be read"] * bool(self.unread)
        return f"Halting: {', '.join(parts)}"


@dataclass(frozen=True, slots=True)
class HaltSettled(FlowEvent):
    """The halt has settled.

    :param text: what became of the devices, in numbers.
    :param is_known: False if the deadline passed while something could still begin or could not be read.
    """

    text: str
    is_known: bool

    @property
    def level(self) -> Level:
        """How much attention it deserves."""
        return Level.INFO if self.is_known else Level.WARNING

    def line(self) -> str:
        """Write it as one line for a log."""
        end = "" if self.is_known else ". The deadline has passed, and devices may still begin"
        return f"The halt has settled: {self.text}{end}"
