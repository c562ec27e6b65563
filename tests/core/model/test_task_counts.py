from __future__ import annotations

from airflow_provider_tuya_ota.core.model.entities import DeviceTask
from airflow_provider_tuya_ota.core.model.states import TaskStatus
from airflow_provider_tuya_ota.core.model.task_counts import bound_counts, count_by_status, count_waiting, render_counts


def tasks(*statuses: str) -> list[DeviceTask]:
    return [
        DeviceTask(task_id=str(number), device_name=f"d{number}", status=TaskStatus(status))
        for number, status in enumerate(statuses)
    ]


def test_each_task_counts_under_its_status() -> None:
    assert count_by_status(tasks("QUEUED", "FAILED", "QUEUED", "NEW")) == {"QUEUED": 2, "FAILED": 1, "NEW": 1}


def test_what_matters_most_comes_first_and_undocumented_statuses_last() -> None:
    counts = bound_counts({"NEW": 1, "SUCCEEDED": 2, "QUEUED": 3, "CANCELED": 4, "FAILED": 5})

    assert list(counts) == ["FAILED", "CANCELED", "QUEUED", "SUCCEEDED", "NEW"]


def test_counts_are_written_without_those_that_are_zero() -> None:
    assert render_counts({"FAILED": 1, "CANCELED": 0, "SUCCEEDED": 20}) == "1 FAILED, 20 SUCCEEDED"
    assert render_counts({}) == ""


def test_what_can_still_be_cancelled_waits() -> None:
    every = dict.fromkeys(TaskStatus, 1)

    assert count_waiting(every) == 3
    assert count_waiting({status.value: 1 for status in TaskStatus} | {"NEW": 1}) == 3
    assert count_waiting({}) == 0
