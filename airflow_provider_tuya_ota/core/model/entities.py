"""Firmware, jobs, device tasks, devices and products, as the platform describes them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, TypeVar

from airflow_provider_tuya_ota.core.model.states import TaskStatus

if TYPE_CHECKING:
    from airflow_provider_tuya_ota.core.model.states import DeviceStatus, FirmwareStatus, JobStatus, JobType
    from airflow_provider_tuya_ota.core.secret import Secret

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadTicket:
    """Permission to put one file into object storage, valid for about a minute.

    :param host: address of the bucket, to which the form is posted; not in the repr, because it may be presigned.
    :param key: name of the object.
    :param access_key_id: key id of the storage, not of the platform.
    :param policy: what the form may contain, in Base64.
    :param signature: signature of the policy.
    :param firmware_url: address of the object, for CreateOTAFirmware.
    """

    host: str = field(repr=False)
    key: str
    access_key_id: Secret
    policy: Secret
    signature: Secret
    firmware_url: Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class Created:
    """The answer to a create operation.

    :param entity_id: id of what was created; None where the answer has none.
    :param utc_create: time of creation as the platform writes it; empty where the answer has none.
    :param request_id: id of the request that created it.
    """

    entity_id: str | None
    utc_create: str
    request_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Firmware:
    """A firmware.

    :param module_name: OTA module; ``default`` is the whole device.
    :param src_version: version that it upgrades; empty where it upgrades any.
    :param firmware_sign: hex digest of the file, by ``sign_method``, in lower case; empty where not given.
    :param firmware_size: bytes; None where not given.
    """

    firmware_id: str
    name: str
    version: str
    product_key: str
    status: FirmwareStatus
    module_name: str = "default"
    src_version: str = ""
    firmware_sign: str = ""
    sign_method: str = ""
    firmware_size: int | None = None
    utc_create: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A verification or upgrade job.

    Only QueryOTAJob gives ``gray_percent``, ``group_id`` and ``src_versions``; lists leave them empty.

    :param target_selection: ALL, SPECIFIC, GRAY or GROUP; empty where not given.
    :param need_confirm: whether each device waits until its task is confirmed; None where not given.
    :param need_push: whether devices are offered the firmware; if not, they have to ask for it. None where not given.
    :param gray_percent: share of the devices of a GRAY upgrade.
    :param group_id: group of the devices of a GROUP upgrade.
    :param src_versions: versions that are upgraded, sorted.
    :param utc_create: time of creation as the platform writes it.
    """

    job_id: str
    firmware_id: str
    status: JobStatus
    type: JobType
    product_key: str = ""
    target_selection: str = ""
    need_confirm: bool | None = None
    need_push: bool | None = None
    gray_percent: str = ""
    group_id: str = ""
    src_versions: tuple[str, ...] = ()
    utc_create: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceTask:
    """One device in one job.

    :param progress: percent as the platform writes it; empty before the device's first report.
    :param reason: the platform's ``TaskDesc``, redacted; empty where it gives none.
    """

    task_id: str
    device_name: str
    status: TaskStatus
    progress: str = ""
    reason: str = ""
    src_version: str = ""
    dest_version: str = ""
    job_id: str = ""
    firmware_id: str = ""
    module_name: str = ""

    def read_after(self, earlier: DeviceTask) -> DeviceTask:
        """Give the state that counts, where one reading shows the same task twice.

        It is the later one. But of two different ends, a success does not replace the other: a task ends once.
        """
        is_contradiction = earlier.status.has_ended and self.status == TaskStatus.SUCCEEDED
        return earlier if is_contradiction else self


@dataclass(frozen=True, slots=True, kw_only=True)
class OtaModule:
    """A part of a product's devices that is upgraded separately.

    :param created_at: as the platform writes it, to the minute.
    :param modified_at: as the platform writes it, to the minute.
    """

    module_name: str
    product_key: str = ""
    alias_name: str = ""
    desc: str = ""
    created_at: str = ""
    modified_at: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModuleVersion:
    """The version that a device has reported for one of its modules."""

    device_name: str
    module_name: str
    version: str
    iot_id: str = ""
    product_key: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """A device.

    :param device_secret: key of the device; never shown.
    """

    device_name: str
    product_key: str
    status: DeviceStatus
    iot_id: str = ""
    device_secret: Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class DevicePresence:
    """Whether a device is online.

    :param last_online_at: as the platform writes it, in local time.
    """

    device_name: str
    status: DeviceStatus
    iot_id: str = ""
    last_online_at: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """A product.

    :param device_count: number of its devices; None where not given.
    """

    product_key: str
    name: str = ""
    device_count: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Generic[Item]):
    """One page of a list.

    :param total: number of items on all pages; None where not given.
    :param next_token: token of the next page, for pages that page numbers do not reach; empty where there is none.
    """

    items: list[Item] = field(default_factory=list)
    total: int | None = None
    next_token: str = ""

    def is_cut_short(self, size: int) -> bool:
        """Whether a first page is shorter than asked for although its total says that there are more items."""
        return len(self.items) < size and (self.total or 0) > len(self.items)
