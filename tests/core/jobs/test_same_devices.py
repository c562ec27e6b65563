"""Whose job is on the same devices: which lists and notes are believed for how long, and what is asked to find out."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_tuya_ota.core.jobs.intent import Stage
from airflow_provider_tuya_ota.core.jobs.target import Target
from tests.core.jobs.test_conflict import LATER, SPECIFIC, is_refused, other, with_notes
from tests.core.jobs.upgrades import ACTION, NAMED, OWN, UPGRADE, jobs, script_for, start
from tests.core.script import NOW, Script, job, ok, task

if TYPE_CHECKING:
    from tests.core.script import Sent

SECOND = timedelta(seconds=1)
OURS = job("10", kind=UPGRADE, utcCreate=LATER["utcCreate"], targetSelection="SPECIFIC")


def asked(script: Script, action: str) -> list[dict[str, str]]:
    return [sent.parameters for sent in script.sent if sent.action == action]


@pytest.mark.parametrize(
    ("stage", "job_id", "age", "is_under_way"),
    [
        (Stage.LOST, "", timedelta(minutes=30) - SECOND, True),
        (Stage.LOST, "", timedelta(minutes=30), False),
        (Stage.CREATED, "9", timedelta(minutes=20) - SECOND, True),
        (Stage.CREATED, "9", timedelta(minutes=20), False),
    ],
)
def test_a_note_without_a_job_in_the_list_holds_others_up_for_so_long(
    stage: Stage, job_id: str, age: timedelta, is_under_way: bool
) -> None:
    _, refused = with_notes([other("k1", stage, job_id, started_at=NOW - age)])

    assert refused is is_under_way


def test_a_job_that_was_there_before_the_request_is_no_reason_to_take_the_new_one_back() -> None:
    """Its devices are listed late, so that nothing was known of them when the new one was asked for."""
    script = script_for(
        ListOTAJobByFirmware=[jobs(SPECIFIC), jobs(SPECIFIC, OURS)],
        ListOTATaskByJob=[ok(data=[]), ok(data=[task("d1", "QUEUED")])],
    )

    assert start(script, action=NAMED).job_id == "10"


@pytest.mark.parametrize("listed", [jobs(OURS), jobs(SPECIFIC | {"jobType": "VERIFY_FIRMWARE"}, OURS)])
def test_neither_the_new_job_itself_nor_a_verification_is_a_reason_to_take_it_back(listed: Any) -> None:
    script = script_for(
        ListOTAJobByFirmware=[jobs(), listed], ListOTATaskByJob=ok(data=[task("d1", "QUEUED"), task("d2", "QUEUED")])
    )

    assert start(script, action=NAMED).job_id == "10"
    assert "CancelOTATaskByJob" not in script.actions


def test_a_job_for_all_devices_of_another_task_may_be_on_the_named_ones() -> None:
    script = script_for(ListOTAJobByFirmware=jobs(OWN), ListOTATaskByJob=ok(data=[task("d1", "QUEUED")]))
    script.other_intents = lambda: [other("k1", Stage.CREATED, "9", target=Target.of(ACTION))]

    assert is_refused(script, NAMED)


@pytest.mark.parametrize("other_target", [{"productKey": "pk2"}, {"targetSelection": "GRAY"}])
def test_a_job_that_its_list_shows_to_be_aimed_at_something_else_is_not_asked_for(other_target: dict[str, str]) -> None:
    script = script_for(ListOTAJobByFirmware=jobs(OWN | other_target))

    assert not is_refused(script, ACTION)
    assert asked(script, "QueryOTAJob") == [asked(script, "QueryOTAJob")[-1]]
    assert asked(script, "QueryOTAJob")[-1]["JobId"] == "10"


@pytest.mark.parametrize(("status", "is_under_way"), [("QUEUED", True), ("SUCCEEDED", False)])
def test_a_device_is_asked_for_its_unfinished_tasks_in_its_own_product(status: str, is_under_way: bool) -> None:
    many = [SPECIFIC | {"jobId": str(number)} for number in range(100, 110)]

    def listed(sent: Sent) -> Any:
        return ok(data=[task(sent.parameters["DeviceName"], status, jobId="105")])

    script = script_for(ListOTAJobByFirmware=jobs(*many), ListOTAUnfinishedTaskByDevice=listed)

    assert is_refused(script, NAMED) is is_under_way
    questions = asked(script, "ListOTAUnfinishedTaskByDevice")
    assert [(one["ProductKey"], one["DeviceName"]) for one in questions] == [("pk", "d1"), ("pk", "d2")]


def test_a_job_is_asked_for_all_of_the_named_devices_on_one_page() -> None:
    script = script_for(ListOTAJobByFirmware=jobs(SPECIFIC), ListOTATaskByJob=ok(data=[task("d1", "SUCCEEDED")]))

    assert not is_refused(script, NAMED)
    question = asked(script, "ListOTATaskByJob")[0]
    assert (question["JobId"], question["CurrentPage"], question["PageSize"]) == ("9", "1", "100")
    assert [value for name, value in question.items() if "DeviceName" in name] == ["d1", "d2"]


@pytest.mark.parametrize(
    "page",
    [
        pytest.param(ok(data=[task("d1", "SUCCEEDED"), task("d7", "QUEUED")]), id="names a device nobody asked for"),
        pytest.param(ok(data=[task("d1", "SUCCEEDED")], total=200), id="its total counts more"),
    ],
)
def test_a_page_that_shows_too_much_or_too_little_is_not_believed(page: Any) -> None:
    everything = ok(data=[task("d1", "SUCCEEDED"), task("d7", "QUEUED"), task("d2", "QUEUED")])
    script = script_for(
        ListOTAJobByFirmware=jobs(SPECIFIC),
        ListOTATaskByJob=lambda sent: page if any("DeviceName" in name for name in sent.parameters) else everything,
    )

    assert is_refused(script, replace(NAMED, target_device_name=["d1", "d2"]))
