"""What the worker does for :class:`~airflow_provider_tuya_ota.operators.firmware.TuyaOTAUploadFirmwareOperator`.

It stands apart from the class because a Dag file is parsed far more often than it runs, and parsing needs no protocol.
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

from airflow_provider_tuya_ota.core.actions import CreateOTAFirmware
from airflow_provider_tuya_ota.core.release_report import Event
from airflow_provider_tuya_ota.core.uploading import ensure_package
from airflow_provider_tuya_ota.hooks.tuya_ota import TuyaOTAHook
from airflow_provider_tuya_ota.notifications.task_report import reported
from airflow_provider_tuya_ota.notifications.telling import every_notifier
from airflow_provider_tuya_ota.operators.source import measure
from airflow_provider_tuya_ota.values import require_text, switch, text

if TYPE_CHECKING:
    from airflow.sdk import Context

    from airflow_provider_tuya_ota.core.uploading import FirmwareFile
    from airflow_provider_tuya_ota.notifications.task_report import TaskReport
    from airflow_provider_tuya_ota.operators.firmware import TuyaOTAUploadFirmwareOperator

LONGEST_NAME = 40


def upload(operator: TuyaOTAUploadFirmwareOperator, context: Context) -> str:
    """Measure the file, adopt the package that holds it, or upload and create."""
    with reported(context, operator) as report:
        return _upload(operator, context, report)


def _upload(operator: TuyaOTAUploadFirmwareOperator, context: Context, report: TaskReport) -> str:
    report.know(version=str(operator.version))
    # Built once without the file, so that a wrong version is told before a large file is read.
    _action(operator, None)
    every_notifier(operator.notifiers)
    file = measure(
        operator.source,
        conn_id=text(operator.source_conn_id),
        file_suffix=text(operator.file_suffix),
        log=operator.log,
    )
    operator.log.info("%s: %s bytes, SHA256 %s", file.name, f"{file.size:,}", file.digests["SHA256"])
    action = _action(operator, file)
    with TuyaOTAHook(operator.tuya_ota_conn_id).get_conn(operator.log) as client:
        package = client.run(ensure_package(client.settings, action, file))
    operator.log.info("Package %s %s", package.firmware_id, "created" if package.is_new else "existed and is used")
    ti = context["ti"]
    ti.xcom_push(key="firmware_id", value=package.firmware_id)
    ti.xcom_push(key="sha256", value=file.digests["SHA256"])
    ti.xcom_push(key="size", value=file.size)
    ti.xcom_push(key="utc_create", value=package.utc_create)
    ti.xcom_push(key="request_id", value=package.request_id)
    did = "created" if package.is_new else "existed already"
    report.know(Event.UPLOADED, firmware_id=package.firmware_id, did=did)
    return package.firmware_id


def _action(operator: TuyaOTAUploadFirmwareOperator, file: FirmwareFile | None) -> CreateOTAFirmware:
    require_text("product_key", operator.product_key, "the key of the owning product")
    require_text("version", operator.version, "1 to 64 of A-Z a-z 0-9 . _ -, as a text")
    module = text(operator.module_name)
    return CreateOTAFirmware(
        dest_version=operator.version,
        firmware_name=text(operator.firmware_name) or default_name(operator.product_key, module, operator.version),
        firmware_sign=file.digests[operator.sign_method] if file else None,
        sign_method=operator.sign_method,
        firmware_size=file.size if file else None,
        product_key=operator.product_key,
        firmware_desc=text(operator.firmware_desc),
        src_version=text(operator.src_version),
        module_name=module,
        need_to_verify=switch("need_to_verify", operator.need_to_verify),
        udi=text(operator.udi),
    )


def default_name(product_key: str, module: str | None, version: str) -> str:
    """Make a name of 40 characters at the most that only this product, module and version have.

    Names may hold fewer characters than versions, so where one has to be replaced or cut, a digest keeps two
    versions apart.
    """
    exact = "-".join([product_key, module, version] if module and module != "default" else [product_key, version])
    name = re.sub(r"[^A-Za-z0-9_()-]", "_", exact)
    if "_" not in exact and len(name) <= LONGEST_NAME and exact.replace(".", "_") == name:
        return name
    return f"{name[: LONGEST_NAME - 9]}-{hashlib.sha256(exact.encode()).hexdigest()[:8]}"
