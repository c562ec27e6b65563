"""Operations on jobs: verifications and batch upgrades."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from airflow_provider_tuya_ota.emulator.clock import iso_ms
from airflow_provider_tuya_ota.emulator.messages import BusinessError
from airflow_provider_tuya_ota.emulator.operations.page import Values, page_of
from airflow_provider_tuya_ota.emulator.simulation import firmwares
from airflow_provider_tuya_ota.emulator.simulation.jobs import Job
from airflow_provider_tuya_ota.emulator.simulation.selection import choose_for_upgrade, choose_for_verification

if TYPE_CHECKING:
    from airflow_provider_tuya_ota.emulator.fleet import Device
    from airflow_provider_tuya_ota.emulator.simulation.firmwares import Firmware
    from airflow_provider_tuya_ota.emulator.simulation.world import World

DEEPEST_TASK: Final = 100_000
"""Largest number of device tasks of a job that pages reach."""


def create_verification(world: World, values: Values, _: str) -> Values:
    """Offer a firmware to test devices."""
    product = world.product(values["ProductKey"])
    firmware = _firmware_of(world, values)
    if firmware.status == firmwares.VERIFYING:
        raise BusinessError("iot.firmware.InProgressVerifyJobExisted", "An unfinished verification job exists.")
    if firmware.status in {firmwares.VERIFIED, firmwares.NOT_NEEDED}:
        raise BusinessError("iot.firmware.VerifyFirmwareFailed", "The firmware needs no further verification.")
    devices = choose_for_verification(product, firmware, values.get("TargetDeviceName"))
    job = _job(world, firmware, "VERIFY_FIRMWARE", "SPECIFIC", values)
    firmware.status, firmware.modified = firmwares.VERIFYING, world.engine.now
    world.note(firmware)
    _start(world, job, devices)
    return _created(world, job)


def create_upgrade(world: World, values: Values, _: str) -> Values:
    """Offer a verified firmware to many devices."""
    product = world.product(values["ProductKey"])
    firmware = _firmware_of(world, values)
    if firmware.status not in {firmwares.VERIFIED, firmwares.NOT_NEEDED}:
        raise BusinessError("iot.firmware.FirmwareNotVerified", "The firmware has to be verified first.")
    if "RetryInterval" in values and "RetryCount" not in values:
        raise BusinessError("iot.firmware.InvalidRetryCount", "RetryInterval needs RetryCount.")
    devices = choose_for_upgrade(product, firmware, values)
    if world.quirks.equal_upgrade == "running_job":
        for running in world.engine.jobs_of(firmware):
            if _is_running_on(running, devices):
                return _created(world, running)
    job = _job(world, firmware, "UPGRADE_FIRMWARE", values["TargetSelection"], values)
    _start(world, job, devices)
    return _created(world, job)


def query(world: World, values: Values, _: str) -> Values:
    """Show a job."""
    job = world.job(values["JobId"])
    return {
        "Data": world.found_job(job.job_id).describe()
        | {
            "DestVersion": job.firmware.version,
            "DownloadProtocol": job.protocol,
            "GrayPercent": job.gray_percent,
            "GroupId": job.group_id,
            "Name": job.firmware.name,
            "NeedConfirm": job.need_confirm,
            "NeedPush": job.need_push,
            "RetryCount": job.retry_count,
            "RetryInterval": job.retry_interval,
            "TimeoutInMinutes": job.timeout_minutes,
        }
    }


def list_by_firmware(world: World, values: Values, _: str) -> Values:
    """List a firmware's jobs, the newest first."""
    firmware = world.firmwares.get(values["FirmwareId"])
    jobs = world.listed(world.engine.jobs_of(firmware))
    return page_of(jobs[::-1], values, "Data", "SimpleOTAJobInfo", world.quirks)


def list_by_device(world: World, values: Values, _: str) -> Values:
    """List the jobs in which a device takes a firmware, the newest first."""
    firmware = _firmware_of(world, values)
    device = world.device(values["ProductKey"], values["DeviceName"])
    jobs = world.listed(task.job for task in world.engine.tasks_of(device) if task.job.firmware is firmware)
    return page_of(jobs[::-1], values, "Data", "SimpleOTAJobInfo", world.quirks)


def list_tasks(world: World, values: Values, _: str) -> Values:
    """List a job's device tasks."""
    job = world.job(values["JobId"])
    world.found_job(job.job_id)
    names = values.get("DeviceNames")
    named = job.tasks if names is None else [task for task in job.tasks if task.device.name in names]
    found = [task for task in world.listed_tasks(named) if values.get("TaskStatus", task.status) == task.status]
    paging = {"CurrentPage": 1, "PageSize": max(1, len(found))} if names is not None else values
    if paging.get("CurrentPage", 1) * paging.get("PageSize", 10) > DEEPEST_TASK:
        raise BusinessError("iot.common.InvalidPageParams", f"CurrentPage times PageSize is up to {DEEPEST_TASK}.")
    return page_of(found, paging, "Data", "SimpleOTATaskInfo", world.quirks)


def cancel(world: World, values: Values, _: str) -> Values:
    """Cancel tasks of a job that have not begun."""
    job = world.job(values["JobId"])
    queued, notified = values.get("CancelQueuedTask", False), values.get("CancelNotifiedTask", False)
    unconfirmed = values.get("CancelUnconfirmedTask")
    if not {"CancelQueuedTask", "CancelNotifiedTask", "CancelUnconfirmedTask"} & set(values):
        raise BusinessError("iot.firmware.CancelOptionIsMandatory", "Say which tasks to cancel.")
    if job.status in {"CANCELED", "COMPLETED"} and world.quirks.repeated_cancel == "accepted":
        return {}
    if job.status == "CANCELED":
        raise BusinessError("iot.firmware.JobAlreadyCanceled", "The job is cancelled already.")
    if job.status == "COMPLETED":
        raise BusinessError("iot.firmware.CancelUpgradeTaskFailed", "The job has ended.")
    statuses = {"QUEUED"} if queued else set()
    statuses |= {"NOTIFIED"} if notified else set()
    # If the switch for unconfirmed tasks is absent, the one for queued tasks applies.
    statuses |= {"CONFIRM"} if (queued if unconfirmed is None else unconfirmed) else set()
    if job.status == "PLANNED" and queued and world.quirks.planned_cancel == "whole_job":
        world.engine.cancel_planned(job)
    for task in job.tasks:
        if task.status in statuses:
            world.engine.cancel(task)
    return {}


def _firmware_of(world: World, values: Values) -> Firmware:
    firmware = world.firmwares.get(values["FirmwareId"])
    if firmware.product is not world.product(values["ProductKey"]):
        raise BusinessError("iot.firmware.FirmwareAndProductKeyMismatch", "The firmware is not of this product.")
    return firmware


def _is_running_on(job: Job, devices: list[Device]) -> bool:
    busy = {device.iot_id for device in [*job.planned, *(task.device for task in job.tasks)]}
    is_running = job.kind == "UPGRADE_FIRMWARE" and job.status not in {"CANCELED", "COMPLETED"}
    return is_running and busy == {device.iot_id for device in devices}


def _start(world: World, job: Job, devices: list[Device]) -> None:
    parts = 2 if world.quirks.planning == "in_parts" else 1
    world.engine.start(job, devices, world.quirks.task_delay, parts=parts)


def _created(world: World, job: Job) -> Values:
    # The vendor's only example of a verification has the job's id under the name of the firmware's.
    name = {"jobId": "JobId", "firmwareId": "FirmwareId"}.get(world.quirks.job_id)
    shown = {name: job.job_id} if name else {}
    return {"Data": shown | {"UtcCreate": iso_ms(job.created)}}


def _job(world: World, firmware: Firmware, kind: str, selection: str, values: Values) -> Job:
    interval, count = values.get("RetryInterval"), values.get("RetryCount")
    return Job(
        world.engine.new_id(),
        firmware,
        kind,
        selection,
        world.engine.now,
        world.engine.now,
        timeout_minutes=values.get("TimeoutInMinutes"),
        need_push=values.get("NeedPush", True),
        need_confirm=values.get("NeedConfirm", False),
        retry_interval=None if interval is None else int(interval),
        retry_count=None if count is None else int(count),
        gray_percent=values.get("GrayPercent"),
        group_id=values.get("GroupId"),
    )
