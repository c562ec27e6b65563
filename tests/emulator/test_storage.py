from __future__ import annotations

import hashlib
import time
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from tests.emulator.stranger import form_of

if TYPE_CHECKING:
    from tests.emulator.stranger import Stranger


@pytest.mark.parametrize(("asked", "answered"), [("200", 200), ("201", 201), ("204", 204), ("299", 204)])
def test_the_status_of_success_is_what_the_form_asks_for(stranger: Stranger, asked: str, answered: int) -> None:
    status, _ = stranger.upload(form_of(stranger.ticket(), success_action_status=asked), b"x")

    assert status == answered


@pytest.mark.parametrize("name", ["key", "policy", "OSSAccessKeyId", "Signature"])
def test_each_missing_field_is_named(stranger: Stranger, name: str) -> None:
    fields = [field for field in form_of(stranger.ticket()) if field[0] != name]

    status, body = stranger.upload(fields, b"x")

    assert status == 400
    assert name.encode() in body


def test_nothing_may_stand_behind_the_file(stranger: Stranger) -> None:
    status, body = stranger.upload(form_of(stranger.ticket()), b"x", tail="key")

    assert (status, b"InvalidArgument" in body) == (400, True)


def test_extra_fields_are_refused(stranger: Stranger) -> None:
    status, body = stranger.upload(form_of(stranger.ticket(), signature="lower"), b"x")

    assert (status, b"Extra input fields: signature" in body) == (403, True)


def test_a_form_without_a_file_is_malformed(stranger: Stranger) -> None:
    status, body = stranger.upload(form_of(stranger.ticket()), None)

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
def test_what_the_policy_does_not_cover_is_refused(stranger: Stranger, change: dict[str, str], code: bytes) -> None:
    status, body = stranger.upload(form_of(stranger.ticket(), **change), b"x")

    assert (status, code in body) == (403, True)


def test_a_policy_expires_after_a_minute(stranger: Stranger) -> None:
    ticket = stranger.ticket()
    stranger.control("POST", "clock", {"gateway_offset": 61})

    status, body = stranger.upload(form_of(ticket), b"x")

    assert (status, b"Policy expired" in body) == (403, True)


def test_a_package_needs_the_digest_and_size_of_the_uploaded_bytes(stranger: Stranger) -> None:
    url = stranger.put(b"firmware")
    values = {"DestVersion": "2.0", "FirmwareName": "a", "FirmwareUrl": url, "ProductKey": "k1demoproduct"}

    wrong = stranger.ask("CreateOTAFirmware", FirmwareSign="00" * 16, **values)[1]
    size = stranger.ask(
        "CreateOTAFirmware",
        FirmwareSign=hashlib.md5(b"firmware", usedforsecurity=False).hexdigest(),
        FirmwareSize="9",
        **values,
    )[1]

    assert wrong["code"] == "iot.firmware.InvalidFirmwareSign"
    assert size["code"] == "iot.firmware.InvalidFirmwareSize"


def test_a_package_cannot_be_made_of_a_file_twice_of_none_or_of_an_old_one(stranger: Stranger) -> None:
    used, fresh = stranger.put(b"one"), stranger.put(b"two")
    digest = hashlib.sha256(b"one").hexdigest()
    values = {"SignMethod": "SHA256", "FirmwareSign": digest, "ProductKey": "k1demoproduct"}
    first = stranger.ask("CreateOTAFirmware", DestVersion="2.0", FirmwareName="a", FirmwareUrl=used, **values)[1]
    assert first["success"]

    again = stranger.ask("CreateOTAFirmware", DestVersion="2.1", FirmwareName="b", FirmwareUrl=used, **values)[1]
    foreign = stranger.ask(
        "CreateOTAFirmware", DestVersion="2.1", FirmwareName="b", FirmwareUrl="https://example.com/f.bin", **values
    )[1]
    stranger.control("POST", "clock", {"gateway_offset": 3601})
    # The caller's clock goes along, or the gateway would refuse first.
    later = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3601))
    old = stranger.ask(
        "CreateOTAFirmware", DestVersion="2.1", FirmwareName="b", FirmwareUrl=fresh, **values | {"Timestamp": later}
    )[1]

    assert [answer["code"] for answer in (again, foreign, old)] == ["iot.firmware.InvalidFirmwareUrl"] * 3


def test_an_empty_file_makes_no_package(stranger: Stranger) -> None:
    url = stranger.put(b"")

    answer = stranger.ask(
        "CreateOTAFirmware",
        DestVersion="2.0",
        FirmwareName="a",
        FirmwareUrl=url,
        FirmwareSign="00",
        ProductKey="k1demoproduct",
    )[1]

    assert answer["code"] == "iot.firmware.EmptyFirmwareFile"


def test_the_presigned_address_serves_the_file_and_the_bare_one_does_not(stranger: Stranger) -> None:
    firmware_id = stranger.package(content=b"firmware")
    url = urlsplit(stranger.ask("QueryOTAFirmware", FirmwareId=firmware_id)[1]["firmwareInfo"]["firmwareUrl"])

    signed = stranger.send("GET", f"{url.path}?{url.query}", {}, b"")
    bare = stranger.send("GET", url.path, {}, b"")

    assert (signed[0], signed[2]) == (200, b"firmware")
    assert bare[0] == 403
