"""What the platform tells about firmwares, jobs and device tasks."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from airflow_provider_tuya_ota.core.model.states import DeviceStatus, FirmwareStatus, JobStatus, JobType, TaskStatus
    from airflow_provider_tuya_ota.core.secret import Secret

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadTicket:
    """Permission to put one file into object storage; good for about a minute.

    :param host: origin of the bucket, the address of the form POST; not in the repr, because whatever is told there may
        be presigned.
    :param key: name of the object.
    :param access_key_id: storage's own key id.
    :param policy: Base64 of what the form may contain.
    :param signature: proof of the policy.
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
    """What a create operation answered.

    :param entity_id: id of what was created; None where the answer has none.
    :param utc_create: as the platform wrote it; empty where it did not.
    :param request_id: of the creating request.
    """

    entity_id: str | None
    utc_create: str
    request_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Firmware:
    """A firmware.

    :param firmware_size: bytes, None where not told.
    :param firmware_sign: digest of the file under ``sign_method``, lower case.
    :param module_name: ``default`` is the whole device.
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

    :param gray_percent: share of a GRAY upgrade; told by QueryOTAJob alone.
    :param group_id: devices of a GROUP upgrade; likewise.
    :param src_versions: versions that are upgraded, sorted; likewise, and empty where none are told.
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

    :param progress: percent as the platform wrote it; empty before the first report.
    :param reason: the platform's ``TaskDesc``.
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


@dataclass(frozen=True, slots=True, kw_only=True)
class OtaModule:
    """A part of a product's devices that is upgraded separately.

    :param created_at: as the platform wrote it, to the minute.
    :param modified_at: likewise.
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

    :param device_secret: its key; never printed.
    """

    device_name: str
    product_key: str
    status: DeviceStatus
    iot_id: str = ""
    device_secret: Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class DevicePresence:
    """Whether a device is online.

    :param last_online_at: as the platform wrote it, in local style.
    """

    device_name: str
    status: DeviceStatus
    iot_id: str = ""
    last_online_at: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """A product.

    :param device_count: None where not told.
    """

    product_key: str
    name: str = ""
    device_count: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Generic[Item]):
    """One page of a list.

    :param total: items on all pages, None where not told.
    :param next_token: asks for the next page where numbers do not reach; empty where there is none.
    """

    items: list[Item] = field(default_factory=list)
    total: int | None = None
    next_token: str = ""

    def tells_more(self, size: int) -> bool:
        """Whether a first page has fewer items than it was asked for, and its total says that there are others."""
        return len(self.items) < size and (self.total or 0) > len(self.items)
