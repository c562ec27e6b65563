"""Whether to repeat a request, and when: a pure function of what failed."""

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
"""Seconds that an answer may ask for; a wait polls again after them anyway."""
_SECONDS: Final = re.compile(r"[0-9]{1,9}")


class Repeat(StrEnum):
    """What repeating an operation would do."""

    HARMLESS = "harmless"
    """Reads, cancelling and asking for upload data: repeating changes nothing more."""

    DUPLICATES = "duplicates"
    """Creating: the platform has no client token, so a repetition may create twice."""


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How patiently to repeat.

    :param attempts: requests in all; 5 bridge about fifteen seconds.
    :param first_delay: seconds before the second request.
    :param longest_delay: seconds that no delay of its own exceeds.
    :param longest_pause: seconds of pause that the platform may ask for with ``Retry-After``.
    """

    attempts: int = 5
    first_delay: float = 1.0
    longest_delay: float = 30.0
    longest_pause: float = LONGEST_PAUSE

    def delay(self, error: TuyaOTAError, repeat: Repeat, *, attempt: int, jitter: float) -> float | None:
        """Decide on the next request.

        :param error: why the last one failed; where its answer asked for a longer pause, up to a minute, it is kept.
        :param repeat: what repeating would do.
        :param attempt: how many requests were sent.
        :param jitter: a random number from 0 to 1; it spreads clients over the upper half of the delay.
        :returns: seconds to wait, or None to give up.
        """
        if attempt >= self.attempts or not _may_repeat(error, repeat):
            return None
        full = min(self.longest_delay, self.first_delay * 2.0 ** (attempt - 1))
        asked = error.retry_after if isinstance(error, ApiError) else 0.0
        return max(full / 2 + full / 2 * jitter, min(asked, self.longest_pause))


PATIENT: Final = RetryPolicy()
URGENT: Final = RetryPolicy(longest_pause=2.0)
"""For cancelling: whoever was killed has few seconds, and each one may flash another device."""


def asked_pause(headers: Mapping[str, str]) -> float:
    """Read ``Retry-After``: seconds, or a date that is held against the answer's own ``Date``.

    Source: RFC 9110, section 10.2.3.

    :param headers: of the answer, names in lower case.
    :returns: seconds from 0 to 60; 0 where nothing is asked for, and for anything that cannot be read.
    """
    asked = headers.get("retry-after", "").strip()
    if _SECONDS.fullmatch(asked):
        return min(LONGEST_PAUSE, float(asked))
    try:
        pause = (parsedate_to_datetime(asked) - parsedate_to_datetime(headers.get("date", ""))).total_seconds()
    except (ValueError, OverflowError, TypeError):
        # No date, a year that no calendar has, or only one of the two with a zone.
        return 0.0
    return min(LONGEST_PAUSE, max(0.0, pause))


def _may_repeat(error: TuyaOTAError, repeat: Repeat) -> bool:
    if isinstance(error, ThrottledError):
        # The gateway turned it away, so even a create was not carried out.
        return True
    if repeat is Repeat.DUPLICATES:
        return False
    return isinstance(error, TransportError | UnavailableError | UnreadableReplyError)
