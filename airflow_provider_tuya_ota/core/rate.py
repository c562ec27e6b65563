"""How many requests a second may leave, as arithmetic on a given clock."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class Lane(StrEnum):
    """Operations that share a budget; the Alibaba original grants cancelling less than everything else."""

    CALLS = "calls"
    CANCELS = "cancels"


SLOWER: Final = 0.7
"""Share of the pace that is left after the platform has asked for fewer requests."""
SLOWEST: Final = 0.02
FASTER: Final = 0.02
"""Share of its pace by which a process grows faster each second. So slowly that processes which share an account, and
know nothing of each other, find their shares of its limit without being refused all the time."""
PATIENCE: Final = 1.0
"""Seconds in which several such answers count as one: they were on their way at the same time."""


class TokenBucket:
    """A budget of ``rate`` requests a second with room for a burst of one second; it yields to the platform.

    :param rate: requests a second, above 0.
    :param now: seconds on the clock that :meth:`reserve` will be asked with.
    """

    def __init__(self, rate: float, now: float) -> None:
        self._rate = rate
        self._room = max(1.0, rate)
        self._tokens = self._room
        self._at = now
        self._pace = 1.0
        self._slowed_at = now - PATIENCE

    def reserve(self, now: float) -> float:
        """Take one token, going into debt where there is none.

        :returns: seconds to wait before sending. Whoever reserves later waits longer, so the order is fair.
        """
        passed = max(0.0, now - self._at)
        self._pace = min(1.0, self._pace * (1.0 + passed * FASTER))
        self._tokens = min(self._room * self._pace, self._tokens + passed * self._rate * self._pace)
        self._at = max(self._at, now)
        self._tokens -= 1
        return max(0.0, -self._tokens / (self._rate * self._pace))

    def slow_down(self, now: float) -> None:
        """Yield: the platform has refused a request because there were too many."""
        if now - self._slowed_at >= PATIENCE:
            self._slowed_at = now
            self._pace = max(SLOWEST, self._pace * SLOWER)
            self._tokens = min(self._tokens, 0.0)
