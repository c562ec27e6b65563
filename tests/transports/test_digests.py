"""Both drivers read a file for its digests."""

from __future__ import annotations

import asyncio
import hashlib
import io
import threading
from typing import TYPE_CHECKING, Any, BinaryIO

import pytest

from airflow_provider_tuya_ota.core.errors import SourceUnavailableError, TuyaOTAError
from airflow_provider_tuya_ota.core.flows.effects import Digest, Flow
from airflow_provider_tuya_ota.core.wire.exact_reader import ExactReader
from airflow_provider_tuya_ota.transports.driver import adrive
from tests.transports.test_drivers import Trace, Waiting, blocking, in_a_loop, limiter

if TYPE_CHECKING:
    from collections.abc import Callable

CONTENT = bytes(range(256)) * 5000
DIGESTS = {
    "SHA256": hashlib.sha256(CONTENT).hexdigest(),
    "MD5": hashlib.md5(CONTENT, usedforsecurity=False).hexdigest(),
}


def digest(open_file: Callable[[], BinaryIO]) -> Flow[dict[str, str]]:
    found: dict[str, str] = yield Digest(lambda: ExactReader(open_file, "lamp.bin", len(CONTENT), ["SHA256", "MD5"]))
    return found


@pytest.mark.parametrize("driver", [blocking, in_a_loop])
def test_a_file_is_read_to_its_end_and_closed(driver: Callable[..., Any]) -> None:
    file = io.BytesIO(CONTENT)

    assert driver(digest(lambda: file), Trace([]), limiter()) == DIGESTS
    assert file.closed


class Failing(io.BytesIO):
    def read(self, size: int | None = -1, /) -> bytes:
        raise SourceUnavailableError("'s3://b/lamp.bin'", "SlowDown")


@pytest.mark.parametrize("driver", [blocking, in_a_loop])
@pytest.mark.parametrize("is_open", [False, True])
def test_what_reading_says_is_thrown_into_the_flow(driver: Callable[..., Any], is_open: bool) -> None:
    file = Failing()

    def opened() -> BinaryIO:
        return file if is_open else Failing(file.read())

    def flow() -> Flow[str]:
        try:
            yield from digest(opened)
        except TuyaOTAError as error:
            return str(error)
        return "read"

    assert "SlowDown" in driver(flow(), Trace([]), limiter())
    assert file.closed is is_open


async def test_an_event_loop_goes_on_while_a_file_is_digested() -> None:
    may_read = threading.Event()

    class Slow(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            assert may_read.wait(10), "the event loop stood still"
            return super().read(size)

    trace = Trace([])
    waiting = asyncio.create_task(
        adrive(
            digest(lambda: Slow(CONTENT)), transport=Waiting(trace), limiter=limiter(), runtime=trace, listener=trace
        )
    )
    asyncio.get_running_loop().call_soon(may_read.set)

    assert await waiting == DIGESTS
