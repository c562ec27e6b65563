from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from airflow_provider_tuya_ota.core import actions
from airflow_provider_tuya_ota.core.flows.calls import call
from airflow_provider_tuya_ota.core.model.verdict import Outcome
from airflow_provider_tuya_ota.core.status.task_snapshot import SAMPLE
from airflow_provider_tuya_ota.core.status.wait import WaitOptions
from airflow_provider_tuya_ota.core.upload import ensure_firmware
from airflow_provider_tuya_ota.emulator.clock import Clock
from airflow_provider_tuya_ota.emulator.emulator import Emulator
from airflow_provider_tuya_ota.emulator.scenario import read
from tests.contract.release import FILE, FIRMWARE, PRODUCT, WAIT_OPTIONS
from tests.contract.worlds import Meeting, VirtualWorld
from tests.core.one_job import wait_for_job

if TYPE_CHECKING:
    from airflow_provider_tuya_ota.core.flows.effects import Flow
    from airflow_provider_tuya_ota.core.model.verdict import Verdict
    from airflow_provider_tuya_ota.core.settings import Settings

DEVICES = 100_000
MOST_REQUESTS = 9
"""For a poll of a job, however many devices it has."""


@pytest.mark.parametrize("failing", [0.0, 0.02])
def test_a_job_of_a_hundred_thousand_devices_is_watched_with_nine_requests_a_poll(failing: float) -> None:
    world = VirtualWorld()
    scenario = read(
        {
            "quotas": {"enabled": False},
            "products": [
                {
                    "devices": DEVICES,
                    "fails": [{"share": failing, "step": -4}],
                    "flash": {"distribution": "lognormal", "seconds": 300, "spread": 0.5},
                }
            ],
        }
    )
    emulator = Emulator(scenario=scenario, clock=Clock(world))

    def release(settings: Settings) -> Flow[tuple[Verdict, int, int]]:
        action = actions.CreateOTAFirmware(
            **{name: getattr(FIRMWARE, name) for name in FIRMWARE.__slots__} | {"need_to_verify": False}
        )
        firmware = yield from ensure_firmware(settings, action, FILE)
        created = yield from call(
            settings,
            actions.CreateOTAStaticUpgradeJob(
                firmware_id=firmware.firmware_id, product_key=PRODUCT, target_selection="ALL"
            ),
        )
        before = world.now, len(emulator.log)
        options = WaitOptions(deadline=WAIT_OPTIONS.deadline, poll_interval=60.0)
        verdict: Verdict = yield from wait_for_job(settings, created.entity_id or "", options)
        polls = sum(entry["parameters"].get("TaskStatus") == "CONFIRM" for entry in list(emulator.log)[before[1] :])
        return verdict, polls, len(emulator.log) - before[1]

    verdict, polls, requests = Meeting(emulator, world).in_memory(release)

    lost = round(DEVICES * failing)
    assert verdict.outcome is (Outcome.FAILED if lost else Outcome.SUCCEEDED)
    assert sum(verdict.counts.values()) == DEVICES
    assert verdict.counts.get("FAILED", 0) == lost
    # The reasons are those of the fifty that were read, and say so.
    assert verdict.failure_reasons.unread == max(0, lost - SAMPLE)
    assert sum(one.number for one in verdict.failure_reasons.most_frequent) == min(lost, SAMPLE)
    assert polls > 5
    # Finding out that the job is large costs one more.
    assert requests <= MOST_REQUESTS * polls + 1
