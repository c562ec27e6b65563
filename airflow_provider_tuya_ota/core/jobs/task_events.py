"""What happens while device tasks are cancelled or confirmed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from airflow_provider_tuya_ota.core.flows.events import FlowEvent, FlowWarning, Level
from airflow_provider_tuya_ota.core.model.task_counts import render_counts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow_provider_tuya_ota.core.model.states import TaskStatus


@dataclass(frozen=True, slots=True)
class TasksCounted(FlowEvent):
    """The unfinished device tasks of a job were counted.

    :param counts: by status.
    :param is_after_cancel: whether the cancel was sent before.
    """

    job_id: str
    counts: Mapping[TaskStatus, int]
    is_after_cancel: bool

    def line(self) -> str:
        """Write it as one line for a log."""
        when = "After" if self.is_after_cancel else "Before"
        return f"{when} the cancel, job {self.job_id} has {render_counts(self.counts, 'no unfinished device task')}"


@dataclass(frozen=True, slots=True)
class CancelNotCounted(FlowWarning):
    """The platform accepted a cancel, and its effect could not be read."""

    job_id: str

    def line(self) -> str:
        """Write it as one line for a log."""
        return f"The platform accepted the cancel of job {self.job_id}; its effect could not be counted"


@dataclass(frozen=True, slots=True)
class NothingCancelled(FlowWarning):
    """A cancel had nothing to cancel, or it is not known whether it had.

    :param summary: what became of the job, as the end of a sentence.
    """

    job_id: str
    summary: str

    def line(self) -> str:
        """Write it as one line for a log."""
        return f"Job {self.job_id} {self.summary}"


@dataclass(frozen=True, slots=True)
class DevicesFlashing(FlowWarning):
    """Devices are flashing, which no cancel stops.

    :param devices: how many.
    """

    job_id: str
    devices: int

    def line(self) -> str:
        """Write it as one line for a log."""
        return (
            f"{self.devices} devices of job {self.job_id} are flashing and cannot be stopped. TuyaOTAJobSensor waits"
            " for them"
        )


@dataclass(frozen=True, slots=True)
class DeviceCancelUnknown(FlowWarning):
    """A cancel by device was refused after an answer was lost; which devices still have a task is read.

    :param problem: the refusal, as a sentence.
    """

    problem: str

    def line(self) -> str:
        """Write it as one line for a log."""
        return f"{self.problem} An answer was lost before; reading which devices still have a task."


@dataclass(frozen=True, slots=True)
class BatchConfirmRefused(FlowWarning):
    """The platform refused a batch, in which some tasks wait no longer; they are confirmed one by one.

    :param problem: the refusal, as a sentence.
    """

    problem: str

    def line(self) -> str:
        """Write it as one line for a log."""
        return f"{self.problem} Confirming these one by one."


@dataclass(frozen=True, slots=True)
class TaskNotWaiting(FlowWarning):
    """A device task waits for no confirmation.

    :param problem: the refusal, as a sentence.
    """

    task_id: str
    problem: str

    def line(self) -> str:
        """Write it as one line for a log."""
        return f"{self.problem} Task {self.task_id} waits for no confirmation."


@dataclass(frozen=True, slots=True)
class TasksConfirmed(FlowEvent):
    """Device tasks were confirmed.

    :param task_ids: which ones.
    :param is_answer_lost: whether the request that confirmed them was not answered, and no task waits any more.
    """

    task_ids: tuple[str, ...]
    is_answer_lost: bool = False

    @property
    def level(self) -> Level:
        """How much attention it deserves: a warning where an answer was lost."""
        return Level.WARNING if self.is_answer_lost else Level.INFO

    def line(self) -> str:
        """Write it as one line for a log."""
        line = f"Confirmed {len(self.task_ids)} device tasks: {', '.join(self.task_ids)}"
        if self.is_answer_lost:
            return f"{line}. None of them waits, so the request whose answer was lost has confirmed them"
        return line


@dataclass(frozen=True, slots=True)
class ConfirmInterrupted(FlowWarning):
    """Confirming failed after some tasks were confirmed.

    :param task_ids: those that were confirmed.
    """

    task_ids: tuple[str, ...]

    def line(self) -> str:
        """Write it as one line for a log."""
        return f"{len(self.task_ids)} device tasks were confirmed before the error: {', '.join(self.task_ids)}"
