from __future__ import annotations

import pytest

from airflow_provider_tuya_ota.core.jobs.tracked_job import JobOrigin, TrackedJob
from airflow_provider_tuya_ota.core.model.states import JobType

LOST_ANSWER = (
    "Waiting for verification job 9 of firmware 178: a list showed it, and no answer to this task's request named"
    " it. Another program may have created it, so killing the task does not stop it"
)


def tracked(origin: JobOrigin) -> TrackedJob:
    return TrackedJob(job_id="9", firmware_id="178", kind=JobType.VERIFY_FIRMWARE, origin=origin)


@pytest.mark.parametrize(
    ("origin", "is_own", "is_started", "line"),
    [
        (JobOrigin.CREATED, True, True, "Created verification job 9 of firmware 178"),
        (
            JobOrigin.RESUMED,
            True,
            True,
            "Resuming verification job 9 of firmware 178, which an earlier try created",
        ),
        (
            JobOrigin.FOUND,
            False,
            True,
            LOST_ANSWER,
        ),
        (
            JobOrigin.FOLLOWED,
            False,
            True,
            "Following verification job 9 of firmware 178, which this task did not create and will not stop",
        ),
        (JobOrigin.VERIFIED_BEFORE, False, False, "Firmware 178 is verified already; nothing was started"),
        (
            JobOrigin.NOT_NEEDED,
            False,
            False,
            "Firmware 178 needs no verification, so the platform made none; no device has tried it",
        ),
    ],
)
def test_the_origin_decides_who_may_stop_a_job_and_what_the_log_says(
    origin: JobOrigin, is_own: bool, is_started: bool, line: str
) -> None:
    job = tracked(origin)

    assert (job.is_own, job.is_started, job.line()) == (is_own, is_started, line)


def test_an_upgrade_says_which_devices_were_selected() -> None:
    job = TrackedJob(
        job_id="9",
        firmware_id="178",
        kind=JobType.UPGRADE_FIRMWARE,
        origin=JobOrigin.CREATED,
        selection="SPECIFIC",
    )

    assert job.line() == "Created upgrade job 9 of firmware 178 (SPECIFIC)"


@pytest.mark.parametrize("origin", JobOrigin)
@pytest.mark.parametrize("on_cancel", ["stop", "keep"])
def test_only_a_job_of_the_task_s_own_may_be_stopped_by_its_wait(origin: JobOrigin, on_cancel: str) -> None:
    job = tracked(origin)

    waited = job.waited_for(on_cancel=on_cancel, expected=("d1",))

    assert (waited.job_id, waited.firmware_id, waited.expected) == ("9", "178", ("d1",))
    assert waited.is_known
    assert (waited.on_cancel == "stop") is (on_cancel == "stop" and job.is_own)
