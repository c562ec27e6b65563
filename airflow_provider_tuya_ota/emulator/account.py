"""One account of a service instance: everything that exists in it."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, Final

from airflow_provider_tuya_ota.emulator.clock import Clock
from airflow_provider_tuya_ota.emulator.faults.active import Faults
from airflow_provider_tuya_ota.emulator.gateway.check import AccessKey, Gateway
from airflow_provider_tuya_ota.emulator.scenario import Scenario
from airflow_provider_tuya_ota.emulator.simulation.world import World

if TYPE_CHECKING:
    from airflow_provider_tuya_ota.emulator.recorder import Recorder

DEFAULT_KEY: Final = AccessKey("demo-access-key-id", "demo-access-key-secret")
MOST_LOGGED: Final = 10_000
"""Requests that the log keeps."""


class Account:
    """All that an emulated account holds: its world, its clocks, its key pair, the active faults and the request log.

    :param key: the accepted key pair.
    :param scenario: what exists at the beginning and after a reset.
    :param clock: both clocks.
    """

    def __init__(
        self,
        key: AccessKey = DEFAULT_KEY,
        scenario: Scenario | None = None,
        clock: Clock | None = None,
    ) -> None:
        self.key = key
        self.clock = clock or Clock()
        self.faults: Faults = Faults(self.clock)
        self.log: deque[dict[str, Any]] = deque(maxlen=MOST_LOGGED)
        self._scenario = scenario or Scenario()
        self.gateway = Gateway(key, self.clock)
        self.recorder: Recorder | None = None
        self.world: World = World(self._scenario, self.clock)

    def reset(self, scenario: Scenario | None = None) -> None:
        """Begin again, with another scenario if one is given; clears faults and log, and keeps the clock."""
        self._scenario = scenario or self._scenario
        self.faults.clear()
        self.log.clear()
        self.gateway.reset()
        self.world = World(self._scenario, self.clock)
