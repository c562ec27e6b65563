"""The pytest fixture ``tuya_ota_emulator``: an emulator and an Airflow connection for each test.

pytest loads this in every project that has the package installed, so it imports nothing until the fixture is used.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_provider_tuya_ota.emulator.emulator import Emulator
    from airflow_provider_tuya_ota.emulator.faults.fault import Fault

SPEED = 300.0
"""Seconds of device time per second in tests: five minutes pass in a second."""


class RunningEmulator:
    """An emulator that answers on a port of this machine.

    :param emulator: the emulator itself; ``.world`` has firmware and jobs, ``.log`` the requests.
    :param url: its address.
    :param monkeypatch: removes the connections after the test.
    """

    def __init__(self, emulator: Emulator, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
        self.emulator = emulator
        self.url = url
        self._monkeypatch = monkeypatch

    def connect(self, conn_id: str = "tuya_ota_default", **changes: Any) -> None:
        """Create an Airflow connection to the emulator, with these fields changed."""
        fields: dict[str, Any] = {
            "conn_type": "tuya_ota",
            "host": self.url,
            "login": self.emulator.key.access_key_id,
            "password": self.emulator.key.access_key_secret,
            "extra": {"requests_per_second": 1000},
        }
        self._monkeypatch.setenv(f"AIRFLOW_CONN_{conn_id.upper()}", json.dumps(fields | changes))

    def seed(self, document: dict[str, Any]) -> None:
        """Start again with a scenario; docs/emulator.md describes its form.

        Rate limits apply only if the scenario has a table ``quotas``, so that a test may send requests at any rate.

        :raises ValueError: a value is wrong; the message says which and what is allowed.
        """
        from airflow_provider_tuya_ota.emulator.scenario import read  # noqa: PLC0415 - pytest loads this module in every project, and most tests use no emulator

        self.emulator.reset(read({"quotas": {"enabled": False}} | document))

    def script(self, device: str, *, product_key: str = "k1demoproduct", **values: Any) -> None:
        """Start again with one device that behaves so, e.g. ``outcome="fails", step=-4``."""
        self.seed({"products": [{"product_key": product_key, "device": {device: values}}]})

    def fault(self, action: str, kind: str, **values: Any) -> Fault:
        """Set a fault, e.g. ``fault("CreateOTAVerifyJob", "drop_after", nth=1)``."""
        return self.emulator.faults.add({"action": action, "kind": kind, **values})

    def advance(self, seconds: float) -> None:
        """Advance the device time."""
        self.emulator.clock.advance(seconds)

    @property
    def actions(self) -> list[str]:
        """Names of the operations that were called, in order."""
        return [entry["action"] for entry in self.emulator.log]


@pytest.fixture
def tuya_ota_emulator(monkeypatch: pytest.MonkeyPatch) -> Iterator[RunningEmulator]:
    """Start a new emulator with the connection ``tuya_ota_default`` to it, and stop it afterwards.

    The grace periods in which a task waits for the platform's lists are shorter by the same factor as device time.
    """
    from airflow_provider_tuya_ota.core.flows import eventually as appearing  # noqa: PLC0415 - pytest loads this module in every project, and most tests use no emulator
    from airflow_provider_tuya_ota.core.jobs import search as job_search  # noqa: PLC0415 - pytest loads this module in every project, and most tests use no emulator
    from airflow_provider_tuya_ota.emulator.clock import Clock  # noqa: PLC0415 - pytest loads this module in every project, and most tests use no emulator
    from airflow_provider_tuya_ota.emulator.emulator import Emulator  # noqa: PLC0415 - pytest loads this module in every project, and most tests use no emulator
    from airflow_provider_tuya_ota.emulator.server import EmulatorServer  # noqa: PLC0415 - pytest loads this module in every project, and most tests use no emulator

    monkeypatch.setattr(appearing, "GRACE_PAUSES", tuple(seconds / SPEED for seconds in appearing.GRACE_PAUSES))
    monkeypatch.setattr(job_search, "LISTED_WITHIN", job_search.LISTED_WITHIN / SPEED)
    with EmulatorServer(Emulator(clock=Clock(speed=SPEED))) as server:
        running = RunningEmulator(server.emulator, server.url, monkeypatch)
        running.seed({})
        running.connect()
        yield running
