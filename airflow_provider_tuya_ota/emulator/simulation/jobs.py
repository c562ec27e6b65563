"""Jobs and device tasks, and the transitions between task statuses."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from airflow_provider_tuya_ota.emulator.clock import iso_ms

if TYPE_CHECKING:
    from airflow_provider_tuya_ota.emulator.fleet import Device
    from airflow_provider_tuya_ota.emulator.simulation.firmwares import Firmware

TRANSITIONS: dict[str, frozenset[str]] = {
    "CONFIRM": frozenset({"QUEUED", "FAILED", "CANCELED"}),
    "QUEUED": frozenset({"NOTIFIED", "FAILED", "CANCELED"}),
    "NOTIFIED": frozenset({"IN_PROGRESS", "FAILED", "SUCCEEDED", "CANCELED"}),
    "IN_PROGRESS": frozenset({"SUCCEEDED", "FAILED"}),
    "SUCCEEDED": frozenset(),
    "FAILED": frozenset(),
    "CANCELED": frozenset(),
}
"""The statuses that may follow each task status."""
ENDED = frozenset(status for status, after in TRANSITIONS.items() if not after)


@dataclass(slots=True)
class Job:
    """One job.

    :param planned: devices that will get a task when the job begins, or later.
    :param part_size: how many of them get a task at the same time.
    """

    job_id: str
    firmware: Firmware
    kind: str
    selection: str
    created: float
    modified: float
    timeout_minutes: int | None = None
    need_push: bool = True
    need_confirm: bool = False
    protocol: str = "HTTPS"
    retry_interval: int | None = None
    retry_count: int | None = None
    gray_percent: str | None = None
    group_id: str | None = None
    status: str = "PLANNED"
    planned: list[Device] = field(default_factory=list)
    part_size: int = 0
    tasks: list[Task] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    unfinished: int = 0

    @property
    def key(self) -> str:
        """Unique key among all entities."""
        return f"job {self.job_id}"

    def describe(self) -> dict[str, Any]:
        """Give the fields that a list shows."""
        return {
            "FirmwareId": self.firmware.firmware_id,
            "JobId": self.job_id,
            "JobStatus": self.status,
            "JobType": self.kind,
            "ProductKey": self.firmware.product.product_key,
            "TargetSelection": self.selection,
            "UtcCreate": iso_ms(self.created),
            "UtcModified": iso_ms(self.modified),
        }


@dataclass(slots=True)
class Task:
    """One device in one job.

    :param retries: number of retries so far.
    :param scheduled: whether an event for the device's next step is pending.
    :param waiting: name and number of the event that happens once the device is online again.
    """

    task_id: str
    job: Job
    device: Device
    src_version: str
    created: float
    modified: float
    status: str = ""
    progress: int | None = None
    desc: str = ""
    retries: int = 0
    scheduled: bool = False
    waiting: tuple[str, int] | None = None

    @property
    def key(self) -> str:
        """Unique key among all entities."""
        return f"task {self.task_id}"

    def describe(self) -> dict[str, Any]:
        """Give the fields that a list shows; numbers are texts there."""
        job = self.job
        return {
            "DestVersion": job.firmware.version,
            "DeviceName": self.device.name,
            "FirmwareId": job.firmware.firmware_id,
            "IotId": self.device.iot_id,
            "JobId": job.job_id,
            "ProductKey": job.firmware.product.product_key,
            "ProductName": job.firmware.product.name,
            "Progress": None if self.progress is None else str(self.progress),
            "SrcVersion": self.src_version,
            "TaskDesc": self.desc or None,
            "TaskId": self.task_id,
            "TaskStatus": self.status,
            "Timeout": None if job.timeout_minutes is None else str(job.timeout_minutes),
            "UtcCreate": iso_ms(self.created),
            "UtcModified": iso_ms(self.modified),
        }
