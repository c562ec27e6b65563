"""Whether a job without counted unfinished tasks may begin all the same: one page of fifty decides."""

from __future__ import annotations

import pytest

from airflow_provider_tuya_ota.core.jobs.cancel import check_may_begin
from tests.core.script import SETTINGS, Script, by_action, job, ok, refused, task


@pytest.mark.parametrize(
    ("statuses", "may_begin"),
    [
        (["SUCCEEDED", "QUEUED"], True),
        (["IN_PROGRESS", "CANCELED"], True),
        (["CONFIRM"], True),
        (["SUCCEEDED", "FAILED", "CANCELED"], False),
    ],
)
def test_one_unfinished_device_task_is_enough(statuses: list[str], may_begin: bool) -> None:
    script = Script([ok(data=[task(f"d{number}", status) for number, status in enumerate(statuses)])])

    assert script.run(check_may_begin(SETTINGS, "9")) is may_begin
    asked = script.sent[0].parameters
    assert (asked["JobId"], asked["CurrentPage"], asked["PageSize"]) == ("9", "1", "50")


@pytest.mark.parametrize(("status", "may_begin"), [("PLANNED", True), ("IN_PROGRESS", True), ("CANCELED", False)])
def test_a_job_without_device_tasks_may_begin_until_it_has_ended(status: str, may_begin: bool) -> None:
    script = Script(by_action({"ListOTATaskByJob": ok(data=[]), "QueryOTAJob": ok(data=job("9", status))}))

    assert script.run(check_may_begin(SETTINGS, "9")) is may_begin


def test_a_job_that_is_not_shown_yet_may_begin() -> None:
    gone = refused("iot.firmware.InvalidOTAJobId")
    script = Script(by_action({"ListOTATaskByJob": ok(data=[]), "QueryOTAJob": gone}))

    assert script.run(check_may_begin(SETTINGS, "9")) is True
