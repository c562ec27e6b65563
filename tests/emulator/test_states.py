from __future__ import annotations

import time
from typing import Any

import pytest

from airflow_provider_tuya_ota.emulator.clock import Clock
from airflow_provider_tuya_ota.emulator.emulator import Emulator
from airflow_provider_tuya_ota.emulator.simulation.jobs import TRANSITIONS
from tests.emulator.stranger import Stranger, in_memory

ONE, TWO = "device-001", "device-002"


def test_a_device_walks_through_the_documented_states(stranger: Stranger) -> None:
    job = stranger.verify(stranger.package(), ONE)
    seen: list[str] = []
    for _ in range(100):
        status = stranger.tasks(job)[ONE]["taskStatus"]
        if not seen or seen[-1] != status:
            seen.append(status)
        stranger.advance(0.4)

    assert seen == ["QUEUED", "NOTIFIED", "IN_PROGRESS", "SUCCEEDED"]


def test_a_package_is_verified_when_every_device_succeeded(stranger: Stranger) -> None:
    package = stranger.package()
    assert stranger.firmware_status(package) == 0
    job = stranger.verify(package, ONE, TWO)
    assert (stranger.firmware_status(package), stranger.job_status(job)) == (2, "IN_PROGRESS")

    stranger.advance(60)

    assert (stranger.firmware_status(package), stranger.job_status(job)) == (1, "COMPLETED")


@pytest.mark.parametrize("step", [-1, -2, -3, -4])
def test_a_package_fails_when_one_device_does_and_the_job_is_completed_all_the_same(
    stranger: Stranger, step: int
) -> None:
    stranger.script(TWO, outcome="fails", step=step, at_progress=60, reason="no room")
    package = stranger.package()
    job = stranger.verify(package, ONE, TWO)

    stranger.advance(60)

    task = stranger.tasks(job)[TWO]
    assert (task["taskStatus"], task["progress"], task["taskDesc"]) == ("FAILED", "60", f"step {step}: no room")
    assert (stranger.firmware_status(package), stranger.job_status(job)) == (3, "COMPLETED")


def test_progress_100_without_a_version_report_is_no_success(stranger: Stranger) -> None:
    job = stranger.verify(stranger.package(), ONE)
    while stranger.tasks(job)[ONE].get("progress") != "100":
        stranger.advance(0.3)

    assert stranger.tasks(job)[ONE]["taskStatus"] == "IN_PROGRESS"


def test_a_device_that_reports_another_version_fails(stranger: Stranger) -> None:
    stranger.script(ONE, outcome="wrong_version", reports="9.9.9")
    job = stranger.verify(stranger.package(), ONE)

    stranger.advance(60)

    task = stranger.tasks(job)[ONE]
    assert (task["taskStatus"], task["taskDesc"]) == ("FAILED", "report version is not conform")


def test_an_offline_device_stays_queued_until_it_is_back(stranger: Stranger) -> None:
    stranger.script(ONE, online=False)
    job = stranger.verify(stranger.package(), ONE)
    stranger.advance(86400)
    assert stranger.tasks(job)[ONE]["taskStatus"] == "QUEUED"

    stranger.script(ONE, online=True)
    stranger.advance(60)

    assert stranger.tasks(job)[ONE]["taskStatus"] == "SUCCEEDED"


def test_a_silent_device_stays_notified_whatever_the_timeout(stranger: Stranger) -> None:
    stranger.script(ONE, outcome="silent")
    job = stranger.verify(stranger.package(), ONE, TimeoutInMinutes="1")

    stranger.advance(86400)

    assert stranger.tasks(job)[ONE]["taskStatus"] == "NOTIFIED"


def test_the_timeout_counts_from_the_first_progress_report(stranger: Stranger) -> None:
    stranger.script(ONE, flash_seconds=3600)
    job = stranger.verify(stranger.package(), ONE, TimeoutInMinutes="5")
    stranger.advance(299)
    assert stranger.tasks(job)[ONE]["taskStatus"] == "IN_PROGRESS"

    stranger.advance(10)

    task = stranger.tasks(job)[ONE]
    assert (task["taskStatus"], task["taskDesc"]) == ("FAILED", "timeout")


def test_the_timeout_runs_on_while_the_device_is_away(stranger: Stranger) -> None:
    stranger.script(ONE, flash_seconds=3600)
    job = stranger.verify(stranger.package(), ONE, TimeoutInMinutes="5")
    stranger.advance(10)
    stranger.script(ONE, online=False)

    stranger.advance(301)

    assert stranger.tasks(job)[ONE]["taskDesc"] == "timeout"


def test_a_device_that_needs_confirmation_waits_for_it(stranger: Stranger) -> None:
    job = stranger.verify(stranger.package(), ONE, NeedConfirm="true")
    stranger.advance(600)
    assert stranger.tasks(job)[ONE]["taskStatus"] == "CONFIRM"

    assert stranger.control("POST", "confirm", {"job_id": job}) == {"confirmed": 1}
    stranger.advance(60)

    assert stranger.tasks(job)[ONE]["taskStatus"] == "SUCCEEDED"


def test_a_task_that_waits_for_confirmation_does_not_occupy_its_device(stranger: Stranger) -> None:
    waiting = stranger.verify(stranger.package("1.1.0"), ONE, NeedConfirm="true")
    stranger.script(ONE, flash_seconds=600)
    running = stranger.verify(stranger.package("1.2.0", b"other"), ONE)
    stranger.advance(10)
    assert stranger.tasks(running)[ONE]["taskStatus"] == "IN_PROGRESS"

    stranger.control("POST", "confirm", {"job_id": waiting})

    task = stranger.tasks(waiting)[ONE]
    assert (task["taskStatus"], task["taskDesc"]) == ("FAILED", "the device is in another unfinished task")


def test_a_silent_device_goes_on_when_it_is_repaired(stranger: Stranger) -> None:
    stranger.script(ONE, outcome="silent")
    job = stranger.verify(stranger.package(), ONE)
    stranger.advance(600)
    assert stranger.tasks(job)[ONE]["taskStatus"] == "NOTIFIED"

    stranger.script(ONE, outcome="succeeds")
    stranger.advance(60)

    assert stranger.tasks(job)[ONE]["taskStatus"] == "SUCCEEDED"


def test_a_changed_script_does_not_tell_a_device_twice(stranger: Stranger) -> None:
    job = stranger.verify(stranger.package(), ONE)
    stranger.script(ONE, flash_seconds=20)
    stranger.advance(10)
    stranger.script(ONE, flash_seconds=30)
    stranger.advance(60)

    assert stranger.tasks(job)[ONE]["taskStatus"] == "SUCCEEDED"


def test_a_device_that_begins_to_ask_is_served_within_its_interval(stranger: Stranger) -> None:
    job = stranger.verify(stranger.package(), ONE, NeedPush="false")
    stranger.advance(600)
    assert stranger.tasks(job)[ONE]["taskStatus"] == "QUEUED"

    stranger.script(ONE, polls=True, poll_seconds=3600)
    stranger.advance(60)
    before = stranger.tasks(job)[ONE]["taskStatus"]
    stranger.advance(3600)

    assert (before, stranger.tasks(job)[ONE]["taskStatus"]) == ("QUEUED", "SUCCEEDED")


def test_a_device_that_comes_and_goes_goes_on_where_it_was(stranger: Stranger) -> None:
    stranger.script(ONE, flash_seconds=60)
    job = stranger.verify(stranger.package(), ONE)
    stranger.advance(10)
    stranger.script(ONE, online=False)
    stranger.advance(600)
    progress = stranger.tasks(job)[ONE]["progress"]
    stranger.script(ONE, online=True)
    stranger.script(ONE, online=False)
    stranger.advance(600)
    assert (stranger.tasks(job)[ONE]["taskStatus"], stranger.tasks(job)[ONE]["progress"]) == ("IN_PROGRESS", progress)

    stranger.script(ONE, online=True)
    stranger.advance(120)

    assert stranger.tasks(job)[ONE]["taskStatus"] == "SUCCEEDED"


def test_how_often_somebody_asks_does_not_change_what_devices_do() -> None:
    def ended(questions: int) -> str:
        clock = Clock(lambda: 1_000_000_000.0)
        clock.gateway_offset = time.time() - 1_000_000_000
        stranger = Stranger(in_memory(Emulator(clock=clock)))
        package = stranger.package()
        for _ in range(questions):
            stranger.firmware_status(package)
        job = stranger.verify(package, ONE)
        stranger.advance(60)
        return stranger.tasks(job)[ONE]["utcModified"]

    assert ended(0) == ended(7)


def test_without_push_only_a_device_that_asks_is_served(stranger: Stranger) -> None:
    stranger.script(TWO, polls=True)
    job = stranger.verify(stranger.package(), ONE, TWO, NeedPush="false")

    stranger.advance(60)

    states = {name: task["taskStatus"] for name, task in stranger.tasks(job).items()}
    assert states == {ONE: "QUEUED", TWO: "SUCCEEDED"}


def test_a_device_in_an_unfinished_task_fails_at_once_in_a_second_job(stranger: Stranger) -> None:
    stranger.script(ONE, online=False)
    stranger.verify(stranger.package("1.1.0"), ONE)

    second = stranger.package("1.2.0", b"other")
    job = stranger.verify(second, ONE)

    assert stranger.tasks(job)[ONE]["taskStatus"] == "FAILED"
    assert (stranger.firmware_status(second), stranger.job_status(job)) == (3, "COMPLETED")


def test_a_failed_package_may_be_verified_again(stranger: Stranger) -> None:
    stranger.script(ONE, outcome="fails")
    package = stranger.package()
    stranger.verify(package, ONE)
    stranger.advance(60)
    assert stranger.firmware_status(package) == 3

    stranger.verify(package, TWO)
    stranger.advance(60)

    assert stranger.firmware_status(package) == 1


def test_a_verification_without_names_takes_ten_devices_that_can_be_upgraded(stranger: Stranger) -> None:
    stranger.script(ONE, online=False)

    job = stranger.verify(stranger.package())

    assert len(stranger.tasks(job)) == 10
    assert ONE not in stranger.tasks(job)


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
def test_cancelling_takes_what_the_switches_say(stranger: Stranger, flags: dict[str, str], cancelled: set[str]) -> None:
    before, after = _three_waiting_tasks(stranger)

    assert stranger.ask("CancelOTATaskByJob", JobId=before["job"], **flags)[1]["success"]

    assert {status for name, status in before.items() if after()[name] == "CANCELED"} == cancelled


def _three_waiting_tasks(stranger: Stranger) -> tuple[dict[str, str], Any]:
    three = "device-003"
    stranger.script(TWO, online=False)
    stranger.script(three, outcome="silent")
    job = stranger.verify(stranger.package(), ONE, TWO, three, NeedConfirm="true")
    ids = {name: task["taskId"] for name, task in stranger.tasks(job).items()}
    stranger.control("POST", "confirm", {"task_ids": [ids[TWO], ids[three]]})
    stranger.advance(30)

    def states() -> dict[str, str]:
        return {name: task["taskStatus"] for name, task in stranger.tasks(job).items()} | {"job": job}

    before = states()
    assert before == {ONE: "CONFIRM", TWO: "QUEUED", three: "NOTIFIED", "job": job}
    return before, states


def test_a_device_that_is_flashing_is_not_cancelled(stranger: Stranger) -> None:
    stranger.script(ONE, flash_seconds=600)
    job = stranger.verify(stranger.package(), ONE)
    stranger.advance(10)

    stranger.ask("CancelOTATaskByJob", JobId=job, CancelQueuedTask="true", CancelNotifiedTask="true")

    assert stranger.tasks(job)[ONE]["taskStatus"] == "IN_PROGRESS"


def test_a_job_whose_every_task_is_cancelled_is_cancelled_and_its_package_fails(stranger: Stranger) -> None:
    stranger.script(ONE, online=False)
    package = stranger.package()
    job = stranger.verify(package, ONE)

    stranger.ask("CancelOTATaskByJob", JobId=job, CancelQueuedTask="true")

    assert (stranger.job_status(job), stranger.firmware_status(package)) == ("CANCELED", 3)
    again = stranger.ask("CancelOTATaskByJob", JobId=job, CancelQueuedTask="true")[1]
    assert again["code"] == "iot.firmware.JobAlreadyCanceled"


def test_ended_states_lead_nowhere() -> None:
    assert {status for status, after in TRANSITIONS.items() if not after} == {"SUCCEEDED", "FAILED", "CANCELED"}


def test_no_id_of_one_world_is_another_job_s_in_the_next() -> None:
    wall = [1_800_000_000.0]
    emulator = Emulator(clock=Clock(lambda: wall[0]))
    stranger = Stranger(in_memory(emulator), now=lambda: wall[0])
    ids = set()
    for _ in range(3):
        ids.add(stranger.verify(stranger.package(), "device-001"))
        wall[0] += 60
        stranger.control("POST", "reset")

    assert len(ids) == 3
    assert all(len(job_id) == 19 for job_id in ids)
