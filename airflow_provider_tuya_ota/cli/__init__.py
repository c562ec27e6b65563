"""The command ``tuya-ota``."""

from __future__ import annotations

import argparse
import errno
import os
import sys
from contextlib import redirect_stdout
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, Final

from airflow_provider_tuya_ota import __version__
from airflow_provider_tuya_ota.cli import call, gate, plan, record, release
from airflow_provider_tuya_ota.core.actions import ALL_ACTIONS
from airflow_provider_tuya_ota.core.errors import ConfigurationError, TuyaOTAError
from airflow_provider_tuya_ota.core.texts import INSTEAD, encodable

if TYPE_CHECKING:
    from collections.abc import Sequence

NOT_PRINTED: Final = 3
"""Exit code where the standard output is closed or full, or its reader has gone."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    :param argv: arguments without the program's name; those of the process by default.
    :returns: 0 on success, 1 when the platform or the release failed, 2 for a wrong call, 3 when the result could not
        be printed; then the code does not say whether all was well.
    """
    if sys.stdout is None:  # closed by whoever started this process, who may have asked for a halt
        with Path(os.devnull).open("w", encoding="utf-8") as nowhere, redirect_stdout(nowhere):
            code = _run(argv)
        if not code:
            _complain("there is no standard output, so the result could not be printed.")
        return code or NOT_PRINTED
    return _run(argv)


def _run(argv: Sequence[str] | None) -> int:
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(
            errors="backslashreplace"
        )  # as Python does for standard error: printing must not fail a release
    parser = _parser()
    arguments, rest = parser.parse_known_args(argv)
    # argparse accepts positional arguments only up to the first option after them.
    if rest and (arguments.run is not call.run or any(text.startswith("-") for text in rest)):
        parser.error(f"unrecognized arguments: {' '.join(rest)}")
    if rest:
        arguments.parameters += rest
    run = arguments.run
    try:
        code: int = run(arguments)
        sys.stdout.flush()
    except ConfigurationError as error:
        _complain(error)
        return 2
    except TuyaOTAError as error:
        _complain(error)
        return 1
    except OSError as error:
        if not _is_of_output(error):
            raise
        # Without this, Python would report it again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if not isinstance(error, BrokenPipeError):  # the reader has seen enough
            _complain(f"the result could not be printed ({error.strerror}).")
        return NOT_PRINTED
    return code


def _is_of_output(error: OSError) -> bool:
    """Whether writing to the standard output has failed; errors of files name them."""
    return error.filename is None and error.errno in {errno.EPIPE, errno.ENOSPC, errno.EIO, errno.EBADF, errno.EDQUOT}


def _complain(problem: object) -> None:
    # A name that somebody else chose, such as that of a file, must not steer the terminal.
    print(f"tuya-ota: {encodable(str(problem)).replace(chr(13), INSTEAD)}", file=sys.stderr)


def _parser() -> argparse.ArgumentParser:
    from airflow_provider_tuya_ota.demo import command as demo  # noqa: PLC0415 - `call` needs no web server
    from airflow_provider_tuya_ota.emulator import server as emulator  # noqa: PLC0415 - `call` needs no web server

    parser = argparse.ArgumentParser(prog="tuya-ota", description="Release device firmware through Tuya's OTA API.")
    parser.add_argument("--version", action="version", version=f"tuya-ota {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    send = commands.add_parser("call", help="sign and send any operation and print its answer")
    call.add_arguments(send)
    send.set_defaults(run=call.run)

    actions = commands.add_parser("actions", help="list the operations that this version knows")
    actions.set_defaults(run=_actions)

    run_gate = commands.add_parser(
        "gate", help="print how many failures halt or promote a release, and what a wave can decide"
    )
    gate.add_arguments(run_gate)
    run_gate.set_defaults(run=gate.run)

    run_plan = commands.add_parser("plan", help="print what a release in waves would do, and send nothing that changes")
    plan.add_arguments(run_plan)
    run_plan.set_defaults(run=plan.run)

    run_record = commands.add_parser("record", help="verify the record of a release, or show it")
    record.add_arguments(run_record)

    run_release = commands.add_parser("release", help="hold, resume, halt or advance a release, or exclude devices")
    release.add_arguments(run_release)

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
