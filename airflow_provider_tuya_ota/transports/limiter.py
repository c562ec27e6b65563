"""One budget for each connection in this process, however many clients use it."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from airflow_provider_tuya_ota.core.policy.rate import RateLimitGroup, TokenBucket

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from airflow_provider_tuya_ota.core.settings import Settings


class RateLimiter:
    """Token buckets of one account at one endpoint.

    :param rates: requests a second by rate limit group.
    :param clock: seconds; those of this process by default.
    """

    def __init__(self, rates: dict[RateLimitGroup, float], clock: Callable[[], float] = time.monotonic) -> None:
        # Reentrant: the cancel of a killed worker comes from a signal handler, which may interrupt this code.
        self._lock = threading.RLock()
        self._clock = clock
        self._buckets = {rate_limit_group: TokenBucket(rate, clock()) for rate_limit_group, rate in rates.items()}

    @contextmanager
    def reserve(self, rate_limit_group: RateLimitGroup) -> Iterator[float]:
        """Reserve one request of a rate limit group; gives the seconds to wait before sending it.

        Wait inside the context: where the wait is broken off, the request is given back.
        """
        bucket = self._buckets[rate_limit_group]
        with self._lock:
            now = self._clock()
            pause = bucket.reserve(now)
        try:
            yield pause
        except BaseException:
            with self._lock:
                bucket.give_back(now + pause)
            raise

    def slow_down(self, rate_limit_group: RateLimitGroup) -> None:
        """Send fewer requests of a rate limit group for a while."""
        with self._lock:
            self._buckets[rate_limit_group].slow_down(self._clock())


class ReservedLimiter(RateLimiter):
    """A budget of which the first request was reserved before it was known which one it would be.

    :param limiter: where the others are reserved.
    """

    def __init__(self, limiter: RateLimiter) -> None:
        super().__init__({})
        self._limiter = limiter
        self._paid = 1

    @contextmanager
    def reserve(self, rate_limit_group: RateLimitGroup) -> Iterator[float]:
        """Reserve one request; see :meth:`RateLimiter.reserve`."""
        if self._paid:
            self._paid -= 1
            yield 0.0
            return
        with self._limiter.reserve(rate_limit_group) as pause:
            yield pause

    def slow_down(self, rate_limit_group: RateLimitGroup) -> None:
        """Send fewer requests of a rate limit group for a while."""
        self._limiter.slow_down(rate_limit_group)


_LIMITERS: Final[dict[tuple[object, ...], RateLimiter]] = {}
_LOCK: Final = threading.RLock()


def limiter_of(settings: Settings) -> RateLimiter:
    """Give the budget that everything in this process with the same endpoint, key and rates shares."""
    key = (
        settings.base_url,
        settings.credentials.access_key_id,
        settings.requests_per_second,
        settings.cancels_per_second,
    )
    with _LOCK:
        if key not in _LIMITERS:
            _LIMITERS[key] = RateLimiter(
                {
                    RateLimitGroup.CALLS: settings.requests_per_second,
                    RateLimitGroup.CANCELS: settings.cancels_per_second,
                }
            )
        return _LIMITERS[key]
