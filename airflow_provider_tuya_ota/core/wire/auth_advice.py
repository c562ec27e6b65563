"""Refused at the door: say which key, and by how much the clock is off."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from airflow_provider_tuya_ota.core.errors import AuthenticationError
    from airflow_provider_tuya_ota.core.settings import Settings
    from airflow_provider_tuya_ota.core.wire.http import Response


def explain_refusal(
    error: AuthenticationError, settings: Settings, response: Response, sent_at: datetime
) -> AuthenticationError:
    """Rebuild the error with what only the caller can know: the key's masked id, and this machine's skew.

    :param error: as read from the answer.
    :param settings: connection that was used.
    :param response: its ``Date`` header is the platform's clock.
    :param sent_at: the timestamp that was signed.
    """
    advice = [f"AccessKey ID {settings.credentials.masked_id}."]
    if "timestamp" in error.code.lower():
        advice.append(_skew(response, sent_at))
    advice.append(error.advice)
    return type(error)(
        action=error.action,
        code=error.code,
        message=error.message,
        request_id=error.request_id,
        http_status=error.http_status,
        advice=" ".join(filter(None, advice)),
    )


def _skew(response: Response, sent_at: datetime) -> str:
    try:
        platform = parsedate_to_datetime(response.headers.get("date", ""))
        if platform.tzinfo is None:
            platform = platform.replace(tzinfo=UTC)
        seconds = round((sent_at - platform).total_seconds())
    except (ValueError, OverflowError):
        # No date, or one that no calendar has.
        return "By how much this machine's clock differs from the platform's is not told."
    direction = "ahead of" if seconds > 0 else "behind"
    return f"This machine's clock is {abs(seconds)} s {direction} the platform's."
