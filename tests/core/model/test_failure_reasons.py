from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_tuya_ota.core.model.entities import DeviceTask, Job
from airflow_provider_tuya_ota.core.model.failure_reasons import (
    LONGEST_REASON,
    MOST_REASONS,
    FailureReasons,
    ReasonCount,
    count_reasons,
)
from airflow_provider_tuya_ota.core.model.states import JobStatus, JobType, TaskStatus
from airflow_provider_tuya_ota.core.model.verdict import SAMPLE, Verdict, assess_job

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

JOB = Job(job_id="9", firmware_id="178", status=JobStatus.COMPLETED, type=JobType.UPGRADE_FIRMWARE)


def failed(*reasons: str) -> list[DeviceTask]:
    return [
        DeviceTask(task_id=str(number), device_name=f"d{number:03}", status=TaskStatus.FAILED, reason=reason)
        for number, reason in enumerate(reasons)
    ]


def assess(tasks: Sequence[DeviceTask], counts: Mapping[str, int] | None = None) -> Verdict:
    return assess_job(JOB, tasks, None, counts)


def test_every_failed_task_counts_and_not_only_those_whose_device_is_named() -> None:
    verdict = assess(failed(*["battery low"] * 60, *["no space"] * 30, *[""] * 5))

    assert len(verdict.devices) == SAMPLE
    assert verdict.failure_reasons == FailureReasons(
        most_frequent=(ReasonCount("battery low", 60), ReasonCount("no space", 30), ReasonCount("", 5))
    )
    assert "(95 FAILED). Reasons: 60 x battery low; 30 x no space; 5 x no reason given. Devices: d000 " in (
        verdict.failure_text()
    )


def test_tasks_that_have_not_failed_give_no_reason() -> None:
    tasks = [
        DeviceTask(task_id=status, device_name="d", status=status, reason="other")
        for status in TaskStatus
        if status != TaskStatus.FAILED
    ]

    assert count_reasons(tasks, 0) == FailureReasons()
    assert str(FailureReasons()) == ""


def test_of_a_job_too_large_to_be_read_the_reasons_say_that_they_are_a_part() -> None:
    verdict = assess(failed(*["battery low"] * 50), {"FAILED": 312, "SUCCEEDED": 9000})

    assert (verdict.failure_reasons.most_frequent, verdict.failure_reasons.unread) == (
        (ReasonCount("battery low", 50),),
        262,
    )
    assert "Reasons: 50 x battery low; 262 not read. Devices: " in verdict.failure_text()


def test_a_failed_task_that_was_read_and_is_not_counted_leaves_nothing_unread() -> None:
    assert count_reasons(failed("a", "b"), 1).unread == 0


def test_the_table_is_bounded_and_adds_up() -> None:
    reasons = [f"{number:02} {'x' * 300}" for number in range(MOST_REASONS + 5) for _ in range(1 + (number == 3))]
    table = count_reasons(failed(*reasons), len(reasons) + 7)

    assert len(table.most_frequent) == MOST_REASONS
    assert all(len(one.reason) == LONGEST_REASON + 1 for one in table.most_frequent)
    assert (table.most_frequent[0].number, table.others, table.unread) == (2, 5, 7)
    assert str(table).endswith("; 5 with other reasons; 7 not read")


def test_the_order_in_which_tasks_are_read_does_not_change_the_table() -> None:
    tasks = failed("b", "a", "c", "c")

    assert count_reasons(tasks, 4) == count_reasons(tasks[::-1], 4)
    assert [one.reason for one in count_reasons(tasks, 4).most_frequent] == ["c", "a", "b"]


def test_reasons_of_devices_that_are_all_named_are_not_repeated() -> None:
    assert "Reasons" not in assess(failed("battery low")).failure_text()


def test_cancelled_devices_that_are_not_all_named_have_no_reasons() -> None:
    assert "Reasons" not in assess([], {"CANCELED": 60}).failure_text()


def test_a_verdict_brings_its_reasons_back_from_json_and_older_ones_have_none() -> None:
    verdict = assess(failed("battery low"), {"FAILED": 3})
    values = verdict.to_dict()

    assert Verdict.from_dict(values) == verdict
    del values["failure_reasons"]
    assert Verdict.from_dict(values).failure_reasons == FailureReasons()
