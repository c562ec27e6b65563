from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from airflow.sdk.exceptions import AirflowSkipException

from airflow_provider_tuya_ota.core.errors import FirmwareStatusError, InvalidParameterError
from airflow_provider_tuya_ota.sensors.device import TuyaOTADeviceStateSensor
from airflow_provider_tuya_ota.sensors.firmware import TuyaOTAFirmwareStatusSensor
from tests.provider.test_upgrade_operator import PRODUCT, seed, upload

if TYPE_CHECKING:
    from pathlib import Path

    from tests.provider.conftest import Service


@pytest.fixture
def package(service: Service, context: Any, firmware: Path) -> str:
    seed(service, offline=0.4)
    return upload(context, firmware)


def test_a_package_is_waited_for_until_it_may_be_handed_out(service: Service, context: Any, firmware: Path) -> None:
    seed(service)
    package = upload(context, firmware, need_to_verify=True)
    sensor = TuyaOTAFirmwareStatusSensor(task_id="t", firmware_id=package)
    assert sensor.poke(context) is False

    service.emulator.world.packages.by_id[package].status = 1

    assert sensor.poke(context) is True


def test_a_package_that_failed_is_not_waited_for(service: Service, context: Any, package: str) -> None:
    service.emulator.world.packages.by_id[package].status = 3

    with pytest.raises(FirmwareStatusError, match="is FAILED, so it will not become NOT_NEEDED or VERIFIED"):
        TuyaOTAFirmwareStatusSensor(task_id="t", firmware_id=package).poke(context)
    with pytest.raises(AirflowSkipException):
        TuyaOTAFirmwareStatusSensor(task_id="t", firmware_id=package, soft_fail=True).poke(context)
    assert TuyaOTAFirmwareStatusSensor(task_id="t", firmware_id=package, statuses="FAILED").poke(context) is True


@pytest.mark.parametrize("statuses", ["GOOD", []])
def test_a_status_that_there_is_not_is_refused(service: Service, context: Any, statuses: Any) -> None:
    with pytest.raises(InvalidParameterError, match="UNVERIFIED"):
        TuyaOTAFirmwareStatusSensor(task_id="t", firmware_id="1", statuses=statuses).poke(context)
    assert service.actions == []


def test_devices_are_waited_for_until_enough_are_online(service: Service, context: Any) -> None:
    seed(service, devices=120, device={"device-007": {"online": False}})
    names = [f"device-{number:03d}" for number in range(1, 121)]

    def there(**changes: Any) -> bool:
        return TuyaOTADeviceStateSensor(task_id="t", product_key=PRODUCT, device_names=names, **changes).poke(context)

    assert (there(), there(at_least="119"), there(state="OFFLINE", at_least=1)) == (False, True, True)
    assert service.actions == ["BatchGetDeviceState"] * 9


@pytest.mark.parametrize("sensor", ["firmware", "device"])
def test_a_lost_look_is_a_not_yet(service: Service, context: Any, package: str, sensor: str) -> None:
    service.emulator.faults.add({"action": "*", "kind": "redirect"})
    looking: Any = (
        TuyaOTAFirmwareStatusSensor(task_id="t", firmware_id=package)
        if sensor == "firmware"
        else TuyaOTADeviceStateSensor(task_id="t", product_key=PRODUCT, device_names=["device-001"])
    )

    assert looking.poke(context) is False


@pytest.mark.parametrize(
    "changes",
    [
        {"device_names": []},
        {"device_names": ["a", "a"]},
        {"state": "AWAKE"},
        {"at_least": 0},
        {"at_least": 2},
        {"at_least": "some"},
    ],
)
def test_a_wait_for_devices_that_makes_no_sense_is_refused(
    service: Service, context: Any, changes: dict[str, Any]
) -> None:
    arguments: dict[str, Any] = {"product_key": PRODUCT, "device_names": ["device-001"]}

    with pytest.raises(InvalidParameterError, match="Allowed"):
        TuyaOTADeviceStateSensor(task_id="t", **arguments | changes).poke(context)
    assert service.actions == []
