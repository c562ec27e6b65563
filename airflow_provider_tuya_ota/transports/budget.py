"""One budget for each connection in this process, however many clients use it."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Final

from airflow_provider_tuya_ota.core.rate import Lane, TokenBucket

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_provider_tuya_ota.core.settings import Settings


class Budget:
    """Token buckets of one account at one endpoint.

    :param rates: requests a second by lane.
    :param clock: seconds; those of this process by default.
    """

    def __init__(self, rates: dict[Lane, float], clock: Callable[[], float] = time.monotonic) -> None:
        self._lock = threading.Lock()
        self._clock = clock
        self._buckets = {lane: TokenBucket(rate, clock()) for lane, rate in rates.items()}

    def reserve(self, lane: Lane) -> float:
        """Take one request from the lane; the result is how many seconds to wait before sending it."""
        with self._lock:
            return self._buckets[lane].reserve(self._clock())

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

    def reserve(self, lane: Lane) -> float:
        """Take one request from the lane; see :meth:`Budget.reserve`."""
        if self._paid:
            self._paid -= 1
            return 0.0
        return self._budget.reserve(lane)

    def slow_down(self, lane: Lane) -> None:
        """Send fewer requests of the lane for a while."""
        self._budget.slow_down(lane)


_BUDGETS: Final[dict[tuple[object, ...], Budget]] = {}
_LOCK: Final = threading.Lock()


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
