"""One conversation that uses every operation, in memory and over sockets."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_tuya_ota.core import actions
from airflow_provider_tuya_ota.core.actions import ALL_ACTIONS
from airflow_provider_tuya_ota.core.flows.calls import call
from airflow_provider_tuya_ota.core.flows.lists import list_tasks
from airflow_provider_tuya_ota.core.jobs.verification import IfVerified, start_verification
from airflow_provider_tuya_ota.core.model.states import FirmwareStatus, JobStatus, TaskStatus
from airflow_provider_tuya_ota.core.upload import FirmwareFile, ensure_firmware
from airflow_provider_tuya_ota.emulator.clock import Clock
from airflow_provider_tuya_ota.emulator.emulator import Emulator
from airflow_provider_tuya_ota.emulator.gateway.quotas import UNLIMITED
from airflow_provider_tuya_ota.emulator.scenario import Scenario
from tests.contract.worlds import WAYS, Meeting

if TYPE_CHECKING:
    from airflow_provider_tuya_ota.core.flows.effects import Flow
    from airflow_provider_tuya_ota.core.settings import Settings

PRODUCT, CONTENT = "k1demoproduct", b"firmware of the day"
FILE = FirmwareFile(name="day.bin", suffix="bin", size=len(CONTENT), open_file=lambda: io.BytesIO(CONTENT))
FIRMWARE = actions.CreateOTAFirmware(
    dest_version="2.0.0",
    firmware_name="day",
    product_key=PRODUCT,
    sign_method="SHA256",
)


def a_day(settings: Settings, emulator: Emulator) -> Flow[dict[str, Any]]:
    products = yield from call(settings, actions.QueryProductList(current_page=1, page_size=10))
    product = yield from call(settings, actions.QueryProduct(product_key=PRODUCT))
    devices = yield from call(settings, actions.QueryDevice(product_key=PRODUCT, page_size=5))
    names = [device.device_name for device in devices.items]
    presence = yield from call(settings, actions.BatchGetDeviceState(product_key=PRODUCT, device_name=names))

    module = {"module_name": "mcu", "product_key": PRODUCT}
    yield from call(settings, actions.CreateOTAModule(**module))
    yield from call(settings, actions.UpdateOTAModule(**module, desc="the small one"))
    modules = yield from call(settings, actions.ListOTAModuleByProduct(product_key=PRODUCT))
    yield from call(settings, actions.DeleteOTAModule(**module))

    firmware = yield from ensure_firmware(settings, FIRMWARE, FILE)
    firmware_id = firmware.firmware_id
    yield from call(
        settings, actions.ModifyOTAFirmware(firmware_id=firmware_id, firmware_name="day", firmware_desc="sunny")
    )
    verification = yield from start_verification(
        settings,
        actions.CreateOTAVerifyJob(
            firmware_id=firmware_id, product_key=PRODUCT, target_device_name=names[:2], need_confirm=True
        ),
        if_verified=IfVerified.FAIL,
    )
    waiting = (yield from list_tasks(settings, verification.job_id)).items
    yield from call(settings, actions.ConfirmOTATask(task_id=[task.task_id for task in waiting]))
    emulator.clock.advance(60)
    verified = yield from call(settings, actions.QueryOTAFirmware(firmware_id=firmware_id))
    job = yield from call(settings, actions.QueryOTAJob(job_id=verification.job_id))

    upgrade = yield from call(
        settings,
        actions.CreateOTAStaticUpgradeJob(
            firmware_id=firmware_id,
            product_key=PRODUCT,
            target_selection="SPECIFIC",
            target_device_name=names[2:],
            need_confirm=True,
        ),
    )
    upgrade_id = upgrade.entity_id or ""
    unfinished = yield from call(
        settings, actions.ListOTAUnfinishedTaskByDevice(product_key=PRODUCT, device_name=names[2])
    )
    yield from call(
        settings,
        actions.CancelOTATaskByDevice(product_key=PRODUCT, firmware_id=firmware_id, device_name=[names[2]]),
    )
    yield from call(settings, actions.CancelOTATaskByJob(job_id=upgrade_id, cancel_unconfirmed_task=True))
    cancelled = (yield from list_tasks(settings, upgrade_id)).items
    jobs = yield from call(
        settings,
        actions.ListOTAJobByDevice(
            product_key=PRODUCT, device_name=names[2], firmware_id=firmware_id, current_page=1, page_size=10
        ),
    )
    versions = yield from call(
        settings,
        actions.ListOTAModuleVersionsByDevice(product_key=PRODUCT, device_name=names[0], current_page=1, page_size=10),
    )
    yield from call(settings, actions.DeleteOTAFirmware(firmware_id=firmware_id))
    return {
        "products": products.items == [product],
        "online": {state.status.value for state in presence},
        "modules": {found.module_name for found in modules},
        "confirmed": {task.status for task in waiting},
        "verified": (verified.status, job.status),
        "unfinished": [task.job_id for task in unfinished] == [upgrade_id],
        "cancelled": {task.status for task in cancelled},
        "jobs": [found.job_id for found in jobs.items] == [upgrade_id],
        "versions": [found.version for found in versions.items],
    }


@pytest.mark.parametrize("key_case", ["lower_camel", "pascal"])
@pytest.mark.parametrize("list_shape", ["flat", "wrapped", "single"])
@pytest.mark.parametrize("way", WAYS)
def test_every_operation_is_understood_in_every_world_and_shape(way: str, list_shape: str, key_case: str) -> None:
    clock = Clock()
    clock.freeze(frozen=True)
    emulator = Emulator(scenario=Scenario(quotas=UNLIMITED), clock=clock)
    emulator.world.quirks = emulator.world.quirks.changed({"list_shape": list_shape, "key_case": key_case})

    seen = getattr(Meeting(emulator), way)(lambda settings: a_day(settings, emulator))

    assert seen == {
        "products": True,
        "online": {"ONLINE"},
        "modules": {"default", "mcu"},
        "confirmed": {TaskStatus.CONFIRM},
        "verified": (FirmwareStatus.VERIFIED, JobStatus.COMPLETED),
        "unfinished": True,
        "cancelled": {TaskStatus.CANCELED},
        "jobs": True,
        "versions": ["2.0.0"],
    }
    assert {entry["action"] for entry in emulator.log} == {*ALL_ACTIONS, "PostObject"}
