"""The command ``tuya-ota release``: hold, resume, halt or advance a release, exclude devices, and show its note."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from airflow_provider_tuya_ota.cli.airflow_login import add_airflow_arguments, read_airflow_address
from airflow_provider_tuya_ota.core.errors import ConfigurationError
from airflow_provider_tuya_ota.rollout.control.change import ChangeVerb, Reason
from airflow_provider_tuya_ota.rollout.control.description import describe_control, plain_control
from airflow_provider_tuya_ota.rollout.control.release_id import ReleaseId
from airflow_provider_tuya_ota.rollout.control.steer import Steering, halt_release, read_control, steer_release

if TYPE_CHECKING:
    import argparse

    from airflow_provider_tuya_ota.cli.airflow_rest import AirflowRest
    from airflow_provider_tuya_ota.rollout.control.steer import Steered

HALT: Final = "halt"
STATUS: Final = "status"
HELP: Final = {
    "hold": "start nothing new; jobs that run go on",
    "resume": "go on after a hold",
    HALT: "never start anything again, and cancel what can be cancelled; for good",
    "advance": "let a wave go on once without waiting for its pace or its soak",
    "exclude": "let no later job take these devices",
    STATUS: "print what holds for the release, who asked for it and why",
}
_MOST_BYTES: Final = 1_000_000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of ``tuya-ota release``."""
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for verb, text in HELP.items():
        command = commands.add_parser(verb, help=text)
        command.add_argument("dag_id", metavar="DAG", help="Dag of the release")
        command.add_argument("run_id", metavar="RUN", help="run of the Dag")
        command.add_argument("--group", default="", help="task group of the release, where the run has several")
        if verb == STATUS:
            command.add_argument("--json", action="store_true", help="print JSON")
        else:
            command.add_argument("--why", required=True, help="the reason; it stands in the release record")
            command.add_argument("--who", help="your name, where several people share a user of Airflow")
        if verb == ChangeVerb.HOLD:
            command.add_argument(
                "--new-note",
                action="store_true",
                help="replace a note that is missing or cannot be read; its excluded devices are lost",
            )
        if verb == ChangeVerb.ADVANCE:
            command.add_argument("--wave", type=int, required=True, help="number of the wave, from 1")
        if verb == ChangeVerb.EXCLUDE:
            command.add_argument(
                "--device", action="append", default=[], metavar="NAME", help="may be given repeatedly"
            )
            command.add_argument("--devices-file", metavar="FILE", help="file with one name per line")
        add_airflow_arguments(command)
        command.set_defaults(run=run, verb=verb)


def run(arguments: argparse.Namespace) -> int:
    """Change the note, or print it.

    :returns: 0.
    """
    from airflow_provider_tuya_ota.cli.airflow_rest import AirflowRest  # noqa: PLC0415 - the other commands send nothing to Airflow

    release = ReleaseId(dag_id=arguments.dag_id, run_id=arguments.run_id, group=arguments.group)
    devices = _devices(arguments) if arguments.verb == ChangeVerb.EXCLUDE else ()
    with AirflowRest(read_airflow_address(arguments)) as airflow:
        _require_release(airflow, release)
        if arguments.verb == STATUS:
            control = read_control(airflow, release)
            print(
                json.dumps(plain_control(control), indent=2) if arguments.json else describe_control(release, control)
            )
            return 0
        steered = _change(airflow, release, arguments, devices)
    if not steered.is_changed:
        print("Nothing was changed: it was so already.")
    print(describe_control(release, steered.control))
    return 0


def _change(
    airflow: AirflowRest, release: ReleaseId, arguments: argparse.Namespace, devices: tuple[str, ...]
) -> Steered:
    reason = Reason(who=_who(airflow, arguments.who), why=arguments.why, at=datetime.now(UTC))
    if arguments.verb == HALT:
        return halt_release(airflow, release, reason)
    steering = Steering(
        verb=ChangeVerb(arguments.verb), reason=reason, wave=getattr(arguments, "wave", 0), devices=devices
    )
    return steer_release(airflow, release, steering, pause=time.sleep, new_note=getattr(arguments, "new_note", False))


def _who(airflow: AirflowRest, given: str | None) -> str:
    user = airflow.user()
    if not (user or given):
        raise ConfigurationError("Airflow does not say who you are: give --who.")
    return f"{given} (as {user})" if given and user else given or user


def _require_release(airflow: AirflowRest, release: ReleaseId) -> None:
    """Refuse a release whose name is wrong: a halt under another name would halt nothing.

    :raises ConfigurationError: there is no such run, or its releases have groups.
    """
    if airflow.read(release.note_key) is not None:
        return
    if not airflow.has_run(release.dag_id, release.run_id):
        raise ConfigurationError(f"Nothing was stored: the Dag {release.dag_id} has no run {release.run_id}.")
    own = ReleaseId(dag_id=release.dag_id, run_id=release.run_id).note_key
    if groups := [key.removeprefix(f"{own}/") for key in airflow.keys(f"{own}/")]:
        named = ", ".join(f"--group {group}" for group in groups[:20])
        raise ConfigurationError(f"Nothing was stored: this run has other releases. Give one of {named}.")


def _devices(arguments: argparse.Namespace) -> tuple[str, ...]:
    names = list(arguments.device)
    if arguments.devices_file is not None:
        try:
            with Path(arguments.devices_file).open(encoding="utf-8") as file:
                text = file.read(_MOST_BYTES)
        except (OSError, ValueError) as error:
            raise ConfigurationError(
                f"--devices-file: {arguments.devices_file} cannot be read ({type(error).__name__})."
            ) from None
        names += [line.strip() for line in text.splitlines() if line.strip()]
    if not names:
        raise ConfigurationError("No device: give --device NAME or --devices-file FILE.")
    return tuple(names)
