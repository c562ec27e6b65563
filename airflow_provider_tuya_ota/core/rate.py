"""How many requests a second may leave, as arithmetic on a given clock."""

from __future__ import annotations

from enum import StrEnum


class Lane(StrEnum):
    """Operations that share a budget; the Alibaba original grants cancelling less than everything else."""

    CALLS = "calls"
    CANCELS = "cancels"


class TokenBucket:
    """A budget of ``rate`` requests a second with room for a burst of one second.

    :param rate: requests a second, above 0.
    :param now: seconds on the clock that :meth:`reserve` will be asked with.
    """

    def __init__(self, rate: float, now: float) -> None:
        self._rate = rate
        self._room = max(1.0, rate)
        self._tokens = self._room
        self._at = now

    def reserve(self, now: float) -> float:
        """Take one token, going into debt where there is none.

        :returns: seconds to wait before sending. Whoever reserves later waits longer, so the order is fair.
        """
        self._tokens = min(self._room, self._tokens + max(0.0, now - self._at) * self._rate)
        self._at = max(self._at, now)
        self._tokens -= 1
        return max(0.0, -self._tokens / self._rate)
