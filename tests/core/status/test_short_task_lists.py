from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from airflow_provider_tuya_ota.core.errors import (
    OutcomeError,
    TransportError,
)
from airflow_provider_tuya_ota.core.flows.eventually import GRACE_PAUSES
from airflow_provider_tuya_ota.core.jobs.confirm import confirm_job
from airflow_provider_tuya_ota.core.jobs.intent import Attempt, OnFailedJob
from airflow_provider_tuya_ota.core.jobs.upgrade import start_upgrade
from airflow_provider_tuya_ota.core.model.outcome_errors import JobFailedError
from airflow_provider_tuya_ota.core.model.verdict import Outcome
from airflow_provider_tuya_ota.core.status.wait import WaitOptions
from tests.core.one_job import wait_for_job
from tests.core.script import NOW, SETTINGS, Script, lost
from tests.core.short_lists import GRAY, LOSING, TOTALS, Platform, tasks, upgrade

if TYPE_CHECKING:
    from airflow_provider_tuya_ota.core.model.verdict import Verdict
    from tests.core.script import Answer, Sent


def ended(way: str, number: int, *, cap: int = 20, failed: int = 0, filters: bool = True) -> Platform:
    shown = tasks(number, "SUCCEEDED", "FAILED", failed)
    return Platform(way, cap, jobs=[upgrade("9", selection="GRAY")], tasks=shown, filters=filters)


def wait(platform: Platform, *expected: str) -> Verdict:
    script = Script(platform)
    return script.run(wait_for_job(SETTINGS, "9", WaitOptions(deadline=NOW + timedelta(hours=1), expected=expected)))


@pytest.mark.parametrize("way", TOTALS)
@pytest.mark.parametrize("cap", [20, 50, 99])
def test_success_is_reported_of_no_device_that_was_not_seen(way: str, cap: int) -> None:
    verdict = wait(ended(way, 150, cap=cap, failed=5))

    assert (verdict.outcome, verdict.counts) == (Outcome.FAILED, {"FAILED": 5, "SUCCEEDED": 145})


@pytest.mark.parametrize("way", TOTALS)
def test_named_devices_behind_a_short_page_are_seen(way: str) -> None:
    verdict = wait(ended(way, 30), *[f"d{number}" for number in range(30)])

    assert (verdict.outcome, verdict.counts) == (Outcome.SUCCEEDED, {"SUCCEEDED": 30})


@pytest.mark.parametrize("way", LOSING)
@pytest.mark.parametrize(("cap", "number", "filters"), [(20, 30, True), (20, 30, False), (100, 150, False)])
@pytest.mark.parametrize("failed", [0, 5])
def test_of_devices_that_are_counted_and_not_shown_neither_success_nor_failure_is_reported(
    way: str, cap: int, number: int, filters: bool, failed: int
) -> None:
    platform = ended(way, number, cap=cap, failed=failed, filters=filters)
    script = Script(platform)
    options = WaitOptions(deadline=NOW + timedelta(hours=1))

    with pytest.raises(JobFailedError, match=f"the platform counts {number - cap} more device tasks than it lists"):
        script.run(wait_for_job(SETTINGS, "9", options))
    assert {verdict.outcome for verdict in script.reports} == {Outcome.SETTLING}
    assert script.now - NOW >= timedelta(seconds=options.settle_time)


@pytest.mark.parametrize("way", LOSING)
def test_a_job_whose_tasks_are_shown_in_part_has_not_failed_so_none_is_created_after_it(way: str) -> None:
    platform = Platform("true", loses_creates=0)
    first = Script(platform)
    made = first.run(start_upgrade(SETTINGS, GRAY, Attempt(run_started_at=NOW)))
    platform.jobs[-1]["jobStatus"] = "COMPLETED"
    platform.tasks = tasks(30, "FAILED")
    platform.way = way
    retry = Script(platform, saved=first.saved)
    attempt = Attempt(is_retry=True, run_started_at=NOW, on_failed_job=OnFailedJob.NEW_JOB)

    assert retry.run(start_upgrade(SETTINGS, GRAY, attempt)).job_id == made.job_id
    assert platform.creates == 1


def test_a_large_job_that_shows_few_tasks_at_its_end_is_read_whole() -> None:
    platform = ended("of_page", 150)

    def answer(sent: Sent) -> Answer:
        if sent.action == "QueryOTAJob":
            platform.cap, platform.tasks[0]["taskStatus"] = (20, "SUCCEEDED") if script.reports else (100, "QUEUED")
        return platform(sent)

    script = Script(answer)
    options = WaitOptions(deadline=NOW + timedelta(hours=1))

    assert script.run(wait_for_job(SETTINGS, "9", options)).counts == {"SUCCEEDED": 150}


# --- confirm all that wait ---


@pytest.mark.parametrize(
    ("way", "filters"), [*((way, True) for way in [*TOTALS, *LOSING]), *((way, False) for way in TOTALS)]
)
def test_all_that_wait_are_confirmed(way: str, filters: bool) -> None:
    platform = Platform(way, tasks=tasks(150, "CONFIRM"), filters=filters)

    assert len(Script(platform).run(confirm_job(SETTINGS, "9"))) == 150
    assert {one["taskStatus"] for one in platform.tasks} == {"QUEUED"}


@pytest.mark.parametrize("way", LOSING)
@pytest.mark.parametrize("waiting", [150, 0])
def test_how_many_were_not_reached_is_said(way: str, waiting: int) -> None:
    platform = Platform(way, tasks=tasks(150, "QUEUED", "CONFIRM", waiting), filters=False)
    script = Script(platform)

    with pytest.raises(OutcomeError, match=r"^job 9: 130 device tasks may still wait for confirmation") as caught:
        script.run(confirm_job(SETTINGS, "9"))
    assert f"; {min(waiting, 20)} were confirmed" in str(caught.value)
    assert caught.value.in_doubt is bool(waiting)
    assert script.sleeps == list(GRACE_PAUSES)


def test_an_error_behind_what_an_earlier_list_confirmed_is_no_refusal() -> None:
    platform = Platform("repeated", tasks=tasks(40, "CONFIRM"))

    def answer(sent: Sent) -> Answer:
        return (
            lost() if script.actions.count("ConfirmOTATask") > 2 and sent.action == "ConfirmOTATask" else platform(sent)
        )

    script = Script(answer)
    with pytest.raises(TransportError) as caught:
        script.run(confirm_job(SETTINGS, "9"))
    assert caught.value.in_doubt
