"""How many requests a second may leave, as arithmetic on a given clock."""

from __future__ import annotations

import heapq
from enum import StrEnum
from typing import Final


class RateLimitGroup(StrEnum):
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
SECOND: Final = 1.1
"""Seconds over which a second's requests are spread. One may be held up on its way and the next ones not; so even then
no second at the platform has more of them than it grants."""


class TokenBucket:
    """A budget of ``rate`` requests in any second, evenly spread: no burst; it yields to the platform.

    :param rate: requests a second, above 0.
    :param now: seconds on the clock that :meth:`reserve` will be asked with.
    """

    def __init__(self, rate: float, now: float) -> None:
        self._rate = rate / SECOND
        self._tokens = 1.0
        self._at = now
        self._pace = 1.0
        self._slowed_at = now - PATIENCE
        self._given_back: list[float] = []

    def reserve(self, now: float) -> float:
        """Take one token, going into debt where there is none.

        :returns: seconds to wait before sending. Whoever reserves later waits longer, so the order is fair.
        """
        passed = max(0.0, now - self._at)
        self._pace = min(1.0, self._pace * (1.0 + passed * FASTER))
        self._tokens = min(1.0, self._tokens + passed * self._rate * self._pace)
        self._at = max(self._at, now)
        pause = max(0.0, 1.0 - self._tokens) / (self._rate * self._pace)
        while self._given_back and self._given_back[0] < now:
            heapq.heappop(self._given_back)
        if self._given_back and self._given_back[0] - now < pause:
            return heapq.heappop(self._given_back) - now
        self._tokens -= 1.0
        return pause

    def give_back(self, moment: float) -> None:
        """Take back a token whose request is not sent, for whoever reserves next.

        All others keep their moments, so no second gets more requests by it.

        :param moment: at which the request would have been sent, on the clock of :meth:`reserve`.
        """
        heapq.heappush(self._given_back, moment)

    def slow_down(self, now: float) -> None:
        """Yield: the platform has refused a request because there were too many."""
        if now - self._slowed_at >= PATIENCE:
            self._slowed_at = now
            self._pace = max(SLOWEST, self._pace * SLOWER)
            self._tokens = min(self._tokens, 0.0)
