"""A stop of a job whose device tasks the emulator plans in parts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from airflow_provider_tuya_ota.core import actions
from airflow_provider_tuya_ota.core.jobs.stop import stop_job
from airflow_provider_tuya_ota.core.jobs.stopped import Stopped
from airflow_provider_tuya_ota.core.jobs.upgrade import start_upgrade
from airflow_provider_tuya_ota.core.upload import ensure_firmware
from airflow_provider_tuya_ota.emulator.clock import Clock
from airflow_provider_tuya_ota.emulator.emulator import Emulator
from airflow_provider_tuya_ota.emulator.scenario import read
from tests.contract.release import FILE, FIRMWARE, PRODUCT
from tests.contract.worlds import Meeting, VirtualWorld

if TYPE_CHECKING:
    from airflow_provider_tuya_ota.core.flows.effects import Flow
    from airflow_provider_tuya_ota.core.jobs.stopped import StopResult
    from airflow_provider_tuya_ota.core.settings import Settings

NO_VERIFICATION = {name: getattr(FIRMWARE, name) for name in FIRMWARE.__slots__} | {"need_to_verify": False}


@pytest.mark.parametrize("planned_cancel", ["whole_job", "nothing"])
@pytest.mark.parametrize("task_delay", [0.0, 2.0])
def test_no_part_of_a_stopped_job_is_flashed(planned_cancel: str, task_delay: float) -> None:
    # Silent devices are notified and do not begin, so that each part can be cancelled.
    scenario = read({"products": [{"devices": 5, "silent": 1.0}], "quotas": {"enabled": False}})
    time = VirtualWorld()
    emulator = Emulator(scenario=scenario, clock=Clock(time))
    world = emulator.world
    world.quirks = world.quirks.changed(
        {"planning": "in_parts", "planned_cancel": planned_cancel, "task_delay": task_delay}
    )

    def release(settings: Settings) -> Flow[StopResult]:
        firmware = yield from ensure_firmware(settings, actions.CreateOTAFirmware(**NO_VERIFICATION), FILE)
        upgrade = actions.CreateOTAStaticUpgradeJob(
            firmware_id=firmware.firmware_id, product_key=PRODUCT, target_selection="ALL"
        )
        job = yield from start_upgrade(settings, upgrade)
        return (yield from stop_job(settings, job.job_id))

    stopped = Meeting(emulator, time).in_memory(release)
    time.sleep(600)
    world.engine.run()

    (job,) = world.engine.jobs.values()
    assert stopped.is_complete
    assert job.status == "CANCELED"
    assert {task.status for task in job.tasks} <= {"CANCELED"}
    assert stopped == Stopped(cancelled=len(job.tasks), waiting=0, flashing=0)
