"""The CPU time of one signed call beside the vendor's SDKs and scripts without any, in turn in one run.

A server in a process of its own answers every request alike, so that only the callers differ. Each caller signs and
sends QueryOTAJob and reads the answer: this client, the vendor's two SDKs, scripts that sign by hand over one session
of ``requests`` or ``aiohttp`` and check nothing, and a script that keeps what this client promises. The callers take
turns in many short rounds, so that what else the machine does meets all of them; printed are the medians, and the
medians of the ratios within a round:
``python -m benchmarks.signed_call [ROUNDS] [CALLS]``.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import re
import subprocess
import sys
import time
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import aiohttp
import requests
from alibabacloud_iot20180120 import models
from alibabacloud_iot20180120.client import Client
from alibabacloud_tea_openapi.models import Config
from aliyunsdkcore.client import AcsClient
from aliyunsdkcore.request import CommonRequest

from airflow_provider_tuya_ota.client import AsyncTuyaOTAClient, TuyaOTAClient
from airflow_provider_tuya_ota.core.actions import QueryOTAJob
from airflow_provider_tuya_ota.core.policy.rate import RateLimitGroup
from airflow_provider_tuya_ota.core.settings import Settings
from airflow_provider_tuya_ota.transports.limiter import RateLimiter
from benchmarks.by_hand import JOB, KEY, SECRET, Careful, bare, signed_query
from benchmarks.table import Figure, print_table

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator

ROUNDS, CALLS = 80, 50
ANSWER = {
    "requestId": "6E4F2A3B-0D1C-4F5E-8A9B-7C6D5E4F3A2B",
    "success": True,
    "code": "",
    "data": {
        "jobId": JOB,
        "jobStatus": "IN_PROGRESS",
        "jobType": "VERIFY_FIRMWARE",
        "jobDesc": "verify 1.1",
        "firmwareId": "178",
        "productKey": "a1mxfpfcq7x",
        "destVersion": "1.1",
        "srcVersions": {"srcVersion": ["1.0"]},
        "selectionType": "SPECIFIC",
        "targetSelection": "SPECIFIC",
        "utcCreate": "2026-01-01T00:00:00.000Z",
        "utcModified": "2026-01-01T00:00:01.000Z",
        "utcStartTime": "2026-01-01T00:00:00.000Z",
    },
}
TARGETS = {
    "aliyun-python-sdk-core": 0.75,
    "alibabacloud-iot20180120 (tea)": 0.75,
    "aiohttp, signed by hand": 1.15,
}
"""Our share of another caller's time."""


class Server(asyncio.Protocol):
    """Answer every request alike, on connections that are kept."""

    body = json.dumps(ANSWER).encode()
    answer = (
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json;charset=utf-8\r\nDate: Thu, 01 Jan 2026 00:00:00 GMT\r\n"
        b"Content-Length: %d\r\n\r\n" % len(body) + body
    )

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the connection."""
        self.transport = transport
        self.received = b""

    def data_received(self, data: bytes) -> None:
        """Answer each request whose head has ended; none has a body."""
        self.received += data
        while b"\r\n\r\n" in self.received:
            _, _, self.received = self.received.partition(b"\r\n\r\n")
            self.transport.write(self.answer)  # type: ignore[attr-defined] # the base class knows no writing


async def serve() -> None:
    """Print the port, and serve until killed."""
    server = await asyncio.get_running_loop().create_server(Server, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


@contextmanager
def served() -> Iterator[int]:
    """Give the port of a server in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.signed_call", "--serve"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield int(re.sub(r"\D", "", process.stdout.readline() if process.stdout else ""))
        finally:
            process.kill()


def connection(port: int) -> Settings:
    """Give the settings of our client."""
    return Settings.from_connection_fields(host=f"http://127.0.0.1:{port}", login=KEY, password=SECRET, extra={})


def unlimited() -> RateLimiter:
    """Give a limiter that lets every request leave at once; the others have none."""
    return RateLimiter(dict.fromkeys(RateLimitGroup, 1e12))


def callers(port: int) -> dict[str, Callable[[], object]]:
    """Give one call of each kind that blocks."""
    client = TuyaOTAClient(connection(port), limiter=unlimited())
    session = requests.Session()
    session.trust_env = False
    core = AcsClient(KEY, SECRET, "cn-shanghai", port=port, auto_retry=False)
    tea = Client(
        Config(
            access_key_id=KEY,
            access_key_secret=SECRET,
            endpoint=f"127.0.0.1:{port}",
            protocol="http",
            signature_algorithm="v2",
        )
    )

    def core_call() -> object:
        request = CommonRequest(domain="127.0.0.1", version="2018-01-20", action_name="QueryOTAJob")
        request.set_accept_format("json")
        request.set_protocol_type("http")
        request.set_method("GET")
        request.add_query_param("JobId", JOB)
        return json.loads(core.do_action_with_exception(request))

    return {
        "this client": lambda: client.do(QueryOTAJob(job_id=JOB)),
        "requests, signed by hand": lambda: session.get(
            f"http://127.0.0.1:{port}/?{signed_query()}", timeout=30
        ).json(),
        "aliyun-python-sdk-core": core_call,
        "alibabacloud-iot20180120 (tea)": lambda: tea.query_otajob(models.QueryOTAJobRequest(job_id=JOB)),
    }


def cpu(act: Callable[[], object], calls: int) -> float:
    """Give the microseconds of CPU time of one call."""
    gc.collect()
    began = time.process_time()
    for _ in range(calls):
        act()
    return (time.process_time() - began) / calls * 1e6


async def async_cpu(act: Callable[[], Coroutine[Any, Any, object]], calls: int) -> float:
    """Give the microseconds of CPU time of one call in an event loop."""
    gc.collect()
    began = time.process_time()
    for _ in range(calls):
        await act()
    return (time.process_time() - began) / calls * 1e6


async def async_rounds(port: int, rounds: int, calls: int) -> list[dict[str, float]]:
    """Measure the callers for event loops in turn; the first round, in which connections are made, is left out."""
    async with (
        AsyncTuyaOTAClient(connection(port), limiter=unlimited()) as client,
        aiohttp.ClientSession() as session,
        Careful(port) as careful,
    ):
        acts: dict[str, Callable[[], Coroutine[Any, Any, object]]] = {
            "this client": lambda: client.do(QueryOTAJob(job_id=JOB)),
            "aiohttp, signed by hand": lambda: bare(session, port),
            "the same promises, by hand": lambda: careful.query_job(JOB),
        }
        found = [{name: await async_cpu(act, calls) for name, act in acts.items()} for _ in range(rounds + 1)]
    return found[1:]


def ratios(rounds: list[dict[str, float]], other: str) -> list[float]:
    """Give our share of another caller's time in each round."""
    return [one["this client"] / one[other] for one in rounds]


def measure(rounds: int = ROUNDS, calls: int = CALLS) -> list[Figure]:
    """Measure in turn."""
    # aliyun-python-sdk-core asks for the time in a way that Python 3.12 warns of.
    warnings.simplefilter("ignore", DeprecationWarning)
    # The SDKs ask the environment for proxies.
    os.environ["NO_PROXY"] = "127.0.0.1"
    with served() as port:
        acts = callers(port)
        blocking = [{name: cpu(act, calls) for name, act in acts.items()} for _ in range(rounds + 1)][1:]
        in_loop = asyncio.run(async_rounds(port, rounds, calls))

    script, careful = list(in_loop[0])[1:]

    def shares(rounds: list[dict[str, float]]) -> list[Figure]:
        others = list(rounds[0])[1:]
        return [Figure.of(f"signed call / {name}", ratios(rounds, name), most=TARGETS.get(name)) for name in others]

    return [
        *(Figure.of(f"CPU of one call, {name}", [one[name] for one in blocking], "us") for name in acts),
        *(Figure.of(f"CPU of one call in a loop, {name}", [one[name] for one in in_loop], "us") for name in in_loop[0]),
        *shares(blocking),
        *shares(in_loop),
        Figure.of(f"{careful} / {script}", [one[careful] / one[script] for one in in_loop]),
    ]


def main() -> int:
    """Measure and print."""
    if sys.argv[1:] == ["--serve"]:
        asyncio.run(serve())
        return 0
    return 0 if print_table(measure(*map(int, sys.argv[1:]))) else 1


if __name__ == "__main__":
    sys.exit(main())
