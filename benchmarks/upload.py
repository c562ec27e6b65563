"""What an upload costs beside `curl` and one pass of SHA256, against one sink on loopback, in turn in one run.

Prints medians, and the upload's share of 1.25 times curl plus one pass; the target is at most 1. Each upload has a
process of its own, whose memory must not rise by more than 64 MiB: `.venv/bin/python benchmarks/upload.py [MEBIBYTES]
[ROUNDS]`. Where there is no curl, a plain sender of the standard library stands in for it.
"""

from __future__ import annotations

import hashlib
import http.client
import json
import re
import shutil
import socketserver
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

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
    start = time.perf_counter()
    with opened_source(source) as file:
        client.run(ensure_firmware(settings, action, file))
    print(json.dumps([time.perf_counter() - start, memory("VmHWM") - idle]))
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
        body = json.dumps(self._answer(parse_qs(target.partition("?")[2]).get("Action", [""])[0])).encode()
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


def seconds(act: Any, *arguments: Any) -> float:
    """Time a call."""
    start = time.perf_counter()
    act(*arguments)
    return time.perf_counter() - start


def upload(path: Path, port: int) -> tuple[float, float]:
    """Upload in a new process; seconds, and MiB above idle."""
    command = [sys.executable, "-c", UPLOAD, str(path), f"http://127.0.0.1:{port}"]
    took, above = json.loads(
        subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()[-1]
    )
    return took, above


def main() -> None:
    """Measure in turn and print."""
    numbers = [int(argument) for argument in sys.argv[1:]]
    size = min(numbers[0] * MEBIBYTE if numbers else LARGEST, LARGEST)
    rounds = numbers[1] if len(numbers) > 1 else 5
    rows = []
    with (
        tempfile.TemporaryDirectory() as folder,
        subprocess.Popen([sys.executable, __file__, "--sink"], stdout=subprocess.PIPE, text=True) as sink,
    ):
        try:
            port = int(re.sub(r"\D", "", sink.stdout.readline() if sink.stdout else ""))
            path = Path(folder) / "largest.bin"
            path.write_bytes(hashlib.shake_128(b"").digest(MEBIBYTE) * (size // MEBIBYTE) + bytes(size % MEBIBYTE))
            # The first round warms the file cache.
            rows = [
                (seconds(send_plainly, path, port), seconds(digest, path), *upload(path, port))
                for _ in range(rounds + 1)
            ][1:]
        finally:
            sink.kill()
    plain, once, ours, above = (statistics.median(column) for column in zip(*rows, strict=True))
    ratio = statistics.median(row[2] / (1.25 * row[0] + row[1]) for row in rows)
    sender = "curl -F" if shutil.which("curl") else "http.client"
    print(f"{sender:16}{plain:8.2f} s for {size:,} bytes (median of {rounds})")
    print(f"{'SHA256, once':16}{once:8.2f} s")
    print(f"{'upload':16}{ours:8.2f} s, {ratio:.2f} of 1.25 x the first + the second (target 1.00)")
    print(f"{'memory':16}{above:8.1f} MiB above idle (target 64)")


if __name__ == "__main__":
    if sys.argv[1:] == ["--sink"]:
        serve()
    else:
        main()
