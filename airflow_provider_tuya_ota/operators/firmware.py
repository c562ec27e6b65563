"""Bringing packages to the platform."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator

from airflow_provider_tuya_ota.hooks.tuya_ota import TuyaOTAHook
from airflow_provider_tuya_ota.templates import TemplatedArguments

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk import BaseNotifier, Context


class TuyaOTAUploadFirmwareOperator(TemplatedArguments, BaseOperator):
    """Upload a firmware file and create a package from it. No device is touched.

    Adopts what exists: a package of the same product, module, version **and** content is returned and nothing is
    uploaded; the same version with other bytes is an error and nothing is created. So a retry or a second run makes
    no second package. Killing the task leaves at most a file that the platform deletes by itself.

    Returns the package's id, as text. Pushes XCom ``firmware_id``, ``firmware`` (the id in words: Airflow's XCom page
    rounds texts of digits), ``sha256``, ``size`` in bytes, ``utc_create`` and ``request_id`` (empty where an existing
    package was adopted).

    :param source: a path of the worker's machine, or any URL that ``ObjectStoragePath`` opens; 1 to 1,048,576,000
        bytes. It is read twice and never held in memory; a storage that fails for a moment is read up to three times.
        What is no file (a pipe, a device, a directory) is refused unopened, and a file that changes meanwhile is not
        made a package of.
    :param version: version that devices have afterwards: 1 to 64 of ``A-Z a-z 0-9 . _ -``.
    :param product_key: product that owns the package.
    :param firmware_name: unique in the account and not to be changed later, 1 to 40 characters; made of product,
        module and version where it is None.
    :param module_name: OTA module; None is ``default``, the whole device.
    :param src_version: version to be upgraded; None for any.
    :param firmware_desc: at most 100 characters.
    :param sign_method: ``SHA256`` (default, because MD5 can be forged) or ``MD5`` for devices that know nothing else.
    :param need_to_verify: True (default): a verification must succeed before the package may go to many devices.
    :param udi: free text handed to the device, at most 4096 characters.
    :param file_suffix: bin, dav, apk, tar, gz, tar.gz, zip or gzip; read off the source's name where it is None.
    :param source_conn_id: Airflow connection of the source's storage.
    :param notifiers: any Airflow notifiers, called once with ``ota_release`` when the task ends and no retry follows.
    :param tuya_ota_conn_id: id of the connection.
    :raises FirmwareVersionTakenError: the version exists with other bytes.
    :raises InvalidParameterError: before anything is sent.
    :raises SourceUnavailableError: the source's storage went on failing; no package was created.

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
        """Measure the file, adopt the package that holds it, or upload and create."""
        from airflow_provider_tuya_ota.operators.packaging import upload  # noqa: PLC0415 - parsing a Dag needs no protocol

        return upload(self, context)
