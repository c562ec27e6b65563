"""What a failed read of the firmware file means, for any storage.

Every storage has its own errors, and their libraries may not be installed. So errors are classified by what they have
in common: classes of Python, HTTP statuses, codes of S3, and words in the names of their classes.
"""

from __future__ import annotations

import errno
import re
from typing import TYPE_CHECKING, Any, Final

from airflow_provider_tuya_ota.core.errors import (
    ConfigurationError,
    InvalidParameterError,
    SourceUnavailableError,
    TuyaOTAError,
)
from airflow_provider_tuya_ota.core.wire.redaction import redact

if TYPE_CHECKING:
    from collections.abc import Iterator

READABLE: Final = "a file that the worker running this task can read"


def assess_read_failure(source: str, error: Exception) -> TuyaOTAError:
    """Give the error of this package for a failed read.

    :param source: path or URL of the file.
    :param error: error of the storage's library.
    :returns: ``SourceUnavailableError`` where reading again may help, ``InvalidParameterError`` where the file does not
        exist or is not permitted, ``ConfigurationError`` for anything else.
    """
    if isinstance(error, TuyaOTAError):
        return error
    shown = shown_source(source)
    chain = list(_chain(error))
    marks = {mark for one in chain for mark in _marks(one)}
    if marks & _NOT_READABLE:
        return InvalidParameterError(
            field="source", problem=f"{shown} cannot be read ({_reason(error)})", allowed=READABLE
        )
    if marks & _NO_KEY:
        return ConfigurationError(
            f"source: {shown} cannot be read: its storage has no credentials ({_reason(error)}). Name an Airflow"
            " connection that has them in source_conn_id."
        )
    if marks & _TRANSIENT or any(_TRANSIENT_NAME.search(type(one).__name__) for one in chain):
        return SourceUnavailableError(shown, _reason(error))
    return ConfigurationError(
        f"source: {shown} cannot be read ({_reason(error)}). Check source, source_conn_id and the storage's provider on"
        " the workers."
    )


def shown_source(source: str) -> str:
    """Quote a source without its possible secrets: a password before the host, a query and a fragment.

    Before the host of HTTP a user may be a token; in other addresses it is the id of an Airflow connection.
    """
    bare = re.split("[?#]", source, maxsplit=1)[0] if "://" in source else source
    scheme, mark, rest = bare.partition("://")
    # A password may contain a slash, and then its first part looks like a host with a port.
    if "@" in rest and re.match("[^/]*[@:]", rest):
        user, _, where = rest.rpartition("@")
        name, colon, _ = user.partition(":")
        is_http = scheme.lower() in {"http", "https"}
        shown = "***" if is_http else f"{name}:***" if colon else name
        bare = f"{scheme}{mark}{shown}@{where}"
    return repr(bare if len(bare) <= _LONGEST else f"{bare[:_LONGEST]}…")


_LONGEST: Final = 300
_NOT_READABLE: Final = frozenset(
    {
        *(FileNotFoundError, PermissionError, IsADirectoryError, NotADirectoryError),
        *(errno.ELOOP, errno.ENAMETOOLONG),
        *(
            "401",
            "403",
            "404",
            "AccessDenied",
            "NoSuchBucket",
            "NoSuchKey",
            "NotFound",
            "Forbidden",
            "AllAccessDisabled",
        ),
        *("ExpiredToken", "InvalidAccessKeyId", "InvalidToken", "SignatureDoesNotMatch"),
    }
)
_NO_KEY: Final = frozenset({"NoCredentialsError", "PartialCredentialsError", "DefaultCredentialsError"})
_TRANSIENT: Final = frozenset(
    {
        *(TimeoutError, ConnectionError, EOFError),
        *(errno.EAGAIN, errno.EBUSY, errno.EINTR, errno.EIO, errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ESTALE),
        *(errno.ETIMEDOUT, errno.ECONNRESET, errno.ECONNREFUSED, errno.EPIPE),
        *("408", "425", "429", "500", "502", "503", "504"),
        *("InternalError", "RequestTimeout", "ServiceUnavailable", "SlowDown", "Throttling", "ThrottlingException"),
    }
)
_TRANSIENT_NAME: Final = re.compile("Timeout|Connection|Disconnected|Incomplete|Payload|Streaming|Protocol")
"""In names of classes of botocore, aiohttp, urllib3 and http.client; their errors of the network share no base."""


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Iterate over the error and its causes, at most ten: libraries wrap each other's errors."""
    one: BaseException | None = error
    for _ in range(10):
        if one is None:
            return
        yield one
        one = one.__cause__ or one.__context__


def _marks(error: BaseException) -> Iterator[Any]:
    yield from type(error).__mro__
    yield type(error).__name__
    if isinstance(error, OSError):
        yield error.errno
    response = getattr(error, "response", None)
    if isinstance(response, dict):
        # botocore's ClientError.
        yield _code(response.get("Error"), "Code")
        yield _code(response.get("ResponseMetadata"), "HTTPStatusCode")
    yield str(getattr(response, "status_code", None))
    for name in ("status", "status_code", "code"):
        yield str(getattr(error, name, None))


def _code(part: object, key: str) -> str:
    return str(part.get(key) or "") if isinstance(part, dict) else ""


def _reason(error: Exception) -> str:
    """Describe the error by a field that holds no secret, or else by its redacted text."""
    if isinstance(error, OSError) and error.strerror:
        return redact(str(error.strerror))[:_LONGEST]
    response = getattr(error, "response", None)
    if isinstance(response, dict) and (code := _code(response.get("Error"), "Code")):
        return redact(code)[:_LONGEST]
    text = " ".join(redact(str(error)).split())[:_LONGEST]
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
