"""Whether a request is repeated, and when: a pure function of the error."""

from __future__ import annotations

import re
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from airflow_provider_tuya_ota.core.errors import (
    ApiError,
    ThrottledError,
    TransportError,
    TuyaOTAError,
    UnavailableError,
    UnreadableReplyError,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

LONGEST_PAUSE: Final = 60.0
"""Longest pause in seconds that an answer may ask for; a wait polls again after that time anyway."""
_SECONDS: Final = re.compile(r"[0-9]{1,9}")


class Repeat(StrEnum):
    """The effect of sending the same operation twice."""

    HARMLESS = "harmless"
    """None: it reads, cancels or asks for upload data."""

    DUPLICATES = "duplicates"
    """It may create twice, because the platform has no client token."""


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often, and after how long, a request is repeated.

    :param attempts: number of requests in all; 5 by default, which takes about fifteen seconds.
    :param first_delay: seconds before the second request; each further delay is twice as long.
    :param longest_delay: limit of those delays in seconds.
    :param longest_pause: limit in seconds of a pause that the platform asks for with ``Retry-After``.
    """

    attempts: int = 5
    first_delay: float = 1.0
    longest_delay: float = 30.0
    longest_pause: float = LONGEST_PAUSE

    def delay(self, error: TuyaOTAError, repeat: Repeat, *, attempt: int, jitter: float) -> float | None:
        """Decide whether to send the request again.

        :param error: why the last request failed; a longer pause that its answer asks for is kept, within the limit.
        :param repeat: the effect of sending the operation twice.
        :param attempt: number of requests that were sent.
        :param jitter: a random number from 0 to 1; it spreads clients over the upper half of the delay.
        :returns: seconds to wait; None to give up.
        """
        if attempt >= self.attempts or not _may_repeat(error, repeat):
            return None
        full = min(self.longest_delay, self.first_delay * 2.0 ** (attempt - 1))
        asked = error.retry_after if isinstance(error, ApiError) else 0.0
        return max(full / 2 + full / 2 * jitter, min(asked, self.longest_pause))


DEFAULT_RETRY: Final = RetryPolicy()
CANCEL_RETRY: Final = RetryPolicy(longest_pause=2.0)
"""For cancels: a killed task has few seconds, and in each of them another device may begin to flash."""


def asked_pause(headers: Mapping[str, str]) -> float:
    """Read ``Retry-After``: seconds, or a date that is compared with the answer's own ``Date``.

    Source: RFC 9110, section 10.2.3.

    :param headers: of the answer, names in lower case.
    :returns: seconds from 0 to 60; 0 where the answer asks for none, or the header cannot be read.
    """
    asked = headers.get("retry-after", "").strip()
    if _SECONDS.fullmatch(asked):
        return min(LONGEST_PAUSE, float(asked))
    try:
        pause = (parsedate_to_datetime(asked) - parsedate_to_datetime(headers.get("date", ""))).total_seconds()
    except (ValueError, OverflowError, TypeError):
        # No date, an impossible year, or a time zone in only one of the two.
        return 0.0
    return min(LONGEST_PAUSE, max(0.0, pause))


def _may_repeat(error: TuyaOTAError, repeat: Repeat) -> bool:
    if isinstance(error, ThrottledError):
        # The gateway refused it, so that even a create was not carried out.
        return True
    if repeat is Repeat.DUPLICATES:
        return False
    return isinstance(error, TransportError | UnavailableError | UnreadableReplyError)
