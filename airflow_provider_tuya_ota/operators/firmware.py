"""Firmware: upload it, change it, delete it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from airflow_provider_tuya_ota.core.errors import InvalidParameterError
from airflow_provider_tuya_ota.core.short_repr import short_repr
from airflow_provider_tuya_ota.hooks.connection_id import DEFAULT_CONNECTION_ID, require_connection_id
from airflow_provider_tuya_ota.operators.base import TuyaOTAOperator

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk import BaseNotifier, Context

    from airflow_provider_tuya_ota.core.actions import CreateOTAFirmware
    from airflow_provider_tuya_ota.core.upload import EnsuredFirmware, FirmwareFile


class TuyaOTAUploadFirmwareOperator(TuyaOTAOperator):
    """Upload a firmware file and create a firmware from it. No device is touched.

    If a firmware of the same product, module, version **and** content exists, it is returned and nothing is uploaded.
    The same version with other bytes is an error and nothing is created. So a retry or a second run creates no second
    firmware. Killing the task leaves at most a file that the platform deletes by itself.

    Returns the firmware's id, as text. Pushes XCom ``firmware_id``, ``firmware`` (the id in a sentence, because
    Airflow's XCom page rounds texts of digits), ``sha256``, ``size`` in bytes, ``utc_create`` and ``request_id`` (empty
    where the firmware existed).

    :param source: a path of the worker's machine, or any URL that ``ObjectStoragePath`` opens; 1 to 1,048,576,000
        bytes. Each byte is read once, and the file is never held in memory; a storage that fails for a moment is read
        up to three times. What is no file (a pipe, a device, a directory) is refused unopened, and a file that changes
        meanwhile is not made a firmware of.
    :param version: version that devices have afterwards: 1 to 64 of ``A-Z a-z 0-9 . _ -``.
    :param product_key: product that owns the firmware.
    :param firmware_name: unique in the account and not to be changed later, 1 to 40 characters; made of product,
        module and version where it is None.
    :param module_name: OTA module; None is ``default``, the whole device.
    :param src_version: version to be upgraded; None for any.
    :param firmware_desc: at most 100 characters.
    :param sign_method: ``SHA256`` (default, because MD5 can be forged), or ``MD5`` for devices that support only it.
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
        tuya_ota_conn_id: str = DEFAULT_CONNECTION_ID,
        **kwargs: Any,
    ) -> None:
        super().__init__(tuya_ota_conn_id=tuya_ota_conn_id, **kwargs)
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

    def execute(self, context: Context) -> str:
        """Open the file, adopt the firmware that holds it, or upload and create."""
        from airflow_provider_tuya_ota.core.status.event import Event  # noqa: PLC0415 - a parsed Dag needs no protocol
        from airflow_provider_tuya_ota.core.upload import ensure_firmware  # noqa: PLC0415 - a parsed Dag needs no protocol
        from airflow_provider_tuya_ota.runtime.arguments import parse_source  # noqa: PLC0415 - a parsed Dag needs no worker code
        from airflow_provider_tuya_ota.runtime.notify import require_notifiers  # noqa: PLC0415 - a parsed Dag needs no worker code
        from airflow_provider_tuya_ota.runtime.source import opened_source  # noqa: PLC0415 - a parsed Dag needs no worker code
        from airflow_provider_tuya_ota.runtime.xcom import push_firmware  # noqa: PLC0415 - a parsed Dag needs no worker code

        with self.reported(context) as report:
            version: Any = self.version
            report.update(version=version if isinstance(version, str) else short_repr(version))
            request = self._request()
            require_notifiers(self.notifiers, self.log)
            suffix, source_conn_id = self._storage_options()
            require_connection_id("tuya_ota_conn_id", self.tuya_ota_conn_id)
            source = parse_source(self.source)
            with (
                opened_source(source, conn_id=source_conn_id, file_suffix=suffix, log=self.log) as file,
                self.open_client() as client,
            ):
                firmware = client.run(ensure_firmware(client.settings, request, file))
            self._log_result(firmware, file)
            push_firmware(context["ti"], firmware, version=self.version, size=file.size)
            summary = "created" if firmware.is_new else "existed already"
            report.update(Event.UPLOADED, firmware_id=firmware.firmware_id, summary=summary)
            return firmware.firmware_id

    def _request(self) -> CreateOTAFirmware:
        """Check everything but the file, before the file is opened."""
        from airflow_provider_tuya_ota.core.actions import CreateOTAFirmware  # noqa: PLC0415 - a parsed Dag needs no protocol
        from airflow_provider_tuya_ota.core.actions.firmware import DIGEST_LENGTHS  # noqa: PLC0415 - a parsed Dag needs no protocol
        from airflow_provider_tuya_ota.runtime.arguments import (  # noqa: PLC0415 - a parsed Dag needs no worker code
            named_as,
            parse_bool,
            parse_choice,
            parse_text,
        )
        from airflow_provider_tuya_ota.runtime.firmware_name import default_name  # noqa: PLC0415 - a parsed Dag needs no worker code

        product_key: Any = self.product_key
        if product_key is None:
            problem, allowed = "is missing", "the key of the owning product"
            raise InvalidParameterError(field="product_key", problem=problem, allowed=allowed)
        method = parse_choice("sign_method (SignMethod)", self.sign_method, tuple(DIGEST_LENGTHS), default="SHA256")
        name = parse_text("firmware_name", self.firmware_name)
        with named_as(dest_version="version"):
            request = CreateOTAFirmware(
                dest_version=self.version,
                # The default name is made of what is checked here.
                firmware_name="a" if name is None else name,
                sign_method=method,
                product_key=product_key,
                firmware_desc=parse_text("firmware_desc", self.firmware_desc),
                src_version=parse_text("src_version", self.src_version),
                module_name=parse_text("module_name", self.module_name),
                need_to_verify=parse_bool("need_to_verify", self.need_to_verify, default=True),
                udi=parse_text("udi", self.udi),
            )
        if name is not None:
            return request
        return replace(request, firmware_name=default_name(self.product_key, request.module_name, request.dest_version))

    def _storage_options(self) -> tuple[str | None, str | None]:
        """Read the kind of file and the storage's connection, None where they are left out."""
        from airflow_provider_tuya_ota.core.actions import GenerateOTAUploadURL  # noqa: PLC0415 - a parsed Dag needs no protocol
        from airflow_provider_tuya_ota.runtime.arguments import parse_text  # noqa: PLC0415 - a parsed Dag needs no worker code

        suffix = GenerateOTAUploadURL(file_suffix=parse_text("file_suffix", self.file_suffix)).file_suffix
        conn_id = parse_text("source_conn_id", self.source_conn_id)
        return suffix, None if conn_id is None else require_connection_id("source_conn_id", conn_id)

    def _log_result(self, firmware: EnsuredFirmware, file: FirmwareFile) -> None:
        from airflow_provider_tuya_ota.runtime.timestamps import ago, parse_timestamp  # noqa: PLC0415 - a parsed Dag needs no worker code

        self.log.info("%s: %s bytes, SHA256 %s", file.name, f"{file.size:,}", firmware.digests["SHA256"])
        what = "created"
        if not firmware.is_new:
            created = parse_timestamp(firmware.utc_create)
            what = f"existed and is used; it was created {ago(created)}" if created else "existed and is used"
        self.log.info("Firmware %s %s", firmware.firmware_id, what)


class TuyaOTAModifyFirmwareOperator(TuyaOTAOperator):
    """Change a firmware's description, or the text that devices get with the upgrade notice.

    Calls ModifyOTAFirmware. The platform requires the firmware's name, which cannot be changed; the task reads it from
    the firmware. Jobs and devices are not touched.

    Returns the firmware id. A retry repeats the change, which has no further effect.

    :param firmware_id: firmware.
    :param firmware_desc: new description, up to 100 characters; None keeps the old one.
    :param udi: new text for devices, up to 4096 characters; None keeps the old one.
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
        tuya_ota_conn_id: str = DEFAULT_CONNECTION_ID,
        **kwargs: Any,
    ) -> None:
        super().__init__(tuya_ota_conn_id=tuya_ota_conn_id, **kwargs)
        self.firmware_id = firmware_id
        self.firmware_desc = firmware_desc
        self.udi = udi

    def execute(self, context: Context) -> str:
        """Change the firmware."""
        from airflow_provider_tuya_ota.core.actions import ModifyOTAFirmware, QueryOTAFirmware  # noqa: PLC0415 - a parsed Dag needs no protocol
        from airflow_provider_tuya_ota.runtime.arguments import parse_text, require_any  # noqa: PLC0415 - a parsed Dag needs no worker code

        with self.reported(context, summary="was changed"):
            desc, udi = parse_text("firmware_desc", self.firmware_desc), parse_text("udi", self.udi)
            require_any(firmware_desc=desc, udi=udi)
            # Built for its complaints, before anything is sent; the name is the firmware's own.
            request = ModifyOTAFirmware(firmware_id=self.firmware_id, firmware_name="a", firmware_desc=desc, udi=udi)
            with self.open_client() as client:
                firmware = client.do(QueryOTAFirmware(firmware_id=self.firmware_id))
                client.do(replace(request, firmware_name=firmware.name))
            self.log.info("Changed firmware %s (%s)", self.firmware_id, firmware.version)
            return self.firmware_id


class TuyaOTADeleteFirmwareOperator(TuyaOTAOperator):
    """Delete a firmware. Its file cannot be restored; devices that run it keep running it.

    Calls DeleteOTAFirmware. The platform refuses while an unfinished job needs the firmware.

    Returns the firmware id. A retry after a lost answer finds no firmware, which counts as deleted.

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
        tuya_ota_conn_id: str = DEFAULT_CONNECTION_ID,
        **kwargs: Any,
    ) -> None:
        super().__init__(tuya_ota_conn_id=tuya_ota_conn_id, **kwargs)
        self.firmware_id = firmware_id
        self.missing_ok = missing_ok

    def execute(self, context: Context) -> str:
        """Delete the firmware."""
        from airflow_provider_tuya_ota.core.actions import DeleteOTAFirmware  # noqa: PLC0415 - a parsed Dag needs no protocol

        with self.reported(context, summary="is deleted"):
            action = DeleteOTAFirmware(firmware_id=self.firmware_id)
            self.delete(action, f"firmware {self.firmware_id}", missing_ok=self.missing_ok)
            return self.firmware_id
