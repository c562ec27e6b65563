"""A whole release in a real Airflow, beside the same release written by hand with Python tasks and the vendor's SDK.

Both run at the same time in one Airflow, each on a simulated platform of its own: upload, verification of 2 devices,
upgrades of 5, 12, 30 and 50 devices, polls every 5 seconds. Prints wall time, worker-slot seconds (how long tasks were
running, not deferred) and API calls of both, and the shares of ours beside their targets; a round takes about four
minutes: ``python -m benchmarks.whole_release [ROUNDS]``.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from airflow_provider_tuya_ota.demo import airflow_process
from airflow_provider_tuya_ota.demo.airflow_api import AirflowApi
from airflow_provider_tuya_ota.demo.airflow_process import AirflowProcess
from airflow_provider_tuya_ota.demo.emulator_process import Announcement
from airflow_provider_tuya_ota.demo.processes import free_ports
from airflow_provider_tuya_ota.emulator.emulator import Emulator
from airflow_provider_tuya_ota.emulator.scenario import read
from airflow_provider_tuya_ota.emulator.server import EmulatorServer
from benchmarks.table import Figure, print_table

PRODUCT = "k1demoproduct"
WAVES = (5, 12, 30, 50)
VERIFIED = 2
SAMPLED_EVERY = 0.25
LONGEST = 900.0
TARGETS = {"wall time": 1.0, "worker slots": 0.1, "API calls": 1.5}
UNITS = dict.fromkeys(("wall time", "worker slots"), "s")
DAGS = """
import json, time
from pathlib import Path
from airflow.sdk import DAG, task
from airflow_provider_tuya_ota.operators.firmware import TuyaOTAUploadFirmwareOperator
from airflow_provider_tuya_ota.operators.job import TuyaOTACreateVerifyJobOperator
from airflow_provider_tuya_ota.operators.upgrade import TuyaOTACreateUpgradeJobOperator

PRODUCT, VERIFIED, WAVES, URL, KEY, SECRET, SOURCE = CONSTANTS
NAMES = [f"device-{number:03d}" for number in range(1, VERIFIED + sum(WAVES) + 1)]
PARTS, start = [], VERIFIED
for size in WAVES:
    PARTS.append(NAMES[start : start + size])
    start += size
VERSION = "{{ params.version }}"

with DAG("ours", schedule=None, params={"version": "2.0.0"}):
    here = {"product_key": PRODUCT, "poll_interval": 5, "deferrable": True}
    upload = TuyaOTAUploadFirmwareOperator(task_id="upload", source=SOURCE, version=VERSION, product_key=PRODUCT)
    step = TuyaOTACreateVerifyJobOperator(
        task_id="verify", firmware_id=upload.output, device_names=NAMES[:VERIFIED], **here
    )
    upload >> step
    for number, names in enumerate(PARTS, 1):
        following = TuyaOTACreateUpgradeJobOperator(
            task_id=f"wave_{number}", firmware_id=upload.output, target_selection="SPECIFIC", device_names=names,
            **here,
        )
        step >> following
        step = following


def client():
    from alibabacloud_iot20180120.client import Client
    from alibabacloud_tea_openapi.models import Config

    class Keeping(Client):
        # The SDK's models look for keys in another case than the platform's, and stay empty.
        def call_api(self, *arguments):
            self.came = super().call_api(*arguments)
            return self.came

    return Keeping(
        Config(
            access_key_id=KEY, access_key_secret=SECRET, endpoint=URL.removeprefix("http://"), protocol="http",
            signature_algorithm="v2",
        )
    )


def ask(sdk, method, request, **parameters):
    from alibabacloud_iot20180120 import models

    getattr(sdk, method)(getattr(models, request)().from_map(parameters))
    answer = sdk.came["body"]
    if not answer["success"]:
        raise RuntimeError(answer)
    return answer


def wait(sdk, job_id):
    while True:
        status = ask(sdk, "query_otajob", "QueryOTAJobRequest", JobId=job_id)["data"]["jobStatus"]
        if status in {"COMPLETED", "CANCELED"}:
            break
        time.sleep(5)
    page = {"CurrentPage": 1, "PageSize": 100}
    tasks = ask(sdk, "list_otatask_by_job", "ListOTATaskByJobRequest", JobId=job_id, **page)["data"]
    if failed := [one["deviceName"] for one in tasks if one["taskStatus"] != "SUCCEEDED"]:
        raise RuntimeError(f"failed: {failed}")


with DAG("by_hand", schedule=None, params={"version": "2.0.0"}):

    @task
    def upload_by_hand(version):
        import hashlib, requests

        sdk = client()
        ticket = ask(sdk, "generate_otaupload_url", "GenerateOTAUploadURLRequest", FileSuffix="bin")["data"]
        form = {
            "key": ticket["key"], "policy": ticket["policy"], "OSSAccessKeyId": ticket["ossAccessKeyId"],
            "Signature": ticket["signature"], "success_action_status": "200",
        }
        content = Path(SOURCE).read_bytes()
        requests.post(ticket["host"], data=form, files={"file": content}, timeout=30).raise_for_status()
        answer = ask(
            sdk, "create_otafirmware", "CreateOTAFirmwareRequest", DestVersion=version,
            FirmwareName="hand_" + version.replace(".", "_"),
            FirmwareUrl=ticket["firmwareUrl"], FirmwareSign=hashlib.md5(content).hexdigest(), SignMethod="MD5",
            FirmwareSize=len(content), ProductKey=PRODUCT, NeedToVerify=True,
        )
        return answer["data"]["firmwareId"]

    @task
    def verify_by_hand(firmware_id):
        sdk = client()
        answer = ask(
            sdk, "create_otaverify_job", "CreateOTAVerifyJobRequest", FirmwareId=firmware_id, ProductKey=PRODUCT,
            TargetDeviceName=NAMES[:VERIFIED],
        )
        wait(sdk, answer["data"]["jobId"])
        return firmware_id

    @task
    def upgrade_by_hand(firmware_id, names):
        sdk = client()
        answer = ask(
            sdk, "create_otastatic_upgrade_job", "CreateOTAStaticUpgradeJobRequest", FirmwareId=firmware_id,
            ProductKey=PRODUCT, TargetSelection="SPECIFIC", TargetDeviceName=names,
        )
        wait(sdk, answer["data"]["jobId"])
        return firmware_id

    firmware_id = verify_by_hand(upload_by_hand(VERSION))
    for number, names in enumerate(PARTS, 1):
        firmware_id = upgrade_by_hand.override(task_id=f"wave_{number}")(firmware_id, names)
"""


@dataclass
class Measured:
    """One release, while it runs and at its end."""

    run: str
    emulator: Emulator
    calls_before: int
    begun: float
    slot_seconds: float = 0.0
    wall: float = 0.0
    state: str = "running"

    @property
    def calls(self) -> int:
        """API calls of this release; the uploaded file goes to object storage and is none."""
        log = list(self.emulator.log)[self.calls_before :]
        return sum(entry["action"] != "PostObject" for entry in log)


@dataclass
class Figures:
    """All rounds of one way to release."""

    rounds: list[Measured] = field(default_factory=list)

    def medians(self) -> dict[str, float]:
        """Give a figure for each measured thing."""
        columns = [(one.wall, one.slot_seconds, float(one.calls)) for one in self.rounds]
        return dict(zip(TARGETS, map(statistics.median, zip(*columns, strict=True)), strict=True))


def _play(api: AirflowApi, emulators: dict[str, Emulator], version: str) -> dict[str, Measured]:
    """Let both release the same version at the same time."""
    under_way = {
        dag: Measured(api.trigger(dag, {"version": version}), emulator, len(emulator.log), time.monotonic())
        for dag, emulator in emulators.items()
    }
    sampled = time.monotonic()
    while any(one.state == "running" for one in under_way.values()):
        time.sleep(SAMPLED_EVERY)
        now = time.monotonic()
        for dag, one in under_way.items():
            if one.state != "running":
                continue
            states = api.task_states(dag, one.run)
            one.slot_seconds += (now - sampled) * list(states.values()).count("running")
            if api.run_state(dag, one.run) in {"success", "failed"}:
                one.state = api.run_state(dag, one.run)
                one.wall = now - one.begun
            if now - one.begun > LONGEST:
                raise TimeoutError(f"{dag} goes on after {LONGEST:g} s: {states}")
        sampled = now
    for dag, one in under_way.items():
        if one.state != "success":
            raise RuntimeError(f"{dag} ended as {one.state}: {api.task_states(dag, one.run)}")
    return under_way


def _release(rounds: int) -> dict[str, Figures]:
    """Start Airflow and both platforms, and release in both ways."""
    figures = {"ours": Figures(), "by_hand": Figures()}
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="whole-release-")))
        dags = home / "dags"
        dags.mkdir()
        source = home / "firmware.bin"
        source.write_bytes(b"firmware of a whole release")
        scenario = {"quotas": {"enabled": False}, "products": [{"product_key": PRODUCT, "devices": 100}]}
        servers = {dag: stack.enter_context(EmulatorServer(Emulator(scenario=read(scenario)))) for dag in figures}
        hand, ours = servers["by_hand"], servers["ours"]
        key = hand.emulator.key
        constants = (PRODUCT, VERIFIED, WAVES, hand.url, key.access_key_id, key.access_key_secret, str(source))
        (dags / "releases.py").write_text(f"CONSTANTS = {constants!r}\n{DAGS}")
        airflow_process.dags_folder = lambda: dags
        (port,) = free_ports(1)
        airflow = stack.enter_context(AirflowProcess(home / "airflow", port))
        airflow.wait_until_healthy()
        api = stack.enter_context(AirflowApi(airflow.url))
        own = ours.emulator.key
        api.set_connection(Announcement(ours.url, own.access_key_id, own.access_key_secret, (PRODUCT,)))
        for dag in figures:
            api.wait_for_dag(dag, 120)
        emulators = {dag: server.emulator for dag, server in servers.items()}
        for number in range(rounds):
            for dag, one in _play(api, emulators, f"2.0.{number}").items():
                figures[dag].rounds.append(one)
    return figures


def measure(rounds: int = 1) -> list[Figure]:
    """Measure."""
    figures = _release(rounds)
    ours, by_hand = figures["ours"].medians(), figures["by_hand"].medians()
    shown = []
    for name, target in TARGETS.items():
        unit = UNITS.get(name, "")
        shown += [
            Figure(f"release, {name}, with the operators", ours[name], unit),
            Figure(f"release, {name}, by hand", by_hand[name], unit),
            Figure(f"release, {name}, operators / by hand", ours[name] / by_hand[name], most=target),
        ]
    return shown


def main() -> int:
    """Measure and print."""
    return 0 if print_table(measure(*map(int, sys.argv[1:]))) else 1


if __name__ == "__main__":
    sys.exit(main())
