"""Packages that exist: change what may be changed, or delete them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator

from airflow_provider_tuya_ota.hooks.tuya_ota import TuyaOTAHook
from airflow_provider_tuya_ota.templates import TemplatedArguments

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk import Context


class TuyaOTAModifyFirmwareOperator(TemplatedArguments, BaseOperator):
    """Change a package's description, or the text that devices get with the upgrade notice.

    Calls ModifyOTAFirmware. The platform insists on the package's present name, which cannot be changed: it is read
    from the package. Jobs and devices are not touched.

    Returns the firmware id. Doing it twice, as a retry does, does no more than once.

    :param firmware_id: package.
    :param firmware_desc: new description, up to 100 characters; None keeps the present one.
    :param udi: new text for devices, up to 4096 characters; None keeps the present one.
    :param tuya_ota_conn_id: id of the connection.
    :raises InvalidParameterError: neither is given; nothing is sent.
    :raises NotFoundError: there is no such package.

    Source: https://developer.tuya.com/en/docs/tuya-iot/ModifyOTAFirmware?id=Kf0l9ceeodirz
    """

    template_fields: Sequence[str] = ("firmware_id", "firmware_desc", "udi", "tuya_ota_conn_id")
    ui_color = "#e8f3ff"

    def __init__(
        self,
        *,
        firmware_id: str,
        firmware_desc: str | None = None,
        udi: str | None = None,
        tuya_ota_conn_id: str = TuyaOTAHook.default_conn_name,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.firmware_id = firmware_id
        self.firmware_desc = firmware_desc
        self.udi = udi
        self.tuya_ota_conn_id = tuya_ota_conn_id

    def execute(self, context: Context) -> str:
        """Change it."""
        from airflow_provider_tuya_ota.operators.keeping import modify  # noqa: PLC0415 - parsing needs no protocol
        from airflow_provider_tuya_ota.runtime.task_report import reported  # noqa: PLC0415 - parsing needs no protocol

        with reported(context, self, did="was changed"):
            return modify(self)


class TuyaOTADeleteFirmwareOperator(TemplatedArguments, BaseOperator):
    """Delete a package. Its file is gone for good; devices that run it go on running it.

    Calls DeleteOTAFirmware. The platform refuses while an unfinished job needs the package.

    Returns the firmware id. A retry after a lost answer finds no package any more, which counts as done.

    :param firmware_id: package.
    :param missing_ok: whether a package that is not there counts as deleted: True by default, with a warning. After a
        lost answer it always does, within one try.
    :param tuya_ota_conn_id: id of the connection.
    :raises ConflictError: an unfinished job needs the package.
    :raises NotFoundError: there is no such package, and ``missing_ok`` is False.

    Source: https://help.aliyun.com/zh/marketplace/deleteotafirmware
    """

    template_fields: Sequence[str] = ("firmware_id", "missing_ok", "tuya_ota_conn_id")
    ui_color = "#ffe8e8"

    def __init__(
        self,
        *,
        firmware_id: str,
        missing_ok: bool | str = True,
        tuya_ota_conn_id: str = TuyaOTAHook.default_conn_name,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.firmware_id = firmware_id
        self.missing_ok = missing_ok
        self.tuya_ota_conn_id = tuya_ota_conn_id

    def execute(self, context: Context) -> str:
        """Delete it."""
        from airflow_provider_tuya_ota.operators.keeping import delete  # noqa: PLC0415 - parsing needs no protocol
        from airflow_provider_tuya_ota.runtime.task_report import reported  # noqa: PLC0415 - parsing needs no protocol

        with reported(context, self, did="is deleted"):
            return delete(self)
