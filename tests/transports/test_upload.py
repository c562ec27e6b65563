from __future__ import annotations

import asyncio
import dataclasses
import hashlib
import io
import threading
import tracemalloc
from contextlib import contextmanager
from typing import TYPE_CHECKING, BinaryIO

import pytest

from airflow_provider_tuya_ota.core.errors import ConfigurationError, Delivery, SourceUnavailableError, TransportError
from airflow_provider_tuya_ota.core.wire.http import Request
from airflow_provider_tuya_ota.core.wire.multipart import MultipartBody
from airflow_provider_tuya_ota.transports.aiohttp_transport import AiohttpTransport
from tests.transports.servers import Received, answer, free_port, hang, send, serving

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from airflow_provider_tuya_ota.core.settings import Settings
    from tests.transports.conftest import Exchange, Recorder

FIELDS = [("key", "ota/firmware/k.bin"), ("policy", "canary-policy"), ("Signature", "canary-signature")]
MIB = 1 << 20


def upload(url: str, size: int, open_file: Callable[[], BinaryIO]) -> Request:
    body = MultipartBody(
        fields=FIELDS,
        file_name="lamp.bin",
        size=size,
        open_file=open_file,
        boundary="b0undary",
        methods=["SHA256", "MD5"],
    )
    return Request("POST", f"{url}/", {"Content-Type": body.content_type}, body)


def of(content: bytes, url: str) -> Request:
    return upload(url, len(content), lambda: io.BytesIO(content))


@pytest.mark.parametrize("size", [0, 1, 70_000, MIB + 1])
def test_the_form_arrives_as_built_with_its_length_announced(exchange: Exchange, settings: Settings, size: int) -> None:
    content = bytes(range(256)) * (size // 256) + bytes(size % 256)

    with serving(answer(b"", "204 No Content")) as server:
        request = of(content, server.url)
        (response,) = exchange(settings, [request])

    (received,) = server.received
    assert response.status == 204
    assert request.body is not None
    assert received.target == "/"
    assert received.headers["content-length"] == str(request.body.length)
    assert received.headers["content-type"] == "multipart/form-data; boundary=b0undary"
    assert "transfer-encoding" not in received.headers
    assert received.body == request.body.prefix + content + request.body.suffix


@pytest.mark.parametrize("size", [1, 70_000, MIB + 1])
def test_the_answer_comes_with_the_digests_of_what_was_sent(exchange: Exchange, settings: Settings, size: int) -> None:
    content = bytes(range(256)) * (size // 256) + bytes(size % 256)

    with serving(answer()) as server:
        responses = exchange(settings, [of(content, server.url), of(content[:-1] + b"!", server.url)])

    for response, received in zip(responses, server.received, strict=True):
        file = received.body.split(b"octet-stream\r\n\r\n")[1].removesuffix(b"\r\n--b0undary--\r\n")
        md5 = hashlib.md5(file, usedforsecurity=False)
        assert response.sent == {"SHA256": hashlib.sha256(file).hexdigest(), "MD5": md5.hexdigest()}
    assert responses[0].sent != responses[1].sent


def test_an_answer_that_does_not_wait_for_the_whole_file_comes_without_digests(
    exchange: Exchange, settings: Settings
) -> None:
    size = 64 * MIB

    with serving(answer(), is_deaf=True) as server:
        try:
            (response,) = exchange(settings, [upload(server.url, size, lambda: io.BytesIO(bytes(size)))])
        except TransportError:
            # The connection was reset first, which leaves doubt as well.
            return

    assert (response.status, response.sent) == (200, {})


def test_the_file_is_the_last_part_of_the_form(exchange: Exchange, settings: Settings) -> None:
    with serving(answer()) as server:
        exchange(settings, [of(b"lamp", server.url)])

    names = [part.split(b'name="')[1].split(b'"')[0] for part in server.received[0].body.split(b"--b0undary\r\n")[1:]]
    assert names == [b"key", b"policy", b"Signature", b"file"]


class Opened:
    """Count how often a file is opened and closed."""

    def __init__(self, content: bytes) -> None:
        self.content, self.files = content, list[io.BytesIO]()

    def __call__(self) -> BinaryIO:
        self.files.append(io.BytesIO(self.content))
        return self.files[-1]


def test_an_upload_that_is_sent_twice_starts_at_the_files_beginning(exchange: Exchange, settings: Settings) -> None:
    opened = Opened(b"lamp")

    with serving(answer()) as server:
        exchange(settings, [upload(server.url, 4, opened)] * 2)

    first, second = (received.body for received in server.received)
    assert first == second
    assert [file.closed for file in opened.files] == [True, True]


@pytest.mark.parametrize("behaviour", [send(b""), hang])
def test_a_broken_upload_leaves_doubt_and_closes_the_file(
    exchange: Exchange, settings: Settings, behaviour: Callable[[socket.socket, Received], bool]
) -> None:
    opened = Opened(b"lamp")
    settings = dataclasses.replace(settings, read_timeout=0.2)

    with serving(behaviour) as server, pytest.raises(TransportError) as caught:
        exchange(settings, [upload(server.url, 4, opened)])

    assert caught.value.delivery is Delivery.UNKNOWN
    assert len(server.received) == 1
    assert [file.closed for file in opened.files] == [True]


@pytest.mark.parametrize("content", [b"lam", b"lamps", b"", bytes(3 * MIB)])
def test_a_file_that_grows_or_shrinks_is_refused_before_the_form_ends(
    exchange: Exchange, settings: Settings, content: bytes
) -> None:
    opened = Opened(content)

    with (
        serving(answer(), keep_body=True) as server,
        pytest.raises(ConfigurationError, match=r"lamp\.bin changed while it was being read: it has (more|fewer)"),
    ):
        exchange(settings, [upload(server.url, 4, opened)])

    assert [file.closed for file in opened.files] == [True]
    assert all(b"--b0undary--" not in received.body for received in server.received)


class Unreadable(io.BytesIO):
    """A file whose storage fails."""

    def read(self, size: int | None = -1, /) -> bytes:
        raise SourceUnavailableError("'s3://b/lamp.bin'", "SlowDown")


def test_what_reading_the_file_says_is_what_the_upload_says(exchange: Exchange, settings: Settings) -> None:
    with serving(answer()) as server, pytest.raises(SourceUnavailableError, match="SlowDown"):
        exchange(settings, [upload(server.url, 4, Unreadable)])


def test_an_upload_that_nobody_takes_was_never_sent(exchange: Exchange, settings: Settings) -> None:
    with pytest.raises(TransportError) as caught:
        exchange(settings, [of(b"lamp", f"http://127.0.0.1:{free_port()}")])

    assert caught.value.delivery is Delivery.NEVER_SENT


def test_neither_policy_nor_signature_are_shown(exchange: Exchange, settings: Settings, log: Recorder) -> None:
    with serving(send(b"")) as server, pytest.raises(TransportError) as caught:
        exchange(settings, [of(b"lamp", server.url)])

    assert "canary" not in f"{caught.value!r} {caught.value.__context__!r} {log.lines}"


@contextmanager
def peak() -> Iterator[list[int]]:
    """Measure how far Python's memory rises above where it began."""
    measured: list[int] = []
    tracemalloc.start()
    try:
        yield measured
        measured.append(tracemalloc.get_traced_memory()[1])
    finally:
        tracemalloc.stop()


def test_memory_does_not_grow_with_the_file(exchange: Exchange, settings: Settings, tmp_path: Path) -> None:
    size = 200 * MIB
    sparse = tmp_path / "large.bin"
    with sparse.open("wb") as file:
        file.truncate(size)

    with serving(answer(), keep_body=False) as server, peak() as measured:
        exchange(dataclasses.replace(settings, read_timeout=30), [upload(server.url, size, lambda: sparse.open("rb"))])

    assert server.received[0].length > size
    assert measured[0] < 16 * MIB


class SlowFile(io.BytesIO):
    """A file on a disk that answers only after the event loop did something else."""

    def __init__(self, content: bytes, may_read: threading.Event) -> None:
        super().__init__(content)
        self.may_read = may_read

    def read(self, size: int | None = -1, /) -> bytes:
        assert self.may_read.wait(10), "the event loop stood still"
        return super().read(size)


async def test_an_event_loop_goes_on_while_a_file_is_read(settings: Settings) -> None:
    may_read = threading.Event()
    transport = AiohttpTransport(settings)

    with serving(answer()) as server:
        sending = asyncio.create_task(transport.send(upload(server.url, 4, lambda: SlowFile(b"lamp", may_read))))
        asyncio.get_running_loop().call_later(0.05, may_read.set)
        response = await sending
        await transport.close()

    assert response.status == 200


async def test_digests_are_there_with_the_last_piece_for_the_answer_may_overtake_the_end(settings: Settings) -> None:
    transport = AiohttpTransport(settings)
    body = of(bytes(MIB + 1), "http://unused").body
    assert body is not None
    sent: dict[str, str] = {}

    async with asyncio.timeout(10) as limit:
        pieces = transport._pieces(body, limit, sent)
        left = body.length
        while left:
            assert sent == {}
            left -= len(await anext(pieces))

    assert sent["SHA256"] == hashlib.sha256(bytes(MIB + 1)).hexdigest()
    await pieces.aclose()
    await transport.close()
