"""What the worker does for :class:`~airflow_provider_tuya_ota.operators.firmware.TuyaOTAUploadFirmwareOperator`.

It stands apart from the class because a Dag file is parsed far more often than it runs, and parsing needs no protocol.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from airflow_provider_tuya_ota.core.actions import CreateOTAFirmware, GenerateOTAUploadURL
from airflow_provider_tuya_ota.core.actions.firmware import DIGEST_LENGTHS
from airflow_provider_tuya_ota.core.actions.rules import nothing_problem
from airflow_provider_tuya_ota.core.errors import InvalidParameterError
from airflow_provider_tuya_ota.core.shown import shown
from airflow_provider_tuya_ota.core.status.event import Event
from airflow_provider_tuya_ota.core.upload import ensure_firmware
from airflow_provider_tuya_ota.hooks.tuya_ota import TuyaOTAHook, require_connection_id
from airflow_provider_tuya_ota.runtime.arguments import named_as, parse_bool, parse_choice, parse_text
from airflow_provider_tuya_ota.runtime.moments import ago, read_moment
from airflow_provider_tuya_ota.runtime.notify import require_notifiers
from airflow_provider_tuya_ota.runtime.source import opened_source
from airflow_provider_tuya_ota.runtime.task_report import reported

if TYPE_CHECKING:
    from airflow.sdk import Context

    from airflow_provider_tuya_ota.operators.firmware import TuyaOTAUploadFirmwareOperator
    from airflow_provider_tuya_ota.runtime.task_report import TaskReport

LONGEST_NAME = 40


def upload(operator: TuyaOTAUploadFirmwareOperator, context: Context) -> str:
    """Open the file, adopt the firmware that holds it, or upload and create."""
    with reported(context, operator) as report:
        return _upload(operator, context, report)


def _upload(operator: TuyaOTAUploadFirmwareOperator, context: Context, report: TaskReport) -> str:
    written: Any = operator.version
    report.know(version=written if isinstance(written, str) else shown(written))
    action = _action(operator)
    require_notifiers(operator.notifiers, operator.log)
    suffix = GenerateOTAUploadURL(file_suffix=parse_text("file_suffix", operator.file_suffix)).file_suffix
    conn_id = parse_text("source_conn_id", operator.source_conn_id)
    if conn_id is not None:
        conn_id = require_connection_id("source_conn_id", conn_id)
    require_connection_id("tuya_ota_conn_id", operator.tuya_ota_conn_id)
    source = require_source(operator.source)
    with (
        opened_source(source, conn_id=conn_id, file_suffix=suffix, log=operator.log) as file,
        TuyaOTAHook(operator.tuya_ota_conn_id).get_conn(operator.log) as client,
    ):
        firmware = client.run(ensure_firmware(client.settings, action, file))
    operator.log.info("%s: %s bytes, SHA256 %s", file.name, f"{file.size:,}", firmware.digests["SHA256"])
    operator.log.info(
        "Firmware %s %s", firmware.firmware_id, "created" if firmware.is_new else _existed(firmware.utc_create)
    )
    ti = context["ti"]
    ti.xcom_push(key="firmware_id", value=firmware.firmware_id)
    # Airflow's XCom page reads a text of digits as a number and rounds it; this one it shows as it is.
    ti.xcom_push(key="firmware", value=f"firmware {firmware.firmware_id}, version {operator.version}")
    ti.xcom_push(key="sha256", value=firmware.digests["SHA256"])
    ti.xcom_push(key="size", value=file.size)
    ti.xcom_push(key="utc_create", value=firmware.utc_create)
    ti.xcom_push(key="request_id", value=firmware.request_id)
    summary = "created" if firmware.is_new else "existed already"
    report.know(Event.UPLOADED, firmware_id=firmware.firmware_id, summary=summary)
    return firmware.firmware_id


def _existed(utc_create: str) -> str:
    created = read_moment(utc_create)
    return f"existed and is used; it was created {ago(created)}" if created else "existed and is used"


def _action(operator: TuyaOTAUploadFirmwareOperator) -> CreateOTAFirmware:
    """Check everything but the file before it is looked for."""
    if operator.product_key is None:
        raise InvalidParameterError(field="product_key", problem="is missing", allowed="the key of the owning product")
    method = parse_choice("sign_method (SignMethod)", operator.sign_method, tuple(DIGEST_LENGTHS), default="SHA256")
    name = parse_text("firmware_name", operator.firmware_name)
    with named_as(dest_version="version"):
        action = CreateOTAFirmware(
            dest_version=operator.version,
            # The product's own name is made of what is checked here.
            firmware_name="a" if name is None else name,
            sign_method=method,
            product_key=operator.product_key,
            firmware_desc=parse_text("firmware_desc", operator.firmware_desc),
            src_version=parse_text("src_version", operator.src_version),
            module_name=parse_text("module_name", operator.module_name),
            need_to_verify=parse_bool("need_to_verify", operator.need_to_verify, default=True),
            udi=parse_text("udi", operator.udi),
        )
    if name is not None:
        return action
    return replace(action, firmware_name=default_name(operator.product_key, action.module_name, action.dest_version))


def require_source(value: Any) -> str:
    """Refuse what is no path and no URL; whether a file is there is for reading it to say."""
    problem: str | None
    if not isinstance(value, str):
        problem = f"{shown(value)} is not a text"
    elif not value.strip():
        problem = "is empty"
    else:
        problem = nothing_problem(value.strip())
    if problem:
        raise InvalidParameterError(field="source", problem=problem, allowed="a path or a URL, as text")
    return str.__str__(value)


def default_name(product_key: str, module: str | None, version: str) -> str:
    """Make a name of 40 characters at the most that only this product, module and version have.

    Names may hold fewer characters than versions, so where one has to be replaced or cut, a digest keeps two
    versions apart.
    """
    exact = "-".join([product_key, module, version] if module and module != "default" else [product_key, version])
    name = re.sub(r"^(?![A-Za-z0-9])", "p", re.sub(r"[^A-Za-z0-9_()-]", "_", exact))
    if "_" not in exact and len(name) <= LONGEST_NAME and exact.replace(".", "_") == name:
        return name
    return f"{name[: LONGEST_NAME - 9]}-{hashlib.sha256(exact.encode()).hexdigest()[:8]}"
