from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from airflow_provider_tuya_ota.core.errors import NotFoundError
from airflow_provider_tuya_ota.core.jobs.confirm import confirm_job, confirm_tasks
from airflow_provider_tuya_ota.core.jobs.task_events import BatchConfirmRefused, TasksConfirmed
from tests.core.script import SETTINGS, Script, by_action, lost, ok, refused, task

if TYPE_CHECKING:
    from tests.core.script import Answer, Sent

NOT_WAITING = refused("iot.firmware.InvalidTaskStatus")


def ids(sent: Sent) -> list[str]:
    return [value for name, value in sent.parameters.items() if name.startswith("TaskId.")]


def test_tasks_are_confirmed_ten_at_a_time() -> None:
    script = Script([ok(), ok(), ok()])

    confirmed = script.run(confirm_tasks(SETTINGS, [str(number) for number in range(25)]))

    assert [len(ids(sent)) for sent in script.sent] == [10, 10, 5]
    assert confirmed == [str(number) for number in range(25)]


def test_a_batch_with_tasks_that_wait_no_longer_is_confirmed_one_by_one() -> None:
    def platform(sent: Sent) -> Answer:
        return NOT_WAITING if "2" in ids(sent) else ok()

    script = Script(platform)

    assert script.run(confirm_tasks(SETTINGS, ["1", "2", "3"])) == ["1", "3"]
    assert isinstance(script.events[0], BatchConfirmRefused)
    assert "Confirming these one by one" in script.lines[0]
    assert "Task 2 waits for no confirmation." in script.warnings[-1]


def test_a_batch_that_a_lost_request_confirmed_counts_as_confirmed() -> None:
    script = Script([lost(), NOT_WAITING, NOT_WAITING, NOT_WAITING])

    assert script.run(confirm_tasks(SETTINGS, ["1", "2"])) == ["1", "2"]
    assert [ids(sent) for sent in script.sent] == [["1", "2"], ["1", "2"], ["1"], ["2"]]
    assert script.events[-1] == TasksConfirmed(("1", "2"), is_answer_lost=True)
    assert "the request whose answer was lost has confirmed them" in script.lines[-1]


def test_a_lost_request_that_was_refused_confirmed_nothing() -> None:
    def platform(sent: Sent) -> Answer:
        if len(script.sent) == 1:
            return lost()
        return NOT_WAITING if "2" in ids(sent) else ok()

    script = Script(platform)

    assert script.run(confirm_tasks(SETTINGS, ["1", "2", "3"])) == ["1", "3"]


def test_a_single_confirmation_whose_answer_is_lost_counts_too() -> None:
    script = Script([NOT_WAITING, lost(), NOT_WAITING, NOT_WAITING])

    assert script.run(confirm_tasks(SETTINGS, ["1", "2"])) == ["1"]


def test_a_task_that_does_not_exist_is_an_error() -> None:
    script = Script([refused("iot.firmware.InvalidOTATaskId")])

    with pytest.raises(NotFoundError):
        script.run(confirm_tasks(SETTINGS, ["1"]))


def test_of_a_job_only_what_waits_is_confirmed() -> None:
    listed = ok(data=[task("a", "CONFIRM"), task("b", "QUEUED"), task("c", "CONFIRM")])
    script = Script(by_action({"ListOTATaskByJob": [listed, ok(data=[task("b", "QUEUED")])], "ConfirmOTATask": ok()}))

    assert script.run(confirm_job(SETTINGS, "9")) == ["t-a", "t-c"]
    assert script.actions.count("ConfirmOTATask") == 1
    assert script.sent[0].parameters["TaskStatus"] == "CONFIRM"


def test_an_id_that_the_tasks_of_two_devices_have_is_confirmed_once() -> None:
    tasks = ok(data=[task("a", "CONFIRM", taskId="0"), task("b", "CONFIRM", taskId="0")])
    script = Script(by_action({"ListOTATaskByJob": tasks, "ConfirmOTATask": ok()}))

    assert script.run(confirm_job(SETTINGS, "9")) == ["0"]


def test_a_job_in_which_nothing_waits_needs_no_request() -> None:
    script = Script([ok(data=[])])

    assert script.run(confirm_job(SETTINGS, "9")) == []
    assert script.actions == ["ListOTATaskByJob"]


@pytest.mark.parametrize(("before", "in_doubt"), [(0, False), (10, True)])
def test_an_error_behind_what_was_confirmed_is_no_refusal(before: int, in_doubt: bool) -> None:
    script = Script([*([ok()] if before else []), refused("iot.firmware.InvalidOTATaskId")])

    with pytest.raises(NotFoundError) as failure:
        script.run(confirm_tasks(SETTINGS, [str(number) for number in range(before + 1)]))

    assert failure.value.in_doubt is in_doubt
    assert bool(script.warnings) is in_doubt


def test_every_confirmation_is_reported_in_the_batch_or_by_itself() -> None:
    whole, single = Script([ok()]), Script([NOT_WAITING, ok(), NOT_WAITING])
    for script in (whole, single):
        script.run(confirm_tasks(SETTINGS, ["1", "2"]))

    assert whole.events == [TasksConfirmed(("1", "2"))]
    assert [event for event in single.events if isinstance(event, TasksConfirmed)] == [TasksConfirmed(("1",))]


def test_a_task_that_is_still_listed_after_its_confirmation_is_not_confirmed_again() -> None:
    listed = ok(data=[task("a", "CONFIRM")])
    script = Script(by_action({"ListOTATaskByJob": [listed, listed], "ConfirmOTATask": [ok()]}))

    assert script.run(confirm_job(SETTINGS, "9")) == ["t-a"]


@pytest.mark.parametrize("confirms_one_before", [True, False])
def test_an_error_leaves_in_doubt_what_an_earlier_list_showed_and_was_confirmed(confirms_one_before: bool) -> None:
    lists = [ok(data=[task("a", "CONFIRM")])] if confirms_one_before else []
    answers = [ok()] if confirms_one_before else []
    gone = refused("iot.firmware.InvalidOTATaskId")
    script = Script(
        by_action({"ListOTATaskByJob": [*lists, ok(data=[task("b", "CONFIRM")])], "ConfirmOTATask": [*answers, gone]})
    )

    with pytest.raises(NotFoundError) as failure:
        script.run(confirm_job(SETTINGS, "9"))

    assert failure.value.in_doubt is confirms_one_before
