"""Packages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_tuya_ota.emulator import packages
from airflow_provider_tuya_ota.emulator.clock import iso_ms
from airflow_provider_tuya_ota.emulator.operations.page import Values, page_of

if TYPE_CHECKING:
    from airflow_provider_tuya_ota.emulator.world import World


def generate_upload_url(world: World, values: Values, origin: str) -> Values:
    """Permit an upload."""
    return {"Data": world.storage.ticket(values.get("FileSuffix", "bin"), origin)}


def create(world: World, values: Values, origin: str) -> Values:
    """Make a package of an uploaded file."""
    package = world.packages.create(values, origin)
    world.note(package)
    return {"Data": {"FirmwareId": package.firmware_id, "UtcCreate": iso_ms(package.created)}}


def query(world: World, values: Values, origin: str) -> Values:
    """Show a package with a presigned address."""
    package = world.packages.get(values["FirmwareId"])
    shown = world.found_package(package.firmware_id)
    jobs = [job for job in world.engine.jobs_of(package) if job.kind == "VERIFY_FIRMWARE"]
    progress = 100 if shown.status in {packages.VERIFIED, packages.FAILED} else 0
    if shown.status == packages.VERIFYING and jobs and jobs[-1].tasks:
        ended = [task for task in jobs[-1].tasks if task.status in {"SUCCEEDED", "FAILED", "CANCELED"}]
        progress = 100 * len(ended) // len(jobs[-1].tasks)
    return {
        "FirmwareInfo": shown.describe()
        | {
            "FirmwareUrl": world.storage.presigned(package.object_key, origin),
            "Udi": package.udi,
            "VerifyProgress": progress,
        }
    }


def list_all(world: World, values: Values, _: str) -> Values:
    """List packages, the newest first."""
    found = world.listed(
        package
        for package in world.packages.by_id.values()
        if values.get("ProductKey", package.product.product_key) == package.product.product_key
        and values.get("DestVersion", package.version) == package.version
    )
    return page_of(found[::-1], values, "FirmwareInfo", "SimpleFirmwareInfo")


def modify(world: World, values: Values, _: str) -> Values:
    """Change description and text for devices; the name has to be the present one."""
    world.packages.modify(values)
    return {}


def delete(world: World, values: Values, _: str) -> Values:
    """Delete a package that no unfinished job needs."""
    package = world.packages.get(values["FirmwareId"])
    in_use = any(job.status in {"PLANNED", "IN_PROGRESS"} for job in world.engine.jobs_of(package))
    world.packages.delete(package, in_use=in_use)
    return {}
