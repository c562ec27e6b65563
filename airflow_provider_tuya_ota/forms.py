r"""The fields of a trigger form: their patterns, and a check of the whole form before anything is sent.

Airflow checks a form with Python's ``search``, where ``$`` also matches before a line break at the end. ``$(?!\n)``
does not, and other readers of JSON Schema know it too. :func:`require_form` checks what no pattern can express, by the
rules of the operators.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from airflow_provider_tuya_ota.core.missing import NOTHING
from airflow_provider_tuya_ota.core.texts import HIDDEN
from airflow_provider_tuya_ota.notifications.webhook import require_webhook

if TYPE_CHECKING:
    from collections.abc import Mapping

_BEGIN: Final = rf"^(?!({'|'.join(NOTHING)})$)"
_END: Final = r"$(?!\n)"
ID: Final = rf"{_BEGIN}[!-~]{{1,256}}{_END}"
"""A product key, or the id of a firmware."""
JOB_ID: Final = rf"^[0-9]{{1,256}}{_END}"
VERSION: Final = rf"{_BEGIN}[A-Za-z0-9._-]{{1,64}}{_END}"
DEVICE: Final = rf"{_BEGIN}(?! )[^{HIDDEN}]{{1,256}}(?<! ){_END}"
"""A device name: no invisible characters, and no blanks around it."""
SOURCE: Final = rf"{_BEGIN}(?! )[^\x00-\x1f]+(?<! ){_END}"
"""A path or a URL."""


def require_form(params: Mapping[str, Any]) -> None:
    """Refuse in the first step of a Dag what a later step would refuse; nothing is sent.

    These fields are checked, by name: ``product_key``, ``firmware_id``, ``job_id``, ``version``, ``source``,
    ``device_names``, ``pilots``, ``percent`` and ``webhook_conn_id``, whose connection has to exist. All others are the
    Dag's own. The form itself has to require that a list is not empty.

    :param params: parameters of the run, ``context["params"]``.
    :raises ConfigurationError: a field is invalid; names it.
    """
    for field, value in params.items():
        _require(field, value)


def _require(field: str, value: Any) -> None:
    from airflow_provider_tuya_ota.core.actions import CreateOTAFirmware, CreateOTAVerifyJob, QueryOTAJob  # noqa: PLC0415 - parsing a Dag needs no protocol
    from airflow_provider_tuya_ota.runtime.arguments import parse_int, parse_names, parse_source  # noqa: PLC0415 - a parsed Dag needs no worker code

    match field:
        case "product_key" | "firmware_id":
            CreateOTAVerifyJob.require(field, value)
        case "job_id":
            QueryOTAJob.require(field, value)
        case "version":
            CreateOTAFirmware.require("dest_version", value, called=field)
        case "device_names" | "pilots":
            # As text, because that is what an operator gets from a template.
            if listed := parse_names(field, str(value)):
                CreateOTAVerifyJob.require("target_device_name", listed, called=field)
        case "percent":
            parse_int(field, str(value))
        case "source":
            parse_source(value)
        case "webhook_conn_id" if value:
            require_webhook(value)
        case _:
            pass
