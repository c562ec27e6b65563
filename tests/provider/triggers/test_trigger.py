from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from inspect import signature
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from airflow.sdk.serde import deserialize, serialize

from airflow_provider_tuya_ota.core.status.poll_scheduler import PollScheduler
from airflow_provider_tuya_ota.core.status.wait import WaitOptions
from airflow_provider_tuya_ota.triggers.job import TuyaOTAJobTrigger
from tests.emulator.plain_client import PlainClient, over_socket

if TYPE_CHECKING:
    from tests.provider.conftest import Service

GOLDEN = Path(__file__).parent / "golden"
OPTIONS = WaitOptions(deadline=datetime(2026, 1, 1, tzinfo=UTC), poll_interval=5.0).to_dict()


def trigger(**changes: Any) -> TuyaOTAJobTrigger:
    arguments: dict[str, Any] = {"job_id": "1", "tuya_ota_conn_id": "tuya_ota_default", "options": OPTIONS}
    return TuyaOTAJobTrigger(**arguments | changes)


async def fire(watching: TuyaOTAJobTrigger) -> list[Any]:
    return [event.payload async for event in watching.run()]


def test_it_is_rebuilt_from_what_it_serialises() -> None:
    path, kwargs = trigger().serialize()

    assert path == "airflow_provider_tuya_ota.triggers.job.TuyaOTAJobTrigger"
    assert set(kwargs) == set(signature(TuyaOTAJobTrigger.__init__).parameters) - {"self"}
    stored: Any = deserialize(json.loads(json.dumps(serialize(kwargs))))
    assert TuyaOTAJobTrigger(**stored).serialize() == (path, kwargs)


@pytest.mark.parametrize(
    ("form", "on_cancel", "firmware_id"),
    [(1, "keep", ""), (2, "stop", ""), (3, "stop", "178"), (4, "stop", "178"), (5, "stop", "178")],
)
def test_every_form_that_was_ever_stored_still_resumes(form: int, on_cancel: str, firmware_id: str) -> None:
    stored = json.loads((GOLDEN / f"job_trigger_{form}.json").read_text(encoding="utf-8"))

    waiting = TuyaOTAJobTrigger(**stored)
    rebuilt = waiting.serialize()[1]

    assert rebuilt == {"queried": None} | stored | {"on_cancel": on_cancel, "firmware_id": firmware_id}
    how = WaitOptions.from_dict(stored["options"] | {"added_later": 1})
    assert (how.poll_interval, how.expected) == (15.0, ("device-001", "device-002") if form >= 4 else ())
    assert (waiting.job.expected, waiting.job.is_known) == (how.expected, bool(stored["resume_state"]))


def test_the_newest_stored_form_is_the_one_that_is_written_today() -> None:
    newest = max(GOLDEN.glob("job_trigger_*.json"))

    stored = json.loads(newest.read_text(encoding="utf-8"))
    assert set(stored) == set(trigger().serialize()[1])
    assert set(stored["options"]) == set(OPTIONS)


def test_no_secret_is_part_of_it(service: Service) -> None:
    assert service.emulator.key.access_key_secret not in str(trigger().serialize())


async def test_a_missing_job_is_one_error_event(service: Service) -> None:
    deadline = datetime.now(UTC) + timedelta(seconds=5)
    (event,) = await fire(trigger(options=WaitOptions(deadline=deadline).to_dict()))

    assert (event["status"], event["verdict"]) == ("error", None)
    assert event["message"].startswith("QueryOTAJob was refused: iot.firmware.InvalidOTAJobId")
    assert event["error"]["kind"] == "NotFoundError"
    assert service.actions == ["QueryOTAJob"]


async def test_a_deadline_in_the_past_still_has_one_last_poll(service: Service) -> None:
    service.emulator.faults.add({"action": "*", "kind": "redirect"})

    (event,) = await fire(trigger())

    assert event["status"] == "timeout"
    assert service.actions == ["QueryOTAJob"]


async def test_a_wait_polls_by_itself_where_the_shared_poller_fails(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(scheduler: PollScheduler, now: float) -> float:
        raise RuntimeError("a mistake of ours")

    monkeypatch.setattr(PollScheduler, "next", fail)
    plain_client = PlainClient(over_socket(service.url))
    job_id = plain_client.upgrade(plain_client.create_firmware(NeedToVerify="false"), "device-001")
    options = WaitOptions(deadline=datetime.now(UTC) + timedelta(minutes=1), poll_interval=0.1).to_dict()

    (event,) = await fire(trigger(job_id=job_id, options=options))

    assert (event["status"], event["verdict"]["counts"]) == ("success", {"SUCCEEDED": 1})
    assert "QueryOTAJob" in service.actions


async def test_stopping_the_triggerer_cancels_nothing_and_closes_its_connections(service: Service) -> None:
    service.emulator.faults.add({"action": "*", "kind": "status"})
    deadline = datetime.now(UTC) + timedelta(hours=1)
    running = asyncio.create_task(fire(trigger(options=WaitOptions(deadline=deadline).to_dict())))
    while not service.actions:  # noqa: ASYNC110 - the emulator runs in another thread and knows no event of this loop
        await asyncio.sleep(0.01)

    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running

    assert "CancelOTATaskByJob" not in service.actions
