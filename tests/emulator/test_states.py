from __future__ import annotations

import time
from typing import Any

import pytest

from airflow_provider_tuya_ota.emulator.clock import Clock
from airflow_provider_tuya_ota.emulator.emulator import Emulator
from airflow_provider_tuya_ota.emulator.simulation.jobs import TRANSITIONS
from tests.emulator.plain_client import PlainClient, in_memory

ONE, TWO = "device-001", "device-002"


def test_a_device_walks_through_the_documented_states(client: PlainClient) -> None:
    job = client.verify(client.create_firmware(), ONE)
    seen: list[str] = []
    for _ in range(100):
        status = client.tasks(job)[ONE]["taskStatus"]
        if not seen or seen[-1] != status:
            seen.append(status)
        client.advance(0.4)

    assert seen == ["QUEUED", "NOTIFIED", "IN_PROGRESS", "SUCCEEDED"]


def test_a_firmware_is_verified_when_every_device_succeeded(client: PlainClient) -> None:
    firmware_id = client.create_firmware()
    assert client.firmware_status(firmware_id) == 0
    job = client.verify(firmware_id, ONE, TWO)
    assert (client.firmware_status(firmware_id), client.job_status(job)) == (2, "IN_PROGRESS")

    client.advance(60)

    assert (client.firmware_status(firmware_id), client.job_status(job)) == (1, "COMPLETED")


@pytest.mark.parametrize("step", [-1, -2, -3, -4])
def test_a_firmware_fails_when_one_device_does_and_the_job_is_completed_all_the_same(
    client: PlainClient, step: int
) -> None:
    client.script(TWO, outcome="fails", step=step, at_progress=60, reason="no room")
    firmware_id = client.create_firmware()
    job = client.verify(firmware_id, ONE, TWO)

    client.advance(60)

    task = client.tasks(job)[TWO]
    assert (task["taskStatus"], task["progress"], task["taskDesc"]) == ("FAILED", "60", f"step {step}: no room")
    assert (client.firmware_status(firmware_id), client.job_status(job)) == (3, "COMPLETED")


def test_progress_100_without_a_version_report_is_no_success(client: PlainClient) -> None:
    job = client.verify(client.create_firmware(), ONE)
    while client.tasks(job)[ONE].get("progress") != "100":
        client.advance(0.3)

    assert client.tasks(job)[ONE]["taskStatus"] == "IN_PROGRESS"


def test_a_device_that_reports_another_version_fails(client: PlainClient) -> None:
    client.script(ONE, outcome="wrong_version", reports="9.9.9")
    job = client.verify(client.create_firmware(), ONE)

    client.advance(60)

    task = client.tasks(job)[ONE]
    assert (task["taskStatus"], task["taskDesc"]) == ("FAILED", "report version is not conform")


def test_an_offline_device_stays_queued_until_it_is_back(client: PlainClient) -> None:
    client.script(ONE, online=False)
    job = client.verify(client.create_firmware(), ONE)
    client.advance(86400)
    assert client.tasks(job)[ONE]["taskStatus"] == "QUEUED"

    client.script(ONE, online=True)
    client.advance(60)

    assert client.tasks(job)[ONE]["taskStatus"] == "SUCCEEDED"


def test_a_silent_device_stays_notified_whatever_the_timeout(client: PlainClient) -> None:
    client.script(ONE, outcome="silent")
    job = client.verify(client.create_firmware(), ONE, TimeoutInMinutes="1")

    client.advance(86400)

    assert client.tasks(job)[ONE]["taskStatus"] == "NOTIFIED"


def test_the_timeout_counts_from_the_first_progress_report(client: PlainClient) -> None:
    client.script(ONE, flash_seconds=3600)
    job = client.verify(client.create_firmware(), ONE, TimeoutInMinutes="5")
    client.advance(299)
    assert client.tasks(job)[ONE]["taskStatus"] == "IN_PROGRESS"

    client.advance(10)

    task = client.tasks(job)[ONE]
    assert (task["taskStatus"], task["taskDesc"]) == ("FAILED", "timeout")


def test_the_timeout_runs_on_while_the_device_is_away(client: PlainClient) -> None:
    client.script(ONE, flash_seconds=3600)
    job = client.verify(client.create_firmware(), ONE, TimeoutInMinutes="5")
    client.advance(10)
    client.script(ONE, online=False)

    client.advance(301)

    assert client.tasks(job)[ONE]["taskDesc"] == "timeout"


def test_a_device_that_needs_confirmation_waits_for_it(client: PlainClient) -> None:
    job = client.verify(client.create_firmware(), ONE, NeedConfirm="true")
    client.advance(600)
    assert client.tasks(job)[ONE]["taskStatus"] == "CONFIRM"

    assert client.control("POST", "confirm", {"job_id": job}) == {"confirmed": 1}
    client.advance(60)

    assert client.tasks(job)[ONE]["taskStatus"] == "SUCCEEDED"


def test_a_task_that_waits_for_confirmation_does_not_occupy_its_device(client: PlainClient) -> None:
    waiting = client.verify(client.create_firmware("1.1.0"), ONE, NeedConfirm="true")
    client.script(ONE, flash_seconds=600)
    running = client.verify(client.create_firmware("1.2.0", b"other"), ONE)
    client.advance(10)
    assert client.tasks(running)[ONE]["taskStatus"] == "IN_PROGRESS"

    client.control("POST", "confirm", {"job_id": waiting})

    task = client.tasks(waiting)[ONE]
    assert (task["taskStatus"], task["taskDesc"]) == ("FAILED", "the device is in another unfinished task")


def test_a_silent_device_goes_on_when_it_is_repaired(client: PlainClient) -> None:
    client.script(ONE, outcome="silent")
    job = client.verify(client.create_firmware(), ONE)
    client.advance(600)
    assert client.tasks(job)[ONE]["taskStatus"] == "NOTIFIED"

    client.script(ONE, outcome="succeeds")
    client.advance(60)

    assert client.tasks(job)[ONE]["taskStatus"] == "SUCCEEDED"


def test_a_changed_script_does_not_tell_a_device_twice(client: PlainClient) -> None:
    job = client.verify(client.create_firmware(), ONE)
    client.script(ONE, flash_seconds=20)
    client.advance(10)
    client.script(ONE, flash_seconds=30)
    client.advance(60)

    assert client.tasks(job)[ONE]["taskStatus"] == "SUCCEEDED"


def test_a_device_that_begins_to_ask_is_served_within_its_interval(client: PlainClient) -> None:
    job = client.verify(client.create_firmware(), ONE, NeedPush="false")
    client.advance(600)
    assert client.tasks(job)[ONE]["taskStatus"] == "QUEUED"

    client.script(ONE, polls=True, poll_seconds=3600)
    client.advance(60)
    before = client.tasks(job)[ONE]["taskStatus"]
    client.advance(3600)

    assert (before, client.tasks(job)[ONE]["taskStatus"]) == ("QUEUED", "SUCCEEDED")


def test_a_device_that_comes_and_goes_goes_on_where_it_was(client: PlainClient) -> None:
    client.script(ONE, flash_seconds=60)
    job = client.verify(client.create_firmware(), ONE)
    client.advance(10)
    client.script(ONE, online=False)
    client.advance(600)
    progress = client.tasks(job)[ONE]["progress"]
    client.script(ONE, online=True)
    client.script(ONE, online=False)
    client.advance(600)
    assert (client.tasks(job)[ONE]["taskStatus"], client.tasks(job)[ONE]["progress"]) == ("IN_PROGRESS", progress)

    client.script(ONE, online=True)
    client.advance(120)

    assert client.tasks(job)[ONE]["taskStatus"] == "SUCCEEDED"


def test_how_often_somebody_asks_does_not_change_what_devices_do() -> None:
    def ended(questions: int) -> str:
        clock = Clock(lambda: 1_000_000_000.0)
        clock.gateway_offset = time.time() - 1_000_000_000
        client = PlainClient(in_memory(Emulator(clock=clock)))
        firmware_id = client.create_firmware()
        for _ in range(questions):
            client.firmware_status(firmware_id)
        job = client.verify(firmware_id, ONE)
        client.advance(60)
        return client.tasks(job)[ONE]["utcModified"]

    assert ended(0) == ended(7)


def test_without_push_only_a_device_that_asks_is_served(client: PlainClient) -> None:
    client.script(TWO, polls=True)
    job = client.verify(client.create_firmware(), ONE, TWO, NeedPush="false")

    client.advance(60)

    states = {name: task["taskStatus"] for name, task in client.tasks(job).items()}
    assert states == {ONE: "QUEUED", TWO: "SUCCEEDED"}


def test_a_device_in_an_unfinished_task_fails_at_once_in_a_second_job(client: PlainClient) -> None:
    client.script(ONE, online=False)
    client.verify(client.create_firmware("1.1.0"), ONE)

    second = client.create_firmware("1.2.0", b"other")
    job = client.verify(second, ONE)

    assert client.tasks(job)[ONE]["taskStatus"] == "FAILED"
    assert (client.firmware_status(second), client.job_status(job)) == (3, "COMPLETED")


def test_a_failed_firmware_may_be_verified_again(client: PlainClient) -> None:
    client.script(ONE, outcome="fails")
    firmware_id = client.create_firmware()
    client.verify(firmware_id, ONE)
    client.advance(60)
    assert client.firmware_status(firmware_id) == 3

    client.verify(firmware_id, TWO)
    client.advance(60)

    assert client.firmware_status(firmware_id) == 1


def test_a_verification_without_names_takes_ten_devices_that_can_be_upgraded(client: PlainClient) -> None:
    client.script(ONE, online=False)

    job = client.verify(client.create_firmware())

    assert len(client.tasks(job)) == 10
    assert ONE not in client.tasks(job)


@pytest.mark.parametrize(
    ("flags", "cancelled"),
    [
        ({"CancelQueuedTask": "true"}, {"CONFIRM", "QUEUED"}),
        ({"CancelQueuedTask": "true", "CancelUnconfirmedTask": "false"}, {"QUEUED"}),
        ({"CancelUnconfirmedTask": "true"}, {"CONFIRM"}),
        ({"CancelNotifiedTask": "true"}, {"NOTIFIED"}),
        ({"CancelQueuedTask": "false"}, set()),
    ],
)
def test_cancelling_takes_what_the_switches_say(
    client: PlainClient, flags: dict[str, str], cancelled: set[str]
) -> None:
    before, after = _three_waiting_tasks(client)

    assert client.ask("CancelOTATaskByJob", JobId=before["job"], **flags)[1]["success"]

    assert {status for name, status in before.items() if after()[name] == "CANCELED"} == cancelled


def _three_waiting_tasks(client: PlainClient) -> tuple[dict[str, str], Any]:
    three = "device-003"
    client.script(TWO, online=False)
    client.script(three, outcome="silent")
    job = client.verify(client.create_firmware(), ONE, TWO, three, NeedConfirm="true")
    ids = {name: task["taskId"] for name, task in client.tasks(job).items()}
    client.control("POST", "confirm", {"task_ids": [ids[TWO], ids[three]]})
    client.advance(30)

    def states() -> dict[str, str]:
        return {name: task["taskStatus"] for name, task in client.tasks(job).items()} | {"job": job}

    before = states()
    assert before == {ONE: "CONFIRM", TWO: "QUEUED", three: "NOTIFIED", "job": job}
    return before, states


def test_a_device_that_is_flashing_is_not_cancelled(client: PlainClient) -> None:
    client.script(ONE, flash_seconds=600)
    job = client.verify(client.create_firmware(), ONE)
    client.advance(10)

    client.ask("CancelOTATaskByJob", JobId=job, CancelQueuedTask="true", CancelNotifiedTask="true")

    assert client.tasks(job)[ONE]["taskStatus"] == "IN_PROGRESS"


def test_a_job_whose_every_task_is_cancelled_is_cancelled_and_its_firmware_fails(client: PlainClient) -> None:
    client.script(ONE, online=False)
    firmware_id = client.create_firmware()
    job = client.verify(firmware_id, ONE)

    client.ask("CancelOTATaskByJob", JobId=job, CancelQueuedTask="true")

    assert (client.job_status(job), client.firmware_status(firmware_id)) == ("CANCELED", 3)
    again = client.ask("CancelOTATaskByJob", JobId=job, CancelQueuedTask="true")[1]
    assert again["code"] == "iot.firmware.JobAlreadyCanceled"


def test_ended_states_lead_nowhere() -> None:
    assert {status for status, after in TRANSITIONS.items() if not after} == {"SUCCEEDED", "FAILED", "CANCELED"}


def test_no_id_of_one_world_is_another_job_s_in_the_next() -> None:
    wall = [1_800_000_000.0]
    emulator = Emulator(clock=Clock(lambda: wall[0]))
    client = PlainClient(in_memory(emulator), now=lambda: wall[0])
    ids = set()
    for _ in range(3):
        ids.add(client.verify(client.create_firmware(), "device-001"))
        wall[0] += 60
        client.control("POST", "reset")

    assert len(ids) == 3
    assert all(len(job_id) == 19 for job_id in ids)
