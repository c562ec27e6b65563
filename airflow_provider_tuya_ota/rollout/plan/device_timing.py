"""How long devices take: an assumption of the forecast, and of nothing that is done."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import Final

from airflow_provider_tuya_ota.core.durations import require_seconds

_NORMAL: Final = NormalDist()
_POINTS: Final = 40
_SETTLED: Final = 0.99


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceTiming:
    """When devices begin after their job was created, and when they report a result.

    The defaults are those of a fleet behind home routers: half of the devices begin within six minutes and report
    twelve minutes later.

    :param begins_after: mean seconds until a device begins; exponential, because devices come online independently.
    :param takes: seconds from the beginning to the result, of the device in the middle; lognormal.
    :param spread: standard deviation of the logarithm of ``takes``; 0 where every device takes the same time.
    :param reaction: seconds from a device's report until the release has read it and sent its cancels.
    """

    begins_after: float = 540.0
    takes: float = 720.0
    spread: float = 0.35
    reaction: float = 30.0

    def __post_init__(self) -> None:
        for name in self.__slots__:
            require_seconds(name, getattr(self, name), or_zero=name != "takes")

    @property
    def settled_after(self) -> float:
        """Seconds after which all but one device in a hundred have reported."""
        low, high = 0.0, 1.0
        while self.reported(high) < _SETTLED:
            high *= 2
        while high - low > 1:
            middle = (low + high) / 2
            low, high = (low, middle) if self.reported(middle) >= _SETTLED else (middle, high)
        return high

    def begun(self, seconds: float) -> float:
        """Give the share of devices that have begun so long after their job was created."""
        if seconds < 0:
            return 0.0
        return 1 - math.exp(-seconds / self.begins_after) if self.begins_after else 1.0

    def begins_at(self, share: float) -> float:
        """Give the seconds after which a share of the devices, below 1, has begun."""
        return -self.begins_after * math.log1p(-share)

    def takes_at(self, share: float) -> float:
        """Give the seconds within which a share of the devices, above 0 and below 1, reports after it has begun."""
        return self.takes * math.exp(self.spread * _NORMAL.inv_cdf(share)) if self.spread else self.takes

    def reported(self, seconds: float) -> float:
        """Give the share of devices that have reported so long after their job was created."""
        # The mean over equally likely beginnings; an error below a percent, in an assumption.
        starts = (self.begins_at((point + 0.5) / _POINTS) for point in range(_POINTS))
        return sum(self._done(seconds - start) for start in starts) / _POINTS

    def _done(self, seconds: float) -> float:
        if seconds <= 0 or not self.spread:
            return float(seconds >= self.takes)
        return _NORMAL.cdf(math.log(seconds / self.takes) / self.spread)
