"""Ask devices that reported success for the version that they run."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

from airflow_provider_tuya_ota.core.actions import ListOTAModuleVersionsByDevice
from airflow_provider_tuya_ota.core.errors import TRANSIENT_ERRORS, NotFoundError
from airflow_provider_tuya_ota.core.flows.effects import Flow, ReadContext, Sleep
from airflow_provider_tuya_ota.core.flows.lists import list_tasks
from airflow_provider_tuya_ota.core.flows.pages import every_page, whole_list
from airflow_provider_tuya_ota.core.model.states import TaskStatus
from airflow_provider_tuya_ota.rollout.landed.events import (
    LandedCheckBegun,
    LandedElsewhere,
    LandedReadFailed,
    LandedUnknown,
)
from airflow_provider_tuya_ota.rollout.landed.result import LandedVersions
from airflow_provider_tuya_ota.rollout.record.finish import VersionFound

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from airflow_provider_tuya_ota.core.settings import Settings
    from airflow_provider_tuya_ota.rollout.landed.request import LandedRequest

MOST_FAILURES: Final = 10
"""Failed devices in a row after which a check ends with the last error; each was asked again for fifteen seconds."""
PAUSE: Final = 30.0
"""Seconds after a device that could not be asked."""
_DEVICE_CODES: Final = "iot.device."
"""Codes of the platform for a device that does not exist; a product that does not exist has another one."""


def list_successes(settings: Settings, job_ids: Iterable[str]) -> Flow[tuple[str, ...]]:
    """List the devices whose task has succeeded in any of some jobs, each once.

    :raises IncompleteListError: the platform counts more device tasks than it lists.
    """
    names: dict[str, None] = {}
    for job_id in job_ids:
        listing = yield from list_tasks(settings, job_id, status=TaskStatus.SUCCEEDED)
        for task in listing.require_complete():
            # A platform that does not filter by status lists all.
            if task.status == TaskStatus.SUCCEEDED:
                names[task.device_name] = None
    return tuple(names)


def check_landed(settings: Settings, request: LandedRequest, devices: Sequence[str]) -> Flow[LandedVersions]:
    """Ask each device that reported success, or a sample of them, for the version that it runs.

    It sends one request for a device, and no more of them per second than the request says. It only reads, so it can be
    repeated at any time. A device that cannot be asked is asked again after all others. There is no result with devices
    that could not be asked.

    :param devices: those that reported success, each once.
    :raises TuyaOTAError: ten devices in a row could not be asked, or the platform refused.
    """
    chosen = request.chosen(devices)
    interval = 1.0 / request.requests_per_second
    yield LandedCheckBegun(len(chosen), len(devices), max(0, len(chosen) - 1) * interval)
    found: dict[str, str] = {}
    left, failures = deque(chosen), 0
    asked_at: datetime | None = None
    while left:
        name = left.popleft()
        asked_at = yield from _wait_turn(asked_at, interval)
        try:
            found[name] = yield from _read_version(settings, request, name)
            failures = 0
        except TRANSIENT_ERRORS as error:
            failures += 1
            if failures == MOST_FAILURES:
                raise
            yield LandedReadFailed(name, error.sentence)
            left.append(name)
            yield Sleep(PAUSE)
    result = _result_of(request, len(devices), {name: found[name] for name in chosen})
    for one in result.elsewhere:
        yield LandedElsewhere(one.device, one.version)
    for name in result.not_known:
        yield LandedUnknown(name)
    return result


def _wait_turn(asked_at: datetime | None, interval: float) -> Flow[datetime]:
    now: datetime = (yield ReadContext()).steady
    if asked_at is not None and (wait := interval - (now - asked_at).total_seconds()) > 0:
        yield Sleep(wait)
        now = (yield ReadContext()).steady
    return now


def _read_version(settings: Settings, request: LandedRequest, name: str) -> Flow[str]:
    """Read the version of a device's module; empty where the platform knows none."""
    first = ListOTAModuleVersionsByDevice(
        current_page=1,
        page_size=ListOTAModuleVersionsByDevice.largest_page,
        product_key=request.product_key,
        device_name=name,
    )
    try:
        modules = yield from every_page(settings, first)
        if not any(module.module_name == request.module_name for module in modules):
            # The platform may show fewer modules on a page than it was asked for.
            modules = (yield from whole_list(settings, first)).require_complete()
    except NotFoundError as error:
        if not error.code.startswith(_DEVICE_CODES):
            raise
        return ""
    return next((module.version for module in modules if module.module_name == request.module_name), "")


def _result_of(request: LandedRequest, reported: int, versions: dict[str, str]) -> LandedVersions:
    return LandedVersions(
        version=request.version,
        module_name=request.module_name,
        reported=reported,
        on_target=sum(version == request.version for version in versions.values()),
        elsewhere=tuple(
            VersionFound(device=name, version=version)
            for name, version in versions.items()
            if version not in {"", request.version}
        ),
        not_known=tuple(name for name, version in versions.items() if not version),
    )
