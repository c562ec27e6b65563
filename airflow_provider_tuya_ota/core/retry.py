"""Whether to repeat a request, and when: a pure function of what failed."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from airflow_provider_tuya_ota.core.errors import (
    ThrottledError,
    TransportError,
    TuyaOTAError,
    UnavailableError,
    UnreadableReplyError,
)


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
    :param longest_delay: seconds that no delay exceeds.
    """

    attempts: int = 5
    first_delay: float = 1.0
    longest_delay: float = 30.0

    def delay(self, error: TuyaOTAError, repeat: Repeat, *, attempt: int, jitter: float) -> float | None:
        """Decide on the next request.

        :param error: why the last one failed.
        :param repeat: what repeating would do.
        :param attempt: how many requests were sent.
        :param jitter: a random number from 0 to 1; it spreads clients over the upper half of the delay.
        :returns: seconds to wait, or None to give up.
        """
        if attempt >= self.attempts or not _may_repeat(error, repeat):
            return None
        full = min(self.longest_delay, self.first_delay * 2.0 ** (attempt - 1))
        return full / 2 + full / 2 * jitter


def _may_repeat(error: TuyaOTAError, repeat: Repeat) -> bool:
    if isinstance(error, ThrottledError):
        # The gateway turned it away, so even a create was not carried out.
        return True
    if repeat is Repeat.DUPLICATES:
        return False
    return isinstance(error, TransportError | UnavailableError | UnreadableReplyError)
