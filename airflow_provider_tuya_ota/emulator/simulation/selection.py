"""The devices that a job takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from airflow_provider_tuya_ota.emulator.messages import BusinessError

if TYPE_CHECKING:
    from airflow_provider_tuya_ota.emulator.fleet import Device, Product
    from airflow_provider_tuya_ota.emulator.simulation.firmwares import Firmware

CHOSEN: Final = 10
"""Devices of a verification that names none; the documents do not say which."""


def choose_for_verification(product: Product, firmware: Firmware, names: list[str] | None) -> list[Device]:
    """Choose the named devices, or ten that are online and can be upgraded.

    :raises BusinessError: a device cannot take the firmware.
    """
    if names is None:
        able = [device for device in product.devices.values() if device.online and _refusal(device, firmware) is None]
        if not able:
            raise BusinessError("iot.firmware.NoDeviceCanUpgrade", "No device can take this firmware.")
        return able[:CHOSEN]
    return _named(product, firmware, names)


def _named(product: Product, firmware: Firmware, names: list[str]) -> list[Device]:
    devices = []
    for name in names:
        if name not in product.devices:
            raise BusinessError("iot.device.NotExistedDevice", f"The device {name} does not exist.")
        refusal = _refusal(product.devices[name], firmware)
        if refusal:
            raise BusinessError(refusal, f"The device {name} cannot take this firmware.")
        devices.append(product.devices[name])
    return devices


def _refusal(device: Device, firmware: Firmware) -> str | None:
    version = device.versions.get(firmware.module)
    if version is None:
        return "iot.firmware.NonVersionedDeviceInArray"
    if version == firmware.version:
        return "iot.firmware.DeviceWithDestinationVersionInArray"
    if firmware.src_version is not None and version != firmware.src_version:
        return "iot.firmware.SrcVersionMismatch"
    return None


def choose_for_upgrade(product: Product, firmware: Firmware, values: dict[str, Any]) -> list[Device]:
    """Choose the devices of a selection.

    :raises BusinessError: a parameter is missing, a parameter does not belong to this selection, or no device fits.
    """
    selection = values["TargetSelection"]
    names = values.get("TargetDeviceName")
    if selection != "SPECIFIC" and names is not None:
        raise BusinessError("iot.firmware.TargetDeviceNamesNotAllowed", "Devices are named with SPECIFIC only.")
    if selection in {"SPECIFIC", "GROUP"} and "SrcVersion" in values:
        raise BusinessError("iot.firmware.SrcVersionsNotAllowed", "Source versions go with ALL and GRAY only.")
    if selection == "SPECIFIC":
        if names is None:
            raise BusinessError("iot.firmware.NullTargetDeviceNames", "SPECIFIC needs devices.")
        return _named(product, firmware, names)
    members = _group(product, values) if selection == "GROUP" else list(product.devices.values())
    wanted = values.get("SrcVersion")
    able = [
        device
        for device in members
        if _refusal(device, firmware) is None and (wanted is None or device.versions[firmware.module] in wanted)
    ]
    if selection == "GRAY":
        able = _share(able, values)
    if not able:
        raise BusinessError("iot.firmware.NoDeviceCanUpgrade", "No device can take this firmware.")
    return able


def _group(product: Product, values: dict[str, Any]) -> list[Device]:
    group_id = values.get("GroupId")
    if group_id is None:
        raise BusinessError("iot.group.NullGroupId", "GROUP needs GroupId.")
    if group_id not in product.groups:
        raise BusinessError("iot.group.NotExistedGroup", "The group does not exist.")
    return [product.devices[name] for name in product.groups[group_id]]


def _share(devices: list[Device], values: dict[str, Any]) -> list[Device]:
    if "GrayPercent" not in values:
        raise BusinessError("iot.firmware.NullGrayPercent", "GRAY needs GrayPercent.")
    # Rounded down, but at least one device.
    return devices[: max(1, len(devices) * int(values["GrayPercent"]) // 100)]
