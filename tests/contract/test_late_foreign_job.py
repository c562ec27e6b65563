"""Another program's job that a list shows late, at a platform that accepts a create and names no job."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from airflow_provider_tuya_ota.core.actions import CreateOTAStaticUpgradeJob
from airflow_provider_tuya_ota.core.errors import AmbiguousOutcomeError
from airflow_provider_tuya_ota.core.jobs.tracked_job import JobOrigin
from airflow_provider_tuya_ota.core.jobs.upgrade import start_upgrade
from airflow_provider_tuya_ota.emulator.clock import Clock
from airflow_provider_tuya_ota.emulator.emulator import Emulator
from airflow_provider_tuya_ota.emulator.scenario import read
from tests.contract.worlds import Meeting, VirtualWorld
from tests.emulator.plain_client import PlainClient, in_memory

if TYPE_CHECKING:
    from airflow_provider_tuya_ota.core.jobs.tracked_job import TrackedJob

DEVICES = ["device-001", "device-002"]


class Platform:
    """A platform whose lists lag, on which another program has just created the same upgrade."""

    def __init__(self, quirks: dict[str, str], *, foreign: list[str]) -> None:
        self.world = VirtualWorld()
        silent = {"quotas": {"enabled": False}, "products": [{"silent": 1.0, "devices": 3}]}
        self.emulator = Emulator(scenario=read(silent), clock=Clock(self.world))
        self.client = PlainClient(in_memory(self.emulator), now=self.world)
        self.firmware_id = self.client.create_firmware(NeedToVerify="false")
        self.world.now += 60
        self.foreign = self.client.upgrade(self.firmware_id, *foreign)
        given = self.emulator.world.quirks
        self.emulator.world.quirks = given.changed({"list_delay": 5.0, "task_list_delay": 5.0} | quirks)

    def start(self) -> TrackedJob:
        action = CreateOTAStaticUpgradeJob(
            firmware_id=self.firmware_id,
            product_key="k1demoproduct",
            target_selection="SPECIFIC",
            target_device_name=DEVICES,
        )
        return Meeting(self.emulator, self.world).in_memory(lambda where: start_upgrade(where, action))


@pytest.mark.parametrize(
    ("job_id", "origin"), [("absent", JobOrigin.FOUND), ("jobId", JobOrigin.CREATED), ("firmwareId", JobOrigin.CREATED)]
)
def test_a_running_job_is_the_task_s_own_only_where_the_answer_names_it(job_id: str, origin: JobOrigin) -> None:
    platform = Platform({"equal_upgrade": "running_job", "job_id": job_id}, foreign=DEVICES)

    found = platform.start()

    assert (found.job_id, found.origin) == (platform.foreign, origin)
    assert found.waited_for(on_cancel="stop", expected=()).on_cancel == ("stop" if found.is_own else "keep")
    assert list(platform.emulator.world.engine.jobs) == [platform.foreign]


def test_where_two_jobs_may_be_the_accepted_one_neither_is_taken() -> None:
    platform = Platform({"job_id": "absent"}, foreign=DEVICES)

    with pytest.raises(AmbiguousOutcomeError, match="2 jobs"):
        platform.start()
