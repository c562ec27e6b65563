"""Whole lists, page by page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_tuya_ota.core.actions import ListOTAFirmware, ListOTAJobByFirmware, ListOTATaskByJob
from airflow_provider_tuya_ota.core.flows.calls import call_by_name
from airflow_provider_tuya_ota.core.flows.pages import every_page
from airflow_provider_tuya_ota.core.policy.retry import Repeat, RetryPolicy

if TYPE_CHECKING:
    from airflow_provider_tuya_ota.core.flows.effects import Flow
    from airflow_provider_tuya_ota.core.model.entities import DeviceTask, Firmware, Job
    from airflow_provider_tuya_ota.core.model.states import TaskStatus
    from airflow_provider_tuya_ota.core.settings import Settings
    from airflow_provider_tuya_ota.core.wire.reply import Reply


def list_firmwares(settings: Settings, *, product_key: str | None, version: str) -> Flow[list[Firmware]]:
    """List the firmwares of a product that have a version."""
    size = ListOTAFirmware.largest_page
    return every_page(
        settings, ListOTAFirmware(current_page=1, page_size=size, product_key=product_key, dest_version=version)
    )


def list_jobs(settings: Settings, firmware_id: str) -> Flow[list[Job]]:
    """List the jobs of a firmware."""
    size = ListOTAJobByFirmware.largest_page
    return every_page(settings, ListOTAJobByFirmware(firmware_id=firmware_id, current_page=1, page_size=size))


def list_tasks(
    settings: Settings, job_id: str, *, status: TaskStatus | None = None, until_empty: bool = False
) -> Flow[list[DeviceTask]]:
    """List the device tasks of a job, all or those of one status.

    :param until_empty: a short page does not end the list; for conclusions that one missing task would turn over.
    """
    size = ListOTATaskByJob.largest_page
    wanted = None if status is None else status.value
    first = ListOTATaskByJob(job_id=job_id, current_page=1, page_size=size, task_status=wanted)
    return every_page(settings, first, until_empty=until_empty)


def one_cheap_read(settings: Settings) -> Flow[Reply]:
    """Ask for one firmware, once: whoever tests a connection waits for the answer."""
    first = ListOTAFirmware(current_page=1, page_size=1)
    return call_by_name(settings, first.name, first.wire(), repeat=Repeat.HARMLESS, retry=RetryPolicy(attempts=1))
