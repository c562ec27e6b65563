"""What each operation does and answers. Keys are in the tables' spelling; rendering gives them the quirk's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from airflow_provider_tuya_ota.emulator import packages
from airflow_provider_tuya_ota.emulator.clock import iso_ms
from airflow_provider_tuya_ota.emulator.jobs import Job
from airflow_provider_tuya_ota.emulator.messages import BusinessError
from airflow_provider_tuya_ota.emulator.rendering import Listing

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from airflow_provider_tuya_ota.emulator.fleet import Device, Product
    from airflow_provider_tuya_ota.emulator.jobs import Task
    from airflow_provider_tuya_ota.emulator.packages import Package
    from airflow_provider_tuya_ota.emulator.world import World

Values = dict[str, Any]
CHOSEN: Final = 10
"""Devices that a verification takes when none are named; the documents do not say which."""

DEEPEST_TASK: Final = 100_000
"""Device tasks of a job that its pages reach."""


def _generate_upload_url(world: World, values: Values, origin: str) -> Values:
    return {"Data": world.storage.ticket(values.get("FileSuffix", "bin"), origin)}


def _create_firmware(world: World, values: Values, origin: str) -> Values:
    package = world.packages.create(values, origin)
    return {"Data": {"FirmwareId": package.firmware_id, "UtcCreate": iso_ms(package.created)}}


def _query_firmware(world: World, values: Values, origin: str) -> Values:
    package = world.packages.get(values["FirmwareId"])
    jobs = [job for job in world.engine.jobs_of(package) if job.kind == "VERIFY_FIRMWARE"]
    progress = 100 if package.status in {packages.VERIFIED, packages.FAILED} else 0
    if package.status == packages.VERIFYING and jobs:
        ended = [task for task in jobs[-1].tasks if task.status in {"SUCCEEDED", "FAILED", "CANCELED"}]
        progress = 100 * len(ended) // len(jobs[-1].tasks)
    return {
        "FirmwareInfo": package.describe()
        | {
            "FirmwareUrl": world.storage.presigned(package.object_key, origin),
            "Udi": package.udi,
            "VerifyProgress": progress,
        }
    }


def _list_firmware(world: World, values: Values, _: str) -> Values:
    found = [
        package
        for package in world.packages.by_id.values()
        if values.get("ProductKey", package.product.product_key) == package.product.product_key
        and values.get("DestVersion", package.version) == package.version
    ]
    return _page(found[::-1], values, "FirmwareInfo", "SimpleFirmwareInfo")


def _create_verify_job(world: World, values: Values, _: str) -> Values:
    product = world.product(values["ProductKey"])
    package = world.packages.get(values["FirmwareId"])
    if package.product is not product:
        raise BusinessError("iot.firmware.FirmwareAndProductKeyMismatch", "The firmware is not of this product.")
    if package.status == packages.VERIFYING:
        raise BusinessError("iot.firmware.InProgressVerifyJobExisted", "An unfinished verification job exists.")
    if package.status in {packages.VERIFIED, packages.NOT_NEEDED}:
        raise BusinessError("iot.firmware.VerifyFirmwareFailed", "The firmware needs no verification any more.")
    devices = _verification_devices(product, package, values.get("TargetDeviceName"))
    now = world.engine.now
    job = Job(
        world.engine.new_id(),
        package,
        "VERIFY_FIRMWARE",
        "SPECIFIC",
        now,
        now,
        timeout_minutes=values.get("TimeoutInMinutes"),
        need_push=values.get("NeedPush", True),
        need_confirm=values.get("NeedConfirm", False),
    )
    package.status, package.modified = packages.VERIFYING, now
    for device in devices:
        world.engine.add_task(job, device)
    world.engine.start(job)
    answer: Values = {"UtcCreate": iso_ms(now)}
    if world.quirks.verify_job_id == "jobId":
        answer["JobId"] = job.job_id
    elif world.quirks.verify_job_id == "firmwareId":
        answer["FirmwareId"] = job.job_id
    return {"Data": answer}


def _verification_devices(product: Product, package: Package, names: list[str] | None) -> list[Device]:
    if names is None:
        able = [device for device in product.devices.values() if device.online and _refusal(device, package) is None]
        if not able:
            raise BusinessError("iot.firmware.NoDeviceCanUpgrade", "No device can take this firmware.")
        return able[:CHOSEN]
    devices = []
    for name in names:
        if name not in product.devices:
            raise BusinessError("iot.device.NotExistedDevice", f"The device {name} does not exist.")
        refusal = _refusal(product.devices[name], package)
        if refusal:
            raise BusinessError(refusal, f"The device {name} cannot take this firmware.")
        devices.append(product.devices[name])
    return devices


def _refusal(device: Device, package: Package) -> str | None:
    version = device.versions.get(package.module)
    if version is None:
        return "iot.firmware.NonVersionedDeviceInArray"
    if version == package.version:
        return "iot.firmware.DeviceWithDestinationVersionInArray"
    if package.src_version is not None and version != package.src_version:
        return "iot.firmware.SrcVersionMismatch"
    return None


def _query_job(world: World, values: Values, _: str) -> Values:
    job = world.job(values["JobId"])
    return {
        "Data": job.describe()
        | {
            "DestVersion": job.package.version,
            "DownloadProtocol": job.protocol,
            "Name": job.package.name,
            "NeedConfirm": job.need_confirm,
            "NeedPush": job.need_push,
            "TimeoutInMinutes": job.timeout_minutes,
        }
    }


def _list_jobs(world: World, values: Values, _: str) -> Values:
    package = world.packages.get(values["FirmwareId"])
    return _page(world.engine.jobs_of(package)[::-1], values, "Data", "SimpleOTAJobInfo")


def _list_tasks(world: World, values: Values, _: str) -> Values:
    job = world.job(values["JobId"])
    names = values.get("DeviceNames")
    found = [
        task
        for task in job.tasks
        if values.get("TaskStatus", task.status) == task.status and (names is None or task.device.name in names)
    ]
    paging = {"CurrentPage": 1, "PageSize": max(1, len(found))} if names is not None else values
    if paging.get("CurrentPage", 1) * paging.get("PageSize", 10) > DEEPEST_TASK:
        raise BusinessError("iot.common.InvalidPageParams", f"CurrentPage times PageSize is up to {DEEPEST_TASK}.")
    return _page(found, paging, "Data", "SimpleOTATaskInfo")


def _cancel_by_job(world: World, values: Values, _: str) -> Values:
    job = world.job(values["JobId"])
    queued, notified = values.get("CancelQueuedTask", False), values.get("CancelNotifiedTask", False)
    unconfirmed = values.get("CancelUnconfirmedTask")
    if not {"CancelQueuedTask", "CancelNotifiedTask", "CancelUnconfirmedTask"} & set(values):
        raise BusinessError("iot.firmware.CancelOptionIsMandatory", "Say which tasks to cancel.")
    if job.status == "CANCELED":
        raise BusinessError("iot.firmware.JobAlreadyCanceled", "The job is cancelled already.")
    if job.status == "COMPLETED":
        raise BusinessError("iot.firmware.CancelUpgradeTaskFailed", "The job has ended.")
    statuses = {"QUEUED"} if queued else set()
    statuses |= {"NOTIFIED"} if notified else set()
    # Absent, the switch for unconfirmed tasks follows the one for queued tasks.
    statuses |= {"CONFIRM"} if (queued if unconfirmed is None else unconfirmed) else set()
    for task in job.tasks:
        if task.status in statuses:
            world.engine.cancel(task)
    return {}


def _page(found: Sequence[Package | Job | Task], values: Values, key: str, entry_name: str) -> Values:
    number, size = values.get("CurrentPage", 1), values.get("PageSize", 10)
    entries = found[(number - 1) * size : number * size]
    return {
        key: Listing(entry_name, [entry.describe() for entry in entries]),
        "CurrentPage": number,
        "PageSize": size,
        "PageCount": -(-len(found) // size),
        "Total": len(found),
    }


HANDLERS: Final[dict[str, Callable[[World, Values, str], Values]]] = {
    "GenerateOTAUploadURL": _generate_upload_url,
    "CreateOTAFirmware": _create_firmware,
    "QueryOTAFirmware": _query_firmware,
    "ListOTAFirmware": _list_firmware,
    "CreateOTAVerifyJob": _create_verify_job,
    "QueryOTAJob": _query_job,
    "ListOTAJobByFirmware": _list_jobs,
    "ListOTATaskByJob": _list_tasks,
    "CancelOTATaskByJob": _cancel_by_job,
}
"""By the operation's name: takes world, parameters and the caller's origin, gives the answer's fields."""
