from __future__ import annotations

from dataclasses import replace

import pytest

from airflow_provider_tuya_ota.core.errors import InvalidParameterError
from airflow_provider_tuya_ota.core.flows.events import Level
from airflow_provider_tuya_ota.core.model.states import TaskStatus
from airflow_provider_tuya_ota.core.status.wait import LISTED_LATE
from airflow_provider_tuya_ota.rollout.halt.events import HaltJobUnread, HaltListed, HaltSettled
from airflow_provider_tuya_ota.rollout.halt.halt import halt_jobs
from airflow_provider_tuya_ota.rollout.halt.scope import HaltScope
from airflow_provider_tuya_ota.rollout.halt.settlement import HaltOptions
from tests.core.script import SETTINGS, gateway, lost, refused
from tests.rollout.halt.platform import CANCEL, DONE, LIST, OPTIONS, SCOPE, Platform, flow


def test_each_device_is_in_one_class_and_together_they_are_the_cohort() -> None:
    settled = Platform(DONE).run(flow())

    assert settled.receipt.by_receipt == {
        "cancelled": ("a",),
        "could not be cancelled": (),
        "landed after the halt": ("c",),
        "failed": ("d",),
        "spared": ("e", "f"),
    }
    assert settled.before == {"flash": 1}
    assert sum(settled.counts.values()) == settled.cohort == 6
    assert (settled.receipt.rounds, settled.receipt.reason) == (3, "ceiling 5 %")
    assert str(settled) == (
        "1 cancelled, 0 could not be cancelled, 1 landed after the halt, 1 failed, 2 spared, 1 ended before the halt;"
        " 6 devices in all"
    )


def test_the_state_is_saved_before_the_first_cancel_and_all_cancels_go_before_the_first_list() -> None:
    platform = Platform(DONE)
    platform.run(flow())

    assert platform.script.actions[:2] == [CANCEL, CANCEL]
    assert platform.requests(CANCEL) == ["1", "2"]
    stopped = Platform(DONE)
    stopped.run_until(flow(), requests=1)
    assert stopped.script.saved["reason"] == "ceiling 5 %"


def test_jobs_that_were_read_are_not_read_again_for_their_reasons() -> None:
    platform = Platform(DONE)
    platform.run(flow())

    rounds = [event for event in platform.script.events if isinstance(event, HaltListed)]
    # Each list has an empty page at its end.
    assert platform.requests(LIST) == ["1", "1", "2", "2"] * len(rounds)


def test_two_lists_in_a_row_must_show_nothing_that_can_be_cancelled() -> None:
    tasks = {"1": {0.0: {"a": "QUEUED", "b": "FAILED"}, 5.0: {"a": "CANCELED", "b": "FAILED"}}, "2": DONE["2"]}
    platform = Platform(tasks)
    settled = platform.run(flow())

    listed = [event for event in platform.script.events if isinstance(event, HaltListed)]
    assert [event.waiting for event in listed] == [1, 1, 0, 0]
    assert platform.requests(CANCEL) == ["1", "2", "1", "1"]
    assert platform.script.sleeps == [3.0, 6.0, 12.0]
    assert settled.receipt.cancelled == ("a",)
    # A job that has ended and was clean twice is not listed again.
    assert platform.requests(LIST).count("2") < platform.requests(LIST).count("1")


def test_a_task_that_can_be_cancelled_again_is_cancelled_again() -> None:
    tasks = {
        "1": {
            0.0: {"a": "IN_PROGRESS", "b": "FAILED"},
            60.0: {"a": "NOTIFIED", "b": "FAILED"},
            200.0: {"a": "CANCELED", "b": "FAILED"},
        },
        "2": DONE["2"],
    }
    platform = Platform(tasks)
    settled = platform.run(flow())

    assert platform.requests(CANCEL).count("1") > 3
    assert (settled.receipt.cancelled, settled.contradictions) == (("a",), ("a",))


def test_what_cannot_be_cancelled_is_watched_until_it_ends() -> None:
    tasks = {
        "1": DONE["1"],
        "2": {0.0: {"c": "IN_PROGRESS 10", "d": "FAILED"}, 500.0: {"c": "SUCCEEDED", "d": "FAILED"}},
    }
    platform = Platform(tasks)
    settled = platform.run(flow())

    assert settled.receipt.landed == ("c",)
    assert platform.requests(CANCEL) == ["1", "2"]
    assert 500 <= platform.seconds < 600
    assert not settled.may_begin


def test_a_silent_device_ends_the_halt_after_the_stated_time_from_its_last_change() -> None:
    still = {"c": "IN_PROGRESS 40", "d": "FAILED"}
    tasks = {"1": DONE["1"], "2": {0.0: {"c": "IN_PROGRESS 10", "d": "FAILED"}, 300.0: still}}
    platform = Platform(tasks)
    settled = platform.run(flow())

    assert settled.receipt.not_cancelled == ("c",)
    assert 900 <= platform.seconds <= 1020
    assert not settled.may_begin


def test_a_device_that_ends_does_not_delay_the_end_of_silent_ones() -> None:
    tasks = {
        "1": {0.0: {"a": "IN_PROGRESS", "b": "FAILED"}, 550.0: {"a": "SUCCEEDED", "b": "FAILED"}},
        "2": {0.0: {"c": "IN_PROGRESS", "d": "FAILED"}},
    }
    platform = Platform(tasks)
    settled = platform.run(flow())

    assert (settled.receipt.landed, settled.receipt.not_cancelled) == (("a",), ("c",))
    assert platform.seconds <= 700


def test_the_deadline_ends_a_halt_in_which_something_can_still_be_cancelled() -> None:
    tasks = {"1": DONE["1"], "2": {0.0: {"c": "NOTIFIED", "d": "FAILED"}}}
    platform = Platform(tasks)
    settled = platform.run(flow())

    assert platform.seconds == 3600
    assert (settled.receipt.not_cancelled, settled.may_begin) == (("c",), True)
    (end,) = [event for event in platform.script.events if isinstance(event, HaltSettled)]
    assert end.level is Level.WARNING
    assert end.line().endswith("The deadline has passed, and devices may still begin")


def test_the_deadline_ends_a_halt_of_a_device_that_goes_on_for_ever() -> None:
    course = {float(second): {"c": f"IN_PROGRESS {second // 100}", "d": "FAILED"} for second in range(0, 4000, 100)}
    platform = Platform({"1": DONE["1"], "2": course})
    settled = platform.run(flow())

    assert platform.seconds == 3600
    assert (settled.receipt.not_cancelled, settled.may_begin) == (("c",), False)


def test_a_job_that_cannot_be_read_keeps_no_other_from_its_receipt() -> None:
    refusal = gateway("SignatureDoesNotMatch", 403)
    platform = Platform(DONE, errors={(LIST, "1"): [refusal] * 900, (CANCEL, "1"): [lost()] * 900})
    settled = platform.run(flow())

    assert (settled.receipt.landed, settled.receipt.failed) == (("c",), ("d",))
    assert (settled.receipt.not_cancelled, settled.may_begin) == (("a",), True)
    assert 3600 <= platform.seconds < 3630
    assert any("Cancelling and reading job 1 again" in line for line in platform.script.warnings)
    assert max(event.unread for event in platform.script.events if isinstance(event, HaltListed)) == 1


def test_a_cancel_that_fails_is_said_and_sent_again() -> None:
    tasks = {"1": {0.0: {"a": "QUEUED", "b": "FAILED"}, 9.0: {"a": "CANCELED", "b": "FAILED"}}, "2": DONE["2"]}
    platform = Platform(tasks, errors={(CANCEL, "1"): [refused("iot.common.RamActionPermissionDeny")]})
    settled = platform.run(flow())

    assert platform.requests(CANCEL)[:3] == ["1", "2", "1"]
    assert [line for line in platform.script.warnings if line.startswith("Job 1 may not be cancelled yet. Cancel")]
    assert settled.receipt.cancelled == ("a",)


def test_a_job_that_is_read_again_is_no_longer_unread() -> None:
    platform = Platform(DONE, errors={(LIST, "1"): [refused("iot.firmware.InvalidOTAJobId")]})
    settled = platform.run(flow())

    listed = [event for event in platform.script.events if isinstance(event, HaltListed)]
    assert [event.unread for event in listed] == [1, 0, 0]
    assert [event.level for event in listed] == [Level.WARNING, Level.INFO, Level.INFO]
    assert [event.job_id for event in platform.script.events if isinstance(event, HaltJobUnread)] == ["1"]
    assert not settled.may_begin
    assert platform.requests(CANCEL) == ["1", "2", "1"]


def test_a_device_whose_job_ended_without_a_task_of_it_was_cancelled_once_lists_must_show_it() -> None:
    tasks = {"1": {0.0: {"b": "FAILED"}}, "2": DONE["2"]}
    platform = Platform(tasks, jobs={"1": {0.0: "PLANNED", 5.0: "CANCELED"}})
    settled = platform.run(flow())

    assert settled.receipt.cancelled == ("a",)
    assert 65 <= platform.seconds < 200
    assert [task.device_name for task in settled.tasks] == ["b", "c", "d"]


def test_a_task_that_is_listed_after_its_job_has_ended_counts() -> None:
    tasks = {"1": {0.0: {"b": "FAILED"}, 40.0: {"a": "SUCCEEDED", "b": "FAILED"}}, "2": DONE["2"]}
    settled = Platform(tasks, jobs={"1": {0.0: "COMPLETED"}}).run(flow())

    assert (settled.receipt.landed, settled.contradictions) == (("a", "c"), ())


def test_a_job_without_any_task_may_begin_all_of_them() -> None:
    tasks: dict[str, dict[float, dict[str, str]]] = {"1": {0.0: {}}, "2": DONE["2"]}
    platform = Platform(tasks, jobs={"1": {0.0: "PLANNED"}})
    settled = platform.run(flow())

    assert platform.seconds == 3600
    assert (settled.receipt.not_cancelled, settled.may_begin) == (("a",), True)
    assert len(platform.requests(CANCEL)) > 50


def test_devices_without_a_task_in_a_job_that_goes_on_are_waited_for_as_silent_ones() -> None:
    tasks = {"1": {0.0: {"b": "FAILED"}}, "2": DONE["2"]}
    platform = Platform(tasks)
    settled = platform.run(flow())

    assert 600 <= platform.seconds < 700
    assert (settled.receipt.not_cancelled, settled.may_begin) == (("a",), True)
    assert platform.requests(CANCEL)[-1] == "1"


def test_a_status_that_changes_after_its_end_is_counted_and_the_first_end_stays() -> None:
    tasks = {
        "1": {0.0: {"a": "CANCELED", "b": "FAILED"}, 3.0: {"a": "SUCCEEDED", "b": "FAILED"}},
        "2": {0.0: {"c": "FAILED", "d": "IN_PROGRESS"}, 300.0: {"c": "SUCCEEDED", "d": "SUCCEEDED"}},
    }
    settled = Platform(tasks).run(flow())

    assert (settled.receipt.cancelled, settled.receipt.failed, settled.receipt.landed) == (("a",), ("c",), ("d",))
    assert settled.contradictions == ("a", "c")
    assert str(settled).endswith("6 devices in all; 2 contradicted themselves")
    ends = {task.device_name: task.status for task in settled.tasks}
    assert ends == {
        "a": TaskStatus.CANCELED,
        "b": TaskStatus.FAILED,
        "c": TaskStatus.FAILED,
        "d": TaskStatus.SUCCEEDED,
    }
    assert {task.job_id for task in settled.tasks} == {"1", "2"}


def test_a_retry_that_is_in_flight_is_cancelled_and_its_device_stays_as_it_was() -> None:
    scope = replace(SCOPE, jobs={**SCOPE.jobs, "3": ("b",)})
    platform = Platform({**DONE, "3": {0.0: {"b": "CANCELED"}}})
    settled = platform.run(flow(scope))

    assert platform.requests(CANCEL) == ["1", "2", "3"]
    assert settled.before == {"flash": 1}
    assert sum(settled.counts.values()) == settled.cohort == 6


def test_a_device_of_two_jobs_has_the_end_of_the_later_one() -> None:
    scope = HaltScope(jobs={"1": ("a", "b", "c"), "2": ("a", "b", "c")}, planned=("a", "b", "c"), before={}, rounds=0)
    tasks = {
        "1": {0.0: {"a": "FAILED", "b": "SUCCEEDED", "c": "IN_PROGRESS"}},
        "2": {0.0: {"a": "CANCELED", "b": "FAILED", "c": "CANCELED"}},
    }
    settled = Platform(tasks).run(flow(scope))

    assert (settled.receipt.cancelled, settled.receipt.landed, settled.receipt.not_cancelled) == (
        ("a",),
        ("b",),
        ("c",),
    )


def test_a_halt_without_jobs_spares_everybody() -> None:
    scope = HaltScope(jobs={}, planned=("a", "b"), before={}, rounds=0)
    platform = Platform({})
    settled = platform.run(flow(scope))

    assert settled.receipt.spared == ("a", "b")
    assert platform.script.sent == []
    assert not settled.may_begin


@pytest.mark.parametrize("name", ["silent_after", "longest", "poll_interval"])
@pytest.mark.parametrize("value", [0, -1, None, "6h", True])
def test_options_that_are_no_seconds_are_refused(name: str, value: object) -> None:
    values: dict[str, object] = {"silent_after": 60.0, name: value}
    with pytest.raises(InvalidParameterError, match=name):
        HaltOptions(**values)  # type: ignore[arg-type] # refused for exactly that


def test_a_long_reason_is_cut_to_what_a_record_takes() -> None:
    settled = Platform(DONE).run(halt_jobs(SETTINGS, SCOPE, OPTIONS, reason="why\n" * 2000))

    assert len(settled.receipt.reason) == 2000


def test_a_job_of_the_platform_that_has_ended_delays_no_halt() -> None:
    scope = HaltScope(jobs={"1": None}, planned=("a",), before={}, rounds=0)
    platform = Platform({"1": {0.0: {"a": "SUCCEEDED"}}}, jobs={"1": {0.0: "COMPLETED"}})
    settled = platform.run(flow(scope))

    assert settled.receipt.landed == ("a",)
    assert LISTED_LATE <= platform.seconds < OPTIONS.silent_after
