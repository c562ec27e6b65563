"""Whether anything secret is anywhere, after tasks were careless with everything that the platform gave them.

Every secret that the platform hands out is taken down as it leaves; afterwards log, database, XCom and output are
searched for each of them.
"""

from __future__ import annotations

import json
import re
import tempfile
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any
from unittest.mock import patch
from urllib.parse import quote

from airflow_provider_tuya_ota.demo import airflow_process
from airflow_provider_tuya_ota.demo.airflow_api import AirflowApi
from airflow_provider_tuya_ota.demo.airflow_process import AirflowProcess
from airflow_provider_tuya_ota.demo.processes import free_ports
from airflow_provider_tuya_ota.emulator.clock import Clock
from airflow_provider_tuya_ota.emulator.emulator import Emulator
from airflow_provider_tuya_ota.emulator.scenario import read
from airflow_provider_tuya_ota.emulator.server import EmulatorServer
from tests.campaigns.table import Row

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from airflow_provider_tuya_ota.emulator.messages import Request, Response

DAGS = Path(__file__).parent / "canary_dags"
LONGEST_WAIT = 300.0
TYPED = "cAnary0815tYpedInTheWrongField47"
PRESIGNED = "https://bucket.example.com/fw.bin?Expires=1&OSSAccessKeyId=cAnary-oss-key&Signature=cAnary-presigned%2Bsig"
IN_TEXTS = ("cAnary-oss-key", "cAnary-presigned")
TOKENS = ("cAnary-token-in-the-query", "cAnary-token-in-the-path", "cAnary-token-of-the-refusing", "cAnary-bearer")
DEVICES = {"device-002": {"outcome": "fails", "step": -4, "at_progress": 60, "reason": f"not read: {PRESIGNED}"}}
_HANDED_OUT = re.compile(
    r'(?i)"(?:firmwareUrl|policy|signature|ossAccessKeyId|deviceSecret)"\s*:\s*("(?:[^"\\]|\\.)+")'
)
_SIGNATURE = re.compile(r"[?&]Signature=([^&\"\s\\]+)")


class Watched(Emulator):
    """A platform that takes down every secret that it hands out."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.handed_out: set[str] = set()

    def handle(self, request: Request) -> Response:
        response = super().handle(request)
        text = response.body.decode("utf-8", "replace")
        self.handed_out.update(json.loads(found) for found in _HANDED_OUT.findall(text))
        self.handed_out.update(_SIGNATURE.findall(text))
        return response


class Receiver(ThreadingHTTPServer):
    """A webhook whose address is a secret."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.paths: list[str] = []


class Handler(BaseHTTPRequestHandler):
    """Take a message, or refuse it."""

    server: Receiver

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.server.paths.append(self.path)
        self.send_response(500 if "refusing" in self.path else 200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the standard library's signature
        pass


@dataclass
class Ground:
    """Platform and receiver, and what must be found nowhere."""

    emulator: Watched
    url: str
    receiver: Receiver
    firmware: Path
    found: dict[str, set[str]] = field(default_factory=dict)

    def secrets(self) -> set[str]:
        """Give each secret, also as it stands in an address."""
        known = {*self.emulator.handed_out, self.emulator.key.access_key_secret, TYPED, *IN_TEXTS, *TOKENS}
        return {form for secret in known for form in (secret, quote(secret, safe=""), secret.lower())}

    def search(self, place: str, content: bytes) -> None:
        """Take down which secrets stand in it."""
        hits = {secret for secret in self.secrets() if secret.encode() in content}
        if hits:
            self.found.setdefault(place, set()).update(hits)

    def connections(self) -> dict[str, str]:
        """Give the environment in which tasks find connections."""
        host, _, port = self.url.rpartition(":")
        key = self.emulator.key
        good: dict[str, Any] = {
            "conn_type": "tuya_ota",
            "host": host,
            "port": int(port),
            "login": key.access_key_id,
            "password": key.access_key_secret,
            "extra": {"requests_per_second": 1000},
        }
        (closed,) = free_ports(1)
        hook = f"http://127.0.0.1:{self.receiver.server_port}"
        stored = {
            "tuya_ota_default": good,
            "wrong_host": good | {"host": f"https://host/{TYPED}"},
            "wrong_extra": good | {"extra": {"verify_tls": TYPED}},
            "wrong_name": good | {"extra": {TYPED: True}},
            "wrong_scheme": good | {"host": f"http://{TYPED}.example.com"},
            "wrong_secret": good | {"password": TYPED},
            "closed_port": good | {"port": closed},
            "hook_query": {"conn_type": "http", "host": f"{hook}/hook?token={TOKENS[0]}&x=y"},
            "hook_path": {"conn_type": "http", "host": f"{hook}/services/{TOKENS[1]}", "password": TOKENS[3]},
            "hook_refusing": {"conn_type": "http", "host": f"{hook}/refusing/a?{TOKENS[2]}"},
        }
        return {f"AIRFLOW_CONN_{name.upper()}": json.dumps(one) for name, one in stored.items()}


@contextmanager
def open_ground(folder: Path) -> Iterator[Ground]:
    """Start platform and receiver."""
    firmware = folder / "thermostat.bin"
    firmware.write_bytes(b"\x7fFW" * 1000)
    scenario = read({"quotas": {"enabled": False}, "products": [{"devices": 10, "device": DEVICES}]})
    emulator = Watched(scenario=scenario, clock=Clock(speed=300.0))
    with Receiver() as receiver, EmulatorServer(emulator) as server:
        thread = Thread(target=receiver.serve_forever)
        thread.start()
        yield Ground(emulator, server.url, receiver, firmware)
        receiver.shutdown()
        thread.join()


def rows() -> Iterator[Row]:
    """Play it in a real Airflow at DEBUG, and search every file that it wrote."""
    with tempfile.TemporaryDirectory(prefix="canary-") as folder, open_ground(Path(folder)) as ground:
        home = Path(folder) / "airflow"
        states, shown = _play(ground, home)
        files = [path for path in sorted(home.rglob("*")) if path.is_file() and DAGS.name not in path.parts]
        for path in files:
            ground.search(str(path.relative_to(home)), path.read_bytes())
        ground.search("Airflow's API", shown.encode())
        wrong = [f"{place}: {len(hits)} secrets" for place, hits in sorted(ground.found.items())]
        wrong += [
            f"{name} ended {states.get(name)}, not {state}"
            for name, state in EXPECTED.items()
            if states.get(name) != state
        ]
        wrong += [f"{token} reached no receiver" for token in TOKENS[:3] if token not in str(ground.receiver.paths)]
        figures = (
            f"{len(ground.secrets())} secrets, {len(files)} files, {sum(path.stat().st_size for path in files):,} bytes"
        )
    yield Row("canary, in Airflow", "returned, printed, raised, pickled at DEBUG", 1, wrong=wrong, figures=figures)


EXPECTED = {
    **dict.fromkeys(
        ("returned", "returned_as_plain", "pickled", "printed", "in_event_loop", "errors_pickled"), "success"
    ),
    **dict.fromkeys(("upload", "read_device_texts", "read_firmware"), "success"),
    **dict.fromkeys(("raised_in_words", "raised", "verify"), "failed"),
}


def _play(ground: Ground, home: Path) -> tuple[dict[str, str], str]:
    real = airflow_process.environment

    def environment(home: Path, port: int) -> dict[str, str]:
        return {**real(home, port), **ground.connections(), "AIRFLOW__LOGGING__LOGGING_LEVEL": "DEBUG"}

    with ExitStack() as stack:
        stack.enter_context(patch.object(airflow_process, "environment", environment))
        stack.enter_context(patch.object(airflow_process, "dags_folder", lambda: DAGS))
        (port,) = free_ports(1)
        airflow = stack.enter_context(AirflowProcess(home, port))
        airflow.wait_until_healthy()
        api = stack.enter_context(AirflowApi(airflow.url))
        api.wait_for_dag("canary", 90)
        run = api.trigger("canary", {"source": str(ground.firmware)})
        deadline = time.monotonic() + LONGEST_WAIT
        while api.run_state("canary", run) not in {"success", "failed"}:
            if time.monotonic() > deadline:
                raise TimeoutError(f"the run goes on: {api.task_states('canary', run)}")
            time.sleep(1)
        states = api.task_states("canary", run)
        return states, "\n".join(_shown(api, run, task) for task in states)


def _shown(api: AirflowApi, run: str, task: str) -> str:
    """Give what the pages of a task show: its XCom as shown and as stored, and its log."""
    place = f"dags/canary/dagRuns/{run}/taskInstances/{task}"
    keys = [entry["key"] for entry in api._call("GET", f"{place}/xcomEntries")["xcom_entries"]]
    entries: Iterable[Any] = [
        api._call("GET", f"{place}/xcomEntries/{key}?deserialize={shown}")
        for key in keys
        for shown in ("true", "false")
    ]
    return json.dumps([*entries, api._call("GET", f"{place}/logs/1")])
