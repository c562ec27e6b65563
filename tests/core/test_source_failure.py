from __future__ import annotations

import errno
import http.client
from typing import Any

import pytest

from airflow_provider_tuya_ota.core.errors import (
    ConfigurationError,
    Delivery,
    InvalidParameterError,
    SourceUnavailableError,
    TuyaOTAError,
)
from airflow_provider_tuya_ota.core.source_failure import assess_read_failure, shown_source

SOURCE = "s3://firmware/lamp.bin"


class ClientError(Exception):
    """As botocore's: what happened stands in a dict."""

    def __init__(self, code: Any, status: Any = None) -> None:
        super().__init__(f"An error occurred ({code}) when calling the GetObject operation: canary AKIDCANARY0815")
        self.response = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}


class WithAttributes(Exception):  # noqa: N818 - libraries name theirs in many ways
    """As of libraries that store an HTTP status in an attribute."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__("went wrong")
        self.__dict__.update(attributes)


def named(name: str) -> Exception:
    kind: type[Exception] = type(name, (Exception,), {})
    return kind("went wrong")


def wrapped(cause: Exception) -> Exception:
    error = RuntimeError("wrapped")
    error.__cause__ = cause
    return error


TRANSIENT_ERRORS = [
    TimeoutError(),
    ConnectionResetError(errno.ECONNRESET, "Connection reset by peer"),
    OSError(errno.EBUSY, "Device or resource busy"),
    OSError(errno.EIO, "Input/output error"),
    ClientError("SlowDown", 503),
    ClientError("InternalError"),
    ClientError("Odd", 500),
    ClientError("RequestTimeout", 400),
    WithAttributes(status=503),
    WithAttributes(status_code=429),
    WithAttributes(code=502),
    WithAttributes(response=WithAttributes(status_code=504)),
    http.client.IncompleteRead(b"half"),
    named("ReadTimeoutError"),
    named("EndpointConnectionError"),
    named("ServerDisconnectedError"),
    named("ClientPayloadError"),
    named("ResponseStreamingError"),
    wrapped(TimeoutError()),
    wrapped(wrapped(ClientError("SlowDown", 503))),
]
NOT_READABLE = [
    FileNotFoundError(errno.ENOENT, "No such file or directory"),
    PermissionError("Access Denied"),
    IsADirectoryError(),
    OSError(errno.ENAMETOOLONG, "File name too long"),
    ClientError("NoSuchKey", 404),
    ClientError("AccessDenied", 403),
    ClientError("ExpiredToken", 400),
    ClientError("Odd", 403),
    WithAttributes(status=404),
    wrapped(PermissionError("Forbidden")),
]
OTHER = [
    RuntimeError(),
    OSError(errno.ENOSPC, "No space left on device"),
    ClientError(None),
    WithAttributes(response={"Error": "odd"}, status=418),
    ValueError("embedded null byte"),
    UnicodeEncodeError("utf-8", "\ud800", 0, 1, "surrogates not allowed"),
    named("NoCredentialsError"),
]


@pytest.mark.parametrize("error", TRANSIENT_ERRORS)
def test_what_passes_may_be_read_again(error: Exception) -> None:
    failure = assess_read_failure(SOURCE, error)

    assert isinstance(failure, SourceUnavailableError)
    assert str(failure).startswith("source: 's3://firmware/lamp.bin' could not be read now (")
    assert (failure.delivery, failure.in_doubt) == (Delivery.NEVER_SENT, False)


@pytest.mark.parametrize("error", NOT_READABLE)
def test_what_is_not_there_or_not_allowed_names_the_argument(error: Exception) -> None:
    failure = assess_read_failure(SOURCE, error)

    assert isinstance(failure, InvalidParameterError)
    assert failure.field == "source"
    assert "s3://firmware/lamp.bin" in failure.problem


@pytest.mark.parametrize("error", OTHER)
def test_anything_else_is_a_matter_of_configuration(error: Exception) -> None:
    failure = assess_read_failure(SOURCE, error)

    assert type(failure) is ConfigurationError
    assert "source_conn_id" in str(failure)


@pytest.mark.parametrize("code", ["SlowDown", "AccessDenied", "Odd"])
def test_what_a_library_writes_is_not_repeated_where_a_code_says_it(code: str) -> None:
    text = str(assess_read_failure(SOURCE, ClientError(code)))

    assert code in text
    assert "canary" not in text.lower()


def test_an_error_of_this_firmware_stays_what_it_is() -> None:
    error = TuyaOTAError("known")

    assert assess_read_failure(SOURCE, error) is error


def test_a_chain_of_errors_without_end_is_left_sometime() -> None:
    error, other = RuntimeError("a"), RuntimeError("b")
    error.__cause__, other.__cause__ = other, error

    assert type(assess_read_failure(SOURCE, error)) is ConfigurationError


def test_a_reason_is_one_line_without_what_looks_secret() -> None:
    text = f"line one\nX-Amz-Signature={'c' * 64} end"

    assert str(assess_read_failure(SOURCE, RuntimeError(text))).count("\n") == 0
    assert "ccc" not in str(assess_read_failure(SOURCE, RuntimeError(text)))


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        ("s3://b/k.bin", "'s3://b/k.bin'"),
        ("s3://conn@b/k.bin", "'s3://conn@b/k.bin'"),
        ("s3://id:canary@b/k.bin", "'s3://id:***@b/k.bin'"),
        ("s3://id:can/ary@b/k.bin", "'s3://id:***@b/k.bin'"),
        ("s3://b/dir@2/k@1.bin", "'s3://b/dir@2/k@1.bin'"),
        ("https://canary@b/k.bin", "'https://***@b/k.bin'"),
        ("https://u:c@nary@b/k.bin", "'https://***@b/k.bin'"),
        ("HTTPS://u:can/ary@b/k.bin#canary", "'HTTPS://***@b/k.bin'"),
        ("/srv/a#1?.bin", "'/srv/a#1?.bin'"),
        ("https://b/k.bin?X-Amz-Signature=canary", "'https://b/k.bin'"),
        ("/srv/a\nb\ud800", r"'/srv/a\nb\ud800'"),
        ("x" * 400, f"'{'x' * 300}…'"),
    ],
)
def test_a_source_is_shown_without_its_secrets_on_one_line(source: str, shown: str) -> None:
    assert shown_source(source) == shown
