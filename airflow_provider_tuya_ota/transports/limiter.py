"""One budget for each connection in this process, however many clients use it."""

from __future__ import annotations

import threading
import time
from contextlib import nullcontext
from typing import TYPE_CHECKING, Final

from airflow_provider_tuya_ota.core.policy.rate import RateLimitGroup, TokenBucket

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from airflow_provider_tuya_ota.core.settings import Settings


class _Reservation:
    """One request, from the moment at which it is reserved; it is given back where its wait is broken off."""

    __slots__ = ("_bucket", "_clock", "_lock", "_moment")

    def __init__(self, bucket: TokenBucket, lock: threading.RLock, clock: Callable[[], float]) -> None:
        self._bucket = bucket
        self._lock = lock
        self._clock = clock

    def __enter__(self) -> float:
        with self._lock:
            now = self._clock()
            pause = self._bucket.reserve(now)
        self._moment = now + pause
        return pause

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None:
            with self._lock:
                self._bucket.give_back(self._moment)


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

    def reserve(self, rate_limit_group: RateLimitGroup) -> AbstractContextManager[float]:
        """Reserve one request of a rate limit group; gives the seconds to wait before sending it.

        Wait inside the context: where the wait is broken off, the request is given back.
        """
        return _Reservation(self._buckets[rate_limit_group], self._lock, self._clock)

    def backlog(self, rate_limit_group: RateLimitGroup) -> float:
        """Give the seconds that a request reserved now would wait for those that are reserved already."""
        with self._lock:
            return self._buckets[rate_limit_group].backlog(self._clock())

    def slow_down(self, rate_limit_group: RateLimitGroup) -> None:
        """Send fewer requests of a rate limit group for a while."""
        with self._lock:
            self._buckets[rate_limit_group].slow_down(self._clock())


class ReservedLimiter(RateLimiter):
    """A rate limiter whose first request was reserved before it was known which request it would be.

    :param limiter: where the others are reserved.
    """

    def __init__(self, limiter: RateLimiter) -> None:
        super().__init__({})
        self._limiter = limiter
        self._paid = 1

    def reserve(self, rate_limit_group: RateLimitGroup) -> AbstractContextManager[float]:
        """Reserve one request; see :meth:`RateLimiter.reserve`."""
        if self._paid:
            self._paid -= 1
            return nullcontext(0.0)
        return self._limiter.reserve(rate_limit_group)

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
