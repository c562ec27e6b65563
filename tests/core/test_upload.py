from __future__ import annotations

import dataclasses
import hashlib
import io
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from airflow_provider_tuya_ota.core.actions import CreateOTAFirmware
from airflow_provider_tuya_ota.core.errors import (
    ApiError,
    AuthenticationError,
    ConfigurationError,
    ConflictError,
    Delivery,
    FirmwareVersionTakenError,
    ProtocolError,
    TransportError,
    TuyaOTAError,
    UnavailableError,
)
from airflow_provider_tuya_ota.core.flows.eventually import GRACE_PAUSES
from airflow_provider_tuya_ota.core.model.entities import UploadTicket
from airflow_provider_tuya_ota.core.secret import Secret
from airflow_provider_tuya_ota.core.upload import EnsuredFirmware, FirmwareFile, ensure_firmware, upload_request
from airflow_provider_tuya_ota.core.wire.http import Response
from tests.core.script import REQUEST_ID, SETTINGS, Script, by_action, firmware, gateway, lost, ok, refused

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.core.script import Answer

SHA256 = hashlib.sha256(b"lamp").hexdigest()
MD5 = hashlib.md5(b"lamp", usedforsecurity=False).hexdigest()
FILE = FirmwareFile(name="lamp.bin", suffix="bin", size=4, open_file=lambda: io.BytesIO(b"lamp"))
ACTION = CreateOTAFirmware(
    dest_version="1.1",
    firmware_name="lamp",
    product_key="pk",
)
OURS = firmware("178", firmwareSign=SHA256.upper(), signMethod="SHA256", utcCreate="then")
STORED = Response(200)
EXPIRED = Response(403, {}, b"<Error><Code>AccessDenied</Code><Message>Policy expired.</Message></Error>")


def ticket(number: int = 1, host: str = "https://bucket.example.com") -> Response:
    return ok(
        data={
            "host": host,
            "key": f"ota/firmware/{number}.bin",
            "ossAccessKeyId": f"canary-id-{number}",
            "policy": f"canary-policy-{number}",
            "signature": f"canary-signature-{number}",
            "firmwareUrl": f"https://bucket.example.com/ota/firmware/{number}.bin",
        }
    )


def listing(*items: dict[str, Any]) -> Response:
    return ok(firmwareInfo=list(items))


def script_for(
    *,
    lists: Answer | Sequence[Answer],
    tickets: Answer | Sequence[Answer] = (),
    uploads: Answer | Sequence[Answer] = STORED,
    create: Answer | Sequence[Answer] = (),
) -> Script:
    return Script(
        by_action(
            {"ListOTAFirmware": lists, "GenerateOTAUploadURL": tickets, "POST": uploads, "CreateOTAFirmware": create}
        )
    )


def ensure(script: Script, action: CreateOTAFirmware = ACTION, file: FirmwareFile = FILE) -> EnsuredFirmware:
    return script.run(ensure_firmware(SETTINGS, action, file))


def test_a_new_firmware_is_uploaded_then_created() -> None:
    script = script_for(lists=listing(), tickets=ticket(), create=ok(data={"firmwareId": "178", "utcCreate": "now"}))

    assert ensure(script) == EnsuredFirmware(
        firmware_id="178", is_new=True, digests={"SHA256": SHA256}, utc_create="now", request_id=REQUEST_ID
    )
    assert script.actions == ["ListOTAFirmware", "GenerateOTAUploadURL", "POST", "CreateOTAFirmware"]
    assert script.sent[0].parameters.items() >= {"ProductKey": "pk", "DestVersion": "1.1"}.items()
    assert script.sent[1].parameters["FileSuffix"] == "bin"
    assert script.sent[3].parameters["FirmwareUrl"] == "https://bucket.example.com/ota/firmware/1.bin"


def test_the_form_has_the_documented_fields_in_order_and_the_file_last() -> None:
    script = script_for(lists=listing(), tickets=ticket(), create=ok(data={"firmwareId": "178"}))

    ensure(script)

    request = script.sent[2].request
    assert (request.method, request.url) == ("POST", "https://bucket.example.com/")
    assert request.body is not None
    assert list(request.body.fields) == [
        ("key", "ota/firmware/1.bin"),
        ("policy", Secret("canary-policy-1")),
        ("OSSAccessKeyId", Secret("canary-id-1")),
        ("Signature", Secret("canary-signature-1")),
        ("success_action_status", "200"),
    ]
    assert request.headers["Content-Type"] == f"multipart/form-data; boundary={request.body.boundary}"
    assert request.body.open().read().endswith(b"lamp" + request.body.suffix)
    assert "canary" not in repr(request) + repr(request.body)


@pytest.mark.parametrize(
    ("existing", "adopted"),
    [
        ([OURS], True),
        ([OURS | {"signMethod": "MD5", "firmwareSign": MD5}], True),
        ([OURS | {"moduleName": "default"}], True),
        ([OURS | {"productKey": ""}], True),
        ([OURS | {"moduleName": "ble"}], False),
        ([OURS | {"destVersion": "1.10"}], False),
        ([OURS | {"productKey": "another"}], False),
        ([], False),
        ([OURS | {"moduleName": "ble", "firmwareId": "1"}, OURS], True),
    ],
)
def test_the_firmware_of_the_same_product_module_version_and_bytes_is_adopted(
    existing: list[dict[str, Any]],
    adopted: bool,
) -> None:
    script = script_for(lists=listing(*existing), tickets=ticket(), create=ok(data={"firmwareId": "179"}))

    result = ensure(script)

    assert result.is_new is not adopted
    assert result.firmware_id == ("178" if adopted else "179")
    assert ("POST" in script.actions) is not adopted


@pytest.mark.parametrize(
    "other",
    [
        {"firmwareSign": "ef" * 32},
        {"firmwareSign": "ef" * 16, "signMethod": "MD5"},
        {"firmwareSign": "", "signMethod": ""},
        {"firmwareSign": SHA256, "signMethod": "SHA512"},
    ],
)
def test_a_version_taken_by_other_bytes_stops_before_anything_is_sent(other: dict[str, Any]) -> None:
    script = script_for(lists=listing(OURS | other))

    with pytest.raises(FirmwareVersionTakenError, match=r"version 1\.1 of module default of product pk exists"):
        ensure(script)
    assert set(script.actions) == {"ListOTAFirmware"}


def test_the_right_one_of_several_firmwares_is_adopted() -> None:
    script = script_for(lists=listing(OURS | {"firmwareId": "1", "firmwareSign": "ef" * 32}, OURS))

    assert ensure(script).firmware_id == "178"


@pytest.mark.parametrize("failure", [lost(), lost(Delivery.NEVER_SENT), Response(503), EXPIRED])
def test_a_failed_upload_is_repeated_with_a_fresh_ticket(failure: Answer) -> None:
    script = script_for(
        lists=listing(),
        tickets=[ticket(1), ticket(2)],
        uploads=[failure, STORED],
        create=ok(data={"firmwareId": "178"}),
    )

    ensure(script)

    first, second = [sent.request.body for sent in script.sent if sent.action == "POST"]
    assert first is not None
    assert second is not None
    assert dict(first.fields)["policy"] != dict(second.fields)["policy"]
    assert first.boundary != second.boundary
    assert script.sent[-1].parameters["FirmwareUrl"].endswith("/2.bin")
    assert "Uploading again" in script.warnings[0]


def test_an_upload_is_given_up_after_three_tries() -> None:
    script = script_for(lists=listing(), tickets=ticket(), uploads=[lost()] * 3)

    with pytest.raises(TransportError):
        ensure(script)
    assert script.actions.count("POST") == 3
    assert "CreateOTAFirmware" not in script.actions


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (Response(403, {}, b"<Error><Code>SignatureDoesNotMatch</Code></Error>"), AuthenticationError),
        (Response(400, {}, b"<Error><Code>EntityTooLarge</Code></Error>"), ApiError),
        (Response(302), ProtocolError),
    ],
)
def test_an_upload_that_storage_refuses_is_not_repeated(answer: Response, kind: type[TuyaOTAError]) -> None:
    script = script_for(lists=listing(), tickets=ticket(), uploads=[answer])

    with pytest.raises(kind):
        ensure(script)


@pytest.mark.parametrize(
    "doubt",
    [
        lost(),
        gateway("", 500),
        refused("iot.firmware.CreateFirmwareFailure"),
        refused("iot.firmware.AlreadyExistedFirmwareVersion"),
        refused("iot.firmware.AlreadyExistedFirmwareName"),
        ok(data={}),
    ],
)
def test_in_doubt_the_firmware_that_appears_is_taken(doubt: Answer) -> None:
    script = script_for(lists=[listing(), listing(), listing(OURS)], tickets=ticket(), create=doubt)

    result = ensure(script)

    assert (result.firmware_id, result.utc_create) == ("178", "then")
    assert script.actions.count("CreateOTAFirmware") == 1
    assert script.sleeps == [GRACE_PAUSES[0]]


def test_a_firmware_found_behind_an_answer_without_id_is_new() -> None:
    script = script_for(lists=[listing(), listing(OURS)], tickets=ticket(), create=ok(data={}))

    result = ensure(script)

    assert (result.is_new, result.request_id) == (True, REQUEST_ID)


@pytest.mark.parametrize(
    ("doubt", "kind"),
    [
        (lost(), TransportError),
        (gateway("", 500), UnavailableError),
        (refused("iot.firmware.AlreadyExistedFirmwareName"), ConflictError),
        (ok(data={}), ProtocolError),
    ],
)
def test_in_doubt_without_a_firmware_the_error_stands_and_nothing_is_repeated(
    doubt: Answer, kind: type[TuyaOTAError]
) -> None:
    script = script_for(lists=listing(), tickets=ticket(), create=doubt)

    with pytest.raises(kind):
        ensure(script)
    assert script.actions.count("CreateOTAFirmware") == 1
    assert script.sleeps == list(GRACE_PAUSES)


@pytest.mark.parametrize("refusal", [lost(Delivery.NEVER_SENT), refused("iot.firmware.FirmwareCountExceedMax")])
def test_without_doubt_nobody_looks_for_a_firmware(refusal: Answer) -> None:
    script = script_for(lists=[listing()], tickets=ticket(), create=refusal)

    with pytest.raises(TuyaOTAError):
        ensure(script)
    assert script.sleeps == []


def test_someone_elses_firmware_of_that_version_is_named_when_it_appears() -> None:
    theirs = OURS | {"firmwareSign": "ef" * 32}
    script = script_for(
        lists=[listing(), listing(theirs)],
        tickets=ticket(),
        create=refused("iot.firmware.AlreadyExistedFirmwareVersion"),
    )

    with pytest.raises(FirmwareVersionTakenError):
        ensure(script)


def test_no_ticket_shows_in_notes_or_requests() -> None:
    script = script_for(
        lists=listing(),
        tickets=[ticket(1), ticket(2)],
        uploads=[EXPIRED, STORED],
        create=ok(data={"firmwareId": "1"}),
    )

    ensure(script)

    assert "canary" not in repr(script.events) + repr(script.sent)


@pytest.mark.parametrize(
    ("host", "origin"),
    [
        ("bucket.example.com", "https://bucket.example.com/"),
        ("https://bucket.example.com/", "https://bucket.example.com/"),
        ("http://127.0.0.1:9000", "http://127.0.0.1:9000/"),
    ],
)
def test_the_form_goes_to_the_buckets_root(host: str, origin: str) -> None:
    script = script_for(lists=listing(), tickets=ticket(host=host), create=ok(data={"firmwareId": "1"}))

    ensure(script)

    assert script.sent[2].request.url == origin
    assert urlsplit(origin).netloc == script.sent[2].request.endpoint


@pytest.mark.parametrize(
    "host",
    [
        "http://[::1",
        "[::1",
        "https://[gg]",
        "https://",
        "ftp://bucket",
        "bucket:0",
        "bucket:99999",
        "bucket:port",
        "me:canary@bucket",
        "https://bucket/canary",
        "https://bucket?Signature=canary",
        "https://bucket#canary",
        "bucket\r\nX-Canary: canary",
        "bucket\x00canary",
        "b\tucket",
        "bucket canary",
        "b\u00fccket",
        "b\ud800cket",
    ],
)
def test_a_host_that_is_no_bucket_is_typed_and_not_repeated(host: str) -> None:
    text = Secret("canary")
    given = UploadTicket(host=host, key="k", access_key_id=text, policy=text, signature=text, firmware_url=text)

    with pytest.raises(ProtocolError, match="the Host in the answer is no address of a bucket") as caught:
        upload_request(SETTINGS, given, FILE, boundary="b")
    assert "canary" not in str(caught.value)


def test_a_bucket_in_plain_http_is_refused_unless_permitted() -> None:
    script = script_for(lists=listing(), tickets=ticket(host="http://bucket"), create=ok(data={"firmwareId": "1"}))

    with pytest.raises(ConfigurationError, match="Object storage at http://bucket"):
        ensure(script)
    settings = dataclasses.replace(SETTINGS, allow_http=True)
    assert script.run(ensure_firmware(settings, ACTION, FILE)).is_new
