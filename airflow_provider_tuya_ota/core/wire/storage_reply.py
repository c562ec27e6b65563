"""Object storage's answer to a form upload: an empty 200 or 204, or a 201 with a PostResponse; errors are XML.

Source: Alibaba OSS, PostObject and its troubleshooting page.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import unquote

from airflow_provider_tuya_ota.core.errors import (
    ApiError,
    AuthenticationError,
    InvalidRequestError,
    ProtocolError,
    UnavailableError,
    UnreadableReplyError,
)
from airflow_provider_tuya_ota.core.policy.retry import asked_pause
from airflow_provider_tuya_ota.core.wire.body import read_body, safely
from airflow_provider_tuya_ota.core.wire.record import Record
from airflow_provider_tuya_ota.core.wire.redaction import excerpt, redact_code

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow_provider_tuya_ota.core.secret import Secret
    from airflow_provider_tuya_ota.core.wire.http import Response

ACTION = "PostObject"


def read_storage_reply(response: Response, *, key: str, secrets: Sequence[Secret] = ()) -> None:
    """Return where the answer says that the file is stored.

    :param response: the answer.
    :param key: name of the object that the form was to store.
    :param secrets: secrets of the form; removed where storage repeats them in a message.
    :raises ApiError: storage refused the form; ``UnavailableError`` where sending it again may help.
    :raises ProtocolError: storage does not document such an answer; ``UnreadableReplyError`` where another server wrote
        it.
    """
    safely(ACTION, lambda: _read(response, key, secrets))


def _read(response: Response, key: str, secrets: Sequence[Secret]) -> None:
    if response.status in {200, 201, 204}:
        _require_stored(response, key, secrets)
        return
    if response.status < 400:  # noqa: PLR2004 - HTTP's failures begin there
        raise ProtocolError(f"{ACTION}: object storage answered HTTP {response.status}, which is no documented answer")
    fields = read_body(response.body, secrets) or Record({})
    code = redact_code(fields.name("Code"), secrets)
    if not code and response.status < 500:  # noqa: PLR2004 - HTTP's server failures
        raise UnreadableReplyError(
            f"{ACTION}: a proxy or another server answered instead of object storage (HTTP {response.status}):"
            f" {excerpt(response.body, secrets)!r}. The worker must reach object storage, directly or through the"
            " connection's proxy."
        )
    kind, advice = _meaning(code, fields.text("Message"), response.status)
    raise kind(
        action=ACTION,
        code=code,
        message=fields.text("Message") or excerpt(response.body, secrets),
        request_id=fields.name("RequestId"),
        http_status=response.status,
        advice=advice,
        retry_after=asked_pause(response.headers),
    )


def _require_stored(response: Response, key: str, secrets: Sequence[Secret]) -> None:
    """Refuse a success status with the body of a proxy's page, of an error, or of the upload of another object."""
    if not response.body.strip():
        return
    fields = read_body(response.body, secrets)
    named = None if fields is None or fields.name("Code") else fields.get("Key")
    # Storage repeats the name as it was sent; another server may encode it as in an address.
    if isinstance(named, str) and key in {named, unquote(named)}:
        return
    raise UnreadableReplyError(
        f"{ACTION}: the answer is HTTP {response.status}, but its body is not that of this upload:"
        f" {excerpt(response.body, secrets)!r}. No firmware was created. A proxy may have answered instead of object"
        " storage"
    )


def _meaning(code: str, message: str, status: int) -> tuple[type[ApiError], str]:
    if status >= 500:  # noqa: PLR2004 - HTTP's server failures
        return UnavailableError, "The upload may be repeated."
    if "expired" in message.lower():
        # A new ticket solves it: the upload began more than a minute after the last ticket was issued.
        return UnavailableError, "The permission to upload had expired; check this machine's clock if it recurs."
    if code == "EntityTooLarge":
        return InvalidRequestError, "The platform takes files of at most 1,048,576,000 bytes."
    if status == 403:  # noqa: PLR2004 - HTTP's Forbidden
        return (
            AuthenticationError,
            "Object storage does not accept the platform's own permission; report the request id.",
        )
    return InvalidRequestError, ""
