"""No frame of a failing call shows the secret, a signature, a policy or a presigned address."""

from __future__ import annotations

import asyncio
import base64
import dataclasses
import io
import json
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import parse_qs, quote, urlsplit

import pytest

from airflow_provider_tuya_ota.client import AsyncTuyaOTAClient, TuyaOTAClient
from airflow_provider_tuya_ota.core.actions import CreateOTAFirmware
from airflow_provider_tuya_ota.core.errors import SourceUnavailableError, TuyaOTAError
from airflow_provider_tuya_ota.core.secret import Secret
from airflow_provider_tuya_ota.core.settings import Credentials
from airflow_provider_tuya_ota.core.upload import FirmwareFile, ensure_firmware
from airflow_provider_tuya_ota.transports.runtime import Runtime
from tests.core.frames import shown_of
from tests.transports.servers import answer, break_tls, flood, free_port, hang, hang_up, send, serving, trickle

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Mapping

    from airflow_provider_tuya_ota.core.settings import Settings
    from tests.transports.servers import Behaviour, Received

Say: TypeAlias = "Callable[[Received, str], Behaviour]"
"""What one operation is answered with, for a request and the server's own address."""

SECRET, KEY_ID = "canary-secret", "canary-key-id"
POLICY = base64.b64encode(b'{"expiration": "canary"}').decode()
PROOF = "canary-storage-signature"
PRESIGNED = "https://bucket.example.com/lamp.bin?Expires=1&Signature=canary-presigned"


class Hasty(Runtime):
    def sleep(self, seconds: float) -> None:
        pass

    async def asleep(self, seconds: float, *, unless: asyncio.Event | None = None) -> None:
        pass


def run_blocking(settings: Settings, file: FirmwareFile) -> None:
    with TuyaOTAClient(settings, runtime=Hasty()) as client:
        client.run(ensure_firmware(settings, FIRMWARE, file))


def run_in_a_loop(settings: Settings, file: FirmwareFile) -> None:
    async def run() -> None:
        async with AsyncTuyaOTAClient(settings, runtime=Hasty()) as client:
            await client.run(ensure_firmware(settings, FIRMWARE, file))

    asyncio.run(run())


FIRMWARE = CreateOTAFirmware(dest_version="1.1", firmware_name="lamp", product_key="pk")


def file_of(open_file: Callable[[], Any] = lambda: io.BytesIO(b"lamp")) -> FirmwareFile:
    return FirmwareFile(name="lamp.bin", suffix="bin", size=4, open_file=open_file)


def says(body: object, status: str = "200 OK", *headers: str) -> Say:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return lambda *_: answer(raw, status, *headers)


def does(behaviour: Behaviour) -> Say:
    return lambda *_: behaviour


def ticket(**changes: object) -> Say:
    def say(_: Received, url: str) -> Behaviour:
        data = {
            "Host": url,
            "Key": "ota/lamp.bin",
            "OSSAccessKeyId": "storage-key",
            "Policy": POLICY,
            "Signature": PROOF,
            "FirmwareUrl": PRESIGNED,
        }
        return answer(json.dumps({"success": True, "requestId": "r", "data": data | changes}).encode())

    return say


def echo(status: str, *headers: str) -> Say:
    """Repeat what was asked, in a header and in the body."""

    def say(received: Received, _: str) -> Behaviour:
        lines = [f"Location: https://elsewhere{received.target}", *headers]
        return answer(f"<p>{received.target} {received.body.decode('latin-1')}</p>".encode(), status, *lines)

    return say


LIST: Say = says({"success": True, "requestId": "r", "data": []})
GOOD: Mapping[str, Say] = {
    "ListOTAFirmware": LIST,
    "GenerateOTAUploadURL": ticket(),
    "PostObject": says(b"", "204 No Content"),
}
REFUSED: Say = says({"Code": "SignatureDoesNotMatch", "Message": f"server string is {SECRET} {PRESIGNED}"}, "403 F")
ANSWERS: dict[str, Say] = {
    "refused with its own words": REFUSED,
    "refused": says({"code": "iot.firmware.X", "errorMessage": SECRET + PRESIGNED, "success": False}),
    "no reply at all": echo("200 OK"),
    "a server error": echo("500 Oops"),
    "a proxy's page": echo("403 Forbidden"),
    "a redirect": echo("301 Moved"),
    "too many requests": echo("429 Slow"),
    "numbers for texts": says({"success": True, "requestId": "r", "data": [{"policy": POLICY}, PRESIGNED, 1]}),
    "nothing inside": says({"success": True, "requestId": "r", "data": {}}),
    "nesting": says(b'{"data":' + b"[" * 5000),
    "no answer": does(send(b"")),
    "a reset": does(hang_up),
    "silence": does(hang),
    "dripping": does(trickle),
    "no end": does(flood),
    "cut short": does(send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")),
    "no HTTP": does(send(b"SSH-2.0-OpenSSH\r\n\r\n")),
    "chunks that cannot be read": does(send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n")),
    "compression that cannot be read": says(b"no gzip", "200 OK", "Content-Encoding: gzip"),
}
STORED = ANSWERS | {
    "refused with its own words": says(
        f"<Error><Code>{PROOF}</Code><Message>{PROOF} of {POLICY}</Message></Error>".encode(), "403 Forbidden"
    ),
    "refused": says(f"{PROOF} of {POLICY}".encode(), "400 Bad"),
}
"""What object storage may say: it knows policy and signature of the form, and no key of the account."""
OPERATIONS = ("ListOTAFirmware", "GenerateOTAUploadURL", "PostObject", "CreateOTAFirmware")
STORIES: Mapping[str, Mapping[str, Say]] = {
    f"{operation}: {name}": {**GOOD, operation: say}
    for operation in OPERATIONS
    for name, say in (STORED if operation == "PostObject" else ANSWERS).items()
} | {
    f"ticket, {field} {value!r:.20}": {**GOOD, "GenerateOTAUploadURL": ticket(**{field: value})}
    for field, value in (
        ("Policy", ""),
        ("Policy", f"{POLICY} {POLICY}"),
        ("Policy", [POLICY]),
        ("Signature", None),
        ("Signature", PROOF * 1000),
        ("FirmwareUrl", f"{PRESIGNED} with blanks"),
        ("FirmwareUrl", {"Url": PRESIGNED}),
        ("Host", PRESIGNED),
        ("Host", "http://bucket.example.com"),
    )
}


def canaries(received: list[Received]) -> set[str]:
    signed = {proof for one in received for proof in parse_qs(urlsplit(one.target).query).get("Signature", [])}
    known = {SECRET, POLICY, PROOF, "canary-presigned", *signed}
    return known | {quote(one, safe="") for one in known} | {quote(quote(one, safe=""), safe="") for one in known}


def failing(
    run: Callable[[Settings, FirmwareFile], None], settings: Settings, story: Mapping[str, Say], file: FirmwareFile
) -> tuple[BaseException, list[Received]]:
    def behave(connection: socket.socket, received: Received) -> bool:
        action = parse_qs(urlsplit(received.target).query).get("Action", ["PostObject"])[0]
        return story[action](received, server.url)(connection, received)

    with serving(behave) as server:
        where = dataclasses.replace(settings, port=server.port, requests_per_second=1e6, read_timeout=0.2)
        with pytest.raises(BaseException) as caught:  # noqa: PT011 - the end of the process too
            run(where, file)
    return caught.value, server.received


both = pytest.mark.parametrize("run", [run_blocking, run_in_a_loop])


@both
@pytest.mark.parametrize("story", STORIES.values(), ids=STORIES)
def test_a_call_that_fails_shows_nothing_secret(
    run: Callable[[Settings, FirmwareFile], None], settings: Settings, story: Mapping[str, Say]
) -> None:
    error, received = failing(run, settings, story, file_of())

    assert isinstance(error, TuyaOTAError), repr(error)
    secrets = canaries(received)
    assert [text for text in shown_of(error) if any(secret in text for secret in secrets)] == []


class Changed(io.BytesIO):
    def __init__(self, failure: BaseException) -> None:
        super().__init__(b"lamp")
        self._failure = failure

    def read(self, size: int | None = -1, /) -> bytes:
        raise self._failure


FILES: dict[str, Callable[[], Any]] = {
    "shorter": lambda: io.BytesIO(b"lam"),
    "longer": lambda: io.BytesIO(b"lamps"),
    "gone": lambda: Changed(SourceUnavailableError("lamp.bin", "gone")),
    "broken": lambda: Changed(OSError(5, "Input/output error")),
    "mistaken": lambda: Changed(AttributeError("no such method")),
}


@both
@pytest.mark.parametrize("open_file", FILES.values(), ids=FILES)
def test_a_file_that_fails_shows_nothing_secret(
    run: Callable[[Settings, FirmwareFile], None], settings: Settings, open_file: Callable[[], Any]
) -> None:
    error, received = failing(run, settings, GOOD, file_of(open_file))

    secrets = canaries(received)
    assert len(secrets) > 4
    assert [text for text in shown_of(error) if any(secret in text for secret in secrets)] == []


class TimeIsOver(BaseException):
    """As Airflow ends a task whose time is over, by a signal."""


def test_the_end_of_a_task_s_time_shows_nothing_secret(settings: Settings) -> None:
    error, received = failing(run_blocking, settings, GOOD, file_of(lambda: Changed(TimeIsOver())))

    assert isinstance(error, TimeIsOver)
    secrets = canaries(received)
    assert [text for text in shown_of(error) if any(secret in text for secret in secrets)] == []


async def test_a_call_that_is_cancelled_shows_nothing_secret(settings: Settings) -> None:
    arrived, loop = asyncio.Event(), asyncio.get_running_loop()

    def hold(connection: socket.socket, received: Received) -> bool:
        loop.call_soon_threadsafe(arrived.set)
        return hang(connection, received)

    with serving(hold) as server:
        where = dataclasses.replace(settings, port=server.port, read_timeout=10)
        async with AsyncTuyaOTAClient(where) as client:
            call = asyncio.create_task(client.run(ensure_firmware(where, FIRMWARE, file_of())))
            await arrived.wait()
            call.cancel()
            with pytest.raises(asyncio.CancelledError) as caught:
                await call

    secrets = canaries(server.received)
    assert [text for text in shown_of(caught.value) if any(secret in text for secret in secrets)] == []


@both
def test_a_call_that_does_not_come_to_sending_shows_nothing_secret(
    run: Callable[[Settings, FirmwareFile], None], settings: Settings
) -> None:
    nowhere = dataclasses.replace(settings, port=free_port())
    left_behind = Credentials(KEY_ID, Secret.deserialize("***", 1))

    for where in (nowhere, dataclasses.replace(settings, credentials=left_behind)):
        with pytest.raises(TuyaOTAError) as caught:
            run(where, file_of())
        assert not [text for text in shown_of(caught.value) if "canary-secret" in text or "Signature=" in text]


@both
def test_tls_that_fails_shows_nothing_secret(run: Callable[[Settings, FirmwareFile], None], settings: Settings) -> None:
    with serving(break_tls, is_deaf=True) as server, pytest.raises(TuyaOTAError) as caught:
        run(dataclasses.replace(settings, scheme="https", port=server.port), file_of())

    assert not [text for text in shown_of(caught.value) if "canary-secret" in text or "Signature=" in text]
