"""Device tasks: list those of a job, cancel those that have not begun."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from airflow_provider_tuya_ota.core.actions.base import Action
from airflow_provider_tuya_ota.core.actions.reading import read_page, required_text
from airflow_provider_tuya_ota.core.actions.rules import one_of, optional, required, up_to_items, whole_from
from airflow_provider_tuya_ota.core.models import DeviceTask, Page
from airflow_provider_tuya_ota.core.rate import Lane
from airflow_provider_tuya_ota.core.states import TaskStatus

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow_provider_tuya_ota.core.envelope import Reply
    from airflow_provider_tuya_ota.core.record import Record


@dataclass(frozen=True, slots=True, kw_only=True)
class ListOTATaskByJob(Action[Page[DeviceTask]]):
    """Read one page of a job's device tasks, of verification jobs too.

    Source: https://developer.tuya.com/en/docs/tuya-iot/ListOTATaskByJob?id=Kf0lr3sl2jzfs .

    :param job_id: job whose tasks to list.
    :param current_page: from 1.
    :param page_size: 1 to 100.
    :param task_status: tasks of one status only.
    :param device_names: tasks of these devices only; the original accepts at most 50 and then ignores paging.
    """

    name: ClassVar[str] = "ListOTATaskByJob"
    largest_page: ClassVar[int] = 100

    job_id: str = required("JobId", str)
    current_page: int | None = optional("CurrentPage", int, whole_from(1, 2**31 - 1))
    page_size: int | None = optional("PageSize", int, whole_from(1, 100))
    task_status: str | None = optional("TaskStatus", str, one_of(*TaskStatus))
    device_names: Sequence[str] | None = optional("DeviceNames", list, advisory=(up_to_items(50),))

    def parse(self, reply: Reply) -> Page[DeviceTask]:
        """Read the page."""
        return read_page(reply, "Data", "TaskId", lambda item: read_task(item, self.name))


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelOTATaskByJob(Action[None]):
    """Cancel the tasks of a job that have not begun. A device that is flashing cannot be stopped.

    The original refuses a call without any switch. With ``cancel_queued_task`` and without
    ``cancel_unconfirmed_task`` it also cancels tasks that wait for confirmation.
    Source: https://developer.tuya.com/en/docs/tuya-iot/CancelOTATaskByJob?id=Kf0lq5eza4vt4 .

    :param job_id: job whose tasks to cancel.
    :param cancel_queued_task: those in QUEUED; False by default at the platform.
    :param cancel_notified_task: those in NOTIFIED; False by default at the platform.
    :param cancel_unconfirmed_task: those in CONFIRM; neither True nor False by default at the platform.
    """

    name: ClassVar[str] = "CancelOTATaskByJob"
    lane: ClassVar[Lane] = Lane.CANCELS

    job_id: str = required("JobId", str)
    cancel_queued_task: bool | None = optional("CancelQueuedTask", bool)
    cancel_notified_task: bool | None = optional("CancelNotifiedTask", bool)
    cancel_unconfirmed_task: bool | None = optional("CancelUnconfirmedTask", bool)

    def advisories(self) -> list[str]:
        """Name a call that would cancel nothing."""
        if self.cancel_queued_task or self.cancel_notified_task or self.cancel_unconfirmed_task:
            return []
        return [f"{self.name}: no switch is True, so nothing would be cancelled; the original refuses such a call"]

    def parse(self, reply: Reply) -> None:  # noqa: ARG002 - the answer holds nothing but its success
        """Read nothing."""
        return


def read_task(data: Record, action: str) -> DeviceTask:
    """Read a device task."""
    return DeviceTask(
        task_id=required_text(data, "TaskId", action),
        device_name=data.text("DeviceName"),
        status=TaskStatus(required_text(data, "TaskStatus", action)),
        progress=data.text("Progress"),
        reason=data.text("TaskDesc"),
        src_version=data.text("SrcVersion"),
        dest_version=data.text("DestVersion"),
    )
