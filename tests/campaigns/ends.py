"""Every sample Dag in every way to end, in a real Airflow: what is reported is held against the platform.

A person marks tasks and runs, approves and rejects through Airflow's API, as the pages do; a webhook receives the
reports.
"""

from __future__ import annotations

import re
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow_provider_tuya_ota.demo import airflow_process
from airflow_provider_tuya_ota.demo.airflow_api import CONNECTION_ID, AirflowApi
from airflow_provider_tuya_ota.demo.airflow_process import AirflowProcess
from airflow_provider_tuya_ota.demo.emulator_process import Announcement
from airflow_provider_tuya_ota.demo.processes import DemoError, free_ports
from airflow_provider_tuya_ota.emulator.clock import Clock
from airflow_provider_tuya_ota.emulator.emulator import Emulator
from airflow_provider_tuya_ota.emulator.scenario import read
from airflow_provider_tuya_ota.emulator.server import EmulatorServer
from airflow_provider_tuya_ota.hooks.shared_settings import FRESH
from tests.campaigns.table import Row
from tests.campaigns.ways import BLOCKING, BOTH, HURRIED, ONE, RELEASE, STOP, UPGRADE, WATCH, WAYS, Way
from tests.emulator.plain_client import PlainClient, over_socket
from tests.provider.notifications.test_webhook import Receiver

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

SAMPLES = Path(__file__).parents[2] / "dags_examples"
LONGEST_WAIT = 150.0
STATUSES = "SUCCEEDED|FAILED|CANCELED|IN_PROGRESS|NOTIFIED|QUEUED|CONFIRM"


@dataclass
class Stage:
    """A running Airflow with the sample Dags, and a platform with a product for each way."""

    api: AirflowApi
    emulator: Emulator
    client: PlainClient
    receiver: Receiver
    home: Path
    announcement: Announcement

    def play(self, number: int, way: Way) -> str:
        """Let a run end in this way.

        :returns: what was reported wrongly; empty where nothing was.
        """
        try:
            run = self._start(number, way)
            if way.act:
                self._act(way, run)
            self._wait(way, run, lambda: self.api.run_state(way.dag, run) in {"success", "failed"}, "end")
            report, text = self._report(way, run)
        except Exception as error:  # noqa: BLE001 - the table shows whatever it is
            return f"{type(error).__name__}: {error}{self._logged()}"
        problems = [
            *([] if (self.api.run_state(way.dag, run) == "success") == way.is_run_good else ["the run ends otherwise"]),
            *([] if not report or (report["event"], report["step"]) == (way.event, way.step) else ["another end"]),
            *([] if way.said in text else [f"not said: {way.said!r}"]),
            *self._untrue(number, way, text),
        ]
        return f"{'; '.join(problems)} [{text}]{self._logged()}" if problems else ""

    def _logged(self) -> str:
        """Give the last errors in the logs of all tasks, because the folder is gone when the table is read."""
        lines = [
            line[:3000]
            for file in sorted((self.home / "logs").rglob("*.log"), key=lambda file: file.stat().st_mtime)
            for line in file.read_text(errors="replace").splitlines()
            if '"level":"error"' in line
        ]
        return "".join(f"\n    {line}" for line in lines[-3:])

    def _start(self, number: int, way: Way) -> str:
        dag, product = _sample(way.dag), f"k1ends{number:02d}"
        names = [f"device-{place:03d}" for place in range(1, 5)]
        version = f"9.0.{number}"
        conf: dict[str, Any] = {"product_key": product}
        if dag == RELEASE:
            source = self.home / f"firmware-{number}.bin"
            source.write_bytes(f"firmware {number}".encode())
            conf |= {"version": version, "source": str(source), "device_names": names}
        else:
            verified = "true" if dag in {BOTH, ONE} else "false"
            conf["firmware_id"] = self.client.create_firmware(
                version, f"firmware {number}".encode(), ProductKey=product, NeedToVerify=verified
            )
        if dag == BOTH:
            conf |= {"pilots": names[:1], "target": "SPECIFIC", "device_names": names[1:]}
        if dag == ONE:
            conf["device_names"] = names
        if dag in {WATCH, STOP}:
            targets = {f"TargetDeviceName.{place}": name for place, name in enumerate(names, 1)}
            wanted = {"FirmwareId": conf["firmware_id"], "ProductKey": product, "TargetSelection": "SPECIFIC"}
            conf = {"job_id": self.client.ask("CreateOTAStaticUpgradeJob", **wanted, **targets)[1]["data"]["jobId"]}
        if dag in {RELEASE, BOTH, UPGRADE}:
            conf["webhook_conn_id"] = "hook"
        return self._trigger(way.dag, conf | way.conf)

    def _trigger(self, dag: str, conf: dict[str, Any]) -> str:
        try:
            return self.api.trigger(dag, conf)
        except DemoError as error:
            # Airflow's SQLite is busy when several runs begin at once.
            if "Database error" not in str(error):
                raise
        time.sleep(5.0)
        return self.api.trigger(dag, conf)

    def _act(self, way: Way, run: str) -> None:
        what, *words = way.act.split()
        step = "approve" if what == "answer" or words[0] == "approve" else way.step
        waiting = "awaiting_input" if step == "approve" else "deferred"
        self._wait(way, run, lambda: self.api.task_states(way.dag, run).get(step) == waiting, f"{step} that waits")
        # Devices get on, the triggerer begins its wait, and the answer of a question may come.
        time.sleep(12.0)
        task = f"dags/{way.dag}/dagRuns/{run}/taskInstances/{step}"
        if what == "answer":
            body = {"chosen_options": words, "params_input": {}}
            self.api._call("PATCH", f"{task}/-1/hitlDetails", json=body)
        elif words[0] == "run":
            self.api._call("PATCH", f"dags/{way.dag}/dagRuns/{run}", json={"state": words[1]})
        else:
            self.api._call("PATCH", task, json={"new_state": words[1]})

    def _report(self, way: Way, run: str) -> tuple[dict[str, Any], str]:
        """Give the report and the text that somebody got: by webhook, or as what the last step returns."""
        if way.conf.get("webhook_conn_id") == "typo":
            report = self.api.xcom(way.dag, run, way.step, "ota_release")
            return report, report["text"]
        if _sample(way.dag) in {RELEASE, BOTH, UPGRADE}:
            (body,) = [body for _, _, body in list(self.receiver.received) if body["run_id"] == run]
            return body["ota_release"], body["text"]
        return {}, self.api.xcom(way.dag, run, "notify", "return_value")

    def _untrue(self, number: int, way: Way, text: str) -> list[str]:
        world = self.emulator.world
        own = [
            job for job in list(world.engine.jobs.values()) if job.firmware.product.product_key == f"k1ends{number:02d}"
        ]
        known = _sample(way.dag) in {WATCH, STOP}
        if way.event == "refused" and not known:
            return [] if not own else [f"{len(own)} jobs after a refusal"]
        found = re.search(r"OTA job (\d+)", text)
        if found is None:
            return [] if way.event in {"refused", "failed"} else ["no job is named"]
        job = world.engine.jobs.get(found[1])
        if job is None:
            return [] if way.event == "refused" else ["an unknown job is named"]
        sentence, _, _ = text.partition(" s.")
        said = {status: int(n) for n, status in re.findall(rf"(\d+) ({STATUSES})", sentence)}
        true = {status: number for status, number in job.counts.items() if number}
        problems = [] if not said or said == true else [f"reported {said}, true is {true}"]
        if way.event == "succeeded" and way.dag != STOP and set(true) != {"SUCCEEDED"}:
            problems.append(f"no success: {true}")
        return problems

    def _wait(self, way: Way, run: str, happened: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + LONGEST_WAIT
        while not happened():
            if time.monotonic() > deadline:
                raise TimeoutError(f"no {what}; {self.api.task_states(way.dag, run)}")
            time.sleep(0.5)


def _sample(dag: str) -> str:
    """Give the sample that a Dag is or is a copy of."""
    return dag.removeprefix(HURRIED).removeprefix(BLOCKING)


def _write_dags(folder: Path) -> None:
    """Lay the samples down, and copies that wait for seconds."""
    waits = {
        HURRIED: "deferrable=True, timeout=25,",
        BLOCKING: "deferrable=False, execution_timeout=__import__('datetime').timedelta(seconds=8),",
    }
    for path in SAMPLES.glob("*.py"):
        text = path.read_text(encoding="utf-8")
        (folder / path.name).write_text(text)
        for prefix, wait in waits.items():
            copy = text.replace(f'dag_id="{path.stem}"', f'dag_id="{prefix}{path.stem}"')
            copy = copy.replace("deferrable=True,", wait).replace("timeout=24 * 60 * 60,", "")
            (folder / f"{prefix}{path.name}").write_text(copy)


@contextmanager
def open_stage(ways: Sequence[Way]) -> Iterator[Stage]:
    """Start the platform, where a minute passes in a second, a webhook, and Airflow."""
    products = [
        {"product_key": f"k1ends{number:02d}", "devices": 4, "device": way.world} for number, way in enumerate(ways)
    ]
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ends-")))
        dags = home / "dags"
        dags.mkdir()
        _write_dags(dags)
        airflow_process.dags_folder = lambda: dags
        emulator = Emulator(
            scenario=read({"quotas": {"enabled": False}, "products": products}), clock=Clock(speed=60.0)
        )
        server = stack.enter_context(EmulatorServer(emulator))
        receiver = stack.enter_context(Receiver())
        thread = threading.Thread(target=receiver.serve_forever)
        thread.start()
        stack.callback(thread.join)
        stack.callback(receiver.shutdown)
        (port,) = free_ports(1)
        airflow = stack.enter_context(AirflowProcess(home, port))
        airflow.wait_until_healthy()
        api = stack.enter_context(AirflowApi(airflow.url))
        announcement = Announcement(server.url, emulator.key.access_key_id, emulator.key.access_key_secret, ())
        api.set_connection(announcement)
        hook = {"connection_id": "hook", "conn_type": "http", "host": f"http://127.0.0.1:{receiver.server_port}/hook"}
        api._call("POST", "connections", json=hook)
        for dag in sorted({way.dag for way in ways}):
            api.wait_for_dag(dag, 90)
        yield Stage(api, emulator, PlainClient(over_socket(server.url)), receiver, home, announcement)


def rows(ways: Sequence[Way] = WAYS, *, at_once: int = 2) -> Iterator[Row]:
    """Play every way: those without a connection at the end, because it is everybody's.

    :param at_once: Dags whose ways are played side by side.
    """
    with open_stage(ways) as stage:
        numbered = list(enumerate(ways))
        later = [one for one in numbered if one[1].name == "no connection"]
        by_dag: dict[str, list[tuple[int, Way]]] = {}
        for one in numbered:
            if one not in later:
                by_dag.setdefault(one[1].dag, []).append(one)
        with ThreadPoolExecutor(at_once) as pool:
            for played in pool.map(lambda own: [_row(stage, *one) for one in own], by_dag.values()):
                yield from played
        if later:
            stage.api._send("DELETE", f"api/v2/connections/{CONNECTION_ID}")
            # A triggerer takes a connection that it has read for so long.
            time.sleep(FRESH)
        for one in later:
            yield _row(stage, *one)


def _row(stage: Stage, number: int, way: Way) -> Row:
    wrong = stage.play(number, way)
    return Row("ends, in Airflow", f"{way.dag}: {way.name}", 1, [wrong] if wrong else [], f"{way.event}, {way.step}")
