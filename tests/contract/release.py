"""A whole release: upload, verify, upgrade, cancel what is left, and upgrade the rest."""

from __future__ import annotations

import io
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from airflow_provider_tuya_ota.core import actions
from airflow_provider_tuya_ota.core.errors import AuthenticationError, ConflictError, NotFoundError
from airflow_provider_tuya_ota.core.flows.calls import call
from airflow_provider_tuya_ota.core.flows.effects import Sleep
from airflow_provider_tuya_ota.core.flows.lists import list_tasks
from airflow_provider_tuya_ota.core.jobs.tracked_job import JobOrigin
from airflow_provider_tuya_ota.core.jobs.upgrade import start_upgrade
from airflow_provider_tuya_ota.core.jobs.verification import IfVerified, start_verification
from airflow_provider_tuya_ota.core.model.states import TaskStatus
from airflow_provider_tuya_ota.core.model.verdict import Outcome
from airflow_provider_tuya_ota.core.secret import Secret
from airflow_provider_tuya_ota.core.status.wait import WaitOptions
from airflow_provider_tuya_ota.core.upload import FirmwareFile, ensure_firmware
from airflow_provider_tuya_ota.emulator.clock import Clock
from airflow_provider_tuya_ota.emulator.emulator import Emulator
from airflow_provider_tuya_ota.emulator.scenario import read
from tests.contract.worlds import VirtualWorld
from tests.core.one_job import wait_for_job

if TYPE_CHECKING:
    from airflow_provider_tuya_ota.core.flows.effects import Flow
    from airflow_provider_tuya_ota.core.model.verdict import Verdict
    from airflow_provider_tuya_ota.core.settings import Settings

PRODUCT, VERSION, CONTENT = "k1demoproduct", "2.0.0", b"the firmware of this release"
PILOTS, REST, AWAY = ["device-001", "device-002"], ["device-003", "device-004"], "device-005"
FILE = FirmwareFile(name="release.bin", suffix="bin", size=len(CONTENT), open_file=lambda: io.BytesIO(CONTENT))
FIRMWARE = actions.CreateOTAFirmware(
    dest_version=VERSION,
    firmware_name="release",
    product_key=PRODUCT,
    sign_method="SHA256",
)
WAIT_OPTIONS = WaitOptions(deadline=datetime(2100, 1, 1, tzinfo=UTC), poll_interval=10.0)


@dataclass
class Platform:
    """An emulator whose time is the client's, with five devices of which one is away."""

    world: VirtualWorld = field(default_factory=VirtualWorld)
    emulator: Emulator = field(init=False)

    def __post_init__(self) -> None:
        scenario = read(
            {"products": [{"devices": 5, "device": {AWAY: {"online": False}}}], "quotas": {"enabled": False}}
        )
        self.emulator = Emulator(scenario=scenario, clock=Clock(self.world))

    def bring_back(self) -> None:
        self.emulator.world.engine.set_online(self.device(AWAY), online=True)

    def device(self, name: str) -> Any:
        return self.emulator.world.products[PRODUCT].devices[name]

    @property
    def jobs(self) -> Counter[tuple[str, str]]:
        """How often each intent became a job: the kind, and the devices it takes."""
        return Counter(
            (job.kind, " ".join(sorted(task.device.name for task in job.tasks)))
            for job in self.emulator.world.engine.jobs.values()
        )

    @property
    def firmwares(self) -> int:
        return len(self.emulator.world.firmwares.by_id)

    @property
    def versions(self) -> list[str]:
        return [device.versions["default"] for device in self.emulator.world.products[PRODUCT].devices.values()]


ONCE = {
    ("VERIFY_FIRMWARE", " ".join(PILOTS)): 1,
    ("UPGRADE_FIRMWARE", " ".join([*REST, AWAY])): 1,
    ("UPGRADE_FIRMWARE", AWAY): 1,
}
"""The jobs that a release makes."""


@dataclass(frozen=True)
class Seen:
    """What the client believes of the release."""

    modules: tuple[str, ...]
    online: int
    refused_as: str
    verified: str
    first: dict[str, int]
    stopped: bool
    again: tuple[bool, bool, bool]
    last: dict[str, int]
    log_in: str


RIGHT = Seen(
    modules=("default",),
    online=4,
    refused_as="NotFoundError",
    verified="succeeded",
    first={"CANCELED": 1, "SUCCEEDED": 2},
    stopped=True,
    again=(True, True, True),
    last={"SUCCEEDED": 1},
    log_in="AuthenticationError",
)
"""What is true of it."""


def a_release(settings: Settings, platform: Platform) -> Flow[Seen]:
    """Release, and give what the client saw."""
    modules = yield from call(settings, actions.ListOTAModuleByProduct(product_key=PRODUCT))
    names = [*PILOTS, *REST, AWAY]
    presence = yield from call(settings, actions.BatchGetDeviceState(product_key=PRODUCT, device_name=names))
    refused_as = ""
    try:
        yield from call(settings, actions.QueryOTAFirmware(firmware_id="1"))
    except NotFoundError as error:
        refused_as = type(error).__name__

    firmware = yield from ensure_firmware(settings, FIRMWARE, FILE)
    verify = actions.CreateOTAVerifyJob(
        firmware_id=firmware.firmware_id, product_key=PRODUCT, target_device_name=PILOTS
    )
    verification = yield from start_verification(settings, verify, if_verified=IfVerified.SUCCEED)
    verified: Verdict = yield from wait_for_job(settings, verification.job_id, WAIT_OPTIONS)

    first = yield from _upgrade_and_stop(settings, firmware.firmware_id)
    platform.bring_back()

    same = yield from ensure_firmware(settings, FIRMWARE, FILE)
    still = yield from start_verification(settings, verify, if_verified=IfVerified.SUCCEED)
    retry = yield from start_upgrade(settings, _upgrade(firmware.firmware_id, [AWAY]))
    last: Verdict = yield from wait_for_job(settings, retry.job_id, WAIT_OPTIONS)
    return Seen(
        modules=tuple(module.module_name for module in modules),
        online=sum(state.status.value == "ONLINE" for state in presence),
        refused_as=refused_as,
        verified=verified.outcome.value,
        first=dict(first.counts),
        stopped=first.outcome is Outcome.FAILED,
        again=(
            same.firmware_id == firmware.firmware_id,
            still.origin is JobOrigin.VERIFIED_BEFORE,
            still.job_id == verification.job_id,
        ),
        last=dict(last.counts),
        log_in=(yield from _log_in_wrongly(settings)),
    )


def _upgrade(firmware_id: str, devices: list[str]) -> actions.CreateOTAStaticUpgradeJob:
    return actions.CreateOTAStaticUpgradeJob(
        firmware_id=firmware_id, product_key=PRODUCT, target_selection="SPECIFIC", target_device_name=devices
    )


def _upgrade_and_stop(settings: Settings, firmware_id: str) -> Flow[Verdict]:
    upgrade = yield from start_upgrade(settings, _upgrade(firmware_id, [*REST, AWAY]))
    while True:
        tasks = (yield from list_tasks(settings, upgrade.job_id)).items
        if sum(task.status == TaskStatus.SUCCEEDED for task in tasks) == len(REST):
            break
        yield Sleep(10.0)
    cancel = actions.CancelOTATaskByJob(job_id=upgrade.job_id, cancel_queued_task=True, cancel_notified_task=True)
    for _ in range(2):
        with suppress(ConflictError):
            yield from call(settings, cancel)
    return (yield from wait_for_job(settings, upgrade.job_id, WAIT_OPTIONS))


def _log_in_wrongly(settings: Settings) -> Flow[str]:
    wrong = replace(settings, credentials=replace(settings.credentials, access_key_secret=Secret("not-the-secret")))
    try:
        yield from call(wrong, actions.QueryProductList(current_page=1, page_size=1))
    except AuthenticationError as error:
        return type(error).__name__
    return "let in"
