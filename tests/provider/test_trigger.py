from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from inspect import signature
from typing import TYPE_CHECKING, Any

import pytest
from airflow.sdk.serde import deserialize, serialize

from airflow_provider_tuya_ota.core.watching import Patience
from airflow_provider_tuya_ota.triggers.job import TuyaOTAJobTrigger

if TYPE_CHECKING:
    from tests.provider.conftest import Service

PATIENCE = Patience(deadline=datetime(2026, 1, 1, tzinfo=UTC), poll_interval=5.0).to_dict()


def trigger(**changes: Any) -> TuyaOTAJobTrigger:
    arguments: dict[str, Any] = {"job_id": "1", "tuya_ota_conn_id": "tuya_ota_default", "patience": PATIENCE}
    return TuyaOTAJobTrigger(**arguments | changes)


async def fire(watching: TuyaOTAJobTrigger) -> list[Any]:
    return [event.payload async for event in watching.run()]


def test_it_is_rebuilt_from_what_it_serialises() -> None:
    path, kwargs = trigger().serialize()

    assert path == "airflow_provider_tuya_ota.triggers.job.TuyaOTAJobTrigger"
    assert set(kwargs) == set(signature(TuyaOTAJobTrigger.__init__).parameters) - {"self"}
    stored: Any = deserialize(json.loads(json.dumps(serialize(kwargs))))
    assert TuyaOTAJobTrigger(**stored).serialize() == (path, kwargs)


def test_the_form_released_as_0_1_0_still_resumes() -> None:
    released: dict[str, Any] = {
        "job_id": "1836340779212660001",
        "tuya_ota_conn_id": "tuya_ota_default",
        "patience": {
            "deadline": "2026-11-24T09:00:00+00:00",
            "poll_interval": 15.0,
            "poll_error_tolerance": 900.0,
            "settle_time": 300.0,
        },
        "carry": {"started_at": "2026-11-23T09:00:00+00:00", "link": "https://console.example/"},
    }

    assert TuyaOTAJobTrigger(**released).serialize()[1] == released
    assert Patience.from_dict(released["patience"] | {"added_later": 1}).poll_interval == 15.0


def test_no_secret_is_part_of_it(service: Service) -> None:
    assert service.emulator.key.access_key_secret not in str(trigger().serialize())


async def test_a_missing_job_is_one_error_event(service: Service) -> None:
    deadline = datetime.now(UTC) + timedelta(seconds=5)
    (event,) = await fire(trigger(patience=Patience(deadline=deadline).to_dict()))

    assert (event["status"], event["verdict"]) == ("error", None)
    assert event["message"].startswith("QueryOTAJob was refused: iot.firmware.InvalidOTAJobId")
    assert event["error"]["kind"] == "NotFoundError"
    assert service.actions == ["QueryOTAJob"]


async def test_a_deadline_in_the_past_still_has_one_last_look(service: Service) -> None:
    service.emulator.faults.add({"action": "*", "kind": "garbage"})

    (event,) = await fire(trigger())

    assert event["status"] == "timeout"
    assert service.actions == ["QueryOTAJob"]


async def test_stopping_the_triggerer_cancels_nothing_and_closes_its_connections(service: Service) -> None:
    service.emulator.faults.add({"action": "*", "kind": "status"})
    deadline = datetime.now(UTC) + timedelta(hours=1)
    running = asyncio.create_task(fire(trigger(patience=Patience(deadline=deadline).to_dict())))
    while not service.actions:  # noqa: ASYNC110 - the emulator runs in another thread and knows no event of this loop
        await asyncio.sleep(0.01)

    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running

    assert "CancelOTATaskByJob" not in service.actions
