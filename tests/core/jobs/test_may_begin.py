"""Whether a job without counted unfinished tasks may begin all the same: one page of fifty decides."""

from __future__ import annotations

from typing import Any

import pytest

from airflow_provider_tuya_ota.core.jobs.cancel import check_may_begin
from tests.core.script import SETTINGS, Script, by_action, job, ok, refused, task


def tasks(statuses: list[str]) -> list[dict[str, Any]]:
    return [task(f"d{number}", status) for number, status in enumerate(statuses)]


@pytest.mark.parametrize(
    "statuses", [["SUCCEEDED", "QUEUED"], ["IN_PROGRESS", "CANCELED"], ["CONFIRM"]], ids=lambda statuses: statuses[0]
)
def test_one_unfinished_device_task_is_enough(statuses: list[str]) -> None:
    script = Script([ok(data=tasks(statuses))])

    assert script.run(check_may_begin(SETTINGS, "9")) is True
    asked = script.sent[0].parameters
    assert (asked["JobId"], asked["CurrentPage"], asked["PageSize"]) == ("9", "1", "50")


@pytest.mark.parametrize("statuses", [[], ["SUCCEEDED", "FAILED", "CANCELED"]], ids=["none", "ended"])
@pytest.mark.parametrize(("status", "may_begin"), [("PLANNED", True), ("IN_PROGRESS", True), ("CANCELED", False)])
def test_a_job_without_unfinished_device_tasks_may_begin_until_it_has_ended(
    statuses: list[str], status: str, may_begin: bool
) -> None:
    listed = ok(data=tasks(statuses))
    script = Script(by_action({"ListOTATaskByJob": listed, "QueryOTAJob": ok(data=job("9", status))}))

    assert script.run(check_may_begin(SETTINGS, "9")) is may_begin


def test_a_job_that_is_not_shown_yet_may_begin() -> None:
    gone = refused("iot.firmware.InvalidOTAJobId")
    script = Script(by_action({"ListOTATaskByJob": ok(data=[]), "QueryOTAJob": gone}))

    assert script.run(check_may_begin(SETTINGS, "9")) is True
