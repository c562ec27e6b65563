"""The trigger that waits for a set of jobs: when it fires, and what it fires of each job."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_tuya_ota.core.errors import InvalidParameterError
from airflow_provider_tuya_ota.core.status.job_set_wait import WaitedJob
from airflow_provider_tuya_ota.core.status.poll_scheduler import PollScheduler
from airflow_provider_tuya_ota.core.status.wait import WaitOptions
from airflow_provider_tuya_ota.polling import fallback, stopper
from airflow_provider_tuya_ota.triggers import job_set
from airflow_provider_tuya_ota.triggers.job import TuyaOTAJobTrigger
from airflow_provider_tuya_ota.triggers.job_set import TuyaOTAJobSetTrigger
from tests.emulator.plain_client import PlainClient, over_socket
from tests.provider.operators.test_verify_operator import FAILS, play
from tests.provider.triggers.fake_triggerer import Log

if TYPE_CHECKING:
    from tests.provider.conftest import Service


def options(seconds: float = 60.0, **more: Any) -> dict[str, Any]:
    deadline = datetime.now(UTC) + timedelta(seconds=seconds)
    return WaitOptions(deadline=deadline, poll_interval=0.1, **more).to_dict()


def upgrades(service: Service, *devices: str) -> list[str]:
    """Start a job on each of some devices."""
    client = PlainClient(over_socket(service.url))
    firmware_id = client.create_firmware(NeedToVerify="false")
    return [client.upgrade(firmware_id, device) for device in devices]


def trigger(*jobs: WaitedJob, **more: Any) -> TuyaOTAJobSetTrigger:
    described = [job.to_dict() for job in jobs]
    return TuyaOTAJobSetTrigger(
        **{"jobs": described, "tuya_ota_conn_id": "tuya_ota_default", "options": options()} | more
    )


async def fire(waiting: TuyaOTAJobSetTrigger) -> Any:
    # As a triggerer does: rebuilt from what it serialises.
    rebuilt = type(waiting)(**waiting.serialize()[1])
    (event,) = [event.payload async for event in rebuilt.run()]
    return event


@pytest.mark.parametrize(("ends", "second"), [("every_end", "success"), ("first_failure", "unfinished")])
async def test_its_rule_says_whether_a_failure_ends_the_wait_for_the_others(
    service: Service, ends: str, second: str
) -> None:
    play(service, device_001=FAILS, device_002={"flash_seconds": 600})
    failing, flashing = upgrades(service, "device-001", "device-002")

    event = await fire(trigger(WaitedJob(job_id=failing), WaitedJob(job_id=flashing), ends=ends))

    assert {job["job_id"]: job["status"] for job in event["jobs"]} == {failing: "failure", flashing: second}


async def test_only_what_is_the_task_s_own_is_stopped_when_the_time_is_over(service: Service) -> None:
    play(service, device_001={"outcome": "silent"}, device_002={"outcome": "silent"})
    own, followed = upgrades(service, "device-001", "device-002")

    event = await fire(
        trigger(WaitedJob(job_id=own, on_cancel="stop"), WaitedJob(job_id=followed), options=options(0.5))
    )

    jobs = {job["job_id"]: job for job in event["jobs"]}
    assert {job["status"] for job in jobs.values()} == {"timeout"}
    assert jobs[own]["stopped"].startswith(f"job {own}: 1 device tasks cancelled")
    assert "stopped" not in jobs[followed]
    assert {job["job_id"]: job["on_cancel"] for job in event["jobs"]} == {own: "stop", followed: "keep"}


async def test_what_the_operator_wants_back_comes_with_the_event(service: Service) -> None:
    play(service, device_001={})
    (job_id,) = upgrades(service, "device-001")

    event = await fire(trigger(WaitedJob(job_id=job_id), resume_state={"link": "https://example.com"}))

    assert event["resume_state"] == {"link": "https://example.com"}


async def test_a_job_without_a_device_that_was_named_does_not_succeed(service: Service) -> None:
    play(service, device_001={}, device_002={})
    (job_id,) = upgrades(service, "device-001")
    expected = ("device-001", "device-002")
    waiting = TuyaOTAJobTrigger(
        job_id=job_id, tuya_ota_conn_id="tuya_ota_default", options=options(1.5, expected=expected)
    )

    event = await fire(waiting)

    assert event["status"] == "timeout"
    assert event["verdict"]["counts"] == {"SUCCEEDED": 1}


async def test_a_job_that_cannot_be_stopped_in_time_is_left_to_the_worker(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = Log()
    monkeypatch.setattr(TuyaOTAJobSetTrigger, "log", log)
    monkeypatch.setattr(job_set, "LONGEST_STOP", 0.3)
    play(service, device_001={"outcome": "silent"})
    (job_id,) = upgrades(service, "device-001")
    service.emulator.faults.add({"action": "CancelOTATaskByJob", "kind": "redirect"})

    event = await fire(trigger(WaitedJob(job_id=job_id, on_cancel="stop"), options=options(0.3)))

    assert "stopped" not in event["jobs"][0]
    assert f"Stopping job {job_id}, because the time to wait is over" in log.lines
    assert log.lines[-1].endswith(f"Job {job_id} is not stopped yet; a worker tries again")


async def test_a_cancel_whose_effect_cannot_be_counted_in_time_is_not_said_to_be_missing(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = Log()
    monkeypatch.setattr(TuyaOTAJobSetTrigger, "log", log)
    monkeypatch.setattr(job_set, "LONGEST_STOP", 1.0)
    play(service, device_001={"outcome": "silent"})
    (job_id,) = upgrades(service, "device-001")
    # Only a count after a cancel asks for cancelled tasks.
    slow = {"action": "ListOTATaskByJob", "kind": "delay", "seconds": 5, "where": {"TaskStatus": "CANCELED"}}
    service.emulator.faults.add(slow)

    event = await fire(trigger(WaitedJob(job_id=job_id, on_cancel="stop"), options=options(0.3)))

    assert service.actions.count("CancelOTATaskByJob") == 1
    assert "stopped" not in event["jobs"][0]
    assert (
        log.lines[-1] == f"TimeoutError. The effect of the cancel of job {job_id} was not counted; a worker tries again"
    )


async def test_waits_without_a_shared_poller_poll_no_oftener_than_the_limit_lets_all_of_them(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> float:
        raise RuntimeError("a mistake of ours")

    monkeypatch.setattr(PollScheduler, "next", fail)
    monkeypatch.setattr(fallback, "interval_of_single_polls", lambda *_, **__: 30.0)
    play(service, device_001={"outcome": "silent"})
    (job_id,) = upgrades(service, "device-001")

    await fire(trigger(WaitedJob(job_id=job_id), options=options(1.5)))

    # Once at the beginning and once after the deadline.
    assert service.actions.count("ListOTATaskByJob") == 2


def test_a_rule_that_is_not_known_is_refused_before_anything_is_awaited() -> None:
    with pytest.raises(InvalidParameterError, match="there is no rule 'soon' to end a wait"):
        trigger(WaitedJob(job_id="1"), ends="soon")


async def test_without_a_connection_each_job_ends_in_an_error_and_the_log_names_each(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = Log()
    monkeypatch.setattr(TuyaOTAJobSetTrigger, "log", log)

    event = await fire(trigger(WaitedJob(job_id="1"), WaitedJob(job_id="2"), tuya_ota_conn_id="nowhere"))

    assert [job["error"]["kind"] for job in event["jobs"]] == ["ConfigurationError", "ConfigurationError"]
    assert all(any(f"job {job_id}" in line for line in log.lines) for job_id in ("1", "2"))


async def test_what_is_stopped_in_a_crowd_is_reported_although_nothing_was_counted(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stopper, "FEW", 0)
    play(service, device_001={"outcome": "silent"}, device_002={"outcome": "silent"})
    jobs = [WaitedJob(job_id=job_id, on_cancel="stop") for job_id in upgrades(service, "device-001", "device-002")]

    event = await fire(trigger(*jobs, options=options(0.3)))

    assert any("its cancel was sent" in job["stopped"] for job in event["jobs"])
