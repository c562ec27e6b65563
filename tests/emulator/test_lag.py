from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_tuya_ota.emulator.clock import Clock
from airflow_provider_tuya_ota.emulator.emulator import Emulator
from airflow_provider_tuya_ota.emulator.scenario import read
from tests.emulator.stranger import Stranger, in_memory

if TYPE_CHECKING:
    from collections.abc import Iterator

ONE, TWO = "device-001", "device-002"
CANCEL = {"CancelQueuedTask": "true", "CancelNotifiedTask": "true"}


def listed(stranger: Stranger, package: str) -> list[str]:
    answer = stranger.ask("ListOTAJobByFirmware", FirmwareId=package, CurrentPage="1", PageSize="200")[1]
    return [job["jobId"] for job in answer["data"]]


def packages(stranger: Stranger) -> list[str]:
    answer = stranger.ask("ListOTAFirmware", CurrentPage="1", PageSize="100")[1]
    return [package["firmwareId"] for package in answer["firmwareInfo"]]


def test_a_job_is_planned_without_tasks_until_they_appear(stranger: Stranger) -> None:
    stranger.control("POST", "quirks", {"task_delay": 30})
    job = stranger.verify(stranger.package(), ONE, TWO)
    stranger.advance(29)
    assert (stranger.job_status(job), stranger.tasks(job)) == ("PLANNED", {})

    stranger.advance(1)
    assert (stranger.job_status(job), set(stranger.tasks(job))) == ("IN_PROGRESS", {ONE, TWO})
    stranger.advance(60)
    assert stranger.job_status(job) == "COMPLETED"


def test_a_verification_counts_nobody_while_its_job_is_planned(stranger: Stranger) -> None:
    stranger.control("POST", "quirks", {"task_delay": 30})
    package = stranger.package()
    stranger.verify(package, ONE)

    shown = stranger.ask("QueryOTAFirmware", FirmwareId=package)[1]["firmwareInfo"]

    assert (shown["status"], shown["verifyProgress"]) == (2, 0)
    assert stranger.ask("DeleteOTAFirmware", FirmwareId=package)[1]["code"] == "iot.firmware.DeleteFirmwareFailure"


def test_a_device_that_has_become_busy_meanwhile_fails_when_its_task_appears(stranger: Stranger) -> None:
    first, second = stranger.package("1.1.0", b"a"), stranger.package("1.2.0", b"b")
    stranger.script(ONE, outcome="silent")
    stranger.control("POST", "quirks", {"task_delay": 30})
    late = stranger.verify(first, ONE)
    stranger.control("POST", "quirks", {"task_delay": 0})
    stranger.verify(second, ONE)
    stranger.advance(30)

    assert stranger.tasks(late)[ONE]["taskStatus"] == "FAILED"


@pytest.mark.parametrize(("reading", "status", "tasks"), [("whole_job", "CANCELED", 0), ("nothing", "IN_PROGRESS", 1)])
def test_cancelling_a_planned_job_ends_it_or_changes_nothing(
    stranger: Stranger, reading: str, status: str, tasks: int
) -> None:
    stranger.control("POST", "quirks", {"task_delay": 30, "planned_cancel": reading})
    job = stranger.verify(stranger.package(), ONE)

    assert stranger.ask("CancelOTATaskByJob", JobId=job, **CANCEL)[1]["success"] is True
    stranger.advance(30)

    assert (stranger.job_status(job), len(stranger.tasks(job))) == (status, tasks)


def test_in_order_everything_appears_when_the_delay_is_over(stranger: Stranger) -> None:
    stranger.control("POST", "quirks", {"list_delay": 60, "task_list_delay": 90, "query_delay": 30})
    package = stranger.package()
    job = stranger.verify(package, ONE)

    assert packages(stranger) == listed(stranger, package) == []
    assert stranger.ask("QueryOTAJob", JobId=job)[1]["code"] == "iot.firmware.InvalidOTAJobId"
    assert stranger.ask("ListOTATaskByJob", JobId=job)[1]["code"] == "iot.firmware.InvalidOTAJobId"
    assert stranger.ask("QueryOTAFirmware", FirmwareId=package)[1]["code"] == "iot.firmware.FirmwareNotFound"
    stranger.advance(30)
    assert (stranger.job_status(job), stranger.tasks(job), packages(stranger)) == ("COMPLETED", {}, [])
    stranger.advance(30)
    assert (packages(stranger), listed(stranger, package)) == ([package], [job])
    stranger.advance(30)
    assert stranger.tasks(job)[ONE]["taskStatus"] == "SUCCEEDED"


def test_a_device_s_lists_are_late_too(stranger: Stranger) -> None:
    stranger.control("POST", "quirks", {"list_delay": 60, "task_list_delay": 60})
    package = stranger.package()
    stranger.script(ONE, outcome="silent")
    stranger.verify(package, ONE)
    mine = {"ProductKey": "k1demoproduct", "DeviceName": ONE}

    def lists() -> tuple[int, int]:
        jobs = stranger.ask("ListOTAJobByDevice", FirmwareId=package, CurrentPage="1", PageSize="9", **mine)[1]
        return len(jobs["data"]), len(stranger.ask("ListOTAUnfinishedTaskByDevice", **mine)[1]["data"])

    assert lists() == (0, 0)
    stranger.advance(60)
    assert lists() == (1, 1)


def birth() -> float:
    """Give the moment at which each world of these tests begins: an id begins with it, and each draw is of an id."""
    return 1_800_000_000.0


def any_order(seed: int, **quirks: Any) -> Stranger:
    clock = Clock(birth)
    clock.freeze(frozen=True)
    quirks = {"list_order": "any_order", **quirks}
    scenario = read({"seed": seed, "quotas": {"enabled": False}, "quirks": quirks})
    return Stranger(in_memory(Emulator(scenario=scenario, clock=clock)), now=birth)


def appearances(stranger: Stranger) -> Iterator[str]:
    """Make ten packages, and give them in the order in which the list shows them."""
    made = [stranger.package(f"2.0.{number}", b"%d" % number) for number in range(10)]
    seen: list[str] = []
    for _ in range(60):
        new = [package for package in packages(stranger) if package not in seen]
        yield from new
        seen += new
        stranger.advance(1)
    assert set(packages(stranger)) == set(made)


def test_in_any_order_later_ones_appear_before_earlier_ones_as_the_seed_says() -> None:
    orders = {seed: list(appearances(any_order(seed, list_delay=60))) for seed in (1, 2)}

    assert all(order != sorted(order, key=int) for order in orders.values())
    assert orders[1] != orders[2]
    assert orders[1] == list(appearances(any_order(1, list_delay=60)))


def _shown(seed: int) -> dict[str, list[str]]:
    """Give the statuses that a job and its task are shown in, second by second."""
    shown: dict[str, list[str]] = {"list": [], "query": [], "task": []}
    stranger = any_order(seed, list_delay=60, task_list_delay=60, query_delay=60)
    package = stranger.package()
    job = stranger.verify(package, ONE)
    for _ in range(90):
        stranger.advance(1)
        found = stranger.ask("ListOTAJobByFirmware", FirmwareId=package, CurrentPage="1", PageSize="9")[1]["data"]
        shown["list"] += [entry["jobStatus"] for entry in found]
        told = stranger.ask("QueryOTAJob", JobId=job)[1]
        shown["query"] += [told["data"]["jobStatus"]] if told["success"] else []
        tasks = stranger.ask("ListOTATaskByJob", JobId=job)[1]
        shown["task"] += [entry["taskStatus"] for entry in tasks["data"]] if tasks["success"] else []
    return shown


def test_in_any_order_what_has_changed_is_shown_as_it_was_for_a_while() -> None:
    worlds = [_shown(seed) for seed in range(20)]

    for shown in worlds:
        for name, statuses in shown.items():
            assert statuses[-1] == ("SUCCEEDED" if name == "task" else "COMPLETED")
    # The job is done after some fifteen seconds, and in many worlds nobody hears of it at once.
    assert any({"PLANNED", "IN_PROGRESS"} & set(shown["query"][20:]) for shown in worlds)


def test_in_any_order_a_list_of_one_status_shows_who_is_shown_in_it() -> None:
    stranger = any_order(6, task_list_delay=60)
    job = stranger.verify(stranger.package(), *(f"device-{number:03d}" for number in range(1, 11)))
    stranger.advance(40)
    by_status = {
        status: {
            task["deviceName"]
            for task in stranger.ask("ListOTATaskByJob", JobId=job, TaskStatus=status, PageSize="100", CurrentPage="1")[
                1
            ]["data"]
        }
        for status in ("QUEUED", "NOTIFIED", "IN_PROGRESS", "SUCCEEDED")
    }
    everyone = {name: task["taskStatus"] for name, task in stranger.tasks(job).items()}

    assert everyone == {name: status for status, names in by_status.items() for name in names}
    assert len(set(everyone.values())) > 1


def test_what_is_late_is_as_late_after_a_restart(tmp_path: Any) -> None:
    from airflow_provider_tuya_ota.emulator.journal import Journal  # noqa: PLC0415 - needed here only
    from airflow_provider_tuya_ota.emulator.restore import restore  # noqa: PLC0415 - needed here only

    document = {"quirks": {"list_order": "any_order", "list_delay": 60, "task_delay": 20}, "quotas": {"enabled": False}}

    def start() -> tuple[Emulator, Stranger]:
        clock = Clock(birth)
        clock.freeze(frozen=True)
        emulator = Emulator(scenario=read(document), clock=clock)
        emulator.recorder = restore(emulator, Journal(tmp_path / "state"), document)
        return emulator, Stranger(in_memory(emulator), now=birth)

    emulator, stranger = start()
    made = [stranger.package(f"2.0.{number}", b"%d" % number) for number in range(10)]
    job = stranger.verify(made[0], ONE)
    stranger.advance(30)
    before = packages(stranger), stranger.job_status(job), stranger.tasks(job)
    assert emulator.recorder is not None
    emulator.recorder.close()

    _, stranger = start()

    assert (packages(stranger), stranger.job_status(job), stranger.tasks(job)) == before
    assert 0 < len(before[0]) < len(made)
