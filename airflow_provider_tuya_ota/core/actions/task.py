"""Device tasks: list those of a job, cancel those that have not begun."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from airflow_provider_tuya_ota.core.actions.base import Action
from airflow_provider_tuya_ota.core.actions.device import which_device
from airflow_provider_tuya_ota.core.actions.firmware import MODULE_NAME
from airflow_provider_tuya_ota.core.actions.reading import about, nothing, read_page, required_id, required_name
from airflow_provider_tuya_ota.core.actions.rules import each, one_of, optional, required, up_to_items, whole_from
from airflow_provider_tuya_ota.core.actions.texts import ID, IDS, NAME, NAMES
from airflow_provider_tuya_ota.core.errors import InvalidParameterError
from airflow_provider_tuya_ota.core.model.entities import DeviceTask, Page
from airflow_provider_tuya_ota.core.model.states import UNFINISHED, TaskStatus
from airflow_provider_tuya_ota.core.policy.rate import RateLimitGroup

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow_provider_tuya_ota.core.wire.record import Record
    from airflow_provider_tuya_ota.core.wire.reply import Reply


@dataclass(frozen=True, slots=True, kw_only=True)
class ListOTATaskByJob(Action[Page[DeviceTask]]):
    """Read one page of a job's device tasks, of verification jobs too.

    Source: https://developer.tuya.com/en/docs/tuya-iot/ListOTATaskByJob?id=Kf0lr3sl2jzfs .

    :param job_id: job whose tasks to list.
    :param current_page: from 1.
    :param page_size: 1 to 100.
    :param task_status: tasks of one status only.
    :param device_names: tasks of these devices only; Alibaba Cloud IoT accepts at most 50 and then ignores paging.
    """

    name: ClassVar[str] = "ListOTATaskByJob"
    largest_page: ClassVar[int] = 100

    job_id: str = required("JobId", str, ID)
    current_page: int | None = optional("CurrentPage", int, whole_from(1, 2**31 - 1))
    page_size: int | None = optional("PageSize", int, whole_from(1, 100))
    task_status: str | None = optional("TaskStatus", str, one_of(*TaskStatus))
    device_names: Sequence[str] | None = optional("DeviceNames", list, NAMES, advisory=(up_to_items(50),))

    def parse(self, reply: Reply) -> Page[DeviceTask]:
        """Read the page."""
        return read_page(
            reply, "Data", "TaskId", lambda item: read_task(about(item, self.name, JobId=self.job_id), self.name)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelOTATaskByJob(Action[None]):
    """Cancel the tasks of a job that have not begun. A device that is flashing cannot be stopped.

    Alibaba Cloud IoT, the upstream API, refuses a call without any switch. With ``cancel_queued_task`` and without
    ``cancel_unconfirmed_task`` it also cancels tasks that wait for confirmation.
    Source: https://developer.tuya.com/en/docs/tuya-iot/CancelOTATaskByJob?id=Kf0lq5eza4vt4 .

    :param job_id: job whose tasks to cancel.
    :param cancel_queued_task: those in QUEUED; False by default at the platform.
    :param cancel_notified_task: those in NOTIFIED; False by default at the platform.
    :param cancel_unconfirmed_task: those in CONFIRM; neither True nor False by default at the platform.
    """

    name: ClassVar[str] = "CancelOTATaskByJob"
    rate_limit_group: ClassVar[RateLimitGroup] = RateLimitGroup.CANCELS

    job_id: str = required("JobId", str, ID)
    cancel_queued_task: bool | None = optional("CancelQueuedTask", bool)
    cancel_notified_task: bool | None = optional("CancelNotifiedTask", bool)
    cancel_unconfirmed_task: bool | None = optional("CancelUnconfirmedTask", bool)

    def advisories(self) -> list[str]:
        """Warn of a call that would cancel nothing."""
        if self.cancel_queued_task or self.cancel_notified_task or self.cancel_unconfirmed_task:
            return []
        return [f"{self.name}: no switch is True, so nothing would be cancelled; Alibaba Cloud IoT refuses such a call"]

    def parse(self, reply: Reply) -> None:
        """Read nothing."""
        return nothing(reply)


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelOTATaskByDevice(Action[None]):
    """Cancel the tasks of named devices in CONFIRM, QUEUED or NOTIFIED. A device that is flashing cannot be stopped.

    Source: https://developer.tuya.com/en/docs/tuya-iot/CancelOTATaskByDevice?id=Kf0lqc4ulorvw .

    :param product_key: product of the devices.
    :param firmware_id: firmware that they were to take.
    :param device_name: devices.
    :param job_id: cancel in this job only.
    """

    name: ClassVar[str] = "CancelOTATaskByDevice"
    rate_limit_group: ClassVar[RateLimitGroup] = RateLimitGroup.CANCELS

    product_key: str = required("ProductKey", str, ID)
    firmware_id: str = required("FirmwareId", str, ID)
    device_name: Sequence[str] = required("DeviceName", list, NAMES)
    job_id: str | None = optional("JobId", str, ID)

    def parse(self, reply: Reply) -> None:
        """Read nothing."""
        return nothing(reply)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmOTATask(Action[None]):
    """Confirm up to 10 tasks that wait for confirmation: their devices are offered the firmware.

    Source: https://developer.tuya.com/en/docs/tuya-iot/ConfirmOTATask?id=Kf0lqj1jc9vlr .

    :param task_id: tasks in CONFIRM.
    """

    name: ClassVar[str] = "ConfirmOTATask"

    task_id: Sequence[str] = required("TaskId", list, IDS, up_to_items(10))

    def parse(self, reply: Reply) -> None:
        """Read nothing."""
        return nothing(reply)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListOTAUnfinishedTaskByDevice(Action[list[DeviceTask]]):
    """List the unfinished tasks of a device; there are no pages.

    Source: https://developer.tuya.com/en/docs/tuya-iot/ListOTAUnfinishedTaskByDevice?id=Kf0lrask7tjpo .

    :param module_name: tasks of this module only.
    :param task_status: tasks of one status only; either this or ``task_status_list``.
    :param task_status_list: tasks of these statuses only.
    :param product_key: with ``device_name``; optional at the vendor, needed at Alibaba Cloud IoT unless ``iot_id`` is
        given.
    :param device_name: name of the device.
    :param iot_id: id of the device that is unique in the account.
    """

    name: ClassVar[str] = "ListOTAUnfinishedTaskByDevice"

    module_name: str | None = optional("ModuleName", str, MODULE_NAME)
    task_status: str | None = optional("TaskStatus", str, one_of(*UNFINISHED))
    task_status_list: Sequence[str] | None = optional("TaskStatusList", list, each(one_of(*UNFINISHED)))
    product_key: str | None = optional("ProductKey", str, ID)
    device_name: str | None = optional("DeviceName", str, NAME)
    iot_id: str | None = optional("IotId", str, ID)

    def __post_init__(self) -> None:
        Action.__post_init__(self)
        if self.task_status is not None and self.task_status_list is not None:
            raise InvalidParameterError(
                field="task_status_list (TaskStatusList)",
                problem="is given together with task_status",
                allowed="one of the two",
            )

    def advisories(self) -> list[str]:
        """Warn of a call that does not identify the device."""
        return Action.advisories(self) + which_device(self.name, self.product_key, self.device_name, self.iot_id)

    def parse(self, reply: Reply) -> list[DeviceTask]:
        """Read the list."""
        asked = {
            "ProductKey": self.product_key,
            "DeviceName": self.device_name,
            "IotId": self.iot_id,
            "ModuleName": self.module_name,
        }
        items = reply.fields.items_of("Data", item_key="TaskId")
        return [read_task(about(item, self.name, **asked), self.name) for item in items]


def read_task(data: Record, action: str) -> DeviceTask:
    """Read a device task."""
    return DeviceTask(
        task_id=required_id(data, "TaskId", action),
        device_name=data.device("DeviceName"),
        status=TaskStatus(required_name(data, "TaskStatus", action)),
        progress=data.shown("Progress"),
        reason=data.text("TaskDesc"),
        src_version=data.shown("SrcVersion"),
        dest_version=data.shown("DestVersion"),
        job_id=data.id("JobId"),
        firmware_id=data.id("FirmwareId"),
        module_name=data.name("ModuleName"),
    )
