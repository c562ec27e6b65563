from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_tuya_ota.core.errors import (
    ApiError,
    AuthenticationError,
    InvalidRequestError,
    ProtocolError,
    TuyaOTAError,
    UnavailableError,
    UnreadableReplyError,
)
from airflow_provider_tuya_ota.core.wire.http import Response
from airflow_provider_tuya_ota.core.wire.multipart import MultipartBody
from airflow_provider_tuya_ota.core.wire.storage_reply import read_storage_reply


def body(content: bytes = b"lamp", name: str = "lamp.bin") -> MultipartBody:
    return MultipartBody(
        fields=[("key", "ota/ключ"), ("policy", "p")],
        file_name=name,
        size=len(content),
        open_file=lambda: io.BytesIO(content),
        boundary="b0undary",
    )


def test_a_form_has_its_fields_in_order_and_its_file_last() -> None:
    assert body().open().read().decode().split("\r\n") == [
        "--b0undary",
        'Content-Disposition: form-data; name="key"',
        "",
        "ota/ключ",
        "--b0undary",
        'Content-Disposition: form-data; name="policy"',
        "",
        "p",
        "--b0undary",
        'Content-Disposition: form-data; name="file"; filename="lamp.bin"',
        "Content-Type: application/octet-stream",
        "",
        "lamp",
        "--b0undary--",
        "",
    ]


@given(st.binary(max_size=300), st.integers(1, 500))
def test_a_form_is_the_same_in_pieces_of_any_size_and_as_long_as_announced(content: bytes, size: int) -> None:
    form = body(content)
    reader = form.open()

    whole = b"".join(iter(lambda: reader.read(size), b""))

    assert whole == form.prefix + content + form.suffix
    assert len(whole) == form.length == len(reader)


@pytest.mark.parametrize("name", ['a"; name="policy', "a\r\nX: y", "a\\b"])
def test_a_file_name_cannot_break_out_of_its_header(name: str) -> None:
    assert body(name=name).prefix.count(b'"; ') == body().prefix.count(b'"; ')
    assert b"\nX:" not in body(name=name).prefix


def test_closing_a_form_closes_its_file() -> None:
    file = io.BytesIO(b"")
    reader = MultipartBody([], "f", 0, lambda: file, "b").open()

    reader.close()

    assert file.closed


KEY = "ota/lämp 1.bin"


@pytest.mark.parametrize("status", [200, 201, 204])
def test_documented_success_is_success(status: int) -> None:
    read_storage_reply(Response(status), key=KEY)


def posted(key: str) -> bytes:
    return f"<PostResponse><Bucket>fw</Bucket><ETag>5C3D</ETag><Key>{key}</Key></PostResponse>".encode()


@pytest.mark.parametrize("content", [b"\r\n", posted(KEY), posted("ota%2Fl%C3%A4mp%201.bin")])
def test_the_documented_bodies_of_a_success_are_taken(content: bytes) -> None:
    read_storage_reply(Response(201, {}, content), key=KEY)


@pytest.mark.parametrize("status", [200, 201, 204])
@pytest.mark.parametrize(
    "content",
    [
        f"<Error><Code>InternalError</Code><Message>again</Message><Key>{KEY}</Key></Error>".encode(),
        b"<html><body>Sign in to the guest network</body></html>",
        b'{"success": false}',
        b'{"success": true}',
        b"stored",
        posted("ota/another.bin"),
        posted("ota/LÄMP 1.bin"),
    ],
)
def test_a_success_with_another_body_is_no_success(status: int, content: bytes) -> None:
    with pytest.raises(UnreadableReplyError, match=f"HTTP {status}, but its body is not that of this upload"):
        read_storage_reply(Response(status, {}, content), key=KEY)


@pytest.mark.parametrize("status", [202, 301, 302, 307])
def test_other_answers_below_400_conclude_nothing(status: int) -> None:
    with pytest.raises(ProtocolError, match=f"HTTP {status}"):
        read_storage_reply(Response(status), key=KEY)


def xml(code: str, message: str = "") -> bytes:
    return f"<Error><Code>{code}</Code><Message>{message}</Message><RequestId>5C3D9175B6</RequestId></Error>".encode()


@pytest.mark.parametrize(
    ("status", "content", "kind", "words"),
    [
        (403, xml("AccessDenied", "Invalid according to Policy: Policy expired."), UnavailableError, "had expired"),
        (403, xml("SignatureDoesNotMatch", "no"), AuthenticationError, "report the request id"),
        (400, xml("EntityTooLarge"), InvalidRequestError, "1,048,576,000"),
        (400, xml("MaxPOSTPreDataLengthExceededError"), InvalidRequestError, "MaxPOSTPreDataLengthExceededError"),
        (500, b"<html>", UnavailableError, "may be repeated"),
        (503, xml("ServiceUnavailable"), UnavailableError, "may be repeated"),
    ],
)
def test_storages_refusals_say_what_to_do(status: int, content: bytes, kind: type[ApiError], words: str) -> None:
    with pytest.raises(ApiError) as caught:
        read_storage_reply(Response(status, {}, content), key=KEY)

    assert type(caught.value) is kind
    assert words in str(caught.value)


@pytest.mark.parametrize("status", [400, 403, 404, 407])
@pytest.mark.parametrize("content", [b"", b"no XML at all", b"<Error>text</Error>", b"<html>not for you</html>"])
def test_a_refusal_without_a_code_is_not_storage_s(status: int, content: bytes) -> None:
    with pytest.raises(UnreadableReplyError, match=f"instead of object storage.*HTTP {status}"):
        read_storage_reply(Response(status, {}, content), key=KEY)


def test_a_refusal_keeps_storages_request_id() -> None:
    with pytest.raises(ApiError) as caught:
        read_storage_reply(Response(403, {}, xml("AccessDenied", "no")), key=KEY)

    assert caught.value.request_id == "5C3D9175B6"


@pytest.mark.parametrize(
    "content",
    [
        xml("AccessDenied", "Signature=canary and OSSAccessKeyId: canary"),
        b"<Error><OSSAccessKeyId>canary</OSSAccessKeyId><Policy>canary</Policy>",
    ],
)
def test_a_refusal_repeats_no_secret(content: bytes) -> None:
    with pytest.raises(TuyaOTAError) as caught:
        read_storage_reply(Response(403, {}, content), key=KEY)

    assert "canary" not in f"{caught.value} {caught.value.__dict__}"
