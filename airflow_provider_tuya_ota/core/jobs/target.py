"""The target of a job: small enough to be stored with an intent, and comparable with what the platform shows."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, Final, Self

from airflow_provider_tuya_ota.core.actions import CreateOTAStaticUpgradeJob, ListOTATaskByJob, QueryOTAJob
from airflow_provider_tuya_ota.core.errors import NotFoundError
from airflow_provider_tuya_ota.core.flows.calls import call
from airflow_provider_tuya_ota.core.flows.pages import whole_list
from airflow_provider_tuya_ota.core.model.states import JobType
from airflow_provider_tuya_ota.core.policy.retry import RetryPolicy

if TYPE_CHECKING:
    from collections.abc import Iterable

    from airflow_provider_tuya_ota.core.actions import CreateOTAVerifyJob
    from airflow_provider_tuya_ota.core.flows.effects import Flow
    from airflow_provider_tuya_ota.core.model.entities import DeviceTask, Job
    from airflow_provider_tuya_ota.core.settings import Settings

_DIGEST: Final = 5
"""Bytes that stand for a device name: of two hundred names, two share them once in fifty million requests."""
_MASK_BITS: Final = 128


class Match(Enum):
    """Whether a job has the requested target."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"
    """The platform does not show enough yet: it may list device tasks later than their job."""
    SOME = "some"
    """A complete list shows some of the devices and no other: others may be listed later, or were left out because they
    run the version already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """The devices for which a job is requested.

    :param kind: type of the job.
    :param selection: ALL, SPECIFIC, GRAY or GROUP; empty for a verification.
    :param devices: digests of the named devices, sorted; empty if none are named.
    :param src_versions: digest of the versions to upgrade from; empty if none are named.
    """

    kind: str
    firmware_id: str
    product_key: str
    selection: str = ""
    devices: tuple[str, ...] = ()
    src_versions: str = ""
    gray_percent: str = ""
    group_id: str = ""

    @classmethod
    def of(cls, action: CreateOTAVerifyJob | CreateOTAStaticUpgradeJob) -> Self:
        """Build it from a request."""
        devices = tuple(sorted(map(digest_of, action.target_device_name or ())))
        if not isinstance(action, CreateOTAStaticUpgradeJob):
            return cls(
                kind=JobType.VERIFY_FIRMWARE.value,
                firmware_id=action.firmware_id,
                product_key=action.product_key,
                devices=devices,
            )
        return cls(
            kind=JobType.UPGRADE_FIRMWARE.value,
            firmware_id=action.firmware_id,
            product_key=action.product_key,
            selection=action.target_selection,
            devices=devices,
            src_versions=_digest_of_versions(action.src_version or ()),
            gray_percent=action.gray_percent or "",
            group_id=action.group_id or "",
        )

    def to_dict(self) -> dict[str, Any]:
        """Build plain JSON values."""
        return {name: getattr(self, name) for name in self.__slots__} | {"devices": "".join(self.devices)}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """Rebuild what :meth:`to_dict` gave."""
        known = {name: str(values[name]) for name in cls.__slots__}
        step = 2 * _DIGEST
        devices = known.pop("devices")
        return cls(**known, devices=tuple(devices[at : at + step] for at in range(0, len(devices), step)))

    def overlaps(self, other: Target) -> bool:
        """Whether the two may share a device, or one job may be mistaken for that of either."""
        if (self.kind, self.product_key, self.selection) != (other.kind, other.product_key, other.selection):
            return False
        if self.devices and other.devices:
            return not set(self.devices).isdisjoint(other.devices)
        return True

    def may_share_a_job_with(self, other: Target) -> bool:
        """Whether one job may be that of either: different devices, shares, groups or source versions exclude it.

        A job for which the platform does not show these certainly belongs to no task.
        """
        if self.devices and other.devices and set(self.devices) != set(other.devices):
            return False
        # Empty: not requested. It matches a job for which the platform shows nothing.
        pairs = ((self.group_id, other.group_id), (self.src_versions, other.src_versions))
        is_apart = any(ours and theirs and ours != theirs for ours, theirs in pairs)
        return self.overlaps(other) and not is_apart and _is_same_share(self.gray_percent, other.gray_percent)

    def is_the_same_as(self, other: Target) -> bool:
        """Whether both requests name the same devices."""
        return self == other or (bool(self.devices) and self.overlaps(other))

    def describe(self) -> str:
        """Describe it for an error, without its devices."""
        share = {"share": self.gray_percent, "group": self.group_id}
        return _describe(self.kind, self.firmware_id, self.product_key, self.selection, share)

    @property
    def mask(self) -> str:
        """Compress the devices to 32 characters: targets whose masks share no bit share no device."""
        bits = 0
        for digest in self.devices:
            bits |= 1 << int(digest, 16) % _MASK_BITS
        return f"{bits or (1 << _MASK_BITS) - 1:032x}"


def may_overlap(mask: str, other: str) -> bool:
    """Whether two targets may share a device, by their masks; a text that is no mask may share any."""
    try:
        return bool(int(mask, 16) & int(other, 16))
    except ValueError:
        return True


def _digest_of_versions(versions: Iterable[str]) -> str:
    known = sorted(versions)
    return digest_of("\n".join(known)) if known else ""


def digest_of(name: str) -> str:
    """Shorten a device name to ten characters."""
    return hashlib.blake2s(name.encode(), digest_size=_DIGEST).hexdigest()


def fingerprint_of(action: CreateOTAVerifyJob | CreateOTAStaticUpgradeJob) -> str:
    """Build a text that is equal for equal requests, whatever the order of devices and source versions."""
    wire = {
        name: sorted(map(str, value)) if isinstance(value, list | tuple) else value
        for name, value in action.wire().items()
    }
    return hashlib.sha256(json.dumps([action.name, wire], sort_keys=True).encode()).hexdigest()


def match_job(settings: Settings, job: Job, target: Target) -> Flow[Match]:
    """Query whether a job has a target: YES only if the platform shows all of it.

    :param job: as a list shows it. A job that is listed before it can be queried is UNKNOWN.
    """
    if contradicts(job, target):
        return Match.NO
    try:
        queried = yield from call(settings, QueryOTAJob(job_id=job.job_id))
    except NotFoundError:
        return Match.UNKNOWN
    if contradicts(queried, target):
        return Match.NO
    if target.devices:
        return (yield from _match_devices(settings, queried, set(target.devices)))
    if target.selection and target.selection not in {queried.target_selection, job.target_selection}:
        return Match.UNKNOWN
    is_shown = (
        (not target.gray_percent or bool(queried.gray_percent))
        and (not target.group_id or bool(queried.group_id))
        and (not target.src_versions or bool(queried.src_versions))
    )
    return Match.YES if is_shown else Match.UNKNOWN


def describe_job(job: Job) -> str:
    """Describe the target of a job as :meth:`Target.describe` does, with its source versions."""
    share = {"share": job.gray_percent, "group": job.group_id, "from": ", ".join(job.src_versions)}
    return _describe(job.type, job.firmware_id, job.product_key, job.target_selection, share)


def _describe(kind: str, firmware_id: str, product_key: str, selection: str, more: dict[str, str]) -> str:
    parts = {"firmware": firmware_id, "product": product_key, "devices": selection} | more
    return ", ".join([kind, *(f"{name} {value}" for name, value in parts.items() if value)])


def contradicts(job: Job, target: Target) -> bool:
    """Whether the job itself, without its device tasks, excludes a target."""
    return (
        job.type != target.kind
        or job.firmware_id not in {target.firmware_id, ""}
        or job.product_key not in {target.product_key, ""}
        or bool(target.selection and job.target_selection not in {target.selection, ""})
        or not _is_same_share(job.gray_percent, target.gray_percent)
        or bool(job.src_versions and _digest_of_versions(job.src_versions) != target.src_versions)
        or (target.selection == "GROUP" and job.group_id not in {target.group_id, ""})
    )


def list_other_devices(settings: Settings, job_id: str, target: Target) -> Flow[list[str]]:
    """List devices of a job that were not requested, as far as one page shows them; none if no devices were named."""
    if not target.devices:
        return []
    size = ListOTATaskByJob.largest_page
    page = yield from call(
        settings, ListOTATaskByJob(job_id=job_id, current_page=1, page_size=size), RetryPolicy(attempts=1)
    )
    names = [task.device_name for task in page.items if task.device_name]
    return [name for name in names if digest_of(name) not in target.devices]


def _match_devices(settings: Settings, job: Job, requested: set[str]) -> Flow[Match]:
    size = ListOTATaskByJob.largest_page
    first = ListOTATaskByJob(job_id=job.job_id, current_page=1, page_size=size)
    page = yield from call(settings, first)
    if not _devices(page.items) <= requested:
        return Match.NO
    listing = yield from whole_list(settings, first, first_page=page)
    found = _devices(listing.items)
    if not found <= requested:
        return Match.NO
    if not found or listing.missing:
        return Match.UNKNOWN
    if found == requested:
        return Match.YES
    # A job that goes on, though each listed device task has ended, has tasks that are not listed. A job that was
    # cancelled while a device flashes is not done with it.
    is_settled = job.status.has_ended == all(task.status.has_ended for task in listing.items)
    return Match.SOME if is_settled else Match.UNKNOWN


def _devices(tasks: Iterable[DeviceTask]) -> set[str]:
    return {digest_of(task.device_name) for task in tasks}


def _is_same_share(shown: str, requested: str) -> bool:
    try:
        return not shown or not requested or float(shown) == float(requested)
    except ValueError:
        return False
