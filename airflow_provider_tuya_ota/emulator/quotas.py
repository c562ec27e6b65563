"""How often each operation may be asked for."""

from __future__ import annotations

from collections import defaultdict, deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from airflow_provider_tuya_ota.emulator.documents import Entry, read_table
from airflow_provider_tuya_ota.emulator.messages import GatewayError
from airflow_provider_tuya_ota.emulator.tables import ACTIONS

if TYPE_CHECKING:
    from airflow_provider_tuya_ota.emulator.clock import Clock

UPSTREAM_QUOTAS: Final[dict[str, int]] = dict.fromkeys(ACTIONS, 10) | {
    "CreateOTAStaticUpgradeJob": 20,
    "QueryOTAFirmware": 20,
    "ConfirmOTATask": 20,
    "CancelOTATaskByJob": 5,
    "BatchGetDeviceState": 50,
}
"""Requests per second and account; those of the Alibaba original, the vendor gives none."""
WINDOW: Final = 1.0
_ENTRIES: Final = {"enabled": Entry(bool)} | {name: Entry(int, 1, 100_000) for name in ACTIONS}


@dataclass(frozen=True, slots=True)
class Quotas:
    """What the account may ask for.

    :param enabled: whether anything is refused.
    :param figures: requests per second by operation.
    """

    enabled: bool = True
    figures: dict[str, int] = field(default_factory=lambda: dict(UPSTREAM_QUOTAS))

    def changed(self, values: dict[str, Any]) -> Quotas:
        """Set some of them.

        :raises ValueError: naming the operation and what is allowed.
        """
        known = read_table(values, "quotas", _ENTRIES)
        enabled = known.pop("enabled", self.enabled)
        return Quotas(enabled, self.figures | known)

    def as_dict(self) -> dict[str, Any]:
        """Give all of them."""
        return {"enabled": self.enabled} | self.figures


UNLIMITED: Final = Quotas(enabled=False)


class Meter:
    """Counts what was asked in the last second.

    :param clock: its gateway side is the time in which seconds are counted, however fast devices live.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._recent: defaultdict[str, deque[float]] = defaultdict(deque)

    def admit(self, action: str, quotas: Quotas) -> None:
        """Count a request.

        :raises GatewayError: the operation was asked for too often; the request does not count.
        """
        now, recent = self._clock.gateway(), self._recent[action]
        while recent and not now - WINDOW < recent[0] <= now:
            recent.popleft()
        if quotas.enabled and len(recent) >= quotas.figures[action]:
            raise GatewayError("Throttling.User", "Request was denied due to user flow control.")
        recent.append(now)

    def reset(self) -> None:
        """Forget what was asked."""
        self._recent.clear()
