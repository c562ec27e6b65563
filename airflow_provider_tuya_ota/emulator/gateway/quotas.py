"""Limits on the calls of each operation per second."""

from __future__ import annotations

from collections import defaultdict, deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from airflow_provider_tuya_ota.emulator.documents import Entry, read_table
from airflow_provider_tuya_ota.emulator.gateway.tables import ACTIONS
from airflow_provider_tuya_ota.emulator.messages import GatewayError

if TYPE_CHECKING:
    from airflow_provider_tuya_ota.emulator.clock import Clock

UPSTREAM_QUOTAS: Final[dict[str, int]] = dict.fromkeys(ACTIONS, 10) | {
    "CreateOTAStaticUpgradeJob": 20,
    "QueryOTAFirmware": 20,
    "ConfirmOTATask": 20,
    "CancelOTATaskByJob": 5,
    "BatchGetDeviceState": 50,
}
"""Calls per second and account of Alibaba Cloud IoT (upstream API); the vendor publishes none."""
WINDOW: Final = 1.0
_ENTRIES: Final = {"enabled": Entry(bool)} | {name: Entry(int, 1, 100_000) for name in ACTIONS}


@dataclass(frozen=True, slots=True)
class Quotas:
    """The limits of the account.

    :param enabled: whether calls beyond the limits are refused.
    :param figures: calls per second by operation.
    """

    enabled: bool = True
    figures: dict[str, int] = field(default_factory=lambda: dict(UPSTREAM_QUOTAS))

    def changed(self, values: dict[str, Any]) -> Quotas:
        """Set some of them.

        :raises ValueError: an operation or a limit is wrong; the message says what is allowed.
        """
        known = read_table(values, "quotas", _ENTRIES)
        enabled = known.pop("enabled", self.enabled)
        return Quotas(enabled, self.figures | known)

    def as_dict(self) -> dict[str, Any]:
        """Give all of them."""
        return {"enabled": self.enabled} | self.figures


UNLIMITED: Final = Quotas(enabled=False)


class Meter:
    """Counts the calls of the last second.

    :param clock: seconds are counted in its gateway time, whatever the speed of device time.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._recent: defaultdict[str, deque[float]] = defaultdict(deque)

    def admit(self, action: str, quotas: Quotas) -> None:
        """Count a request.

        :raises GatewayError: the limit is reached; this request does not count.
        """
        now, recent = self._clock.gateway(), self._recent[action]
        while recent and not now - WINDOW < recent[0] <= now:
            recent.popleft()
        if quotas.enabled and len(recent) >= quotas.figures[action]:
            raise GatewayError("Throttling.User", "Request was denied due to user flow control.")
        recent.append(now)

    def reset(self) -> None:
        """Forget the counted calls."""
        self._recent.clear()
