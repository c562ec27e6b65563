"""What an upload costs beside `curl` and one pass of SHA256, against one sink on loopback, in turn in one run.

Printed are medians, and the upload's share of 1.25 times curl plus one pass: of their CPU time, for a target must not
depend on what else the machine does, and of their wall time beside it. Each upload has a process of its own, whose
memory is measured too: ``python -m benchmarks.upload [MEBIBYTES] [ROUNDS]``. Where there is no curl, a plain sender of
the standard library stands in for it.
"""

from __future__ import annotations

import hashlib
import http.client
import json
import os
import re
import shutil
import socketserver
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from benchmarks.table import Figure, print_table

ROUNDS, TARGET, MEMORY_TARGET = 5, 1.0, 64.0
MEBIBYTE = 1024 * 1024
LARGEST = 1_048_576_000
LOOPBACK = "127.0.0.1"
UPLOAD = """
import json, re, sys, time
from pathlib import Path
from airflow_provider_tuya_ota.client import TuyaOTAClient
from airflow_provider_tuya_ota.core.actions import CreateOTAFirmware, ListOTAFirmware
from airflow_provider_tuya_ota.core.settings import Settings
from airflow_provider_tuya_ota.core.upload import ensure_firmware
from airflow_provider_tuya_ota.runtime.source import opened_source

def memory(name):
    return int(re.search(name + r":\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1]) / 1024

source, url = sys.argv[1:]
settings = Settings.from_connection_fields(host=url, login="key", password="secret", extra={})
action = CreateOTAFirmware(dest_version="9.9.9", firmware_name="largest", product_key="product")
with TuyaOTAClient(settings) as client:
    client.do(ListOTAFirmware(current_page=1, page_size=1))
    idle = memory("VmRSS")
    start, cpu = time.perf_counter(), time.process_time()
    with opened_source(source) as file:
        client.run(ensure_firmware(settings, action, file))
    print(json.dumps([time.process_time() - cpu, time.perf_counter() - start, memory("VmHWM") - idle]))
"""


class Sink(socketserver.StreamRequestHandler):
    """Take whatever comes, keep nothing, and answer as platform and object storage do when all is well."""

    def handle(self) -> None:
        """Answer one request."""
        target = self.rfile.readline().decode().split(" ")[1]
        length = 0
        while (line := self.rfile.readline()) not in {b"\r\n", b""}:
            if line.lower().startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        buffer = bytearray(MEBIBYTE)
        while length > 0:
            length -= self.rfile.readinto1(buffer) or length
        action = parse_qs(target.partition("?")[2]).get("Action", [""])[0]
        # Object storage answers an upload with an empty body.
        body = json.dumps(self._answer(action)).encode() if action else b""
        self.wfile.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(body) + body)

    def _answer(self, action: str) -> dict[str, Any]:
        ticket = dict.fromkeys(("key", "ossAccessKeyId", "policy", "signature", "firmwareUrl"), "k")
        fields: dict[str, dict[str, Any]] = {
            "ListOTAFirmware": {"firmwareInfo": [], "total": 0},
            "GenerateOTAUploadURL": {
                "data": ticket | {"host": f"http://{LOOPBACK}:{self.connection.getsockname()[1]}"}
            },
            "CreateOTAFirmware": {"data": {"firmwareId": "178"}},
        }
        return {"code": "", "requestId": "r", "success": True, **fields.get(action, {})}


def serve() -> None:
    """Say where the sink is, and serve until killed."""
    with socketserver.TCPServer(("127.0.0.1", 0), Sink) as server:
        print(server.server_address[1], flush=True)
        server.serve_forever()


def send_plainly(path: Path, port: int) -> None:
    """Send the file with curl, or as simply as the standard library can."""
    if shutil.which("curl"):
        # Without the second that curl waits for leave to send.
        form = ["-H", "Expect:", "-F", f"file=@{path}", f"http://127.0.0.1:{port}/"]
        subprocess.run(["curl", "-s", "-o", "/dev/null", *form], check=True)  # noqa: S607 - whichever curl is found
        return
    connection = http.client.HTTPConnection("127.0.0.1", port, blocksize=MEBIBYTE)
    with path.open("rb") as file:
        connection.request("POST", "/", file, {"Content-Length": str(path.stat().st_size)})
    connection.getresponse().read()
    connection.close()


def digest(path: Path) -> None:
    """Read the file once for its SHA256."""
    found = hashlib.sha256()
    with path.open("rb", buffering=0) as file:
        while piece := file.read(MEBIBYTE):
            found.update(piece)


def seconds(act: Any, *arguments: Any) -> tuple[float, float]:
    """Time a call, with the processes that it starts; seconds of CPU and by the clock."""
    before = os.times()
    act(*arguments)
    after = os.times()
    return sum(after[:4]) - sum(before[:4]), after.elapsed - before.elapsed


def upload(path: Path, port: int) -> tuple[float, float, float]:
    """Upload in a new process; seconds of CPU and by the clock, and MiB above idle."""
    command = [sys.executable, "-c", UPLOAD, str(path), f"http://127.0.0.1:{port}"]
    cpu, wall, above = json.loads(
        subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()[-1]
    )
    return cpu, wall, above


def measure(mebibytes: int = LARGEST // MEBIBYTE, rounds: int = ROUNDS) -> list[Figure]:
    """Measure in turn; the first round, which warms the file cache, is left out."""
    rows = []
    with (
        tempfile.TemporaryDirectory() as folder,
        subprocess.Popen(
            [sys.executable, "-m", "benchmarks.upload", "--sink"], stdout=subprocess.PIPE, text=True
        ) as sink,
    ):
        try:
            port = int(re.sub(r"\D", "", sink.stdout.readline() if sink.stdout else ""))
            path = Path(folder) / "largest.bin"
            with path.open("wb") as file:
                file.writelines([hashlib.shake_128(b"").digest(MEBIBYTE)] * mebibytes)
            rows = [
                (*seconds(send_plainly, path, port), *seconds(digest, path), *upload(path, port))
                for _ in range(rounds + 1)
            ][1:]
        finally:
            sink.kill()
    plain, once, ours, above = ([row[place] for row in rows] for place in (0, 2, 4, 6))
    sender = "curl -F" if shutil.which("curl") else "http.client"
    name = "upload / (1.25 x the first + the second)"
    return [
        Figure.of(f"CPU of {sender}, {mebibytes:,} MiB", plain, "s"),
        Figure.of("CPU of SHA256, once", once, "s"),
        Figure.of("CPU of an upload", ours, "s"),
        Figure.of(name, [row[4] / (1.25 * row[0] + row[2]) for row in rows], most=TARGET),
        Figure.of(f"{name}, wall time", [row[5] / (1.25 * row[1] + row[3]) for row in rows]),
        Figure.of("upload, memory above idle", above, "MiB", most=MEMORY_TARGET),
    ]


def main() -> int:
    """Measure and print."""
    return 0 if print_table(measure(*map(int, sys.argv[1:]))) else 1


if __name__ == "__main__":
    if sys.argv[1:] == ["--sink"]:
        serve()
    else:
        sys.exit(main())
