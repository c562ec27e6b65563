"""Read the candidates of a release from the platform: devices, their versions, and the jobs that hold them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from airflow_provider_tuya_ota.core.actions import ListOTAFirmware, ListOTAModuleVersionsByDevice, QueryDevice
from airflow_provider_tuya_ota.core.errors import NotFoundError
from airflow_provider_tuya_ota.core.flows.lists import list_jobs, list_tasks
from airflow_provider_tuya_ota.core.flows.pages import every_page, whole_list
from airflow_provider_tuya_ota.core.model.states import JobStatus, TaskStatus
from airflow_provider_tuya_ota.rollout.plan.candidate import Candidate

if TYPE_CHECKING:
    from airflow_provider_tuya_ota.core.flows.effects import Flow
    from airflow_provider_tuya_ota.core.model.entities import DeviceTask, Job
    from airflow_provider_tuya_ota.core.settings import Settings

_MODULES: Final = 200
"""Modules of a device that one page shows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CandidateListing:
    """The devices of a product as they are now.

    :param candidates: in the order in which the platform lists them.
    :param unclear_jobs: ids of unfinished jobs that show no device task yet. It is not known which devices they hold.
    """

    candidates: tuple[Candidate, ...]
    unclear_jobs: tuple[str, ...]


def read_candidates(settings: Settings, product_key: str, module_name: str) -> Flow[CandidateListing]:
    """Read all devices of a product. Nothing is changed.

    That takes one request for each device, one for fifty of them, and some for each job that may hold one. A device
    that another module's job holds is busy too, because a device takes one update at a time.

    :raises IncompleteListError: the platform counts more devices, firmware, jobs or device tasks than it lists, or
        lists one of them twice on a page.
    :raises ProtocolError: a list does not end; one of more than 150,000 devices is not read.
    """
    first = QueryDevice(product_key=product_key, page_size=QueryDevice.largest_page, current_page=1)
    devices = (yield from whole_list(settings, first)).require_each_once()
    # Before the versions: a device that begins meanwhile has its old version, and a job that is listed.
    busy, unclear = yield from _busy_devices(settings, product_key)
    candidates: list[Candidate] = []
    for device in devices:
        name = device.device_name
        version = yield from _version_of(settings, product_key, name, module_name)
        candidates.append(
            Candidate(
                name=name,
                product_key=device.product_key or product_key,
                module_name=module_name,
                version=version,
                busy_job=busy.get(name),
            )
        )
    return CandidateListing(candidates=tuple(candidates), unclear_jobs=tuple(unclear))


def _version_of(settings: Settings, product_key: str, device_name: str, module_name: str) -> Flow[str | None]:
    """Give the version that a device has reported for a module; None where it has none, or does not exist any more."""
    first = ListOTAModuleVersionsByDevice(
        product_key=product_key, device_name=device_name, current_page=1, page_size=_MODULES
    )
    try:
        versions = yield from every_page(settings, first)
    except NotFoundError:
        return None
    return next((one.version for one in versions if one.module_name == module_name), None)


def _busy_devices(settings: Settings, product_key: str) -> Flow[tuple[dict[str, str], list[str]]]:
    size = ListOTAFirmware.largest_page
    listed = yield from whole_list(settings, ListOTAFirmware(current_page=1, page_size=size, product_key=product_key))
    busy: dict[str, str] = {}
    unclear: list[str] = []
    for firmware in listed.require_each_once():
        if firmware.product_key not in {product_key, ""}:
            continue
        jobs = (yield from list_jobs(settings, firmware.firmware_id)).require_each_once()
        for job in jobs:
            tasks = yield from _tasks_that_may_go_on(settings, job)
            if not tasks and not job.status.has_ended:
                unclear.append(job.job_id)
            busy |= {task.device_name: job.job_id for task in tasks if not task.status.has_ended}
    return busy, unclear


def _tasks_that_may_go_on(settings: Settings, job: Job) -> Flow[list[DeviceTask]]:
    if job.status == JobStatus.COMPLETED:
        return []
    # A device that was flashing when its job was cancelled goes on.
    status = TaskStatus.IN_PROGRESS if job.status == JobStatus.CANCELED else None
    return (yield from list_tasks(settings, job.job_id, status=status)).require_each_once()
