"""List all firmwares, jobs and device tasks, page by page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_tuya_ota.core.actions import ListOTAFirmware, ListOTAJobByFirmware, ListOTATaskByJob
from airflow_provider_tuya_ota.core.flows.calls import call_by_name
from airflow_provider_tuya_ota.core.flows.pages import every_page, whole_list
from airflow_provider_tuya_ota.core.policy.retry import Repeat, RetryPolicy

if TYPE_CHECKING:
    from airflow_provider_tuya_ota.core.flows.effects import Flow
    from airflow_provider_tuya_ota.core.flows.pages import Listing
    from airflow_provider_tuya_ota.core.model.entities import DeviceTask, Job
    from airflow_provider_tuya_ota.core.model.states import TaskStatus
    from airflow_provider_tuya_ota.core.settings import Settings
    from airflow_provider_tuya_ota.core.wire.reply import Reply


def firmwares_of(product_key: str | None, version: str) -> ListOTAFirmware:
    """Build the request for the first page of a product's firmwares that have a version."""
    size = ListOTAFirmware.largest_page
    return ListOTAFirmware(current_page=1, page_size=size, product_key=product_key, dest_version=version)


def list_jobs(settings: Settings, firmware_id: str) -> Flow[Listing[Job]]:
    """List all jobs of a firmware."""
    return whole_list(settings, _jobs_of(firmware_id))


def list_jobs_again(settings: Settings, firmware_id: str, before: Listing[Job]) -> Flow[Listing[Job]]:
    """List all jobs of a firmware shortly after they were listed, if possible with one request.

    One page shows that no other follows if it has as many jobs as its ``Total``, none of the earlier ones is missing
    and the earlier listing has proven the ``Total``.

    :param before: the earlier listing.
    """
    listing = yield from whole_list(settings, _jobs_of(firmware_id), trusts_total=before.total_is_proven)
    if before.total_is_proven and not {job.job_id for job in before.items} <= {job.job_id for job in listing.items}:
        return (yield from list_jobs(settings, firmware_id))
    return listing


def list_jobs_to_poll(settings: Settings, firmware_id: str) -> Flow[list[Job]]:
    """List jobs of a firmware; jobs that are not shown are polled otherwise."""
    return every_page(settings, _jobs_of(firmware_id))


def _jobs_of(firmware_id: str) -> ListOTAJobByFirmware:
    size = ListOTAJobByFirmware.largest_page
    return ListOTAJobByFirmware(firmware_id=firmware_id, current_page=1, page_size=size)


def list_tasks(settings: Settings, job_id: str, *, status: TaskStatus | None = None) -> Flow[Listing[DeviceTask]]:
    """List all device tasks of a job, or all of one status."""
    return whole_list(settings, _tasks_of(job_id, status))


def list_tasks_to_poll(settings: Settings, job_id: str, status: TaskStatus) -> Flow[list[DeviceTask]]:
    """List device tasks of one status, whose number is held against that of the whole job."""
    return every_page(settings, _tasks_of(job_id, status))


def _tasks_of(job_id: str, status: TaskStatus | None) -> ListOTATaskByJob:
    size = ListOTATaskByJob.largest_page
    name = None if status is None else status.value
    return ListOTATaskByJob(job_id=job_id, current_page=1, page_size=size, task_status=name)


def get_any_firmware(settings: Settings) -> Flow[Reply]:
    """Request one firmware, once and without retries, to test a connection."""
    first = ListOTAFirmware(current_page=1, page_size=1)
    return call_by_name(settings, first.name, first.wire(), repeat=Repeat.HARMLESS, retry=RetryPolicy(attempts=1))
