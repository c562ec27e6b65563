"""Find the error class and the advice for a code of the platform.

The longest documented prefix of a code decides, so that an undocumented code still gets the class of its family.
"""

from __future__ import annotations

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


def meaning_of(code: str, http_status: int) -> Meaning:
    """Find the meaning of the longest documented prefix of a code; where there is none, of the HTTP status.

    A failure of the server (5xx) is never an ``InvalidRequestError``, whatever its code: the platform may have acted.
    """
    matches = [prefix for prefix in _LOWER if code.lower().startswith(prefix)]
    documented = _LOWER[max(matches, key=len)] if matches else None
    if http_status >= 500 and (documented is None or documented.kind is InvalidRequestError):  # noqa: PLR2004 - HTTP's server failures
        return Meaning(UnavailableError, LATER)
    return documented or _BY_STATUS.get(http_status, Meaning(ApiError))


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
