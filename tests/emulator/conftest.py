from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from airflow_provider_tuya_ota.emulator.clock import Clock
from airflow_provider_tuya_ota.emulator.emulator import Emulator
from airflow_provider_tuya_ota.emulator.gateway.quotas import UNLIMITED
from airflow_provider_tuya_ota.emulator.scenario import Scenario
from airflow_provider_tuya_ota.emulator.server import EmulatorServer
from tests.emulator.plain_client import PlainClient, in_memory, over_socket

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def emulator() -> Emulator:
    clock = Clock()
    clock.freeze(frozen=True)
    return Emulator(scenario=Scenario(quotas=UNLIMITED), clock=clock)


@pytest.fixture(params=["memory", "socket"])
def client(request: pytest.FixtureRequest, emulator: Emulator) -> Iterator[PlainClient]:
    if request.param == "memory":
        yield PlainClient(in_memory(emulator))
    else:
        with EmulatorServer(emulator) as server:
            yield PlainClient(over_socket(server.url))
