from __future__ import annotations

from dataclasses import replace

import pytest

from airflow_provider_tuya_ota.core.model.states import TaskStatus
from airflow_provider_tuya_ota.rollout.halt.events import HaltJobUnread, HaltStateLost
from airflow_provider_tuya_ota.rollout.halt.halt import halt_jobs
from airflow_provider_tuya_ota.rollout.halt.scope import HaltScope
from tests.core.script import SETTINGS, refused
from tests.rollout.halt.platform import CANCEL, DONE, LIST, OPTIONS, SCOPE, Platform, flow


def test_the_receipt_stays_the_same_once_it_is_made_and_nothing_is_cancelled_for_it() -> None:
    still = {"c": "IN_PROGRESS", "d": "FAILED"}
    platform = Platform({"1": DONE["1"], "2": {0.0: still, 9000.0: {"c": "SUCCEEDED", "d": "FAILED"}}})
    settled = platform.run(flow())
    platform.go_on(20_000)

    again = platform.run(flow())

    assert replace(again, tasks=()) == replace(settled, tasks=())
    assert platform.requests(CANCEL) == []
    assert {task.device_name: task.status for task in again.tasks} == {
        "a": TaskStatus.CANCELED,
        "b": TaskStatus.FAILED,
        "d": TaskStatus.FAILED,
    }


def test_reasons_that_cannot_be_read_again_are_left_out_and_the_receipt_stays() -> None:
    platform = Platform(DONE)
    settled = platform.run(flow())
    platform.go_on()
    platform.errors[LIST, "1"] = [refused("iot.firmware.InvalidOTAJobId")] * 100

    again = platform.run(flow())

    assert again.receipt == settled.receipt
    assert [event.job_id for event in platform.script.events if isinstance(event, HaltJobUnread)] == ["1"]
    assert [(task.device_name, task.task_id) for task in again.tasks] == [
        ("a", ""),
        ("b", ""),
        ("c", "t-c"),
        ("d", "t-d"),
    ]


def test_a_resumed_halt_keeps_reason_deadline_first_ends_and_the_time_of_silence() -> None:
    tasks = {
        "1": {0.0: {"a": "CANCELED", "b": "FAILED"}, 400.0: {"a": "SUCCEEDED", "b": "FAILED"}},
        "2": {0.0: {"c": "IN_PROGRESS 30", "d": "FAILED"}},
    }
    platform = Platform(tasks)
    platform.run_until(flow(), seconds=350.0)
    platform.go_on(100)

    settled = platform.run(halt_jobs(SETTINGS, SCOPE, OPTIONS, reason="another reason"))

    assert settled.receipt.reason == "ceiling 5 %"
    assert (settled.receipt.cancelled, settled.contradictions) == (("a",), ("a",))
    assert settled.receipt.not_cancelled == ("c",)
    assert 600 <= platform.seconds <= 670


def test_a_device_that_moved_while_no_process_ran_is_not_silent() -> None:
    tasks = {
        "1": DONE["1"],
        "2": {0.0: {"c": "IN_PROGRESS 30", "d": "FAILED"}, 400.0: {"c": "IN_PROGRESS 60", "d": "FAILED"}},
    }
    platform = Platform(tasks)
    platform.run_until(flow(), seconds=350.0)
    platform.go_on(100)

    platform.run(flow())

    assert platform.seconds > 1000


def test_a_process_that_begins_after_the_deadline_cancels_once_more_and_ends() -> None:
    platform = Platform({"1": DONE["1"], "2": {0.0: {"c": "IN_PROGRESS", "d": "FAILED"}}})
    platform.run_until(flow(), seconds=100.0)
    platform.go_on(5000)

    settled = platform.run(flow())

    assert platform.requests(CANCEL) == ["1", "2"]
    assert platform.script.sleeps == []
    assert settled.receipt.not_cancelled == ("c",)


@pytest.mark.parametrize("saved", ["nonsense", {}, {"version": 99}, {"version": 1, "scope": "other"}, ["x"]])
def test_a_state_that_cannot_be_used_makes_nothing_go_on(saved: object) -> None:
    platform = Platform(DONE, saved=saved)
    settled = platform.run(flow())

    assert platform.requests(CANCEL) == ["1", "2"]
    assert next(type(event) for event in platform.script.events) is HaltStateLost
    assert settled.counts["cancelled"] == 1


def test_a_job_that_is_found_after_the_receipt_is_cancelled_too() -> None:
    platform = Platform({**DONE, "3": {0.0: {"e": "QUEUED"}, 20_000.0: {"e": "QUEUED"}, 20_010.0: {"e": "CANCELED"}}})
    platform.run(flow())
    platform.go_on(20_000 - platform.seconds)
    scope = replace(SCOPE, jobs={**SCOPE.jobs, "3": ("e",)})

    settled = platform.run(flow(scope))

    assert "3" in platform.requests(CANCEL)
    assert (settled.receipt.cancelled, settled.receipt.spared) == (("a", "e"), ("f",))
    assert any("is of other jobs or devices" in line for line in platform.script.warnings)


def test_devices_that_the_platform_chose_are_in_the_receipt_and_its_job_is_cancelled_until_it_ends() -> None:
    scope = HaltScope(jobs={"9": None}, planned=("a",), before={}, rounds=0)
    tasks = {
        "9": {
            0.0: {"x": "IN_PROGRESS", "y": "QUEUED"},
            5.0: {"x": "IN_PROGRESS", "y": "CANCELED"},
            70.0: {"x": "SUCCEEDED", "y": "CANCELED"},
            160.0: {"x": "SUCCEEDED", "y": "CANCELED", "z": "FAILED"},
        }
    }
    platform = Platform(tasks, jobs={"9": {0.0: "IN_PROGRESS", 130.0: "COMPLETED"}})
    settled = platform.run(flow(scope))

    assert settled.receipt.by_receipt == {
        "cancelled": ("y",),
        "could not be cancelled": (),
        "landed after the halt": ("x",),
        "failed": ("z",),
        "spared": ("a",),
    }
    assert settled.unplanned == ("x", "y", "z")
    assert sum(settled.counts.values()) == settled.cohort == 4
    assert len(platform.requests(CANCEL)) > 3
    platform.go_on()
    assert platform.run(flow(scope)).receipt == settled.receipt


def test_the_log_says_what_is_halted_and_what_is_left() -> None:
    tasks = {"1": {0.0: {"b": "FAILED"}}, "2": {0.0: {"c": "IN_PROGRESS", "d": "FAILED"}}}
    platform = Platform(tasks, errors={(LIST, "2"): [refused("iot.firmware.InvalidOTAJobId")]})
    platform.run_until(flow(), seconds=10.0)
    first, listed = platform.script.lines[0], [line for line in platform.script.lines if line.startswith("Halting: ")]
    assert first == "Halting the release: cancelling 2 jobs. Reason: ceiling 5 %"
    assert listed[:2] == [
        (
            "Halting: 0 device tasks can still be cancelled, 0 cannot be cancelled and go on, 3 devices have no task"
            " yet, 1 jobs could not be read"
        ),
        "Halting: 0 device tasks can still be cancelled, 1 cannot be cancelled and go on, 1 devices have no task yet",
    ]

    platform.go_on()
    platform.run_until(flow(), requests=1)

    assert platform.script.lines == ["Going on with the halt of the release: cancelling 2 jobs. Reason: ceiling 5 %"]
