from __future__ import annotations

import json
import time
from codecs import BOM_UTF8
from typing import Any

import pytest

from airflow_provider_tuya_ota.core.errors import (
    ApiError,
    AuthenticationError,
    ConflictError,
    NotFoundError,
    ProtocolError,
    ThrottledError,
    TuyaOTAError,
    UnavailableError,
    UnreadableReplyError,
)
from airflow_provider_tuya_ota.core.secret import Secret
from airflow_provider_tuya_ota.core.wire.http import Response
from airflow_provider_tuya_ota.core.wire.reply import Reply, read_reply
from tests.core.script import REQUEST_ID, answered, gateway, refused


def read(body: object, status: int = 200) -> Reply:
    return read_reply("QueryOTAJob", answered(body, status))


def failure(body: object, status: int = 200, secrets: tuple[str, ...] = ()) -> TuyaOTAError:
    with pytest.raises(TuyaOTAError) as caught:
        read_reply("QueryOTAJob", answered(body, status), secrets=[Secret(secret) for secret in secrets])
    return caught.value


@pytest.mark.parametrize(
    "body",
    [
        pytest.param({"code": "", "requestId": REQUEST_ID, "success": True}, id="as the examples show"),
        pytest.param({"Code": "", "RequestId": REQUEST_ID, "Success": True}, id="as the tables write"),
        pytest.param({"requestId": REQUEST_ID, "success": True}, id="code absent"),
        pytest.param({"code": None, "requestId": REQUEST_ID, "success": True}, id="code null"),
        pytest.param({"code": "200", "requestId": REQUEST_ID, "success": True}, id="code 200 as text"),
        pytest.param({"code": 200, "requestId": REQUEST_ID, "success": True}, id="code 200 as number"),
        pytest.param({"code": "OK", "requestId": REQUEST_ID, "success": "true"}, id="flags as text"),
        pytest.param({"code": " ", "REQUESTID": REQUEST_ID, "SUCCESS": "True"}, id="blank code, capitals"),
        pytest.param({"requestId": REQUEST_ID}, id="no flag but a request id"),
        pytest.param({"requestId": REQUEST_ID, "success": None}, id="flag null"),
        pytest.param(f"<R><RequestId>{REQUEST_ID}</RequestId><Success>true</Success></R>".encode(), id="XML"),
        pytest.param(f" \n<R><RequestId>{REQUEST_ID}</RequestId><Code/></R>".encode(), id="XML, empty code"),
        pytest.param(b"\xef\xbb\xbf" + json.dumps({"requestId": REQUEST_ID}).encode(), id="byte order mark"),
    ],
)
def test_success_is_recognised_in_every_plausible_form(body: object) -> None:
    assert read(body).request_id == REQUEST_ID


def test_the_comma_that_the_example_lacks_behind_an_object_is_read_as_there() -> None:
    body = b'{"code":"","data":{"desc":"} \\"a] \\"","moduleName":"ble"} "list":[1]\n"requestId":"x","success":true}'

    reply = read(body)

    assert reply.request_id == "x"
    assert reply.fields.record("Data").text("Desc") == '} "a] "'


@pytest.mark.parametrize("body", [b'{"' + b'\\"' * 500_000, b"{" + b'}"' * 500_000, b'"\\', b"}" * 1_000_000])
def test_a_long_answer_that_cannot_be_mended_is_refused_without_reading_it_over_and_over(body: bytes) -> None:
    began = time.process_time()
    failure(body)

    assert time.process_time() - began < 10


def test_a_success_without_request_id_is_a_success() -> None:
    assert read({"success": True}).request_id == ""


def test_fields_of_a_reply_are_found_in_any_case() -> None:
    reply = read({"success": True, "data": {"jobId": "9"}})

    assert reply.fields["DATA"]["JobID"] == "9"


@pytest.mark.parametrize(
    ("body", "status", "kind", "code"),
    [
        (
            {"code": "iot.firmware.FirmwareNotFound", "success": False},
            200,
            NotFoundError,
            "iot.firmware.FirmwareNotFound",
        ),
        (
            {"code": "iot.firmware.FirmwareNotFound", "success": False},
            400,
            NotFoundError,
            "iot.firmware.FirmwareNotFound",
        ),
        ({"Code": "SignatureDoesNotMatch", "Message": "m"}, 403, AuthenticationError, "SignatureDoesNotMatch"),
        ({"Code": "SignatureDoesNotMatch", "Message": "m"}, 200, AuthenticationError, "SignatureDoesNotMatch"),
        ({"Code": "Throttling.User", "Message": "m"}, 400, ThrottledError, "Throttling.User"),
        (b"<Error><Code>ServiceUnavailable</Code></Error>", 503, UnavailableError, "ServiceUnavailable"),
        ({"code": "", "success": False}, 200, ApiError, ""),
        ({"code": "", "success": True}, 500, UnavailableError, ""),
        ({"code": "", "success": False}, 404, NotFoundError, ""),
        ({}, 429, ThrottledError, ""),
        ({"code": "Odd", "data": None}, 200, ApiError, "Odd"),
        ({"code": "Throttling", "success": False, "data": {}}, 429, ThrottledError, "Throttling"),
    ],
)
def test_refusals_become_the_error_of_who_has_to_act(
    body: object, status: int, kind: type[ApiError], code: str
) -> None:
    error = failure(body, status)

    assert type(error) is kind
    assert isinstance(error, ApiError)
    assert (error.action, error.code, error.http_status) == ("QueryOTAJob", code, status)


def test_a_business_error_keeps_its_message_and_request_id() -> None:
    with pytest.raises(ApiError, match="the device is busy") as caught:
        read_reply("X", refused("iot.firmware.SystemBusy", message="the device is busy"))

    assert (caught.value.message, caught.value.request_id) == ("the device is busy", REQUEST_ID)


def test_a_gateway_error_keeps_its_message_and_request_id() -> None:
    with pytest.raises(ApiError, match="slow down") as caught:
        read_reply("X", gateway("Throttling", message="slow down"))

    assert (caught.value.message, caught.value.request_id) == ("slow down", REQUEST_ID)


def test_a_code_longer_than_a_signature_is_still_understood() -> None:
    error = failure({"code": "iot.firmware.DeviceWithDestinationVersionInArray", "success": False})

    assert isinstance(error, ConflictError)
    assert error.code == "iot.firmware.DeviceWithDestinationVersionInArray"


def test_a_server_failure_with_an_unlisted_code_leaves_doubt() -> None:
    error = failure({"code": "iot.firmware.NobodyDocumentedThis", "success": False}, 500)

    assert isinstance(error, UnavailableError)
    assert error.in_doubt


def test_success_with_an_error_code_is_a_contradiction() -> None:
    error = failure({"code": "iot.firmware.FirmwareNotFound", "success": True})

    assert isinstance(error, ProtocolError)
    assert "iot.firmware.FirmwareNotFound" in str(error)


@pytest.mark.parametrize("status", [300, 301, 302, 307, 308, 399])
def test_a_redirect_is_refused_with_advice_about_the_port(status: int) -> None:
    error = failure({"success": True, "requestId": REQUEST_ID}, status)

    assert isinstance(error, ProtocolError)
    assert "8686" in str(error)


SAYS_SUCCESS = "an integer too long to convert"
UNREADABLE: dict[str, Any] = {
    "empty": b"",
    "blank": b" \n ",
    "HTML": b"<!DOCTYPE html><html><body><h1>Welcome</h1></body></html>",
    "well-formed HTML": b"<html><head/><body>Welcome</body></html>",
    "plain text": b"OK",
    "not UTF-8": b'{"success": "\xff\xfe"}',
    "cut off": b'{"code":"","data":{"jobId":',
    "missing comma between texts": b'{"code":"" "requestId":"x"}',
    "a list": [1, 2],
    "a number": 17,
    "null": b"null",
    "no known field": {"hello": "world"},
    SAYS_SUCCESS: b'{"success": true, "data": ' + b"9" * 5000 + b"}",
    "nested too deep as JSON": b'{"data":' * 100_000 + b"1" + b"}" * 100_000,
    "nested too deep as XML": b"<a>" * 5000 + b"</a>" * 5000,
    "XML cut off": b"<R><RequestId>x</RequestId>",
    "XML with a declared entity": b'<!DOCTYPE r [<!ENTITY e "x">]><r><RequestId>&e;</RequestId></r>',
    "XML in an unknown encoding": b'<?xml version="1.0" encoding="no-such"?><r><RequestId>x</RequestId></r>',
    "XML without elements": b"<R>text</R>",
}


@pytest.mark.parametrize("body", UNREADABLE.values(), ids=UNREADABLE.keys())
def test_an_unreadable_answer_with_status_200_concludes_nothing(body: object) -> None:
    error = failure(body)

    assert isinstance(error, ProtocolError)
    assert error.in_doubt
    assert "QueryOTAJob" in str(error)
    assert len(str(error)) < 400


@pytest.mark.parametrize(
    "body", [value for name, value in UNREADABLE.items() if name not in {"no known field", SAYS_SUCCESS}]
)
@pytest.mark.parametrize(("status", "kind"), [(502, UnavailableError), (429, ThrottledError), (405, ApiError)])
def test_an_unreadable_answer_with_an_error_status_is_read_by_its_status(
    body: object, status: int, kind: type[ApiError]
) -> None:
    assert type(failure(body, status)) is kind


@pytest.mark.parametrize("status", [405, 429])
@pytest.mark.parametrize(
    "body",
    [
        {"code": "", "success": True, "requestId": REQUEST_ID, "data": {"jobId": "9"}},
        {"success": "true"},
        {"code": "Throttling.User", "success": True},
        {"code": "UnsupportedHTTPMethod", "success": True},
        {"requestId": REQUEST_ID, "data": {"jobId": "9"}},
        b"<R><Success>true</Success></R>",
        b'{"code":"","success": true,"data":{"jobId":"98',
        b"<R><Success>true</Success><Data>",
        UNREADABLE[SAYS_SUCCESS],
    ],
)
def test_a_status_that_refuses_beside_a_body_that_says_success_leaves_doubt(body: object, status: int) -> None:
    error = failure(body, status)

    assert isinstance(error, ProtocolError)
    assert error.in_doubt
    assert f"HTTP {status}" in str(error) or "code" in str(error)


@pytest.mark.parametrize("code", ["", "Throttling.User", "iot.firmware.FirmwareNotFound"])
def test_a_server_failure_that_says_success_leaves_doubt_whatever_its_code(code: str) -> None:
    error = failure({"code": code, "success": True}, 503)

    assert type(error) is UnavailableError
    assert error.in_doubt


@pytest.mark.parametrize(("asked", "pause"), [("7", 7.0), ("soon", 0.0)])
@pytest.mark.parametrize(("body", "status"), [({"Code": "Throttling"}, 400), (b"<p>slow down</p>", 429), (b"", 503)])
def test_a_refusal_says_what_pause_it_asks_for(asked: str, pause: float, body: object, status: int) -> None:
    with pytest.raises(ApiError) as caught:
        read_reply("X", answered(body, status, **{"retry-after": asked}))

    assert caught.value.retry_after == pause


@pytest.mark.parametrize("status", [400, 401, 403, 404, 407, 418])
@pytest.mark.parametrize("body", [b"", b"<html><h1>Forbidden</h1></html>", {"error": "forbidden"}, {"success": True}])
def test_a_refusal_without_a_code_is_not_the_platform_s(body: object, status: int) -> None:
    error = failure(body, status)

    assert type(error) is UnreadableReplyError
    assert error.in_doubt
    assert f"HTTP {status}" in str(error)
    assert "API host and API port" in str(error)


def test_an_unreadable_answer_is_quoted_in_part() -> None:
    assert "Bad gateway of the office" in str(failure(b"<p>Bad gateway of the office" + b"." * 1000, 502))


@pytest.mark.parametrize("value", [{"a": 1}, [1]])
def test_a_code_that_is_no_scalar_is_no_documented_reply(value: object) -> None:
    assert isinstance(failure({"code": value, "success": True}), ProtocolError)


def test_a_flag_that_is_no_boolean_is_no_documented_reply() -> None:
    assert isinstance(failure({"success": "perhaps"}), ProtocolError)


@pytest.mark.parametrize("number", [b"NaN", b"Infinity", b"1e999", b"-0", b"12345678901234567890"])
def test_odd_numbers_elsewhere_in_the_answer_do_no_harm(number: bytes) -> None:
    reply = read(b'{"success": true, "requestId": "r", "data": {"progress": ' + number + b"}}")

    assert reply.fields.record("Data").text("Progress")


def test_an_id_of_nineteen_digits_sent_as_a_number_loses_none() -> None:
    reply = read(b'{"success": true, "data": {"jobId": 1836340779212669999}}')

    assert reply.fields.record("Data").text("JobId") == "1836340779212669999"


@pytest.mark.parametrize(
    "body",
    [
        {
            "Code": "SignatureDoesNotMatch",
            "Message": "server string to sign is GET AccessKeyId=canary-id&x=canary-secret",
        },
        {"code": "canary-secret", "errorMessage": "canary-id", "success": False},
        {"code": "canary-secret", "success": True},
        b"canary-id canary-secret",
    ],
)
@pytest.mark.parametrize("status", [200, 403])
def test_secrets_that_the_platform_echoes_reach_no_message(body: object, status: int) -> None:
    error = failure(body, status, secrets=("canary-secret", "canary-id"))

    assert "canary" not in f"{error} {error!r} {error.__dict__}"


def test_neither_request_nor_response_show_their_content() -> None:
    assert "canary" not in repr(Response(200, {}, b"canary"))


@pytest.mark.parametrize("code", ["200", 200, "OK", "ok", 0, "success"])
def test_a_code_that_means_success_is_success_where_nothing_says_the_contrary(code: Any) -> None:
    reply = read({"code": code, "data": {"jobId": "9"}, "requestId": REQUEST_ID})

    assert reply.fields.get("Data") == {"jobId": "9"}


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"code": "Throttling", "success": False, "data": {"jobId": "9"}}, 200),
        ({"code": "Throttling", "data": {"jobId": "9"}}, 429),
        ({"code": "200", "data": {"jobId": "9"}}, 429),
        ({"code": "", "success": False, "data": {"jobId": "9"}}, 429),
        ({"code": "200"}, 200),
        (b'{"success": true, "data": {"jobId": "9"}, "success": false, "code": "Throttling"}', 200),
        (b'{"success": true, "code": "", "data": {"jobId": "9", "jobId": "10"}}', 200),
        (b"\xff\xfe" + '{"success": false, "code": "Throttling"}'.encode("utf-16-le"), 200),
    ],
)
def test_a_refusal_that_something_else_contradicts_leaves_doubt_and_is_not_repeated(body: Any, status: int) -> None:
    """Read as a refusal, a create would be sent again that was carried out."""
    error = failure(body, status)

    assert isinstance(error, ProtocolError)
    assert error.in_doubt


def test_a_byte_order_mark_changes_nothing() -> None:
    for body in (b'{"success": true, "requestId": "r"}', b"<r><Success>true</Success><RequestId>r</RequestId></r>"):
        assert read(BOM_UTF8 + body).request_id == "r"
