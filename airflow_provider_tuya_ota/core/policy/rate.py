"""How many requests a second may be sent: pure arithmetic on a given clock."""

from __future__ import annotations

import heapq
from enum import StrEnum
from typing import Final


class RateLimitGroup(StrEnum):
    """Operations that share a budget. Alibaba Cloud IoT, the upstream API, allows fewer cancels than other requests."""

    CALLS = "calls"
    CANCELS = "cancels"


SLOWER: Final = 0.7
"""Factor of the pace after the platform has refused a request because there were too many."""
SLOWEST: Final = 0.02
FASTER: Final = 0.02
"""Share by which the pace grows each second. It is small, so that processes which share an account settle on their
shares of its limit without being refused all the time: they do not know each other."""
REFUSALS_APART: Final = 1.0
"""Seconds in which several refusals count as one, because their requests were sent at the same time."""
SECOND: Final = 1.1
"""Seconds over which the requests of one second are spread. A request may be delayed on its way and the next one not;
with this reserve the platform still receives no more than it allows in any second."""


class TokenBucket:
    """A budget of ``rate`` requests in any second, evenly spread and without bursts; it slows down on refusals.

    :param rate: requests a second, above 0.
    :param now: seconds on the clock that :meth:`reserve` is called with.
    """

    def __init__(self, rate: float, now: float) -> None:
        self._rate = rate / SECOND
        self._tokens = 1.0
        self._at = now
        self._pace = 1.0
        self._slowed_at = now - REFUSALS_APART
        self._given_back: list[float] = []

    def reserve(self, now: float) -> float:
        """Reserve the next free moment for one request.

        :returns: seconds to wait before sending it. A later reservation waits longer, so the order is fair.
        """
        pause = self.backlog(now)
        while self._given_back and self._given_back[0] < now:
            heapq.heappop(self._given_back)
        if self._given_back and self._given_back[0] - now < pause:
            return heapq.heappop(self._given_back) - now
        self._tokens -= 1.0
        return pause

    def backlog(self, now: float) -> float:
        """Give the seconds that a reservation made now would wait; nothing is reserved."""
        passed = max(0.0, now - self._at)
        self._pace = min(1.0, self._pace * (1.0 + passed * FASTER))
        self._tokens = min(1.0, self._tokens + passed * self._rate * self._pace)
        self._at = max(self._at, now)
        return max(0.0, 1.0 - self._tokens) / (self._rate * self._pace)

    def give_back(self, moment: float) -> None:
        """Return a reservation whose request is not sent; the next caller of :meth:`reserve` may get it.

        All other reservations keep their moments, so no second gets more requests.

        :param moment: when the request would have been sent, on the clock of :meth:`reserve`.
        """
        heapq.heappush(self._given_back, moment)

    def slow_down(self, now: float) -> None:
        """Send fewer requests: the platform has refused one because there were too many."""
        if now - self._slowed_at >= REFUSALS_APART:
            self._slowed_at = now
            self._pace = max(SLOWEST, self._pace * SLOWER)
            self._tokens = min(self._tokens, 0.0)
