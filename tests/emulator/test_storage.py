from __future__ import annotations

import hashlib
import http.client
import socket
import tempfile
import time
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from xml.etree import ElementTree as ET

import pytest

from airflow_provider_tuya_ota.emulator.messages import Request
from airflow_provider_tuya_ota.emulator.server import EmulatorServer
from tests.emulator.plain_client import PlainClient, form_of, over_socket

if TYPE_CHECKING:
    from airflow_provider_tuya_ota.emulator.emulator import Emulator


@pytest.mark.parametrize(("asked", "answered"), [("200", 200), ("201", 201), ("204", 204), ("299", 204), ("abc", 204)])
def test_the_status_of_success_is_what_the_form_asks_for(client: PlainClient, asked: str, answered: int) -> None:
    status, _ = client.upload(form_of(client.ticket(), success_action_status=asked), b"x")

    assert status == answered


@pytest.mark.parametrize("name", ["key", "policy", "OSSAccessKeyId", "Signature"])
def test_each_missing_field_is_named(client: PlainClient, name: str) -> None:
    fields = [field for field in form_of(client.ticket()) if field[0] != name]

    status, body = client.upload(fields, b"x")

    assert status == 400
    assert name.encode() in body


def test_nothing_may_stand_behind_the_file(client: PlainClient) -> None:
    status, body = client.upload(form_of(client.ticket()), b"x", tail="key")

    assert (status, b"InvalidArgument" in body) == (400, True)


def test_extra_fields_are_refused(client: PlainClient) -> None:
    status, body = client.upload(form_of(client.ticket(), signature="lower"), b"x")

    assert (status, b"Extra input fields: signature" in body) == (403, True)


def test_a_form_without_a_file_is_malformed(client: PlainClient) -> None:
    status, body = client.upload(form_of(client.ticket()), None)

    assert (status, b"MalformedPOSTRequest" in body) == (400, True)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"Signature": "AAAA"}, b"SignatureDoesNotMatch"),
        ({"policy": "e30="}, b"SignatureDoesNotMatch"),
        ({"OSSAccessKeyId": "other"}, b"InvalidAccessKeyId"),
        ({"key": "elsewhere/file.bin"}, b"Policy Condition failed"),
    ],
)
def test_what_the_policy_does_not_cover_is_refused(client: PlainClient, change: dict[str, str], code: bytes) -> None:
    status, body = client.upload(form_of(client.ticket(), **change), b"x")

    assert (status, code in body) == (403, True)


def test_a_policy_expires_after_a_minute(client: PlainClient) -> None:
    ticket = client.ticket()
    client.control("POST", "clock", {"gateway_offset": 61})

    status, body = client.upload(form_of(ticket), b"x")

    assert (status, b"Policy expired" in body) == (403, True)


def test_a_firmware_needs_the_digest_and_size_of_the_uploaded_bytes(client: PlainClient) -> None:
    url = client.put(b"firmware")
    values = {"DestVersion": "2.0", "FirmwareName": "a", "FirmwareUrl": url, "ProductKey": "k1demoproduct"}

    wrong = client.ask("CreateOTAFirmware", FirmwareSign="00" * 16, **values)[1]
    size = client.ask(
        "CreateOTAFirmware",
        FirmwareSign=hashlib.md5(b"firmware", usedforsecurity=False).hexdigest(),
        FirmwareSize="9",
        **values,
    )[1]

    assert wrong["code"] == "iot.firmware.InvalidFirmwareSign"
    assert size["code"] == "iot.firmware.InvalidFirmwareSize"


def test_a_firmware_cannot_be_made_of_a_file_twice_of_none_or_of_an_old_one(client: PlainClient) -> None:
    used, fresh = client.put(b"one"), client.put(b"two")
    digest = hashlib.sha256(b"one").hexdigest()
    values = {"SignMethod": "SHA256", "FirmwareSign": digest, "ProductKey": "k1demoproduct"}
    first = client.ask("CreateOTAFirmware", DestVersion="2.0", FirmwareName="a", FirmwareUrl=used, **values)[1]
    assert first["success"]

    again = client.ask("CreateOTAFirmware", DestVersion="2.1", FirmwareName="b", FirmwareUrl=used, **values)[1]
    foreign = client.ask(
        "CreateOTAFirmware", DestVersion="2.1", FirmwareName="b", FirmwareUrl="https://example.com/f.bin", **values
    )[1]
    client.control("POST", "clock", {"gateway_offset": 3601})
    # The caller's clock goes along, or the gateway would refuse first.
    later = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3601))
    old = client.ask(
        "CreateOTAFirmware", DestVersion="2.1", FirmwareName="b", FirmwareUrl=fresh, **values | {"Timestamp": later}
    )[1]

    assert [answer["code"] for answer in (again, foreign, old)] == ["iot.firmware.InvalidFirmwareUrl"] * 3


def test_an_empty_file_makes_no_firmware(client: PlainClient) -> None:
    url = client.put(b"")

    answer = client.ask(
        "CreateOTAFirmware",
        DestVersion="2.0",
        FirmwareName="a",
        FirmwareUrl=url,
        FirmwareSign="00",
        ProductKey="k1demoproduct",
    )[1]

    assert answer["code"] == "iot.firmware.EmptyFirmwareFile"


def test_the_presigned_address_serves_the_file_and_the_bare_one_does_not(client: PlainClient) -> None:
    firmware_id = client.create_firmware(content=b"firmware")
    url = urlsplit(client.ask("QueryOTAFirmware", FirmwareId=firmware_id)[1]["firmwareInfo"]["firmwareUrl"])

    signed = client.send("GET", f"{url.path}?{url.query}", {}, b"")
    bare = client.send("GET", url.path, {}, b"")

    assert (signed[0], signed[2]) == (200, b"firmware")
    assert bare[0] == 403


@pytest.mark.parametrize("minutes", [-1, 24 * 60 + 1])
def test_a_presigned_address_is_good_for_a_day(client: PlainClient, minutes: int) -> None:
    firmware_id = client.create_firmware(content=b"firmware")
    url = urlsplit(client.ask("QueryOTAFirmware", FirmwareId=firmware_id)[1]["firmwareInfo"]["firmwareUrl"])
    client.control("POST", "clock", {"gateway_offset": minutes * 60})

    status, _, body = client.send("GET", f"{url.path}?{url.query}", {}, b"")

    assert (status, b"expired" in body) == ((200, False) if minutes < 0 else (403, True))


def test_an_upload_in_a_text_field_is_no_file(client: PlainClient) -> None:
    status, body = client.upload([*form_of(client.ticket()), ("file", "text")], None)

    assert (status, b"InvalidArgument" in body) == (400, True)


def test_a_file_written_over_makes_no_second_firmware(client: PlainClient) -> None:
    ticket = client.ticket()
    values = {
        "FirmwareUrl": ticket["firmwareUrl"],
        "FirmwareSign": hashlib.sha256(b"one").hexdigest(),
        "SignMethod": "SHA256",
        "ProductKey": "k1demoproduct",
    }
    client.upload(form_of(ticket), b"one")
    client.ask("CreateOTAFirmware", DestVersion="2.0", FirmwareName="a", **values)
    client.upload(form_of(ticket), b"one")

    answer = client.ask("CreateOTAFirmware", DestVersion="2.1", FirmwareName="b", **values)[1]

    assert answer["code"] == "iot.firmware.InvalidFirmwareUrl"


def test_a_file_without_a_firmware_is_forgotten_after_an_hour_and_one_with_a_firmware_is_not(
    client: PlainClient, emulator: Emulator
) -> None:
    client.create_firmware(content=b"used")
    orphan = urlsplit(client.put(b"orphan")).path.lstrip("/")
    client.control("POST", "clock", {"gateway_offset": 3601})
    later = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3601))
    client.extra = {"Timestamp": later}

    client.put(b"new")

    assert len(emulator.world.storage.objects) == 2
    assert orphan not in emulator.world.storage.objects


@pytest.mark.parametrize(("size", "refused"), [(16 * 1024 * 1024 + 1, False), (1_048_576_001, True)])
def test_a_file_may_have_as_many_bytes_as_the_policy_says(emulator: Emulator, size: int, refused: bool) -> None:
    ticket = emulator.world.storage.ticket("bin", "http://emulator.test")
    fields = [(name, str(ticket[name[0].upper() + name[1:]])) for name in ("key", "policy")]
    fields += [(name, str(ticket[name])) for name in ("OSSAccessKeyId", "Signature")]
    with tempfile.TemporaryFile() as sparse:
        sparse.truncate(size)

        response = emulator.handle(Request("POST", form=[*fields, ("file", sparse)]))

    assert (response.status, b"EntityTooLarge" in response.body) == ((400, True) if refused else (204, False))


def test_a_refusal_is_xml_whatever_the_form_calls_its_fields(client: PlainClient) -> None:
    _, body = client.upload([*form_of(client.ticket()), ("<a&b>", "x")], b"x")

    assert (ET.fromstring(body).findtext("Message") or "").endswith("<a&b>")  # noqa: S314 - the emulator's own XML


@pytest.mark.parametrize(
    "content_type",
    ["multipart/form-data", "multipart/form-data; boundary=b", "Multipart/Form-Data; boundary=b"],
)
def test_a_form_that_cannot_be_read_is_malformed(emulator: Emulator, content_type: str) -> None:
    with EmulatorServer(emulator) as server:
        status, _, body = over_socket(server.url)("POST", "/", {"Content-Type": content_type}, b"no form at all")

    assert (status, b"MalformedPOSTRequest" in body) == (400, True)


def test_a_caller_who_leaves_in_the_middle_of_an_upload_disturbs_nobody(
    emulator: Emulator, capfd: pytest.CaptureFixture[str]
) -> None:
    head = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: 99\r\n\r\n"
    with EmulatorServer(emulator) as server:
        address = urlsplit(server.url)
        with socket.create_connection((address.hostname, address.port)) as caller:
            caller.sendall(head + b"--b\r\n")
        others = http.client.HTTPConnection(address.netloc, timeout=10)
        others.request("GET", "/_emulator/state")
        status = others.getresponse().status
        others.close()

    assert status == 200
    assert capfd.readouterr().err == ""
