"""Add to an authentication error which key was used, and by how much the clock is wrong."""

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
    """Build the error again with the masked id of the key and the difference between the two clocks.

    :param error: the error as read from the answer.
    :param settings: settings of the connection that was used.
    :param response: the answer; its ``Date`` header is the platform's clock.
    :param sent_at: time that was signed.
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
        # No date, or an impossible one.
        return "The answer does not say by how much this machine's clock differs from the platform's."
    direction = "ahead of" if seconds > 0 else "behind"
    return f"This machine's clock is {abs(seconds)} s {direction} the platform's."
