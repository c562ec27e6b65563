"""Answers that come a byte at a time, from any byte on: an exchange always ends."""

from __future__ import annotations

import asyncio
import dataclasses
import gc
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeAlias

import pytest

from airflow_provider_tuya_ota.core.errors import Delivery, TransportError
from airflow_provider_tuya_ota.core.secret import Secret
from airflow_provider_tuya_ota.core.wire.http import Request
from airflow_provider_tuya_ota.transports.aiohttp_transport import AiohttpTransport
from airflow_provider_tuya_ota.transports.requests_transport import RequestsTransport
from tests.transports.servers import TIME_LIMIT, Behaviour, Received, answer, hang, serving
from tests.transports.test_upload import of

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterator

    from airflow_provider_tuya_ota.core.settings import Settings
    from airflow_provider_tuya_ota.core.wire.http import Response
    from tests.transports.conftest import Exchange

Outcome: TypeAlias = "Response | TransportError"
AtOnce: TypeAlias = "Callable[[Settings, list[Request]], list[Outcome]]"
PAUSE = 0.1
OUTLASTED = -1
ANSWERS = {
    "length": b"HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n" + b'{"a": "012345"}',
    "chunks": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b'8\r\n{"a": "0\r\n7\r\n12345"}\r\n0\r\n\r\n',
    "until closed": b"HTTP/1.0 200 OK\r\n\r\n" + b'{"a": "012345"}',
    "continue": b"HTTP/1.1 100 Continue\r\n\r\n" * 2
    + b"HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n"
    + b'{"a": "012345"}',
}


def drip(connection: socket.socket, received: Received) -> bool:
    """Answer the named answer at once up to the named byte, and then a byte at a time."""
    _, name, position = received.target.split("/")
    raw = ANSWERS[name.replace("%20", " ")]
    connection.sendall(raw[: int(position)])
    for byte in raw[int(position) :]:
        time.sleep(PAUSE)
        connection.sendall(bytes([byte]))
    return name != "until%20closed"


def repeat(raw: bytes, pause: float = 0.0) -> Behaviour:
    """Send the same again and again until the client goes away, and close after a while: then the test has failed."""

    def behave(connection: socket.socket, received: Received) -> bool:
        end = time.monotonic() + TIME_LIMIT
        while time.monotonic() < end:
            connection.sendall(raw)
            time.sleep(pause)
        received.length = OUTLASTED
        return False

    return behave


@pytest.fixture
def hasty(settings: Settings) -> Settings:
    return dataclasses.replace(settings, read_timeout=0.4, connect_timeout=0.4)


def with_threads(settings: Settings, requests: list[Request]) -> list[Outcome]:
    def send(request: Request) -> Outcome:
        transport = RequestsTransport(settings)
        try:
            return transport.send(request)
        except TransportError as error:
            return error
        finally:
            transport.close()

    with ThreadPoolExecutor(max_workers=len(requests)) as pool:
        return list(pool.map(send, requests))


def with_tasks(settings: Settings, requests: list[Request]) -> list[Outcome]:
    async def send(transport: AiohttpTransport, request: Request) -> Outcome:
        try:
            return await transport.send(request)
        except TransportError as error:
            return error

    async def run() -> list[Outcome]:
        transport = AiohttpTransport(settings)
        try:
            return list(await asyncio.gather(*(send(transport, request) for request in requests)))
        finally:
            await transport.close()

    return asyncio.run(run())


@pytest.fixture(params=[with_threads, with_tasks], ids=["requests", "aiohttp"])
def at_once(request: pytest.FixtureRequest) -> Iterator[AtOnce]:
    return request.param  # type: ignore[no-any-return] # one of the two above


@pytest.mark.parametrize("name", ANSWERS)
@pytest.mark.parametrize("is_upload", [False, True], ids=["question", "upload"])
def test_an_answer_that_drips_from_any_byte_on_ends_soon(
    at_once: AtOnce, hasty: Settings, name: str, is_upload: bool
) -> None:
    raw = ANSWERS[name]
    positions = range(len(raw) + 1)
    with serving(drip) as server:
        addresses = [f"{server.url}/{name.replace(' ', '%20')}/{position}" for position in positions]
        if is_upload:
            requests = [dataclasses.replace(of(b"lamp", server.url), url=address) for address in addresses]
        else:
            requests = [Request("GET", address) for address in addresses]
        found = at_once(hasty, requests)
    for outcome in found:
        if isinstance(outcome, TransportError):
            assert (outcome.delivery, outcome.reason) == (Delivery.UNKNOWN, "no answer in time")
        else:
            assert (outcome.status, outcome.body) == (200, b'{"a": "012345"}')
    assert isinstance(found[0], TransportError)


@pytest.mark.parametrize("name", ANSWERS)
def test_an_answer_that_drips_and_is_complete_in_time_is_an_answer(
    exchange: Exchange, settings: Settings, name: str
) -> None:
    with serving(drip) as server:
        (response,) = exchange(
            settings, [Request("GET", f"{server.url}/{name.replace(' ', '%20')}/{len(ANSWERS[name]) - 4}")]
        )

    assert (response.status, response.body) == (200, b'{"a": "012345"}')


ENDLESS = {
    "continue, fast": repeat(b"HTTP/1.1 100 Continue\r\n\r\n"),
    "continue, slow": repeat(b"HTTP/1.1 100 Continue\r\n\r\n", PAUSE),
    "early hints": repeat(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n", PAUSE),
    "a status line without end": repeat(b"HTTP/1.1 200 O", PAUSE),
    "blank lines": repeat(b"\r\n", PAUSE),
    "one byte": repeat(b"H", PAUSE),
}


@pytest.mark.parametrize("behaviour", ENDLESS.values(), ids=ENDLESS)
@pytest.mark.parametrize("is_upload", [False, True], ids=["question", "upload"])
def test_what_never_becomes_an_answer_leaves_doubt_soon(
    exchange: Exchange, hasty: Settings, behaviour: Behaviour, is_upload: bool
) -> None:
    with serving(behaviour) as server, pytest.raises(TransportError) as caught:
        exchange(hasty, [of(b"lamp", server.url) if is_upload else Request("GET", server.url)])

    assert caught.value.delivery is Delivery.UNKNOWN
    assert [received.length == OUTLASTED for received in server.received] == [False]


# asyncio keeps a connection with unsent bytes until its peer goes away, and here the loop ends before that.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_whoever_drips_and_takes_nothing_of_a_file_does_not_hold_its_sender(
    exchange: Exchange, hasty: Settings
) -> None:
    with (
        serving(repeat(b"HTTP/1.1 100 Continue\r\n\r\n", PAUSE), is_deaf=True) as server,
        pytest.raises(TransportError) as caught,
    ):
        exchange(hasty, [of(b"x" * (64 << 20), server.url)])

    assert caught.value.reason == "no answer in time"
    gc.collect()


def test_a_proxy_that_drips_its_answer_does_not_hold_its_client(exchange: Exchange, hasty: Settings) -> None:
    with serving(repeat(b"HTTP/1.1 200 OK\r\nX: y", PAUSE)) as proxy, pytest.raises(TransportError):
        exchange(dataclasses.replace(hasty, proxy=Secret(proxy.url)), [Request("GET", "https://ota.invalid:8686/?x")])


def slow_taker(connection: socket.socket, received: Received) -> bool:
    """Take a file slowly, yet steadily, for longer than any answer may take."""
    for _ in range(40):
        time.sleep(PAUSE)
        connection.recv(1 << 20)
    while connection.recv(1 << 20).count(b"--b0undary--") == 0:
        pass
    connection.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")
    return False


def test_sending_a_file_takes_as_long_as_it_takes(exchange: Exchange, settings: Settings) -> None:
    brief = dataclasses.replace(settings, read_timeout=1.5, connect_timeout=0.5)
    with serving(slow_taker, is_deaf=True) as server:
        (response,) = exchange(brief, [of(b"x" * (40 << 20), server.url)])

    assert response.status == 204


def test_an_answer_that_was_slow_leaves_the_read_timeout_of_its_connection_as_it_was(settings: Settings) -> None:
    def slowly(connection: socket.socket, received: Received) -> bool:
        for byte in b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n":
            connection.sendall(bytes([byte]))
        time.sleep(0.5 if "first" in received.target else 1.0)
        connection.sendall(b"{}")
        return True

    transport = RequestsTransport(dataclasses.replace(settings, read_timeout=1.5))
    with serving(slowly) as server:
        answers = [transport.send(Request("GET", f"{server.url}/{name}")) for name in ("first", "second")]
        transport.close()

    assert [answer.body for answer in answers] == [b"{}", b"{}"]
    assert server.connections == 1


def test_an_interim_answer_is_not_taken_for_the_answer(exchange: Exchange, settings: Settings) -> None:
    def hint_first(connection: socket.socket, received: Received) -> bool:
        connection.sendall(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n")
        time.sleep(PAUSE)
        body = received.target.encode()
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
        return True

    with serving(hint_first) as server:
        answers = exchange(settings, [Request("GET", f"{server.url}/{name}") for name in ("first", "second")])

    assert [(answer.status, answer.body) for answer in answers] == [(200, b"/first"), (200, b"/second")]


@pytest.mark.parametrize("behaviour", [repeat(b"HTTP/1.1 100 Continue\r\n\r\n", PAUSE), repeat(b"", PAUSE)])
def test_a_request_that_has_little_time_left_ends_before_the_connection_s_own_timeouts(
    exchange: Exchange, settings: Settings, behaviour: Behaviour
) -> None:
    slow = dataclasses.replace(settings, read_timeout=10 * TIME_LIMIT)
    with serving(behaviour) as server, pytest.raises(TransportError, match="no answer in time"):
        exchange(slow, [Request("GET", server.url, longest=0.4)])

    assert [received.length == OUTLASTED for received in server.received] == [False]


def test_answers_that_hang_keep_no_other_request_from_its_connection(settings: Settings) -> None:
    # More than the library connects to at the same time by default.
    library_s_own = 100
    arrived = threading.Semaphore(0)

    async def run(url: str) -> Response:
        transport = AiohttpTransport(dataclasses.replace(settings, read_timeout=10 * TIME_LIMIT))
        request = Request("GET", f"{url}/hang")
        hanging = [asyncio.ensure_future(transport.send(request)) for _ in range(library_s_own + 1)]
        try:
            for _ in range(library_s_own):
                assert await asyncio.to_thread(arrived.acquire, timeout=TIME_LIMIT)
            return await transport.send(Request("GET", f"{url}/answer", longest=TIME_LIMIT / 2))
        finally:
            for one in hanging:
                one.cancel()
            await asyncio.gather(*hanging, return_exceptions=True)
            await transport.close()

    def behave(connection: socket.socket, received: Received) -> bool:
        if received.target != "/hang":
            return answer(b"{}")(connection, received)
        arrived.release()
        return hang(connection, received)

    with serving(behave) as server:
        assert asyncio.run(run(server.url)).status == 200
