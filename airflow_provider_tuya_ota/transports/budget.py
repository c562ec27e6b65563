"""One budget for each connection in this process, however many clients use it."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from airflow_provider_tuya_ota.core.policy.rate import Lane, TokenBucket

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from airflow_provider_tuya_ota.core.settings import Settings


class Budget:
    """Token buckets of one account at one endpoint.

    :param rates: requests a second by lane.
    :param clock: seconds; those of this process by default.
    """

    def __init__(self, rates: dict[Lane, float], clock: Callable[[], float] = time.monotonic) -> None:
        # Reentrant: a killed worker sends its cancel from a signal handler, which may interrupt whoever holds this.
        self._lock = threading.RLock()
        self._clock = clock
        self._buckets = {lane: TokenBucket(rate, clock()) for lane, rate in rates.items()}

    @contextmanager
    def reserve(self, lane: Lane) -> Iterator[float]:
        """Take one request from the lane; gives how many seconds to wait before sending it.

        Wait inside the context: where the wait is broken off, the request is given back.
        """
        bucket = self._buckets[lane]
        with self._lock:
            now = self._clock()
            pause = bucket.reserve(now)
        try:
            yield pause
        except BaseException:
            with self._lock:
                bucket.give_back(now + pause)
            raise

    def slow_down(self, lane: Lane) -> None:
        """Send fewer requests of the lane for a while."""
        with self._lock:
            self._buckets[lane].slow_down(self._clock())


class Prepaid(Budget):
    """A budget of which the first request was reserved before it was known which one it would be.

    :param budget: where the others are reserved.
    """

    def __init__(self, budget: Budget) -> None:
        super().__init__({})
        self._budget = budget
        self._paid = 1

    @contextmanager
    def reserve(self, lane: Lane) -> Iterator[float]:
        """Take one request from the lane; see :meth:`Budget.reserve`."""
        if self._paid:
            self._paid -= 1
            yield 0.0
            return
        with self._budget.reserve(lane) as pause:
            yield pause

    def slow_down(self, lane: Lane) -> None:
        """Send fewer requests of the lane for a while."""
        self._budget.slow_down(lane)


_BUDGETS: Final[dict[tuple[object, ...], Budget]] = {}
_LOCK: Final = threading.RLock()


def budget_of(settings: Settings) -> Budget:
    """Give the budget that everything in this process with the same endpoint, key and rates shares."""
    key = (
        settings.base_url,
        settings.credentials.access_key_id,
        settings.requests_per_second,
        settings.cancels_per_second,
    )
    with _LOCK:
        if key not in _BUDGETS:
            _BUDGETS[key] = Budget(
                {Lane.CALLS: settings.requests_per_second, Lane.CANCELS: settings.cancels_per_second}
            )
        return _BUDGETS[key]
