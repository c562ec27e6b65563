"""The command ``tuya-ota record``: verify the record of a release, and show it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from airflow_provider_tuya_ota.core.texts import bounded_line, one_line
from airflow_provider_tuya_ota.rollout.record.description import describe
from airflow_provider_tuya_ota.rollout.record.finish import LandedCheck
from airflow_provider_tuya_ota.rollout.record.picture import draw_record
from airflow_provider_tuya_ota.rollout.record.record_file import MOST_BYTES
from airflow_provider_tuya_ota.rollout.record.signing_key import LONGEST_KEY, parse_public_key
from airflow_provider_tuya_ota.rollout.record.unreadable import RecordUnreadableError
from airflow_provider_tuya_ota.rollout.record.verify import verify_record

if TYPE_CHECKING:
    import argparse

    from rich.console import Console

    from airflow_provider_tuya_ota.rollout.record.verify import Verification

LONGEST_ROW = 600
"""Characters of a row of the table."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of ``tuya-ota record``."""
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    verify = commands.add_parser(
        "verify",
        help="check signature, chain, counts and devices, and judge every verdict again",
        description="Exit code 0: nothing is wrong. 1: something is wrong. 2: the record or the key cannot be read. "
        "3: the result could not be printed.",
    )
    verify.add_argument("file", metavar="FILE", help="the record")
    verify.add_argument(
        "--key", metavar="PUB", help="file with the public key that has to have signed it: PEM, OpenSSH or base64"
    )
    verify.set_defaults(run=run_verify)
    show = commands.add_parser("show", help="print the entries of a record as a table, or draw it")
    show.add_argument("file", metavar="FILE", help="the record")
    show.add_argument("--svg", metavar="OUT", help="also draw waves, outcomes and boundaries into this file")
    show.set_defaults(run=run_show)


def run_verify(arguments: argparse.Namespace) -> int:
    """Print what is wrong with a record.

    :returns: 0 where nothing is wrong, 1 where something is.
    """
    key = None
    if arguments.key is not None:
        key = parse_public_key(_read(arguments.key, LONGEST_KEY).decode("utf-8", errors="replace"))
    verification = verify_record(_read(arguments.file, MOST_BYTES), key)
    for finding in verification.findings:
        print(one_line(str(finding)))
    file = verification.file
    print(f"{len(file.entries)} entries, {verification.verdicts} verdicts judged again, digest {file.digests[-1]}")
    print(_signature(verification))
    print(_result(verification))
    return 1 if verification.findings else 0


def run_show(arguments: argparse.Namespace) -> int:
    """Print the entries of a record; with ``--svg``, also draw it.

    :returns: 0, also where something is wrong with the record; that is said below the table.
    """
    from rich.console import Console  # noqa: PLC0415 - the other commands print no tables
    from rich.table import Table  # noqa: PLC0415 - as above

    verification = verify_record(_read(arguments.file, MOST_BYTES))
    console = Console(highlight=False, markup=False, emoji=False)
    table = Table("", "time (UTC)", "entry", "what", title="Release record", show_lines=False)
    for place, entry in enumerate(verification.file.entries):
        what = bounded_line(describe(entry.content), LONGEST_ROW)
        table.add_row(f"{place}", f"{entry.at:%Y-%m-%d %H:%M:%S}", entry.kind, what)
    console.print(table)
    _print_elsewhere(verification, console)
    console.print(_signature(verification))
    console.print(_result(verification))
    if arguments.svg is not None:
        _write(arguments.svg, draw_record(verification.file), record=arguments.file)
        console.print(f"Picture: {arguments.svg}")
    return 0


def _print_elsewhere(verification: Verification, console: Console) -> None:
    """Print the names of the devices that reported success and run another version."""
    devices = {
        found.device: found.version for _, check in verification.file.of(LandedCheck) for found in check.elsewhere
    }
    if devices:
        console.print(f"Reported success, and run another version ({len(devices):,}):")
        for name, version in sorted(devices.items()):
            console.print(f"  {one_line(f'{name}: {version}')}")


def _signature(verification: Verification) -> str:
    key = f"; key {verification.key_id}" if verification.key_id else ""
    return f"Signature: {verification.signature}{key}"


def _result(verification: Verification) -> str:
    number = len(verification.findings)
    return f"Wrong: {number} (tuya-ota record verify lists it)." if number else "Nothing is wrong."


def _read(name: str, most: int) -> bytes:
    """Read a file, one byte more than is allowed at most, so that a device file cannot fill the memory."""
    try:
        with Path(name).open("rb") as file:
            return file.read(most + 1)
    except (OSError, ValueError) as error:
        raise RecordUnreadableError(f"{name} cannot be read ({_reason(error)})") from None


def _write(name: str, content: str, *, record: str) -> None:
    """Write a picture: a file is there as a whole or not at all, and never in the place of the record."""
    try:
        path = Path(name).resolve()
        if path.exists() and path.samefile(record):
            raise RecordUnreadableError(f"{name} is the record itself; give another file for the picture")
        if path.exists() and not path.is_file():
            path.write_text(content, encoding="utf-8")  # a device or a pipe, which nothing may replace
            return
        part = path.with_name(f".{path.name}.{os.getpid()}.part")
        try:
            part.write_text(content, encoding="utf-8")
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
    except (OSError, ValueError) as error:
        raise RecordUnreadableError(f"{name} cannot be written ({_reason(error)})") from None


def _reason(error: OSError | ValueError) -> str:
    return getattr(error, "strerror", None) or type(error).__name__
