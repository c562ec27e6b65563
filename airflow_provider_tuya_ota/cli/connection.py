"""The arguments by which a command names the service and its key."""

from __future__ import annotations

import getpass
import os
import sys
from typing import TYPE_CHECKING

from airflow_provider_tuya_ota.core.errors import ConfigurationError
from airflow_provider_tuya_ota.core.settings import Settings

if TYPE_CHECKING:
    import argparse

SECRET_VARIABLE = "TUYA_OTA_ACCESS_KEY_SECRET"  # noqa: S105 - the name of a variable, not a secret


def add_connection_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare them."""
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


def read_settings(arguments: argparse.Namespace) -> Settings:
    """Build the settings of the client.

    :raises ConfigurationError: arguments are missing, exclude each other, or name no connection.
    """
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
