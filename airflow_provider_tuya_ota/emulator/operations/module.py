"""Operations on OTA modules."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from airflow_provider_tuya_ota.emulator.clock import iso_minutes
from airflow_provider_tuya_ota.emulator.fleet import DEFAULT_MODULE, Module, Product
from airflow_provider_tuya_ota.emulator.gateway.encoding import Listing
from airflow_provider_tuya_ota.emulator.messages import BusinessError

if TYPE_CHECKING:
    from airflow_provider_tuya_ota.emulator.operations.page import Values
    from airflow_provider_tuya_ota.emulator.simulation.world import World

MOST_MODULES: Final = 10
"""Largest number of modules of a product, besides the default one."""


def create(world: World, values: Values, _: str) -> Values:
    """Create a module."""
    product, name = world.product(values["ProductKey"]), values["ModuleName"]
    if name == DEFAULT_MODULE:
        raise BusinessError("iot.firmware.ModuleNameReserved", f"{DEFAULT_MODULE} is the whole device.")
    if name in product.modules:
        raise BusinessError("iot.ota.CreateOTAModuleNameExist", "A module of this name exists.")
    if len(product.modules) > MOST_MODULES:
        raise BusinessError("iot.ota.CreateOTAModuleExceedLimit", f"A product has {MOST_MODULES} modules at most.")
    now = world.engine.now
    product.modules[name] = Module(name, values.get("AliasName", ""), values.get("Desc", ""), now, now)
    return {}


def update(world: World, values: Values, _: str) -> Values:
    """Change alias and description."""
    module = _module(world.product(values["ProductKey"]), values["ModuleName"])
    module.alias = values.get("AliasName", module.alias)
    module.desc = values.get("Desc", module.desc)
    module.modified = world.engine.now
    return {}


def delete(world: World, values: Values, _: str) -> Values:
    """Delete a module that has no firmware."""
    product, name = world.product(values["ProductKey"]), values["ModuleName"]
    if name == DEFAULT_MODULE:
        raise BusinessError("iot.ota.DeleteOtaDefaultModule", f"{DEFAULT_MODULE} cannot be deleted.")
    _module(product, name)
    if any(firmware.product is product and firmware.module == name for firmware in world.firmwares.by_id.values()):
        raise BusinessError("iot.ota.DeleteOTAModulePackageExist", "The module has firmware.")
    del product.modules[name]
    return {}


def list_by_product(world: World, values: Values, _: str) -> Values:
    """List a product's modules."""
    product = world.product(values["ProductKey"])
    entries = [
        {
            "AliasName": module.alias,
            "Desc": module.desc,
            "GmtCreate": iso_minutes(module.created),
            "GmtModified": iso_minutes(module.modified),
            "ModuleName": module.name,
            "ProductKey": product.product_key,
        }
        for module in product.modules.values()
    ]
    shape = "" if world.quirks.module_list == "list" else "single"
    return {"Data": Listing("OtaModuleDTO", entries, shape)}


def _module(product: Product, name: str) -> Module:
    if name not in product.modules:
        raise BusinessError("iot.ota.OTAModuleNotExist", "The module does not exist.")
    return product.modules[name]
