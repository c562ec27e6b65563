"""What the worker does for the sensors of packages and devices."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.sdk.exceptions import AirflowSkipException

from airflow_provider_tuya_ota.core.actions import BatchGetDeviceState, QueryOTAFirmware
from airflow_provider_tuya_ota.core.errors import PASSING, FirmwareStatusError, InvalidParameterError
from airflow_provider_tuya_ota.core.states import DeviceStatus, FirmwareStatus
from airflow_provider_tuya_ota.hooks.tuya_ota import TuyaOTAHook
from airflow_provider_tuya_ota.values import names, whole_number

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow_provider_tuya_ota.sensors.device import TuyaOTADeviceStateSensor
    from airflow_provider_tuya_ota.sensors.firmware import TuyaOTAFirmwareStatusSensor

AT_ONCE = 50
"""Devices that one request asks for."""
SHOWN = 10


def firmware_has(sensor: TuyaOTAFirmwareStatusSensor) -> bool:
    """Look at a package once: True when it has a wanted status."""
    wanted = _statuses("statuses", sensor.statuses)
    failing = _statuses("failing_statuses", sensor.failing_statuses) - wanted
    try:
        with TuyaOTAHook(sensor.tuya_ota_conn_id).get_conn(sensor.log) as client:
            package = client.do(QueryOTAFirmware(firmware_id=sensor.firmware_id))
    except PASSING as error:
        sensor.log.warning("%s Looking again.", error.sentence)
        return False
    sensor.log.info("Package %s (%s) is %s", sensor.firmware_id, package.version, package.status.name)
    if package.status in failing:
        hopeless = FirmwareStatusError(
            f"package {sensor.firmware_id} ({package.version}) is {package.status.name}, so it will not become"
            f" {' or '.join(sorted(status.name for status in wanted))} by waiting. Look at its last verification job"
        )
        if sensor.soft_fail:
            raise AirflowSkipException(str(hopeless)) from hopeless
        raise hopeless
    return package.status in wanted


def devices_have(sensor: TuyaOTADeviceStateSensor) -> bool:
    """Look at devices once: True when enough of them have the state."""
    devices = list(names("device_names", sensor.device_names) or [])
    enough = whole_number("at_least", sensor.at_least)
    _require(devices, enough, sensor.state)
    having: list[str] = []
    try:
        with TuyaOTAHook(sensor.tuya_ota_conn_id).get_conn(sensor.log) as client:
            for begin in range(0, len(devices), AT_ONCE):
                batch = devices[begin : begin + AT_ONCE]
                states = client.do(BatchGetDeviceState(product_key=sensor.product_key, device_name=batch))
                having += [state.device_name for state in states if state.status == sensor.state]
    except PASSING as error:
        sensor.log.warning("%s Looking again.", error.sentence)
        return False
    missing = [name for name in devices if name not in set(having)]
    shown = ", ".join(missing[:SHOWN]) + (f" and {len(missing) - SHOWN} more" if len(missing) > SHOWN else "")
    sensor.log.info("%s of %s devices are %s; missing: %s", len(having), len(devices), sensor.state, shown or "none")
    return len(having) >= (len(devices) if enough is None else enough)


def _statuses(field: str, value: Any) -> set[FirmwareStatus]:
    chosen: Sequence[str] = names(field, value) or []
    unknown = [name for name in chosen if name not in FirmwareStatus.__members__]
    if unknown or (field == "statuses" and not chosen):
        raise InvalidParameterError(
            field=field,
            problem=f"{', '.join(unknown)} is no status" if unknown else "is empty",
            allowed=", ".join(FirmwareStatus.__members__),
        )
    return {FirmwareStatus[name] for name in chosen}


def _require(devices: list[str], enough: int | None, state: str) -> None:
    if not devices or len(set(devices)) != len(devices):
        problem = "is empty" if not devices else "has a device twice"
        raise InvalidParameterError(field="device_names", problem=problem, allowed="at least one device, each once")
    if enough is not None and not 1 <= enough <= len(devices):
        raise InvalidParameterError(
            field="at_least", problem=f"{enough} is not possible", allowed=f"1 to {len(devices)}, the devices named"
        )
    if state not in set(DeviceStatus):
        raise InvalidParameterError(
            field="state", problem=f"{state!r} is no state of a device", allowed=", ".join(DeviceStatus)
        )
