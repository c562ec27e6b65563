"""What the worker does for the operators that keep firmwares and modules in order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_tuya_ota.core.actions import (
    CreateOTAModule,
    DeleteOTAFirmware,
    DeleteOTAModule,
    ListOTAModuleByProduct,
    ModifyOTAFirmware,
    QueryOTAFirmware,
    UpdateOTAModule,
)
from airflow_provider_tuya_ota.core.errors import ConflictError, InvalidParameterError, NotFoundError, TuyaOTAError
from airflow_provider_tuya_ota.hooks.tuya_ota import TuyaOTAHook
from airflow_provider_tuya_ota.runtime.arguments import parse_bool, parse_text

if TYPE_CHECKING:
    from airflow_provider_tuya_ota.client import TuyaOTAClient
    from airflow_provider_tuya_ota.core.model.entities import OtaModule
    from airflow_provider_tuya_ota.operators.firmware import (
        TuyaOTADeleteFirmwareOperator,
        TuyaOTAModifyFirmwareOperator,
    )
    from airflow_provider_tuya_ota.operators.module import (
        TuyaOTACreateModuleOperator,
        TuyaOTADeleteModuleOperator,
        TuyaOTAUpdateModuleOperator,
    )


def modify(operator: TuyaOTAModifyFirmwareOperator) -> str:
    """Change a firmware."""
    desc, udi = parse_text("firmware_desc", operator.firmware_desc), parse_text("udi", operator.udi)
    _require_one(firmware_desc=desc, udi=udi)
    # Built for its complaints, before anything is sent; the name is the firmware's own.
    ModifyOTAFirmware(firmware_id=operator.firmware_id, firmware_name="a", firmware_desc=desc, udi=udi)
    with TuyaOTAHook(operator.tuya_ota_conn_id).get_conn(operator.log) as client:
        firmware = client.do(QueryOTAFirmware(firmware_id=operator.firmware_id))
        client.do(
            ModifyOTAFirmware(
                firmware_id=operator.firmware_id, firmware_name=firmware.name, firmware_desc=desc, udi=udi
            )
        )
    operator.log.info("Changed firmware %s (%s)", operator.firmware_id, firmware.version)
    return operator.firmware_id


def delete(operator: TuyaOTADeleteFirmwareOperator) -> str:
    """Delete a firmware."""
    missing_ok = parse_bool("missing_ok", operator.missing_ok, default=True)
    with TuyaOTAHook(operator.tuya_ota_conn_id).get_conn(operator.log) as client:
        try:
            client.do(DeleteOTAFirmware(firmware_id=operator.firmware_id))
        except NotFoundError as error:
            if not (missing_ok or error.in_doubt):
                raise
            operator.log.warning("%s It counts as deleted.", error.sentence)
        else:
            operator.log.info("Deleted firmware %s", operator.firmware_id)
    return operator.firmware_id


def create_module(operator: TuyaOTACreateModuleOperator) -> str:
    """Make a module, or find it."""
    action = CreateOTAModule(
        module_name=operator.module_name,
        product_key=operator.product_key,
        alias_name=parse_text("alias_name", operator.alias_name),
        desc=parse_text("desc", operator.desc),
    )
    with TuyaOTAHook(operator.tuya_ota_conn_id).get_conn(operator.log) as client:
        existing = _module(client, action)
        if existing is None:
            try:
                client.do(action)
            except TuyaOTAError as error:
                if not (error.in_doubt or isinstance(error, ConflictError)):
                    raise
                existing = _module(client, action)
                if existing is None:
                    raise
                operator.log.warning("%s The module is there.", error.sentence)
            else:
                operator.log.info("Created module %s of product %s", action.module_name, action.product_key)
    if existing is not None:
        _compare(operator, action, existing)
    return operator.module_name


def update_module(operator: TuyaOTAUpdateModuleOperator) -> str:
    """Change a module."""
    alias, desc = parse_text("alias_name", operator.alias_name), parse_text("desc", operator.desc)
    _require_one(alias_name=alias, desc=desc)
    action = UpdateOTAModule(
        module_name=operator.module_name, product_key=operator.product_key, alias_name=alias, desc=desc
    )
    with TuyaOTAHook(operator.tuya_ota_conn_id).get_conn(operator.log) as client:
        client.do(action)
    operator.log.info("Changed module %s of product %s", action.module_name, action.product_key)
    return operator.module_name


def delete_module(operator: TuyaOTADeleteModuleOperator) -> str:
    """Delete a module."""
    missing_ok = parse_bool("missing_ok", operator.missing_ok, default=True)
    with TuyaOTAHook(operator.tuya_ota_conn_id).get_conn(operator.log) as client:
        try:
            client.do(DeleteOTAModule(module_name=operator.module_name, product_key=operator.product_key))
        except NotFoundError as error:
            if not (missing_ok or error.in_doubt):
                raise
            operator.log.warning("%s It counts as deleted.", error.sentence)
        else:
            operator.log.info("Deleted module %s of product %s", operator.module_name, operator.product_key)
    return operator.module_name


def _module(client: TuyaOTAClient, action: CreateOTAModule) -> OtaModule | None:
    modules = client.do(ListOTAModuleByProduct(product_key=action.product_key))
    return next((module for module in modules if module.module_name == action.module_name), None)


def _compare(operator: TuyaOTACreateModuleOperator, action: CreateOTAModule, existing: OtaModule) -> None:
    told = {"alias_name": existing.alias_name, "desc": existing.desc}
    other = {name: value for name, value in told.items() if getattr(action, name) not in {None, value}}
    if other:
        operator.log.warning("Module %s exists with other values: %s", action.module_name, other)
    else:
        operator.log.info("Product %s has module %s already", action.product_key, action.module_name)


def _require_one(**values: Any) -> None:
    if all(value is None for value in values.values()):
        raise InvalidParameterError(
            field=", ".join(values), problem="none of them is given", allowed="at least one, or nothing would change"
        )
