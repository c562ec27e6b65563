"""What each operation does and answers, with keys in the spelling of the vendor's tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from airflow_provider_tuya_ota.emulator.operations import device, firmware, job, module, task

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_provider_tuya_ota.emulator.operations.page import Values
    from airflow_provider_tuya_ota.emulator.simulation.world import World

HANDLERS: Final[dict[str, Callable[[World, Values, str], Values]]] = {
    "GenerateOTAUploadURL": firmware.generate_upload_url,
    "CreateOTAFirmware": firmware.create,
    "ModifyOTAFirmware": firmware.modify,
    "DeleteOTAFirmware": firmware.delete,
    "ListOTAFirmware": firmware.list_all,
    "QueryOTAFirmware": firmware.query,
    "CreateOTAModule": module.create,
    "UpdateOTAModule": module.update,
    "DeleteOTAModule": module.delete,
    "ListOTAModuleByProduct": module.list_by_product,
    "CreateOTAVerifyJob": job.create_verification,
    "CreateOTAStaticUpgradeJob": job.create_upgrade,
    "QueryOTAJob": job.query,
    "CancelOTATaskByJob": job.cancel,
    "CancelOTATaskByDevice": task.cancel_by_device,
    "ConfirmOTATask": task.confirm,
    "ListOTAJobByFirmware": job.list_by_firmware,
    "ListOTAJobByDevice": job.list_by_device,
    "ListOTATaskByJob": job.list_tasks,
    "ListOTAUnfinishedTaskByDevice": task.list_unfinished,
    "ListOTAModuleVersionsByDevice": device.list_module_versions,
    "QueryDevice": device.query_devices,
    "BatchGetDeviceState": device.batch_state,
    "QueryProduct": device.query_product,
    "QueryProductList": device.list_products,
}
"""The handler of each operation: takes world, parameters and the caller's origin, gives the fields of the answer."""
