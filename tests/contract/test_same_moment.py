from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from airflow_provider_tuya_ota.client import TuyaOTAClient
from airflow_provider_tuya_ota.core.actions import CreateOTAStaticUpgradeJob
from airflow_provider_tuya_ota.core.errors import AlreadyUnderWayError
from airflow_provider_tuya_ota.core.jobs.upgrade import start_upgrade
from airflow_provider_tuya_ota.emulator.emulator import Emulator
from airflow_provider_tuya_ota.emulator.scenario import read
from airflow_provider_tuya_ota.emulator.server import EmulatorServer
from airflow_provider_tuya_ota.transports.requests_transport import RequestsTransport
from tests.contract.worlds import Quiet, settings
from tests.emulator.plain_client import PlainClient, over_socket

if TYPE_CHECKING:
    from airflow_provider_tuya_ota.core.wire.http import Request, Response


class Together(RequestsTransport):
    """Creates only when the other one does."""

    barrier: threading.Barrier

    def send(self, request: Request) -> Response:
        if "Action=CreateOTAStaticUpgradeJob" in request.url:
            self.barrier.wait(10)
            answer = super().send(request)
            self.barrier.wait(10)
            return answer
        return super().send(request)


@pytest.mark.parametrize("selection", ["ALL", "SPECIFIC"])
def test_of_two_runs_that_create_the_same_at_the_same_moment_one_does_and_the_other_names_it(selection: str) -> None:
    emulator = Emulator(scenario=read({"quotas": {"enabled": False}, "products": [{"silent": 1.0, "devices": 5}]}))
    devices = ["device-001", "device-002"] if selection == "SPECIFIC" else None

    with EmulatorServer(emulator) as server:
        firmware_id = PlainClient(over_socket(server.url)).create_firmware(NeedToVerify="false")
        action = CreateOTAStaticUpgradeJob(
            firmware_id=firmware_id,
            product_key="k1demoproduct",
            target_selection=selection,
            target_device_name=devices,
        )
        where = settings(server.url)
        Together.barrier = threading.Barrier(2)

        def run(_: int) -> str | AlreadyUnderWayError:
            with TuyaOTAClient(where, transport=Together(where), listener=Quiet()) as client:
                try:
                    return client.run(start_upgrade(where, action)).job_id
                except AlreadyUnderWayError as error:
                    return error

        with ThreadPoolExecutor(2) as pool:
            results = list(pool.map(run, range(2)))

    (job_id,) = [result for result in results if isinstance(result, str)]
    (error,) = [result for result in results if isinstance(result, AlreadyUnderWayError)]
    assert f"job {job_id}, created at" in str(error)
    first, second = emulator.world.engine.jobs.values()
    assert first.job_id == job_id
    assert {task.status for task in first.tasks} <= {"QUEUED", "NOTIFIED"}
    assert {task.status for task in second.tasks} == {"FAILED"}
