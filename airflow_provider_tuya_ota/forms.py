r"""The fields of a trigger form: their patterns, and a check of the whole form before anything is sent.

Airflow checks a form with Python's ``search``, where ``$`` also matches before a line break at the end. ``$(?!\n)``
does not, and other readers of JSON Schema know it too. :func:`require_form` checks what no pattern can express, by the
rules of the operators.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from airflow_provider_tuya_ota.core.missing import NOTHING
from airflow_provider_tuya_ota.core.texts import HIDDEN
from airflow_provider_tuya_ota.hooks.connection_id import DEFAULT_CONNECTION_ID
from airflow_provider_tuya_ota.notifications.webhook import require_webhook

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_BEGIN: Final = rf"^(?!({'|'.join(NOTHING)})$)"
_END: Final = r"$(?!\n)"
_MOST_DEVICES: Final = 50
"""In one request, see BatchGetDeviceState."""
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


def require_devices(
    product_key: str, device_names: Sequence[str], *, log: Any, tuya_ota_conn_id: str = DEFAULT_CONNECTION_ID
) -> None:
    """Refuse a product or devices that the platform does not know, before anything is uploaded or created.

    Reads the devices' states, with a request for up to 50. Where the platform cannot be asked, a warning is logged: a
    later step sends its own requests and is refused then.

    :param log: of the task.
    :raises NotFoundError: there is no such product, or no such device.
    :raises InvalidParameterError: the platform gave no state of a device; names up to ten.
    """
    from airflow_provider_tuya_ota.core.errors import InvalidParameterError, NotFoundError, TuyaOTAError  # noqa: PLC0415 - parsing a Dag needs no protocol
    from airflow_provider_tuya_ota.hooks.tuya_ota import TuyaOTAHook  # noqa: PLC0415 - parsing a Dag needs no hook

    try:
        hook = TuyaOTAHook(tuya_ota_conn_id)
        known = {
            device.device_name
            for start in range(0, len(device_names), _MOST_DEVICES)
            for device in hook.batch_get_device_state(
                product_key=product_key, device_name=list(device_names[start : start + _MOST_DEVICES])
            )
        }
    except NotFoundError:
        raise
    except TuyaOTAError as error:
        log.warning("Whether the platform knows the devices could not be read (%s)", error)
        return
    if unknown := [name for name in device_names if name not in known]:
        named = ", ".join(map(repr, unknown[:10])) + (f" and {len(unknown) - 10} more" if len(unknown) > 10 else "")  # noqa: PLR2004 - as many as are named
        raise InvalidParameterError(
            field="device_names",
            problem=f"the platform gives no state of {named}",
            allowed=f"devices of product {product_key}",
        )


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
