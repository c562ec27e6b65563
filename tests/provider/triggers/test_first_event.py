"""An event that comes while Airflow still records the deferral makes it fail the task."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_tuya_ota.core.status.conditions import FirmwareCondition, describe_condition
from airflow_provider_tuya_ota.core.status.wait import WaitOptions
from airflow_provider_tuya_ota.triggers import first_event
from airflow_provider_tuya_ota.triggers.condition import TuyaOTAConditionTrigger
from airflow_provider_tuya_ota.triggers.job import TuyaOTAJobTrigger
from tests.emulator.plain_client import PlainClient, over_socket

if TYPE_CHECKING:
    from tests.provider.conftest import Service

HELD = 1.0
AS_SHIPPED = first_event.EARLIEST
"""Read before the fixture of these tests sets it to 0."""


def test_an_event_is_held_for_several_loops_of_a_busy_scheduler() -> None:
    assert AS_SHIPPED == 10.0


@pytest.mark.parametrize("kind", ["job", "condition"])
async def test_a_wait_that_ends_at_once_fires_later_and_one_that_lasts_does_not(
    service: Service, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setattr(first_event, "EARLIEST", HELD)
    plain_client = PlainClient(over_socket(service.url))
    firmware_id = plain_client.create_firmware(NeedToVerify="false")
    deadline = datetime.now(UTC) + timedelta(seconds=60)
    trigger: Any
    if kind == "job":
        options = WaitOptions(deadline=deadline, poll_interval=0.05, expected=("device-001",)).to_dict()
        job = plain_client.upgrade(firmware_id, "device-001")
        trigger = TuyaOTAJobTrigger(job_id=job, tuya_ota_conn_id="tuya_ota_default", options=options)
    else:
        condition = FirmwareCondition(firmware_id=firmware_id, statuses=["NOT_NEEDED"], failing_statuses=["FAILED"])
        trigger = TuyaOTAConditionTrigger(
            condition=describe_condition(condition),
            deadline=deadline.isoformat(),
            poll_interval=0.05,
            tuya_ota_conn_id="tuya_ota_default",
        )
    begun = asyncio.get_running_loop().time()

    (event,) = [event.payload async for event in trigger.run()]

    assert event["status"] == ("met" if kind == "condition" else "success")
    assert asyncio.get_running_loop().time() - begun >= HELD


async def test_a_trigger_that_has_lasted_long_enough_is_not_held(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    may_fire, later = first_event.FirstEvent(), first_event.FirstEvent()
    later._at += 5.0

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    monkeypatch.setattr(asyncio, "sleep", sleep)
    await may_fire.wait()
    await later.wait()

    assert slept[0] == 0.0
    assert 4.0 < slept[1] <= 5.0
