"""The same conversations with the real service, for whoever has an account.

Reading asks nothing but lists. Releasing uploads a file, verifies it on the pilots and upgrades the others: it flashes
devices, and runs only where a version is named.
"""

from __future__ import annotations

import io
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from airflow_provider_tuya_ota.client import TuyaOTAClient
from airflow_provider_tuya_ota.core import actions
from airflow_provider_tuya_ota.core.flows.calls import call
from airflow_provider_tuya_ota.core.jobs.upgrade import start_upgrade
from airflow_provider_tuya_ota.core.jobs.verification import IfVerified, start_verification
from airflow_provider_tuya_ota.core.model.verdict import Outcome
from airflow_provider_tuya_ota.core.settings import Settings
from airflow_provider_tuya_ota.core.status.wait import WaitOptions
from airflow_provider_tuya_ota.core.upload import FirmwareFile, ensure_firmware
from tests.core.one_job import wait_for_job

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_provider_tuya_ota.core.flows.effects import Flow
    from airflow_provider_tuya_ota.core.model.verdict import Verdict

READ = ("TUYA_OTA_HOST", "TUYA_OTA_ACCESS_KEY_ID", "TUYA_OTA_ACCESS_KEY_SECRET", "TUYA_OTA_PRODUCT_KEY")
RELEASE = ("TUYA_OTA_FIRMWARE", "TUYA_OTA_VERSION", "TUYA_OTA_PILOTS", "TUYA_OTA_OTHERS")


def missing(names: tuple[str, ...]) -> list[str]:
    return [name for name in names if not os.environ.get(name)]


needs_account = pytest.mark.skipif(bool(missing(READ)), reason=f"no real account: set {', '.join(missing(READ))}")
needs_devices = pytest.mark.skipif(
    bool(missing((*READ, *RELEASE))), reason=f"no devices to flash: set {', '.join(missing((*READ, *RELEASE)))}"
)


@pytest.fixture
def client() -> Iterator[TuyaOTAClient]:
    host, key_id, secret, _ = (os.environ[name] for name in READ)
    with TuyaOTAClient(Settings.from_connection_fields(host=host, login=key_id, password=secret, extra={})) as client:
        yield client


@needs_account
def test_every_list_of_a_product_can_be_read(client: TuyaOTAClient) -> None:
    product_key = os.environ["TUYA_OTA_PRODUCT_KEY"]

    def conversation() -> Flow[tuple[str, set[str]]]:
        product = yield from call(client.settings, actions.QueryProduct(product_key=product_key))
        modules = yield from call(client.settings, actions.ListOTAModuleByProduct(product_key=product_key))
        yield from call(client.settings, actions.QueryProductList(current_page=1, page_size=10))
        yield from call(client.settings, actions.ListOTAFirmware(current_page=1, page_size=10, product_key=product_key))
        yield from call(client.settings, actions.QueryDevice(product_key=product_key, page_size=10))
        return product.product_key, {module.product_key for module in modules}

    shown, of_modules = client.run(conversation())

    assert shown == product_key
    assert of_modules <= {product_key, ""}


@needs_devices
def test_a_release_reaches_every_device(client: TuyaOTAClient) -> None:
    content = Path(os.environ["TUYA_OTA_FIRMWARE"]).read_bytes()

    verified, upgraded = client.run(release(client.settings, content))

    assert verified.outcome is Outcome.SUCCEEDED, verified.failure_text()
    assert upgraded.outcome is Outcome.SUCCEEDED, upgraded.failure_text()


def release(settings: Settings, content: bytes) -> Flow[tuple[Verdict, Verdict]]:
    path, version = Path(os.environ["TUYA_OTA_FIRMWARE"]), os.environ["TUYA_OTA_VERSION"]
    product_key = os.environ["TUYA_OTA_PRODUCT_KEY"]
    pilots, others = (os.environ[name].split(",") for name in ("TUYA_OTA_PILOTS", "TUYA_OTA_OTHERS"))
    options = WaitOptions(deadline=datetime.now(UTC) + timedelta(hours=1))
    file = FirmwareFile(
        name=path.name,
        suffix=path.suffix.removeprefix(".") or "bin",
        size=len(content),
        open_file=lambda: io.BytesIO(content),
    )
    firmware = yield from ensure_firmware(
        settings,
        actions.CreateOTAFirmware(
            dest_version=version,
            firmware_name=f"contract {version}".replace(" ", "-").replace(".", "_"),
            product_key=product_key,
            sign_method="SHA256",
        ),
        file,
    )
    verification = yield from start_verification(
        settings,
        actions.CreateOTAVerifyJob(
            firmware_id=firmware.firmware_id, product_key=product_key, target_device_name=pilots
        ),
        if_verified=IfVerified.SUCCEED,
    )
    verified: Verdict = yield from wait_for_job(settings, verification.job_id, options)
    upgrade = yield from start_upgrade(
        settings,
        actions.CreateOTAStaticUpgradeJob(
            firmware_id=firmware.firmware_id,
            product_key=product_key,
            target_selection="SPECIFIC",
            target_device_name=others,
        ),
    )
    upgraded: Verdict = yield from wait_for_job(settings, upgrade.job_id, options)
    return verified, upgraded
