from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_tuya_ota.core.model.verdict import Outcome
from airflow_provider_tuya_ota.core.status.job_snapshot import fetch_verdict
from airflow_provider_tuya_ota.core.status.task_snapshot import FULL, ORDER, SAMPLE, TaskSnapshot, fetch_tasks
from tests.core.script import SETTINGS, Script, by_action, job, ok, task

if TYPE_CHECKING:
    from tests.core.script import Answer, Sent


class Platform:
    """A job with many device tasks."""

    def __init__(self, counts: dict[str, int], *, totals: str = "all", filters: bool = True, most: int = 100) -> None:
        self.totals, self.filters, self.most = totals, filters, most
        self.left_out = 0
        self.hidden = ""
        self.moves: dict[str | None, list[tuple[str, str, int]]] = {}
        self.tasks = [task(f"d{status}{number}", status) for status, many in counts.items() for number in range(many)]

    def __call__(self, sent: Sent) -> Answer:
        if sent.action == "QueryOTAJob":
            return ok(data=job("9", kind="UPGRADE_FIRMWARE"))
        for before, after, number in self.moves.pop(sent.parameters.get("TaskStatus"), ()):
            for one in [one for one in self.tasks if one["taskStatus"] == before][:number]:
                one["taskStatus"] = after
        wanted = sent.parameters.get("TaskStatus") if self.filters else None
        if wanted and wanted == self.hidden:
            return ok(data=[], total=0)
        number, size = int(sent.parameters["CurrentPage"]), min(int(sent.parameters["PageSize"]), self.most)
        found = [one for one in self.tasks if wanted in {one["taskStatus"], None}]
        page = found[(number - 1) * size : number * size]
        everything = len(found) - (0 if wanted else self.left_out)
        with_total: dict[str, Any] = {"all": {"total": everything}, "page": {"total": len(page)}, "none": {}}[
            self.totals
        ]
        return ok(data=page, **with_total)


def read(platform: Platform, *, is_large: bool = False) -> tuple[TaskSnapshot, Script]:
    script = Script(platform)
    return script.run(fetch_tasks(SETTINGS, "9", is_large=is_large)), script


MANY = {"QUEUED": 700, "IN_PROGRESS": 200, "SUCCEEDED": 9000, "FAILED": 3}


@pytest.mark.parametrize("number", [0, 1, FULL - 1])
@pytest.mark.parametrize("status", ["QUEUED", "SUCCEEDED"])
def test_a_small_job_is_read_with_one_request_and_its_end_with_one_more(status: str, number: int) -> None:
    tasks, script = read(Platform({status: number}))

    assert (tasks.counts, len(tasks.read), tasks.is_large) == ({status: number} if number else {}, number, False)
    assert len(script.sent) == 1 + (status == "SUCCEEDED" and number > 0)


@pytest.mark.parametrize(("totals", "expected", "requests"), [("all", 30, 1), ("all", 29, 2), ("none", 30, 3)])
def test_where_the_devices_asked_for_are_all_read_and_counted_no_other_page_is_asked_for(
    totals: str, expected: int, requests: int
) -> None:
    script = Script(Platform({"SUCCEEDED": 29, "FAILED": 1}, totals=totals))

    assert script.run(fetch_tasks(SETTINGS, "9", expected=expected)).counts == {"SUCCEEDED": 29, "FAILED": 1}
    assert len(script.sent) == requests


@pytest.mark.parametrize(
    ("counts", "requests", "is_whole"),
    [({"SUCCEEDED": 5}, 1, False), ({"SUCCEEDED": 5, "FAILED": 1}, 2, True), ({"QUEUED": 1}, 1, True), ({}, 1, True)],
)
def test_where_nobody_concludes_from_it_a_success_is_read_without_the_page_behind(
    counts: dict[str, int], requests: int, is_whole: bool
) -> None:
    script = Script(Platform(counts))

    tasks = script.run(fetch_tasks(SETTINGS, "9", holds_success=True))

    assert (len(script.sent), tasks.is_whole) == (requests, is_whole)


def test_a_large_job_costs_a_request_for_each_status_and_names_fifty_of_each() -> None:
    tasks, script = read(Platform(MANY), is_large=True)

    assert tasks.counts == MANY
    assert [sent.parameters.get("TaskStatus") for sent in script.sent] == [*(status.value for status in ORDER), None]
    assert len(tasks.read) == 3 * SAMPLE + 3


def test_that_a_job_is_large_is_found_out_once() -> None:
    tasks, script = read(Platform(MANY))

    assert (tasks.is_large, len(script.sent)) == (True, 1 + len(ORDER) + 1)


@pytest.mark.parametrize("totals", ["none", "page"])
def test_where_totals_are_of_no_use_everything_is_counted(totals: str) -> None:
    assert read(Platform(MANY, totals=totals), is_large=True)[0].counts == MANY


def test_a_total_that_may_be_the_page_s_own_costs_the_reading_of_that_status_alone() -> None:
    tasks, script = read(Platform({"IN_PROGRESS": 200, "SUCCEEDED": 9000, "FAILED": SAMPLE}), is_large=True)

    assert tasks.counts == {"IN_PROGRESS": 200, "SUCCEEDED": 9000, "FAILED": SAMPLE}
    assert len(script.sent) == len(ORDER) + 2


def test_where_a_page_shows_an_end_that_no_count_has_everything_is_read() -> None:
    platform = Platform({"FAILED": 1, "SUCCEEDED": 149})
    platform.hidden = "FAILED"

    assert read(platform, is_large=True)[0].counts == {"FAILED": 1, "SUCCEEDED": 149}


def test_while_tasks_go_on_an_end_that_no_count_has_costs_no_reading_of_all() -> None:
    platform = Platform({"FAILED": 1, "IN_PROGRESS": 149})
    platform.hidden = "FAILED"
    platform.left_out = 1

    _, script = read(platform, is_large=True)

    assert len(script.sent) == len(ORDER) + 1


@pytest.mark.parametrize("ends", [("FAILED", "SUCCEEDED"), ("SUCCEEDED", "FAILED"), ("CANCELED", "SUCCEEDED")])
@pytest.mark.parametrize("is_large", [False, True])
def test_of_two_ends_of_one_task_the_success_does_not_count(ends: tuple[str, str], is_large: bool) -> None:
    platform = Platform({"SUCCEEDED": 149 if is_large else 3})
    platform.tasks[:0] = [task("d1", ends[0]), task("d1", ends[1])]
    (lost,) = set(ends) - {"SUCCEEDED"}

    counts = read(platform, is_large=is_large)[0].counts

    assert counts[lost] == 1
    assert counts["SUCCEEDED"] == len(platform.tasks) - 2


def test_a_task_that_goes_on_again_goes_on() -> None:
    platform = Platform({"SUCCEEDED": 3})
    platform.tasks[:0] = [task("d1", "FAILED"), task("d1", "IN_PROGRESS")]

    assert read(platform)[0].counts == {"SUCCEEDED": 3, "IN_PROGRESS": 1}


def test_where_the_platform_does_not_filter_everything_is_read() -> None:
    assert read(Platform(MANY, filters=False), is_large=True)[0].counts == MANY


def test_before_everything_is_said_to_have_ended_nothing_may_be_missing() -> None:
    well, script = read(Platform({"SUCCEEDED": 9000}), is_large=True)
    assert (well.counts, len(script.sent)) == ({"SUCCEEDED": 9000}, len(ORDER) + 1)

    strange, _ = read(Platform({"SUCCEEDED": 9000, "REBOOTING": 1}), is_large=True)

    assert strange.counts == {"SUCCEEDED": 9000, "REBOOTING": 1}


@pytest.mark.parametrize(
    ("counts", "outcome"),
    [
        (MANY, Outcome.RUNNING),
        ({"SUCCEEDED": 9000}, Outcome.SETTLING),
        ({"SUCCEEDED": 9000, "FAILED": 1}, Outcome.SETTLING),
        ({"SUCCEEDED": 9000, "REBOOTING": 1}, Outcome.RUNNING),
    ],
)
def test_a_verdict_over_many_devices_of_a_job_that_goes_on_is_the_same_as_over_few(
    counts: dict[str, int], outcome: Outcome
) -> None:
    verdict = Script(Platform(counts)).run(fetch_verdict(SETTINGS, "9"))

    assert verdict.outcome is outcome
    assert verdict.counts == counts
    assert len(verdict.devices) <= SAMPLE


@pytest.mark.parametrize(
    ("before", "moves", "counts"),
    [
        # Cancelled while the poll was under way: they were read as waiting, and are read as cancelled.
        (
            {"QUEUED": 7, "SUCCEEDED": 93},
            {"CANCELED": [("QUEUED", "CANCELED", 7)]},
            {"SUCCEEDED": 93, "CANCELED": 7},
        ),
        (
            {"QUEUED": 300, "NOTIFIED": 200},
            {"NOTIFIED": [("QUEUED", "NOTIFIED", 120)], "IN_PROGRESS": [("NOTIFIED", "IN_PROGRESS", 60)]},
            {"QUEUED": 170, "NOTIFIED": 270, "IN_PROGRESS": 60},
        ),
        ({"IN_PROGRESS": 200}, {"SUCCEEDED": [("IN_PROGRESS", "SUCCEEDED", 200)]}, {"SUCCEEDED": 200}),
    ],
)
def test_a_device_that_moves_on_during_a_poll_is_counted_and_named_once(
    before: dict[str, int], moves: dict[str | None, list[tuple[str, str, int]]], counts: dict[str, int]
) -> None:
    platform = Platform(before)
    platform.moves = dict(moves)
    tasks, _ = read(platform, is_large=True)

    assert sum(tasks.counts.values()) == sum(before.values())
    assert tasks.counts == counts
    names = [one.device_name for one in tasks.read]
    assert len(names) == len(set(names))


def test_where_parts_and_whole_contradict_each_other_everything_is_read() -> None:
    platform = Platform({"IN_PROGRESS": 60, "SUCCEEDED": 300})
    platform.left_out = 200
    tasks, script = read(platform, is_large=True)

    assert tasks.counts == {"IN_PROGRESS": 60, "SUCCEEDED": 300}
    assert len(tasks.read) == 360
    assert len(script.sent) > len(ORDER) + 1


@pytest.mark.parametrize("is_large", [True, False])
@pytest.mark.parametrize("counts", [{"SUCCEEDED": 30}, {"SUCCEEDED": 29, "FAILED": 1}, {"SUCCEEDED": 40, "FAILED": 20}])
def test_a_platform_that_shows_fewer_tasks_on_a_page_than_it_was_asked_for_is_read_whole(
    counts: dict[str, int], is_large: bool
) -> None:
    tasks, _ = read(Platform(counts, most=10), is_large=is_large)

    assert tasks.counts == counts
    assert len(tasks.read) == sum(counts.values())


@pytest.mark.parametrize("counts", [{"SUCCEEDED": 10, "FAILED": 20}, {"SUCCEEDED": 10, "IN_PROGRESS": 20}])
def test_without_totals_a_short_page_of_ended_tasks_is_not_taken_for_all_of_them(counts: dict[str, int]) -> None:
    tasks, _ = read(Platform(counts, most=10, totals="none"))

    assert tasks.counts == counts


def test_an_empty_status_whose_total_says_otherwise_is_not_believed() -> None:
    platform = Platform({"SUCCEEDED": 40, "FAILED": 20})

    def answer(sent: Sent) -> Answer:
        if sent.parameters.get("TaskStatus") == "FAILED":
            return ok(data=[], total=20)
        return platform(sent)

    tasks = Script(answer).run(fetch_tasks(SETTINGS, "9", is_large=True))

    assert tasks.counts == {"SUCCEEDED": 40, "FAILED": 20}


@pytest.mark.parametrize(
    ("states", "last"), [(("QUEUED", "SUCCEEDED"), "SUCCEEDED"), (("SUCCEEDED",) * 2, "SUCCEEDED")]
)
def test_a_task_that_a_page_shows_twice_counts_once_and_as_it_stands_last(states: tuple[str, ...], last: str) -> None:
    shown = [task("d1", state) for state in states]

    found = Script(by_action({"ListOTATaskByJob": ok(data=shown, total=2)})).run(fetch_tasks(SETTINGS, "9"))

    assert found.counts == {last: 1}
    assert [one.status for one in found.read] == [last]
    assert found.missing == 0


@pytest.mark.parametrize("is_large", [False, True])
def test_tasks_of_several_devices_count_each_although_they_have_one_id(is_large: bool) -> None:
    platform = Platform({"FAILED": 4, "SUCCEEDED": 1})
    for one in platform.tasks:
        one["taskId"] = "0"

    tasks, _ = read(platform, is_large=is_large)

    assert tasks.counts == {"FAILED": 4, "SUCCEEDED": 1}
    assert (len(tasks.read), tasks.missing) == (5, 0)
