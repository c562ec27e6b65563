"""OTA modules: parts of a product's devices that are upgraded separately."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator

from airflow_provider_tuya_ota.hooks.tuya_ota import TuyaOTAHook
from airflow_provider_tuya_ota.templates import TemplatedArguments

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk import Context


class _ModuleOperator(TemplatedArguments, BaseOperator):
    """What the three have in common."""

    template_fields: Sequence[str] = ("module_name", "product_key", "tuya_ota_conn_id")
    ui_color = "#e8f3ff"

    def __init__(
        self,
        *,
        module_name: str,
        product_key: str,
        tuya_ota_conn_id: str = TuyaOTAHook.default_conn_name,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.module_name = module_name
        self.product_key = product_key
        self.tuya_ota_conn_id = tuya_ota_conn_id


class TuyaOTACreateModuleOperator(_ModuleOperator):
    """Make a module of a product; ten of one's own are the limit, and ``default`` is the whole device.

    Calls CreateOTAModule, unless the product has the module already: then it is taken as it is, with a warning where
    alias or description differ. So a retry or a second run changes nothing.

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
        """Make it, or find it."""
        from airflow_provider_tuya_ota.operators.keeping import create_module  # noqa: PLC0415 - parsing needs no protocol
        from airflow_provider_tuya_ota.runtime.task_report import reported  # noqa: PLC0415 - parsing needs no protocol

        with reported(context, self) as report:
            module_name = create_module(self)
            report.know(summary=f"made or found module {module_name}")
            return module_name


class TuyaOTAUpdateModuleOperator(_ModuleOperator):
    """Change a module's alias or description.

    Calls UpdateOTAModule. Returns the module's name. Doing it twice, as a retry does, does no more than once.

    :param module_name: module.
    :param product_key: product.
    :param alias_name: new name for people; None keeps the present one.
    :param desc: new description; None keeps the present one.
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
        """Change it."""
        from airflow_provider_tuya_ota.operators.keeping import update_module  # noqa: PLC0415 - parsing needs no protocol
        from airflow_provider_tuya_ota.runtime.task_report import reported  # noqa: PLC0415 - parsing needs no protocol

        with reported(context, self) as report:
            module_name = update_module(self)
            report.know(summary=f"changed module {module_name}")
            return module_name


class TuyaOTADeleteModuleOperator(_ModuleOperator):
    """Delete a module of one's own.

    Calls DeleteOTAModule. The platform refuses while firmwares belong to the module. Returns the module's name. A retry
    after a lost answer finds no module any more, which counts as done.

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
        """Delete it."""
        from airflow_provider_tuya_ota.operators.keeping import delete_module  # noqa: PLC0415 - parsing needs no protocol
        from airflow_provider_tuya_ota.runtime.task_report import reported  # noqa: PLC0415 - parsing needs no protocol

        with reported(context, self) as report:
            module_name = delete_module(self)
            report.know(summary=f"deleted module {module_name}")
            return module_name
