"""OTA modules: parts of a product's devices that are upgraded separately."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_tuya_ota.core.errors import ConflictError, TuyaOTAError
from airflow_provider_tuya_ota.hooks.connection_id import DEFAULT_CONNECTION_ID
from airflow_provider_tuya_ota.operators.base import TuyaOTAOperator

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk import Context

    from airflow_provider_tuya_ota.client import TuyaOTAClient
    from airflow_provider_tuya_ota.core.actions import CreateOTAModule
    from airflow_provider_tuya_ota.core.model.entities import OtaModule


class _ModuleOperator(TuyaOTAOperator):
    """What the three operators of this file share."""

    template_fields: Sequence[str] = ("module_name", "product_key", "tuya_ota_conn_id")
    ui_color = "#e8f3ff"

    def __init__(
        self,
        *,
        module_name: str,
        product_key: str,
        tuya_ota_conn_id: str = DEFAULT_CONNECTION_ID,
        **kwargs: Any,
    ) -> None:
        super().__init__(tuya_ota_conn_id=tuya_ota_conn_id, **kwargs)
        self.module_name = module_name
        self.product_key = product_key


class TuyaOTACreateModuleOperator(_ModuleOperator):
    """Create a module of a product: at most ten, beside ``default``, which is the whole device.

    Calls CreateOTAModule, unless the product has the module already. Then the module stays as it is, and a warning
    says where alias or description differ. So a retry or a second run changes nothing.

    Returns the module's name.

    :param module_name: letters, digits, dots, underscores and hyphens, 1 to 64; it cannot be changed.
    :param product_key: product.
    :param alias_name: name for people, 1 to 64 characters.
    :param desc: up to 100 characters.
    :param tuya_ota_conn_id: id of the connection.
    :raises InvalidParameterError: before anything is sent.

    Source: https://developer.tuya.com/en/docs/tuya-iot/CreateOTAModule?id=Kf0lb84ypbo80
    """

    template_fields: Sequence[str] = (*_ModuleOperator.template_fields, "alias_name", "desc")

    def __init__(self, *, alias_name: str | None = None, desc: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.alias_name = alias_name
        self.desc = desc

    def execute(self, context: Context) -> str:
        """Find the module, or create it."""
        from airflow_provider_tuya_ota.core.actions import CreateOTAModule  # noqa: PLC0415 - a parsed Dag needs no protocol
        from airflow_provider_tuya_ota.runtime.arguments import parse_text  # noqa: PLC0415 - a parsed Dag needs no worker code

        with self.reported(context) as report:
            request = CreateOTAModule(
                module_name=self.module_name,
                product_key=self.product_key,
                alias_name=parse_text("alias_name", self.alias_name),
                desc=parse_text("desc", self.desc),
            )
            with self.open_client() as client:
                existing = self._find(client) or self._create(client, request)
            if existing is not None:
                self._compare(request, existing)
            report.update(summary=f"made or found module {self.module_name}")
            return self.module_name

    def _find(self, client: TuyaOTAClient) -> OtaModule | None:
        from airflow_provider_tuya_ota.core.actions import ListOTAModuleByProduct  # noqa: PLC0415 - a parsed Dag needs no protocol

        modules = client.do(ListOTAModuleByProduct(product_key=self.product_key))
        return next((module for module in modules if module.module_name == self.module_name), None)

    def _create(self, client: TuyaOTAClient, request: CreateOTAModule) -> OtaModule | None:
        """Create the module.

        :returns: the module if the answer was lost, or another program was faster, and a list shows it.
        """
        try:
            client.do(request)
        except TuyaOTAError as error:
            existing = self._find(client) if error.in_doubt or isinstance(error, ConflictError) else None
            if existing is None:
                raise
            self.log.warning("%s The module is there.", error.sentence)
            return existing
        self.log.info("Created module %s of product %s", self.module_name, self.product_key)
        return None

    def _compare(self, request: CreateOTAModule, existing: OtaModule) -> None:
        values = {"alias_name": existing.alias_name, "desc": existing.desc}
        other = {name: value for name, value in values.items() if getattr(request, name) not in {None, value}}
        if other:
            self.log.warning("Module %s exists with other values: %s", self.module_name, other)
        else:
            self.log.info("Product %s has module %s already", self.product_key, self.module_name)


class TuyaOTAUpdateModuleOperator(_ModuleOperator):
    """Change a module's alias or description.

    Calls UpdateOTAModule. Returns the module's name. A retry repeats the change, which has no further effect.

    :param module_name: module.
    :param product_key: product.
    :param alias_name: new name for people; None keeps the old one.
    :param desc: new description; None keeps the old one.
    :param tuya_ota_conn_id: id of the connection.
    :raises InvalidParameterError: neither is given; nothing is sent.
    :raises NotFoundError: the product has no such module.

    Source: https://developer.tuya.com/en/docs/tuya-iot/UpdateOTAModule?id=Kf0lbgfv4fprt
    """

    template_fields: Sequence[str] = (*_ModuleOperator.template_fields, "alias_name", "desc")

    def __init__(self, *, alias_name: str | None = None, desc: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.alias_name = alias_name
        self.desc = desc

    def execute(self, context: Context) -> str:
        """Change the module."""
        from airflow_provider_tuya_ota.core.actions import UpdateOTAModule  # noqa: PLC0415 - a parsed Dag needs no protocol
        from airflow_provider_tuya_ota.runtime.arguments import parse_text, require_any  # noqa: PLC0415 - a parsed Dag needs no worker code

        with self.reported(context) as report:
            alias_name, desc = parse_text("alias_name", self.alias_name), parse_text("desc", self.desc)
            require_any(alias_name=alias_name, desc=desc)
            request = UpdateOTAModule(
                module_name=self.module_name, product_key=self.product_key, alias_name=alias_name, desc=desc
            )
            with self.open_client() as client:
                client.do(request)
            self.log.info("Changed module %s of product %s", self.module_name, self.product_key)
            report.update(summary=f"changed module {self.module_name}")
            return self.module_name


class TuyaOTADeleteModuleOperator(_ModuleOperator):
    """Delete a module.

    Calls DeleteOTAModule. The platform refuses while firmwares belong to the module. Returns the module's name. A retry
    after a lost answer finds no module, which counts as deleted.

    :param module_name: module.
    :param product_key: product.
    :param missing_ok: whether a module that is not there counts as deleted: True by default, with a warning. After a
        lost answer it always does, within one try.
    :param tuya_ota_conn_id: id of the connection.
    :raises ConflictError: firmwares belong to the module, or it is ``default``.

    Source: https://developer.tuya.com/en/docs/tuya-iot/DeleteOTAModule?id=Kf0loepsc9usp
    """

    template_fields: Sequence[str] = (*_ModuleOperator.template_fields, "missing_ok")

    def __init__(self, *, missing_ok: bool | str = True, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.missing_ok = missing_ok

    def execute(self, context: Context) -> str:
        """Delete the module."""
        from airflow_provider_tuya_ota.core.actions import DeleteOTAModule  # noqa: PLC0415 - a parsed Dag needs no protocol

        with self.reported(context) as report:
            action = DeleteOTAModule(module_name=self.module_name, product_key=self.product_key)
            entity = f"module {self.module_name} of product {self.product_key}"
            self.delete(action, entity, missing_ok=self.missing_ok)
            report.update(summary=f"deleted module {self.module_name}")
            return self.module_name
