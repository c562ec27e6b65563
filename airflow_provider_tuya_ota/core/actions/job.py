"""Operations on jobs: start a verification, query a job, list the jobs of a firmware or a device."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from airflow_provider_tuya_ota.core.actions.base import Action
from airflow_provider_tuya_ota.core.actions.reading import about, created, read_page, required_id, required_name
from airflow_provider_tuya_ota.core.actions.rules import one_of, optional, required, up_to_items, whole_from
from airflow_provider_tuya_ota.core.actions.texts import ID, NAME, NAMES
from airflow_provider_tuya_ota.core.model.entities import Created, Job, Page
from airflow_provider_tuya_ota.core.model.states import JobStatus, JobType
from airflow_provider_tuya_ota.core.policy.retry import Repeat
from airflow_provider_tuya_ota.core.wire.record import Record
from airflow_provider_tuya_ota.core.wire.redaction import safe_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow_provider_tuya_ota.core.wire.reply import Reply


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateOTAVerifyJob(Action[Created]):
    """Start a verification: the named devices are offered the firmware at once.

    Source: https://developer.tuya.com/en/docs/tuya-iot/CreateOTAVerifyJob?id=Kf0louscz3hvc .

    :param firmware_id: firmware to verify.
    :param product_key: product of the devices.
    :param timeout_in_minutes: 1 to 1440, per device from its first progress report on; left out, a device may take
        any time.
    :param target_device_name: devices to try the firmware on. Optional at the vendor, whose own example names none;
        which devices the platform then chooses is not documented. Alibaba Cloud IoT accepts at most 10.
    :param need_push: True by default at the platform: online devices are offered the firmware; if False, they have to
        ask.
    :param need_confirm: False by default at the platform; with True, each device waits until its task is confirmed.
    :param download_protocol: HTTPS, the only one.
    """

    name: ClassVar[str] = "CreateOTAVerifyJob"
    repeat: ClassVar[Repeat] = Repeat.DUPLICATES

    firmware_id: str = required("FirmwareId", str, ID)
    product_key: str = required("ProductKey", str, ID)
    timeout_in_minutes: int | None = optional("TimeoutInMinutes", int, whole_from(1, 1440))
    target_device_name: Sequence[str] | None = optional(
        "TargetDeviceName",
        list,
        NAMES,
        advisory=(up_to_items(10),),
        if_empty="leave it out to let the platform choose",
    )
    need_push: bool | None = optional("NeedPush", bool)
    need_confirm: bool | None = optional("NeedConfirm", bool)
    download_protocol: str | None = optional("DownloadProtocol", str, one_of("HTTPS"))

    def parse(self, reply: Reply) -> Created:
        """Read the job's id: under ``jobId`` in the vendor's table, under ``firmwareId`` in its only example."""
        return created(reply, "JobId", "FirmwareId", other_than=self.firmware_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryOTAJob(Action[Job]):
    """Read one job.

    Source: https://help.aliyun.com/zh/marketplace/queryotajob .

    :param job_id: id of the job.
    """

    name: ClassVar[str] = "QueryOTAJob"

    job_id: str = required("JobId", str, ID)

    def parse(self, reply: Reply) -> Job:
        """Read the job."""
        return read_job(about(reply.fields.record("Data"), self.name, JobId=self.job_id), self.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListOTAJobByFirmware(Action[Page[Job]]):
    """Read one page of a firmware's jobs.

    Source: https://developer.tuya.com/en/docs/tuya-iot/ListOTAJobByFirmware?id=Kf0lqq9s2gl01 .

    :param firmware_id: firmware whose jobs to list.
    :param current_page: from 1.
    :param page_size: 1 to 200.
    """

    name: ClassVar[str] = "ListOTAJobByFirmware"
    largest_page: ClassVar[int] = 200

    firmware_id: str = required("FirmwareId", str, ID)
    current_page: int = required("CurrentPage", int, whole_from(1, 2**31 - 1))
    page_size: int = required("PageSize", int, whole_from(1, 200))

    def parse(self, reply: Reply) -> Page[Job]:
        """Read the page."""
        return read_page(reply, "Data", "JobId", self._read)

    def _read(self, item: Record) -> Job:
        return read_job(about(item, self.name, FirmwareId=self.firmware_id), self.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListOTAJobByDevice(Action[Page[Job]]):
    """Read one page of the jobs in which a device takes a firmware.

    Source: https://developer.tuya.com/en/docs/tuya-iot/ListOTAJobByDevice?id=Kf0lqxkpa6icd .

    :param product_key: product of the device.
    :param device_name: name of the device.
    :param firmware_id: firmware.
    :param current_page: from 1.
    :param page_size: 1 to 100.
    """

    name: ClassVar[str] = "ListOTAJobByDevice"
    largest_page: ClassVar[int] = 100

    product_key: str = required("ProductKey", str, ID)
    device_name: str = required("DeviceName", str, NAME)
    firmware_id: str = required("FirmwareId", str, ID)
    current_page: int = required("CurrentPage", int, whole_from(1, 2**31 - 1))
    page_size: int = required("PageSize", int, whole_from(1, 100))

    def parse(self, reply: Reply) -> Page[Job]:
        """Read the page."""
        return read_page(reply, "Data", "JobId", self._read)

    def _read(self, item: Record) -> Job:
        asked = {"ProductKey": self.product_key, "DeviceName": self.device_name, "FirmwareId": self.firmware_id}
        return read_job(about(item, self.name, **asked), self.name)


def _versions(value: Any) -> tuple[str, ...]:
    """Read a list of versions in any of its forms; anything else counts as no version."""
    if isinstance(value, Record):
        value = next(iter(value.plain().values()), None)
    if isinstance(value, str):
        value = [value]
    return tuple(sorted([safe_name(one) for one in value if isinstance(one, str)])) if isinstance(value, list) else ()


def read_job(data: Record, action: str) -> Job:
    """Read a job from a list or a query."""
    return Job(
        job_id=required_id(data, "JobId", action),
        firmware_id=data.id("FirmwareId"),
        status=JobStatus(required_name(data, "JobStatus", action)),
        type=JobType(data.name("JobType")),
        product_key=data.id("ProductKey"),
        target_selection=data.name("TargetSelection"),
        need_confirm=data.flag("NeedConfirm"),
        need_push=data.flag("NeedPush"),
        gray_percent=data.name("GrayPercent"),
        group_id=data.id("GroupId"),
        src_versions=_versions(data.get("SrcVersions")),
        utc_create=data.name("UtcCreate"),
    )
