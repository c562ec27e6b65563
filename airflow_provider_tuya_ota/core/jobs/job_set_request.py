"""A request for an ordered set of upgrade jobs, each for devices that are named."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from airflow_provider_tuya_ota.core.actions import CreateOTAStaticUpgradeJob
from airflow_provider_tuya_ota.core.errors import InvalidParameterError
from airflow_provider_tuya_ota.core.jobs.job_request import JobRequest
from airflow_provider_tuya_ota.core.jobs.job_set import JobSet
from airflow_provider_tuya_ota.core.model.states import JobType
from airflow_provider_tuya_ota.core.short_repr import short_repr

if TYPE_CHECKING:
    from airflow_provider_tuya_ota.core.settings import Settings

MOST_JOBS: Final = 500
"""Jobs of one set, so that its stored note stays below 32 KB; more devices are upgraded as several sets in turn."""
MOST_DEVICES: Final = 200
"""Devices of one job, as Alibaba Cloud IoT, the upstream API, documents."""
_DIGEST: Final = 6
"""Bytes that stand for a list of devices: a list that changes keeps its digest once in 10^14 changes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobSetRequest:
    """A set of SPECIFIC upgrade jobs of one firmware, to be created in order as one intent.

    :param device_lists: names of the devices of each job, 1 to 200 a job, no device twice. At most 500 jobs.
    :param retry_interval: as in :class:`.CreateOTAStaticUpgradeJob`, like the next five; they apply to every job.
    :param earlier: jobs of the same release that were created before this set, for other devices. They are excluded
        without a request. A caller that has many and leaves them out pays up to 200 requests more for each job.
    :raises InvalidParameterError: a list is empty or too long, a device is named twice, or an option is invalid.
    """

    firmware_id: str
    product_key: str
    device_lists: tuple[tuple[str, ...], ...]
    retry_interval: int | None = None
    retry_count: int | None = None
    timeout_in_minutes: int | None = None
    need_push: bool | None = None
    need_confirm: bool | None = None
    download_protocol: str | None = None
    earlier: JobSet = field(default_factory=JobSet.of)

    def __post_init__(self) -> None:
        if not 1 <= len(self.device_lists) <= MOST_JOBS:
            raise _invalid(f"has {len(self.device_lists):,} lists", f"1 to {MOST_JOBS} lists, one for each job")
        placed: dict[str, int] = {}
        for number, names in enumerate(self.device_lists, start=1):
            if not 1 <= len(names) <= MOST_DEVICES:
                raise _invalid(f"list {number} names {len(names):,} devices", f"1 to {MOST_DEVICES} devices a list")
            self.action(number - 1)
            for name in names:
                if name in placed:
                    raise _invalid(
                        f"list {number} names {short_repr(name)}, which list {placed[name]} names already",
                        "each device once",
                    )
                placed[name] = number

    def action(self, position: int) -> CreateOTAStaticUpgradeJob:
        """Build the request for one job.

        :param position: of its list, from 0.
        """
        return CreateOTAStaticUpgradeJob(
            firmware_id=self.firmware_id,
            product_key=self.product_key,
            target_selection="SPECIFIC",
            target_device_name=list(self.device_lists[position]),
            retry_interval=self.retry_interval,
            retry_count=self.retry_count,
            timeout_in_minutes=self.timeout_in_minutes,
            need_push=self.need_push,
            need_confirm=self.need_confirm,
            download_protocol=self.download_protocol,
        )

    def job(self, settings: Settings, position: int) -> JobRequest:
        """Build the request for one job as the flows for single jobs take it."""
        return JobRequest(settings, self.action(position), JobType.UPGRADE_FIRMWARE)

    @property
    def options(self) -> str:
        """Digest of the firmware and of everything that applies to every job."""
        wire = self.action(0).wire()
        return _digest(json.dumps({name: value for name, value in wire.items() if name != "TargetDeviceName"}))

    @property
    def list_digests(self) -> tuple[str, ...]:
        """Digest of each list, whatever the order of its devices."""
        return tuple(_digest(json.dumps(sorted(names))) for names in self.device_lists)

    @property
    def positions(self) -> dict[str, int]:
        """Position of the list of each device, from 0."""
        return {name: position for position, names in enumerate(self.device_lists) for name in names}


def place(position: int, request: JobSetRequest) -> str:
    """Say which job of the set is meant, e.g. ``job 3 of 12``."""
    return f"job {position + 1} of {len(request.device_lists)}"


def _digest(text: str) -> str:
    return hashlib.blake2s(text.encode(), digest_size=_DIGEST).hexdigest()


def _invalid(problem: str, allowed: str) -> InvalidParameterError:
    return InvalidParameterError(field="device_lists (TargetDeviceName)", problem=problem, allowed=allowed)
