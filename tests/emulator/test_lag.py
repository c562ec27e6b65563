from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_tuya_ota.emulator.clock import Clock
from airflow_provider_tuya_ota.emulator.emulator import Emulator
from airflow_provider_tuya_ota.emulator.scenario import read
from tests.emulator.plain_client import PlainClient, in_memory

if TYPE_CHECKING:
    from collections.abc import Iterator

ONE, TWO = "device-001", "device-002"
CANCEL = {"CancelQueuedTask": "true", "CancelNotifiedTask": "true"}


def listed(client: PlainClient, firmware_id: str) -> list[str]:
    answer = client.ask("ListOTAJobByFirmware", FirmwareId=firmware_id, CurrentPage="1", PageSize="200")[1]
    return [job["jobId"] for job in answer["data"]]


def firmware_ids(client: PlainClient) -> list[str]:
    answer = client.ask("ListOTAFirmware", CurrentPage="1", PageSize="100")[1]
    return [firmware_id["firmwareId"] for firmware_id in answer["firmwareInfo"]]


def test_a_job_is_planned_without_tasks_until_they_appear(client: PlainClient) -> None:
    client.control("POST", "quirks", {"task_delay": 30})
    job = client.verify(client.create_firmware(), ONE, TWO)
    client.advance(29)
    assert (client.job_status(job), client.tasks(job)) == ("PLANNED", {})

    client.advance(1)
    assert (client.job_status(job), set(client.tasks(job))) == ("IN_PROGRESS", {ONE, TWO})
    client.advance(60)
    assert client.job_status(job) == "COMPLETED"


def test_a_verification_counts_nobody_while_its_job_is_planned(client: PlainClient) -> None:
    client.control("POST", "quirks", {"task_delay": 30})
    firmware_id = client.create_firmware()
    client.verify(firmware_id, ONE)

    shown = client.ask("QueryOTAFirmware", FirmwareId=firmware_id)[1]["firmwareInfo"]

    assert (shown["status"], shown["verifyProgress"]) == (2, 0)
    assert client.ask("DeleteOTAFirmware", FirmwareId=firmware_id)[1]["code"] == "iot.firmware.DeleteFirmwareFailure"


def test_a_device_that_has_become_busy_meanwhile_fails_when_its_task_appears(client: PlainClient) -> None:
    first, second = client.create_firmware("1.1.0", b"a"), client.create_firmware("1.2.0", b"b")
    client.script(ONE, outcome="silent")
    client.control("POST", "quirks", {"task_delay": 30})
    late = client.verify(first, ONE)
    client.control("POST", "quirks", {"task_delay": 0})
    client.verify(second, ONE)
    client.advance(30)

    assert client.tasks(late)[ONE]["taskStatus"] == "FAILED"


@pytest.mark.parametrize(("reading", "status", "tasks"), [("whole_job", "CANCELED", 0), ("nothing", "IN_PROGRESS", 1)])
def test_cancelling_a_planned_job_ends_it_or_changes_nothing(
    client: PlainClient, reading: str, status: str, tasks: int
) -> None:
    client.control("POST", "quirks", {"task_delay": 30, "planned_cancel": reading})
    job = client.verify(client.create_firmware(), ONE)

    assert client.ask("CancelOTATaskByJob", JobId=job, **CANCEL)[1]["success"] is True
    client.advance(30)

    assert (client.job_status(job), len(client.tasks(job))) == (status, tasks)


def test_a_job_may_get_half_of_its_tasks_later_whatever_became_of_the_first_half(client: PlainClient) -> None:
    client.control("POST", "quirks", {"planning": "in_parts"})
    client.script(ONE, online=False)
    job = client.verify(client.create_firmware(), ONE, "device-002", "device-003")

    assert len(client.tasks(job)) == 2
    client.ask("CancelOTATaskByJob", JobId=job, **CANCEL)
    assert client.job_status(job) == "IN_PROGRESS"
    client.advance(5)
    assert sorted(task["taskStatus"] for task in client.tasks(job).values()) == ["CANCELED", "CANCELED", "QUEUED"]
    client.ask("CancelOTATaskByJob", JobId=job, **CANCEL)
    assert client.job_status(job) == "CANCELED"


def test_in_order_everything_appears_when_the_delay_is_over(client: PlainClient) -> None:
    client.control("POST", "quirks", {"list_delay": 60, "task_list_delay": 90, "query_delay": 30})
    firmware_id = client.create_firmware()
    job = client.verify(firmware_id, ONE)

    assert firmware_ids(client) == listed(client, firmware_id) == []
    assert client.ask("QueryOTAJob", JobId=job)[1]["code"] == "iot.firmware.InvalidOTAJobId"
    assert client.ask("ListOTATaskByJob", JobId=job)[1]["code"] == "iot.firmware.InvalidOTAJobId"
    assert client.ask("QueryOTAFirmware", FirmwareId=firmware_id)[1]["code"] == "iot.firmware.FirmwareNotFound"
    client.advance(30)
    assert (client.job_status(job), client.tasks(job), firmware_ids(client)) == ("COMPLETED", {}, [])
    client.advance(30)
    assert (firmware_ids(client), listed(client, firmware_id)) == ([firmware_id], [job])
    client.advance(30)
    assert client.tasks(job)[ONE]["taskStatus"] == "SUCCEEDED"


def test_a_device_s_lists_are_late_too(client: PlainClient) -> None:
    client.control("POST", "quirks", {"list_delay": 60, "task_list_delay": 60})
    firmware_id = client.create_firmware()
    client.script(ONE, outcome="silent")
    client.verify(firmware_id, ONE)
    mine = {"ProductKey": "k1demoproduct", "DeviceName": ONE}

    def lists() -> tuple[int, int]:
        jobs = client.ask("ListOTAJobByDevice", FirmwareId=firmware_id, CurrentPage="1", PageSize="9", **mine)[1]
        return len(jobs["data"]), len(client.ask("ListOTAUnfinishedTaskByDevice", **mine)[1]["data"])

    assert lists() == (0, 0)
    client.advance(60)
    assert lists() == (1, 1)


def birth() -> float:
    """Give the moment at which each world of these tests begins: an id begins with it, and each draw is of an id."""
    return 1_800_000_000.0


def any_order(seed: int, **quirks: Any) -> PlainClient:
    clock = Clock(birth)
    clock.freeze(frozen=True)
    quirks = {"list_order": "any_order", **quirks}
    scenario = read({"seed": seed, "quotas": {"enabled": False}, "quirks": quirks})
    return PlainClient(in_memory(Emulator(scenario=scenario, clock=clock)), now=birth)


def appearances(client: PlainClient) -> Iterator[str]:
    """Make ten firmwares, and give them in the order in which the list shows them."""
    made = [client.create_firmware(f"2.0.{number}", b"%d" % number) for number in range(10)]
    seen: list[str] = []
    for _ in range(60):
        new = [firmware_id for firmware_id in firmware_ids(client) if firmware_id not in seen]
        yield from new
        seen += new
        client.advance(1)
    assert set(firmware_ids(client)) == set(made)


def test_in_any_order_later_ones_appear_before_earlier_ones_as_the_seed_says() -> None:
    orders = {seed: list(appearances(any_order(seed, list_delay=60))) for seed in (1, 2)}

    assert all(order != sorted(order, key=int) for order in orders.values())
    assert orders[1] != orders[2]
    assert orders[1] == list(appearances(any_order(1, list_delay=60)))


def _shown(seed: int) -> dict[str, list[str]]:
    """Give the statuses that a job and its task are shown in, second by second."""
    shown: dict[str, list[str]] = {"list": [], "query": [], "task": []}
    client = any_order(seed, list_delay=60, task_list_delay=60, query_delay=60)
    firmware_id = client.create_firmware()
    job = client.verify(firmware_id, ONE)
    for _ in range(90):
        client.advance(1)
        found = client.ask("ListOTAJobByFirmware", FirmwareId=firmware_id, CurrentPage="1", PageSize="9")[1]["data"]
        shown["list"] += [entry["jobStatus"] for entry in found]
        job_shown = client.ask("QueryOTAJob", JobId=job)[1]
        shown["query"] += [job_shown["data"]["jobStatus"]] if job_shown["success"] else []
        tasks = client.ask("ListOTATaskByJob", JobId=job)[1]
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
    client = any_order(6, task_list_delay=60)
    job = client.verify(client.create_firmware(), *(f"device-{number:03d}" for number in range(1, 11)))
    client.advance(40)
    by_status = {
        status: {
            task["deviceName"]
            for task in client.ask("ListOTATaskByJob", JobId=job, TaskStatus=status, PageSize="100", CurrentPage="1")[
                1
            ]["data"]
        }
        for status in ("QUEUED", "NOTIFIED", "IN_PROGRESS", "SUCCEEDED")
    }
    everyone = {name: task["taskStatus"] for name, task in client.tasks(job).items()}

    assert everyone == {name: status for status, names in by_status.items() for name in names}
    assert len(set(everyone.values())) > 1


def test_what_is_late_is_as_late_after_a_restart(tmp_path: Any) -> None:
    from airflow_provider_tuya_ota.emulator.journal import Journal  # noqa: PLC0415 - needed here only
    from airflow_provider_tuya_ota.emulator.restore import restore  # noqa: PLC0415 - needed here only

    document = {"quirks": {"list_order": "any_order", "list_delay": 60, "task_delay": 20}, "quotas": {"enabled": False}}

    def start() -> tuple[Emulator, PlainClient]:
        clock = Clock(birth)
        clock.freeze(frozen=True)
        emulator = Emulator(scenario=read(document), clock=clock)
        emulator.recorder = restore(emulator, Journal(tmp_path / "state"), document)
        return emulator, PlainClient(in_memory(emulator), now=birth)

    emulator, client = start()
    made = [client.create_firmware(f"2.0.{number}", b"%d" % number) for number in range(10)]
    job = client.verify(made[0], ONE)
    client.advance(30)
    before = firmware_ids(client), client.job_status(job), client.tasks(job)
    assert emulator.recorder is not None
    emulator.recorder.close()

    _, client = start()

    assert (firmware_ids(client), client.job_status(job), client.tasks(job)) == before
    assert 0 < len(before[0]) < len(made)
