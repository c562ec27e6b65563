"""Success covers exactly the devices that were asked for."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_tuya_ota.core.model.coverage import require_coverage
from airflow_provider_tuya_ota.core.model.outcome_errors import JobFailedError
from airflow_provider_tuya_ota.core.model.verdict import Outcome, Verdict
from airflow_provider_tuya_ota.core.status.wait import WaitOptions
from tests.core.one_job import wait_for_job
from tests.core.script import NOW, SETTINGS, Script, job, ok, task

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from airflow_provider_tuya_ota.core.wire.http import Response
    from tests.core.script import Sent

GOOD = Verdict(
    job_id="9001",
    firmware_id="178",
    job_type="UPGRADE_FIRMWARE",
    job_status="COMPLETED",
    firmware_status="",
    outcome=Outcome.SUCCEEDED,
    counts={"SUCCEEDED": 2},
)


@pytest.mark.parametrize(
    ("names", "expected", "why"),
    [
        (["a", "b"], ["b", "a"], ""),
        (["a", "b"], [], ""),
        (None, [], ""),
        (["a", "a"], ["a"], ""),
        (["a"], ["a", "b"], "it has no task for b"),
        (["a", "b", "c"], ["a", "b"], "it has tasks for devices that nobody asked for: c"),
        (["c"], ["a"], "it has no task for a; it has tasks for devices that nobody asked for: c"),
        (["x"], [f"d{n:02d}" for n in range(12)], "it has no task for d00, d01, d02, .*d09 and 2 more; it has tasks"),
        (None, ["a", "b", "c"], "it has 2 device tasks, and 3 devices were asked for"),
    ],
)
def test_a_job_succeeds_only_with_the_devices_that_were_asked_for(
    names: Collection[str] | None, expected: Collection[str], why: str
) -> None:
    verdict = require_coverage(GOOD, names, expected)

    assert verdict.outcome is (Outcome.SETTLING if why else Outcome.SUCCEEDED)
    assert replace(verdict, outcome=GOOD.outcome, why="") == GOOD
    assert re.fullmatch(why + ".*" if why else "", verdict.why)


@pytest.mark.parametrize("outcome", [Outcome.FAILED, Outcome.RUNNING, Outcome.SETTLING])
def test_what_has_not_succeeded_is_left_as_it_is(outcome: Outcome) -> None:
    verdict = replace(GOOD, outcome=outcome)

    assert require_coverage(verdict, ["a"], ["b"]) is verdict


def names(number: int) -> list[str]:
    return [f"d{one:03d}" for one in range(number)]


def platform(*polls: Sequence[str]) -> Any:
    """Show a completed upgrade with tasks for these devices, others at each poll; pages and totals as documented."""
    number = -1

    def answer(sent: Sent) -> Response:
        nonlocal number
        asked = sent.parameters
        if sent.action == "QueryOTAJob":
            number += 1
            return ok(data=job(status="COMPLETED", kind="UPGRADE_FIRMWARE"))
        devices = polls[min(number, len(polls) - 1)] if asked.get("TaskStatus", "SUCCEEDED") == "SUCCEEDED" else []
        size, page = int(asked["PageSize"]), int(asked["CurrentPage"])
        shown = devices[size * (page - 1) : size * page]
        return ok(data=[task(name, "SUCCEEDED") for name in shown], total=len(devices))

    return answer


def watch(expected: Sequence[str], *polls: Sequence[str], **options: Any) -> tuple[Verdict, Script]:
    script = Script(platform(*polls))
    how = WaitOptions(deadline=NOW + timedelta(hours=1), expected=tuple(expected), **options)
    return script.run(wait_for_job(SETTINGS, "9001", how)), script


def test_tasks_that_are_listed_late_are_waited_for() -> None:
    verdict, script = watch(["a", "b"], ["a"], ["a"], ["a", "b"])

    assert verdict.outcome is Outcome.SUCCEEDED
    assert [report.outcome for report in script.reports] == [Outcome.SETTLING, Outcome.SETTLING, Outcome.SUCCEEDED]


def test_a_device_that_stays_without_a_task_is_no_success() -> None:
    with pytest.raises(
        JobFailedError, match=r"job 9001: it has no task for b. The platform has reported this"
    ) as caught:
        watch(["a", "b"], ["a"], settle_time=60)

    assert caught.value.verdict.outcome is Outcome.SETTLING


def test_a_job_that_failed_failed_whatever_its_devices_are() -> None:
    def answer(sent: Sent) -> Response:
        if sent.action == "QueryOTAJob":
            return ok(data=job(status="COMPLETED", kind="UPGRADE_FIRMWARE"))
        return ok(data=[task("a", "FAILED")], total=1)

    how = WaitOptions(deadline=NOW + timedelta(hours=1), expected=("a", "b"))

    assert Script(answer).run(wait_for_job(SETTINGS, "9001", how)).outcome is Outcome.FAILED


def test_a_job_of_more_devices_than_fit_on_a_page_is_read_by_name_before_it_succeeds() -> None:
    verdict, script = watch(names(150), names(150))

    assert (verdict.outcome, verdict.counts) == (Outcome.SUCCEEDED, {"SUCCEEDED": 150})
    pages = [sent.parameters.get("TaskStatus", "all") for sent in script.sent if sent.action == "ListOTATaskByJob"]
    assert pages[-2:] == ["all", "all"]


@pytest.mark.parametrize(
    ("found", "why"),
    [
        (names(151), r"it has 151 device tasks, and 150 devices were asked for"),
        (
            [*names(149), "stranger"],
            r"it has no task for d149; it has tasks for devices that nobody asked for: stranger",
        ),
        (names(149), r"it has no task for d149"),
        (names(20_000), r"it has 20000 device tasks"),
    ],
)
def test_a_large_job_with_other_devices_is_no_success(found: list[str], why: str) -> None:
    with pytest.raises(JobFailedError, match=why):
        watch(names(150), found, settle_time=0)


def test_a_large_job_of_which_no_device_was_named_is_not_read_by_name() -> None:
    _, script = watch([], names(150), settle_time=0)

    assert len(script.sent) < 12


def late(script_after: float) -> Script:
    """A job that has ended, and one of whose device tasks is listed so many seconds later."""

    def answer(sent: Sent) -> Response:
        if sent.action == "QueryOTAJob":
            return ok(data=job("9001", "COMPLETED", kind="UPGRADE_FIRMWARE"))
        is_listed = sum(script.sleeps) >= script_after
        tasks = [task("d1", "SUCCEEDED"), *([task("d2", "FAILED")] if is_listed else [])]
        return ok(data=tasks, total=len(tasks))

    script = Script(answer)
    return script


@pytest.mark.parametrize(("seconds", "outcome"), [(40, Outcome.FAILED), (3600, Outcome.SUCCEEDED)])
def test_where_the_platform_chose_the_devices_a_task_that_is_listed_later_counts(
    seconds: int, outcome: Outcome
) -> None:
    script = late(seconds)
    options = WaitOptions(deadline=NOW + timedelta(hours=1))

    assert script.run(wait_for_job(SETTINGS, "9001", options)).outcome is outcome
    assert sum(script.sleeps) <= 60


def test_named_devices_that_are_all_listed_need_no_such_wait() -> None:
    script = late(3600)

    script.run(wait_for_job(SETTINGS, "9001", WaitOptions(deadline=NOW + timedelta(hours=1), expected=("d1",))))

    assert script.sleeps == []


def test_a_fast_poll_interval_shortens_that_wait() -> None:
    script = late(3600)

    script.run(wait_for_job(SETTINGS, "9001", WaitOptions(deadline=NOW + timedelta(hours=1), poll_interval=1.0)))

    assert sum(script.sleeps) == 4
