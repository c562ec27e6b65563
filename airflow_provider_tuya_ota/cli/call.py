"""The command ``tuya-ota call``: sign and send any operation."""

from __future__ import annotations

import getpass
import json
import os
import sys
from typing import TYPE_CHECKING

from airflow_provider_tuya_ota.client import TuyaOTAClient
from airflow_provider_tuya_ota.core.errors import ConfigurationError
from airflow_provider_tuya_ota.core.settings import Settings
from airflow_provider_tuya_ota.core.wire.redaction import mask_reply

if TYPE_CHECKING:
    import argparse

SECRET_VARIABLE = "TUYA_OTA_ACCESS_KEY_SECRET"  # noqa: S105 - the name of a variable, not a secret


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of ``tuya-ota call``."""
    parser.add_argument("action", metavar="ACTION", help="operation on the wire, e.g. QueryOTAJob")
    parser.add_argument(
        "parameters", metavar="Key=value", nargs="*", help="its parameters, if any, e.g. JobId=1836 DeviceName.1=a"
    )
    where = parser.add_argument_group("where to send it: an Airflow connection, or host and key")
    where.add_argument("--conn-id", help="id of an Airflow connection of type tuya_ota")
    where.add_argument("--host", help="API host, optionally with scheme and port")
    where.add_argument("--port", type=int, help="API port; 8686 by default")
    where.add_argument("--access-key-id", help="AccessKey ID")
    where.add_argument(
        "--access-key-secret",
        help=f"AccessKey secret; better in the variable {SECRET_VARIABLE}, or typed when asked, because arguments are"
        " visible to every user of the machine",
    )


def run(arguments: argparse.Namespace) -> int:
    """Send one operation and print its answer."""
    parameters: dict[str, str] = {}
    for text in arguments.parameters:
        key, equals, value = text.partition("=")
        if not (key and equals):
            raise ConfigurationError(f"{text!r} is not of the form Key=value.")
        if key in parameters:
            raise ConfigurationError(f"{key} is given twice; lists are written {key}.1=… {key}.2=…")
        parameters[key] = value
    with TuyaOTAClient(_settings(arguments)) as client:
        reply = client.call(arguments.action, parameters)
    print(_as_json(mask_reply(reply.fields.plain())))
    return 0


def _as_json(answer: object) -> str:
    """Format an answer for people, with the escapes of JSON if standard output cannot encode it."""
    text = json.dumps(answer, indent=2, ensure_ascii=False)
    try:
        text.encode(sys.stdout.encoding)
    except UnicodeEncodeError:
        return json.dumps(answer, indent=2)
    return text


def _settings(arguments: argparse.Namespace) -> Settings:
    if arguments.conn_id and arguments.host:
        raise ConfigurationError("--conn-id and --host exclude each other.")
    if arguments.conn_id:
        from airflow.sdk.exceptions import AirflowException  # noqa: PLC0415 - Airflow takes seconds, which calls by host need not pay

        from airflow_provider_tuya_ota.hooks.tuya_ota import TuyaOTAHook  # noqa: PLC0415 - Airflow takes seconds, which calls by host need not pay

        try:
            return TuyaOTAHook(arguments.conn_id).get_settings()
        except AirflowException as error:
            raise ConfigurationError(f"{error}") from None
    if not arguments.host:
        raise ConfigurationError("Name the service: --conn-id ID, or --host HOST --access-key-id ID.")
    secret = arguments.access_key_secret or os.environ.get(SECRET_VARIABLE)
    if not secret and sys.stdin.isatty():
        secret = getpass.getpass("AccessKey secret: ")
    if not arguments.access_key_id:
        raise ConfigurationError("No AccessKey ID: give --access-key-id.")
    if not secret:
        raise ConfigurationError(f"No AccessKey secret: set {SECRET_VARIABLE}, or type it when asked in a terminal.")
    return Settings.from_connection_fields(
        host=arguments.host, port=arguments.port, login=arguments.access_key_id, password=secret, extra={}
    )
