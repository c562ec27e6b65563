"""Operations on firmware."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_tuya_ota.emulator.clock import iso_ms
from airflow_provider_tuya_ota.emulator.operations.page import Values, page_of
from airflow_provider_tuya_ota.emulator.simulation import firmwares

if TYPE_CHECKING:
    from airflow_provider_tuya_ota.emulator.simulation.world import World


def generate_upload_url(world: World, values: Values, origin: str) -> Values:
    """Give the form fields of an upload."""
    return {"Data": world.storage.ticket(values.get("FileSuffix", "bin"), origin)}


def create(world: World, values: Values, origin: str) -> Values:
    """Create a firmware from an uploaded file."""
    firmware = world.firmwares.create(values, origin)
    world.note(firmware)
    return {"Data": {"FirmwareId": firmware.firmware_id, "UtcCreate": iso_ms(firmware.created)}}


def query(world: World, values: Values, origin: str) -> Values:
    """Show a firmware with a presigned address."""
    firmware = world.firmwares.get(values["FirmwareId"])
    shown = world.found_firmware(firmware.firmware_id)
    jobs = [job for job in world.engine.jobs_of(firmware) if job.kind == "VERIFY_FIRMWARE"]
    progress = 100 if shown.status in {firmwares.VERIFIED, firmwares.FAILED} else 0
    if shown.status == firmwares.VERIFYING and jobs and jobs[-1].tasks:
        ended = [task for task in jobs[-1].tasks if task.status in {"SUCCEEDED", "FAILED", "CANCELED"}]
        progress = 100 * len(ended) // len(jobs[-1].tasks)
    return {
        "FirmwareInfo": shown.describe()
        | {
            "FirmwareUrl": world.storage.presigned(firmware.object_key, origin),
            "Udi": firmware.udi,
            "VerifyProgress": progress,
        }
    }


def list_all(world: World, values: Values, _: str) -> Values:
    """List firmware, the newest first."""
    found = world.listed(
        firmware
        for firmware in world.firmwares.by_id.values()
        if values.get("ProductKey", firmware.product.product_key) == firmware.product.product_key
        and values.get("DestVersion", firmware.version) == firmware.version
    )
    return page_of(found[::-1], values, "FirmwareInfo", "SimpleFirmwareInfo", world.quirks)


def modify(world: World, values: Values, _: str) -> Values:
    """Change description and text for devices; the name must be the current one."""
    world.firmwares.modify(values)
    return {}


def delete(world: World, values: Values, _: str) -> Values:
    """Delete a firmware that no unfinished job needs."""
    firmware = world.firmwares.get(values["FirmwareId"])
    in_use = any(job.status in {"PLANNED", "IN_PROGRESS"} for job in world.engine.jobs_of(firmware))
    world.firmwares.delete(firmware, in_use=in_use)
    return {}
