"""The command ``tuya-ota call``: sign and send any operation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_tuya_ota.cli.connection import add_connection_arguments, read_settings
from airflow_provider_tuya_ota.cli.printed_json import as_json
from airflow_provider_tuya_ota.client import TuyaOTAClient
from airflow_provider_tuya_ota.core.errors import ConfigurationError
from airflow_provider_tuya_ota.core.wire.redaction import mask_reply

if TYPE_CHECKING:
    import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of ``tuya-ota call``."""
    parser.add_argument("action", metavar="ACTION", help="operation on the wire, e.g. QueryOTAJob")
    parser.add_argument(
        "parameters", metavar="Key=value", nargs="*", help="its parameters, if any, e.g. JobId=1836 DeviceName.1=a"
    )
    add_connection_arguments(parser)


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
    with TuyaOTAClient(read_settings(arguments)) as client:
        reply = client.call(arguments.action, parameters)
    print(as_json(mask_reply(reply.fields.plain())))
    return 0
