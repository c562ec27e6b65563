"""Find the error class and the advice for a code of the platform.

The longest documented prefix of a code decides, so that an undocumented code still gets the class of its family. Only a
documented code, or a status of HTTP that refuses, says that nothing was carried out.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

from airflow_provider_tuya_ota.core.codes.firmware import FIRMWARE
from airflow_provider_tuya_ota.core.codes.gateway import GATEWAY
from airflow_provider_tuya_ota.core.codes.meaning import CHECK_KEY, LATER, SLOWER, Meaning
from airflow_provider_tuya_ota.core.codes.module import MODULE
from airflow_provider_tuya_ota.core.codes.platform import PLATFORM
from airflow_provider_tuya_ota.core.errors import (
    ApiError,
    AuthenticationError,
    InvalidRequestError,
    NotFoundError,
    PermissionDeniedError,
    ThrottledError,
    UnavailableError,
)

MEANINGS: Final[dict[str, Meaning]] = GATEWAY | PLATFORM | FIRMWARE | MODULE
"""By code, or by the beginning that several codes share."""
_LOWER: Final = {code.lower(): meaning for code, meaning in MEANINGS.items()}
_BY_STATUS: Final[dict[int, Meaning]] = {
    401: Meaning(AuthenticationError, CHECK_KEY),
    403: Meaning(PermissionDeniedError, "Ask the owner of the account to permit this operation."),
    404: Meaning(NotFoundError, "Check API host and API port of the connection: 8686 is the API, 3443 the console."),
    429: Meaning(ThrottledError, SLOWER),
}
_GATEWAY: Final = tuple(code.lower() for code in GATEWAY)
_REFUSING: Final = {*_BY_STATUS, HTTPStatus.METHOD_NOT_ALLOWED}
"""Statuses of HTTP which say that the request was not carried out."""
_TIMEOUTS: Final = {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.GATEWAY_TIMEOUT}
_OF_OPERATION: Final = "iot."
"""Beginning of the codes of operations: such a request has passed the gateway."""


def meaning_of(code: str, http_status: int) -> Meaning:
    """Find the meaning of the longest documented prefix of a code; where there is none, of the HTTP status.

    A failure of the server (5xx, and 408, its timeout) is never an ``InvalidRequestError``, whatever its code: the
    platform may have acted.
    """
    matches = [prefix for prefix in _LOWER if code.lower().startswith(prefix)]
    documented = _LOWER[max(matches, key=len)] if matches else None
    has_failed = http_status >= HTTPStatus.INTERNAL_SERVER_ERROR or http_status == HTTPStatus.REQUEST_TIMEOUT
    if has_failed and (documented is None or documented.kind is InvalidRequestError):
        return Meaning(UnavailableError, LATER)
    return documented or _BY_STATUS.get(http_status, Meaning(ApiError))


def is_documented_refusal(code: str, http_status: int) -> bool:
    """Whether a refusal says by its code, or by its HTTP status, that the request was not carried out.

    The gateway's codes count with any ending, because the gateway refuses before an operation begins. An undocumented
    code of an operation may stand for a timeout after which the operation goes on, whatever status comes with it; and
    after a timeout of HTTP the operation may go on, whatever code comes with it.
    """
    if http_status in _TIMEOUTS:
        return False
    known = code.lower()
    if known in _LOWER or known.startswith(_GATEWAY):
        return True
    return http_status in _REFUSING and not known.startswith(_OF_OPERATION)


def api_error(
    *, action: str, code: str, message: str, request_id: str, http_status: int, retry_after: float = 0.0
) -> ApiError:
    """Build the error for a refusal."""
    kind, advice = meaning_of(code, http_status)
    return kind(
        action=action,
        code=code,
        message=message,
        request_id=request_id,
        http_status=http_status,
        advice=advice,
        retry_after=retry_after,
    )
