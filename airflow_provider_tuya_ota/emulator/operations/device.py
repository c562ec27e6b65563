"""Devices and products."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from airflow_provider_tuya_ota.emulator.clock import local_style
from airflow_provider_tuya_ota.emulator.gateway.encoding import Listing
from airflow_provider_tuya_ota.emulator.messages import BusinessError
from airflow_provider_tuya_ota.emulator.operations.page import Values, page_of, page_size

if TYPE_CHECKING:
    from airflow_provider_tuya_ota.emulator.fleet import Device, Product
    from airflow_provider_tuya_ota.emulator.simulation.world import World

MOST_NUMBERED = 10_000
"""Devices that page numbers reach; further ones need the token of the previous page."""


@dataclass(frozen=True, slots=True)
class _Entry:
    fields: dict[str, Any]

    def describe(self) -> dict[str, Any]:
        return self.fields


def which_device(world: World, values: Values) -> Device:
    """Find a device by id, or by product and name; the id takes precedence.

    :raises BusinessError: neither is given, or the device does not exist.
    """
    if "IotId" in values:
        return world.device_by_iot_id(values["IotId"])
    if "ProductKey" not in values:
        raise BusinessError("iot.prod.NullProductKey", "Name the device by IotId, or by ProductKey and DeviceName.")
    if "DeviceName" not in values:
        raise BusinessError("iot.device.NullDeviceName", "Name the device by IotId, or by ProductKey and DeviceName.")
    return world.device(values["ProductKey"], values["DeviceName"])


def query_devices(world: World, values: Values, _: str) -> Values:
    """List a product's devices, including their secrets, as the platform does."""
    product = world.product(values["ProductKey"])
    size = page_size(values, world.quirks)
    start = (values.get("CurrentPage", 1) - 1) * size
    if "NextToken" in values:
        start = _position(values["NextToken"])
    elif start + size > MOST_NUMBERED:
        raise BusinessError("iot.common.InvalidPageParams", f"Beyond {MOST_NUMBERED} devices NextToken is needed.")
    devices = list(product.devices.values())
    answer = page_of([], values, "Data", "DeviceInfo", world.quirks)
    answer["Data"] = Listing("DeviceInfo", [_described(world, device) for device in devices[start : start + size]])
    answer |= {"Total": len(devices), "PageCount": -(-len(devices) // size)}
    if start + size < len(devices):
        answer["NextToken"] = f"from-{start + size}"
    return answer


def batch_state(world: World, values: Values, _: str) -> Values:
    """Give the connection state of devices."""
    if "IotId" in values:
        devices = [world.device_by_iot_id(iot_id) for iot_id in values["IotId"]]
    elif "DeviceName" in values:
        if "ProductKey" not in values:
            raise BusinessError("iot.prod.NullProductKey", "DeviceName.N needs ProductKey.")
        devices = [world.device(values["ProductKey"], name) for name in values["DeviceName"]]
    else:
        raise BusinessError(
            "iot.device.NoneDeviceNameElement", "Name devices by IotId.N, or ProductKey and DeviceName.N."
        )
    now = world.engine.now
    entries = [
        {
            "DeviceName": device.name,
            "IotId": device.iot_id,
            "LastOnlineTime": local_style(now),
            "Status": _status(device),
            "Timestamp": int(now * 1000),
        }
        for device in devices
    ]
    return {"DeviceStatusList": Listing("DeviceStatus", entries)}


def query_product(world: World, values: Values, _: str) -> Values:
    """Show a product."""
    return {"Data": _product(world.product(values["ProductKey"]))}


def list_products(world: World, values: Values, _: str) -> Values:
    """List the account's products; list and totals are both under ``Data``."""
    entries = [_Entry(_product(product)) for product in world.products.values()]
    return {"Data": page_of(entries, values, "List", "ProductInfo", world.quirks)}


def list_module_versions(world: World, values: Values, _: str) -> Values:
    """List the versions that a device has reported."""
    device = which_device(world, values)
    entries = [
        _Entry(
            {
                "DeviceName": device.name,
                "IotId": device.iot_id,
                "ModuleName": module,
                "ModuleVersion": version,
                "ProductKey": device.product_key,
            }
        )
        for module, version in sorted(device.versions.items())
    ]
    return page_of(entries, values, "Data", "SimpleOTAModuleInfo", world.quirks)


def _position(token: str) -> int:
    number = token.removeprefix("from-")
    if not (token.startswith("from-") and number.isdecimal()):
        raise BusinessError("iot.common.InvalidPageParams", "NextToken is not one that was given.")
    return int(number)


def _described(world: World, device: Device) -> dict[str, Any]:
    return {
        "DeviceName": device.name,
        "DeviceSecret": hashlib.sha256(f"{world.seed} {device.iot_id}".encode()).hexdigest()[:32],
        "DeviceStatus": _status(device),
        "IotId": device.iot_id,
        "ProductKey": device.product_key,
    }


def _status(device: Device) -> str:
    if not device.versions:
        return "UNACTIVE"
    return "ONLINE" if device.online else "OFFLINE"


def _product(product: Product) -> dict[str, Any]:
    return {
        "DeviceCount": len(product.devices),
        "ProductKey": product.product_key,
        "ProductName": product.name,
    }
