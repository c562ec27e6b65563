"""The command ``tuya-ota``."""

from __future__ import annotations

import argparse
import getpass
import json
import os
import sys
from io import TextIOWrapper
from typing import TYPE_CHECKING

from airflow_provider_tuya_ota import __version__
from airflow_provider_tuya_ota.client import TuyaOTAClient
from airflow_provider_tuya_ota.core.actions import ALL_ACTIONS
from airflow_provider_tuya_ota.core.errors import ConfigurationError, TuyaOTAError
from airflow_provider_tuya_ota.core.settings import Settings
from airflow_provider_tuya_ota.core.wire.redaction import mask_reply

if TYPE_CHECKING:
    from collections.abc import Sequence

SECRET_VARIABLE = "TUYA_OTA_ACCESS_KEY_SECRET"  # noqa: S105 - the name of a variable, not a secret


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    :param argv: arguments without the program's name; those of the process by default.
    :returns: 0 on success, 1 when the platform or the release failed, 2 for a wrong call.
    """
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(
            errors="backslashreplace"
        )  # as Python does for standard error: printing must not fail a release
    parser = _parser()
    arguments, rest = parser.parse_known_args(argv)
    # argparse accepts positional arguments only up to the first option after them.
    if rest and (arguments.run is not _call or any(text.startswith("-") for text in rest)):
        parser.error(f"unrecognized arguments: {' '.join(rest)}")
    if rest:
        arguments.parameters += rest
    run = arguments.run
    try:
        code: int = run(arguments)
        sys.stdout.flush()
    except ConfigurationError as error:
        print(f"tuya-ota: {error}", file=sys.stderr)
        return 2
    except TuyaOTAError as error:
        print(f"tuya-ota: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:
        # The reader has closed the pipe; without this, Python would report it again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return code


def _parser() -> argparse.ArgumentParser:
    from airflow_provider_tuya_ota.demo import command as demo  # noqa: PLC0415 - `call` needs no web server
    from airflow_provider_tuya_ota.emulator import server as emulator  # noqa: PLC0415 - `call` needs no web server

    parser = argparse.ArgumentParser(prog="tuya-ota", description="Release device firmware through Tuya's OTA API.")
    parser.add_argument("--version", action="version", version=f"tuya-ota {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    call = commands.add_parser("call", help="sign and send any operation and print its answer")
    _add_call_arguments(call)
    call.set_defaults(run=_call)

    actions = commands.add_parser("actions", help="list the operations that this version knows")
    actions.set_defaults(run=_actions)

    run_emulator = commands.add_parser("emulator", help="run an emulator of the OTA service on this machine")
    emulator.add_arguments(run_emulator)
    run_emulator.set_defaults(run=emulator.run)

    run_demo = commands.add_parser("demo", help="release firmware to simulated devices in a real Airflow")
    demo.add_demo_arguments(run_demo)
    run_demo.set_defaults(run=demo.run_demo)

    up = commands.add_parser("up", help="keep Airflow and the emulator running until Ctrl-C")
    demo.add_up_arguments(up)
    up.set_defaults(run=demo.run_up)
    return parser


def _actions(_: argparse.Namespace) -> int:
    for name, action in ALL_ACTIONS.items():
        print(f"{name:<30} {(action.__doc__ or '').partition(chr(10))[0]}")
    return 0


def _add_call_arguments(parser: argparse.ArgumentParser) -> None:
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


def _call(arguments: argparse.Namespace) -> int:
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


if __name__ == "__main__":
    sys.exit(main())
