"""The commands ``tuya-ota demo`` and ``tuya-ota up``."""

from __future__ import annotations

import argparse
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

from airflow_provider_tuya_ota.demo.airflow_api import AirflowApi
from airflow_provider_tuya_ota.demo.airflow_process import AirflowProcess, require_unused
from airflow_provider_tuya_ota.demo.emulator_process import EmulatorProcess
from airflow_provider_tuya_ota.demo.image import write_image
from airflow_provider_tuya_ota.demo.plan import ArgumentError, ReleasePlan
from airflow_provider_tuya_ota.demo.processes import DemoError, free_ports, is_free
from airflow_provider_tuya_ota.demo.summary import Progress, print_summary

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

DAG_ID = "release_firmware"
EMULATOR_PORT = 8686
"""Port of the emulator that ``up`` starts, if it is free; the vendor's services use it too."""
SPEED = 2.0
"""Seconds of device time per second in the demo: slow enough to follow, fast enough to wait for."""


def add_demo_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of ``demo``."""
    parser.add_argument("--firmware", type=Path, help="firmware file; a generated image by default")
    parser.add_argument("--version", dest="firmware_version", default="1.1.0", help="its version; 1.1.0 by default")
    parser.add_argument("--devices", default="device-001,device-002,device-003", help="device-001 to device-100")
    parser.add_argument("--fail", metavar="DEVICE", help="make this device fail while it flashes")
    parser.add_argument("--access-key", metavar="ID:SECRET", help="key pair for emulator and connection")
    parser.add_argument("--home", type=Path, help="folder for Airflow's files; a temporary one by default")
    parser.add_argument("--keep", action="store_true", help="also keep the temporary folder after a success")
    parser.add_argument("--timeout", type=float, default=150.0, help="seconds for the release itself; 150 by default")


def add_up_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of ``up``."""
    parser.add_argument("--port", type=_port, help="of the Airflow UI; 8080 or a free one by default")
    parser.add_argument("--home", type=Path, default=Path(".run"), help="Airflow's folder; .run by default")
    parser.add_argument("--speed", type=float, default=1.0, help="seconds of device time per second")


def _port(text: str) -> int:
    port = int(text)
    if not 0 < port < 65536:  # noqa: PLR2004 - ports are 16 bits wide
        raise argparse.ArgumentTypeError("allowed: 1 to 65535")
    return port


def run_demo(arguments: argparse.Namespace) -> int:
    """Release once and print a table.

    :returns: 0 if every device runs the new version, 1 if one does not, 2 for wrong arguments, 130 after Ctrl-C.
    """
    try:
        plan = ReleasePlan.from_arguments(arguments)
    except ArgumentError as error:
        print(f"tuya-ota demo: {error}", file=sys.stderr)
        return 2
    home = arguments.home or Path(tempfile.mkdtemp(prefix="tuya-ota-demo-"))
    home.mkdir(parents=True, exist_ok=True)
    code = _guarded(lambda: _demo(arguments, plan, home.resolve()))
    if code == 0 and not (arguments.home or arguments.keep):
        shutil.rmtree(home, ignore_errors=True)
    else:
        print(f"The files of this run, logs included, are in {home}", file=sys.stderr)
    return code


def run_up(arguments: argparse.Namespace) -> int:
    """Keep Airflow and the emulator running until SIGINT or SIGTERM."""
    return _guarded(lambda: _up(arguments), when_interrupted=0)


def _guarded(body: Callable[[], int], *, when_interrupted: int = 130) -> int:
    # Treat every way to end the program, such as a closed terminal, like Ctrl-C, so that the children are stopped too.
    previous = {number: signal.signal(number, _interrupt) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        code = body()
    except DemoError as error:
        print(f"tuya-ota: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)
        return when_interrupted
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
    return code


def _interrupt(_: int, __: FrameType | None) -> None:
    raise KeyboardInterrupt


def _connected(airflow: AirflowProcess, emulator: EmulatorProcess) -> AirflowApi:
    """Wait until a release can be triggered: Airflow is healthy, has the connection, and has parsed the Dag."""
    airflow.wait_until_healthy()
    api = AirflowApi(airflow.url)
    api.set_connection(emulator.announcement)
    api.wait_for_dag(DAG_ID, 60)
    return api


def _demo(arguments: argparse.Namespace, plan: ReleasePlan, home: Path) -> int:
    console = Console(soft_wrap=True, markup=False, highlight=False)
    source = plan.firmware or write_image(home, plan.version)
    console.print("Starting Airflow (scheduler, triggerer, Dag processor, API server) and the emulator ...")
    with (
        EmulatorProcess(home, speed=SPEED, access_key=arguments.access_key, failing=plan.failing) as emulator,
        AirflowProcess(home, free_ports(1)[0]) as airflow,
        _connected(airflow, emulator) as api,
    ):
        console.print(f"Releasing {source.name} as {plan.version} to {', '.join(plan.devices)}")
        conf = {
            "product_key": emulator.announcement.product_keys[0],
            "version": plan.version,
            "source": str(source),
            "device_names": list(plan.devices),
        }
        return _release(console, api, conf, arguments.timeout)


def _release(console: Console, api: AirflowApi, conf: dict[str, Any], timeout: float) -> int:
    started = time.monotonic()
    run_id = api.trigger(DAG_ID, conf)
    progress = Progress(console)
    state = "queued"
    while state not in {"success", "failed"}:
        if time.monotonic() - started > timeout:
            raise DemoError(f"The release did not end within {timeout:.0f} s.")
        time.sleep(0.5)
        state = api.run_state(DAG_ID, run_id)
        progress.show(time.monotonic() - started, api.task_states(DAG_ID, run_id))
    duration = time.monotonic() - started
    release = api.xcom(DAG_ID, run_id, "verify", "ota_release")
    if release:
        sha256 = api.xcom(DAG_ID, run_id, "upload", "sha256")
        print_summary(console, release, version=conf["version"], sha256=sha256, duration=duration)
    if state == "success" and release:
        console.print("Every device runs the new version.")
        return 0
    _explain(console, api, run_id)
    return 1


def _explain(console: Console, api: AirflowApi, run_id: str) -> None:
    """Print why the release failed: the notification of the failed task, or the end of its log."""
    for task, state in api.task_states(DAG_ID, run_id).items():
        if state != "failed":
            continue
        release = api.xcom(DAG_ID, run_id, task, "ota_release")
        if release:
            console.print(release["text"])
        else:
            console.print(f"{task} failed:", *api.log_lines(DAG_ID, run_id, task)[-8:], sep="\n  ")


def _up(arguments: argparse.Namespace) -> int:
    console = Console(soft_wrap=True, markup=False, highlight=False)
    home = arguments.home.resolve()
    home.mkdir(parents=True, exist_ok=True)
    port = arguments.port or (8080 if is_free(8080) else free_ports(1)[0])
    if not is_free(port):
        raise DemoError(f"Port {port} is in use; choose another with --port, or leave it out for a free one.")
    require_unused(home)
    firmware = write_image(home, "1.1.0")
    console.print("Starting Airflow and the emulator ...")
    with (
        # Airflow's runs refer to jobs and firmware, so the emulator keeps them too. Links and file addresses contain
        # its port, so the port stays the same.
        EmulatorProcess(
            home,
            speed=arguments.speed,
            state=home / "emulator.state",
            port=EMULATOR_PORT if is_free(EMULATOR_PORT) else 0,
        ) as emulator,
        AirflowProcess(home, port) as airflow,
        _connected(airflow, emulator),
    ):
        console.print(f"Airflow    {airflow.url}")
        console.print(f"Emulator   {emulator.announcement.url}")
        console.print(
            f"\nOpen {airflow.url}/dags/{DAG_ID}, press Trigger, and enter\n"
            f"  Version        1.1.0\n  Firmware file  {firmware}\n"
            f"Ctrl-C stops everything; the next start continues from there. To start from the beginning, remove {home}."
        )
        while airflow.is_running and emulator.is_running:
            time.sleep(0.5)
        part, log = ("Airflow", airflow.log_path) if emulator.is_running else ("The emulator", home)
        raise DemoError(f"{part} stopped unexpectedly; see {log}.")
