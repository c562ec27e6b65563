"""Upload firmware, change it, delete it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator

from airflow_provider_tuya_ota.hooks.tuya_ota import TuyaOTAHook
from airflow_provider_tuya_ota.templates import TemplatedArguments

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk import BaseNotifier, Context


class TuyaOTAUploadFirmwareOperator(TemplatedArguments, BaseOperator):
    """Upload a firmware file and create a firmware from it. No device is touched.

    Adopts what exists: a firmware of the same product, module, version **and** content is returned and nothing is
    uploaded; the same version with other bytes is an error and nothing is created. So a retry or a second run makes
    no second firmware. Killing the task leaves at most a file that the platform deletes by itself.

    Returns the firmware's id, as text. Pushes XCom ``firmware_id``, ``firmware`` (the id in words: Airflow's XCom page
    rounds texts of digits), ``sha256``, ``size`` in bytes, ``utc_create`` and ``request_id`` (empty where an existing
    firmware was adopted).

    :param source: a path of the worker's machine, or any URL that ``ObjectStoragePath`` opens; 1 to 1,048,576,000
        bytes. It is read twice and never held in memory; a storage that fails for a moment is read up to three times.
        What is no file (a pipe, a device, a directory) is refused unopened, and a file that changes meanwhile is not
        made a firmware of.
    :param version: version that devices have afterwards: 1 to 64 of ``A-Z a-z 0-9 . _ -``.
    :param product_key: product that owns the firmware.
    :param firmware_name: unique in the account and not to be changed later, 1 to 40 characters; made of product,
        module and version where it is None.
    :param module_name: OTA module; None is ``default``, the whole device.
    :param src_version: version to be upgraded; None for any.
    :param firmware_desc: at most 100 characters.
    :param sign_method: ``SHA256`` (default, because MD5 can be forged) or ``MD5`` for devices that know nothing else.
    :param need_to_verify: True (default): a verification must succeed before the firmware may go to many devices.
    :param udi: free text handed to the device, at most 4096 characters.
    :param file_suffix: bin, dav, apk, tar, gz, tar.gz, zip or gzip; read off the source's name where it is None.
    :param source_conn_id: Airflow connection of the source's storage.
    :param notifiers: any Airflow notifiers, called once with ``ota_release`` when the task ends and no retry follows.
    :param tuya_ota_conn_id: id of the connection.
    :raises FirmwareVersionTakenError: the version exists with other bytes.
    :raises InvalidParameterError: before anything is sent.
    :raises SourceUnavailableError: the source's storage went on failing; no firmware was created.

    Source: https://www.alibabacloud.com/help/en/marketplace/generate-ota-upload-url and
    https://www.alibabacloud.com/help/en/marketplace/untitled-document-1740987566871
    """

    template_fields: Sequence[str] = (
        "source",
        "version",
        "product_key",
        "firmware_name",
        "module_name",
        "src_version",
        "firmware_desc",
        "sign_method",
        "need_to_verify",
        "udi",
        "file_suffix",
        "source_conn_id",
        "tuya_ota_conn_id",
    )
    ui_color = "#e8f4ff"

    def __init__(
        self,
        *,
        source: str,
        version: str,
        product_key: str,
        firmware_name: str | None = None,
        module_name: str | None = None,
        src_version: str | None = None,
        firmware_desc: str | None = None,
        sign_method: str = "SHA256",
        need_to_verify: bool | str = True,
        udi: str | None = None,
        file_suffix: str | None = None,
        source_conn_id: str | None = None,
        notifiers: BaseNotifier | Sequence[BaseNotifier] = (),
        tuya_ota_conn_id: str = TuyaOTAHook.default_conn_name,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.source = source
        self.version = version
        self.product_key = product_key
        self.firmware_name = firmware_name
        self.module_name = module_name
        self.src_version = src_version
        self.firmware_desc = firmware_desc
        self.sign_method = sign_method
        self.need_to_verify = need_to_verify
        self.udi = udi
        self.file_suffix = file_suffix
        self.source_conn_id = source_conn_id
        self.notifiers = notifiers
        self.tuya_ota_conn_id = tuya_ota_conn_id

    def execute(self, context: Context) -> str:
        """Measure the file, adopt the firmware that holds it, or upload and create."""
        from airflow_provider_tuya_ota.operators.packaging import upload  # noqa: PLC0415 - parsing a Dag needs no protocol

        return upload(self, context)


class TuyaOTAModifyFirmwareOperator(TemplatedArguments, BaseOperator):
    """Change a firmware's description, or the text that devices get with the upgrade notice.

    Calls ModifyOTAFirmware. The platform insists on the firmware's present name, which cannot be changed: it is read
    from the firmware. Jobs and devices are not touched.

    Returns the firmware id. Doing it twice, as a retry does, does no more than once.

    :param firmware_id: firmware.
    :param firmware_desc: new description, up to 100 characters; None keeps the present one.
    :param udi: new text for devices, up to 4096 characters; None keeps the present one.
    :param tuya_ota_conn_id: id of the connection.
    :raises InvalidParameterError: neither is given; nothing is sent.
    :raises NotFoundError: there is no such firmware.

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

        with reported(context, self, summary="was changed"):
            return modify(self)


class TuyaOTADeleteFirmwareOperator(TemplatedArguments, BaseOperator):
    """Delete a firmware. Its file is gone for good; devices that run it go on running it.

    Calls DeleteOTAFirmware. The platform refuses while an unfinished job needs the firmware.

    Returns the firmware id. A retry after a lost answer finds no firmware any more, which counts as done.

    :param firmware_id: firmware.
    :param missing_ok: whether a firmware that is not there counts as deleted: True by default, with a warning. After a
        lost answer it always does, within one try.
    :param tuya_ota_conn_id: id of the connection.
    :raises ConflictError: an unfinished job needs the firmware.
    :raises NotFoundError: there is no such firmware, and ``missing_ok`` is False.

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

        with reported(context, self, summary="is deleted"):
            return delete(self)
