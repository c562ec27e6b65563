"""A job that was queried before its wait: what the first poll may take from it, and when it may not."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_tuya_ota.core.errors import AuthenticationError
from airflow_provider_tuya_ota.core.flows.effects import FlowContext
from airflow_provider_tuya_ota.core.model.entities import Job
from airflow_provider_tuya_ota.core.model.states import JobStatus, JobType
from airflow_provider_tuya_ota.core.model.verdict import Outcome
from airflow_provider_tuya_ota.core.status.job_set_wait import JobSetWait, WaitedJob, wait_for_jobs
from airflow_provider_tuya_ota.core.status.job_snapshot import JobSnapshot, fetch_job_snapshot
from airflow_provider_tuya_ota.core.status.queried_job import QueriedJob
from airflow_provider_tuya_ota.core.status.wait import WaitOptions
from tests.core.script import NOW, SETTINGS, Script, gateway
from tests.core.status.test_earlier_poll import TASKS, UPGRADE, VERIFICATION, Platform

if TYPE_CHECKING:
    from airflow_provider_tuya_ota.core.wire.http import Response
    from tests.core.script import Sent

QUERIED = QueriedJob(kind=JobType.UPGRADE_FIRMWARE, need_push=False, read_at=NOW)
JOB = Job(
    job_id="9001", firmware_id="178", status=JobStatus.IN_PROGRESS, type=JobType.UPGRADE_FIRMWARE, need_push=False
)


def at(seconds: float, *, steady: float = 0.0) -> FlowContext:
    return FlowContext(
        now=NOW + timedelta(seconds=seconds), steady=NOW + timedelta(seconds=steady), nonce="n", jitter=0.0
    )


def poll(platform: Platform, queried: QueriedJob = QUERIED) -> tuple[JobSnapshot, list[str]]:
    script = Script(platform)
    earlier = queried.as_poll("9001", "178", at(5, steady=0))
    assert earlier is not None
    return script.run(fetch_job_snapshot(SETTINGS, "9001", earlier=earlier)), script.actions


@pytest.mark.parametrize("status", [status for status in JobStatus if status is not JobStatus.IN_PROGRESS])
def test_a_job_in_any_other_status_is_queried_by_the_first_poll(status: JobStatus) -> None:
    assert QueriedJob.of(replace(JOB, status=status), NOW) is None


def test_a_job_that_is_not_shown_is_queried_by_the_first_poll() -> None:
    assert QueriedJob.of(None, NOW) is None


def test_it_crosses_from_the_worker_to_the_triggerer() -> None:
    assert QueriedJob.of(JOB, NOW) == QUERIED
    assert QueriedJob.from_dict(QUERIED.to_dict()) == QUERIED
    assert QueriedJob.from_dict(None) is None
    waited = WaitedJob(job_id="9001", firmware_id="178", queried=QUERIED)
    assert WaitedJob.from_dict(waited.to_dict()) == waited


@pytest.mark.parametrize(
    ("seconds", "is_taken"),
    [
        (-0.001, False),  # The worker's clock is ahead, so that this may be of any age.
        (0, True),
        (59.9, True),
        (60, False),
        (86400, False),  # The triggerer was restarted.
    ],
)
def test_only_a_query_within_the_last_minute_is_taken(seconds: float, is_taken: bool) -> None:
    assert (QUERIED.as_poll("9001", "178", at(seconds)) is not None) is is_taken


def test_its_age_goes_on_from_the_time_of_the_query() -> None:
    earlier = QUERIED.as_poll("9001", "178", at(40, steady=1000))

    assert earlier is not None
    assert (earlier.job, earlier.is_large) == (JOB, False)
    assert earlier.is_reusable(NOW + timedelta(seconds=1019))
    assert not earlier.is_reusable(NOW + timedelta(seconds=1020))


def test_a_poll_on_a_clock_behind_the_one_of_the_query_requests_everything() -> None:
    earlier = QUERIED.as_poll("9001", "178", at(0))

    assert earlier is not None
    assert not earlier.is_reusable(NOW - timedelta(seconds=1))


def test_without_its_firmware_the_job_is_queried() -> None:
    assert QUERIED.as_poll("9001", "", at(1)) is None


def test_the_first_poll_of_an_upgrade_requests_its_device_tasks_alone() -> None:
    snapshot, actions = poll(Platform(devices={"d1": "QUEUED"}))

    assert actions == TASKS
    assert snapshot.verdict.outcome is Outcome.RUNNING
    assert "need_push is False" in snapshot.verdict.hint


def test_the_first_poll_of_a_verification_shows_the_firmware_too() -> None:
    snapshot, actions = poll(Platform("VERIFY_FIRMWARE"), replace(QUERIED, kind=JobType.VERIFY_FIRMWARE))

    assert actions == [*TASKS, "QueryOTAFirmware"]
    assert snapshot.verdict.firmware_status == "VERIFYING"
    assert snapshot.poll.firmware is not None


@pytest.mark.parametrize("devices", [{"d1": "SUCCEEDED"}, {"d1": "FAILED", "d2": "CANCELED"}, {}])
@pytest.mark.parametrize(("kind", "whole"), [("UPGRADE_FIRMWARE", UPGRADE), ("VERIFY_FIRMWARE", VERIFICATION)])
def test_nothing_is_concluded_from_it(kind: str, whole: list[str], devices: dict[str, str]) -> None:
    platform = Platform(kind, status="CANCELED", devices=devices)

    snapshot, actions = poll(platform, replace(QUERIED, kind=JobType(kind)))

    assert [action for action in actions if action not in TASKS] == [one for one in whole if one not in TASKS]
    assert actions.index("QueryOTAJob") < len(actions) - 1 - actions[::-1].index("ListOTATaskByJob")
    assert snapshot.verdict.job_status == "CANCELED"


def wait(platform: Any, *, seconds: float) -> tuple[JobSetWait, Script]:
    job = WaitedJob(job_id="9001", firmware_id="178", queried=QUERIED)
    deadline = NOW + timedelta(seconds=seconds)
    return JobSetWait([job], WaitOptions(deadline=deadline, poll_interval=10)), Script(platform)


def test_a_wait_in_a_worker_takes_it_for_its_first_poll_and_its_last_poll_requests_everything() -> None:
    waiting, script = wait(Platform(), seconds=15)

    script.run(wait_for_jobs(SETTINGS, waiting))

    assert script.actions == [*TASKS, *TASKS, *UPGRADE]


def test_a_first_poll_that_is_the_last_one_requests_everything() -> None:
    waiting, script = wait(Platform(), seconds=0)

    script.run(wait_for_jobs(SETTINGS, waiting))

    assert script.actions == UPGRADE


def test_a_wait_that_goes_on_after_an_error_takes_nothing_from_it_again() -> None:
    platform = Platform()

    def answer(sent: Sent) -> Response:
        return gateway("InvalidAccessKeyId.NotFound", 404) if platform.is_out else platform(sent)

    platform.is_out = True
    waiting, script = wait(answer, seconds=15)
    with pytest.raises(AuthenticationError):
        script.run(wait_for_jobs(SETTINGS, waiting))
    platform.is_out = False
    again = Script(platform)

    again.run(wait_for_jobs(SETTINGS, waiting))

    assert script.actions == TASKS
    assert again.actions[:2] == UPGRADE
