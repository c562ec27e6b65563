"""Stopping the jobs of one release together."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from airflow_provider_tuya_ota.core.errors import ConflictError, ThrottledError, TransportError, UnavailableError
from airflow_provider_tuya_ota.core.flows.events import RequestRetried
from airflow_provider_tuya_ota.core.jobs.job_set import JobSet
from airflow_provider_tuya_ota.core.jobs.stop import stop_job, stop_jobs
from airflow_provider_tuya_ota.core.jobs.stop_events import CancelNotRepeated, CancelRepeated, CancelSent, JobStopped
from airflow_provider_tuya_ota.core.jobs.stopped import Stopped
from airflow_provider_tuya_ota.core.policy.rate import RateLimitGroup
from tests.core.script import SETTINGS, Script, answered, gateway, job, lost, ok, refused, task

if TYPE_CHECKING:
    from tests.core.script import Answer, Sent

CANCELLED = Stopped(cancelled=1, waiting=0, flashing=0)
JOBS = JobSet.of("1", "2", "3")


class Platform:
    """Jobs of one device each, whose cancel takes effect at the n-th request for it; 0: never."""

    def __init__(self, **effective_at: int) -> None:
        self.effective_at = {name.removeprefix("job"): number for name, number in effective_at.items()}
        self.cancels = dict.fromkeys(self.effective_at, 0)
        self.answers: dict[str, list[Answer]] = {}

    def __call__(self, sent: Sent) -> Answer:
        job_id = sent.parameters["JobId"]
        if sent.action == "CancelOTATaskByJob":
            self.cancels[job_id] += 1
            left = self.answers.get(job_id)
            return left.pop(0) if left else ok()
        is_cancelled = 0 < self.effective_at[job_id] <= self.cancels[job_id]
        if sent.action == "QueryOTAJob":
            return ok(data=job(job_id, "CANCELED" if is_cancelled else "IN_PROGRESS"))
        status = "CANCELED" if is_cancelled else "QUEUED"
        asked = sent.parameters.get("TaskStatus")
        found = [task("d1", status)] if asked in {status, None} else []
        return ok(data=found, total=len(found))


def test_every_cancel_is_sent_before_anything_is_counted() -> None:
    script = Script(Platform(job1=1, job2=1, job3=1))

    assert script.run(stop_jobs(SETTINGS, JOBS)) == dict.fromkeys(JOBS, CANCELLED)
    assert script.actions[:3] == ["CancelOTATaskByJob"] * 3
    assert "CancelOTATaskByJob" not in script.actions[3:]
    assert [event.job_id for event in script.events if isinstance(event, JobStopped)] == ["1", "2", "3"]


def test_a_job_that_cannot_be_cancelled_keeps_no_other_from_being_stopped() -> None:
    platform = Platform(job1=1, job2=1, job3=1)
    platform.answers["1"] = [lost()] * 20
    script = Script(platform)

    outcomes = script.run(stop_jobs(SETTINGS, JOBS))

    assert list(outcomes) == ["1", "2", "3"]
    assert isinstance(outcomes["1"], TransportError)
    assert (outcomes["2"], outcomes["3"]) == (CANCELLED, CANCELLED)


def test_only_the_jobs_that_may_still_begin_are_cancelled_again_after_one_pause_for_all() -> None:
    platform = Platform(job1=1, job2=2, job3=2)
    script = Script(platform)

    assert script.run(stop_jobs(SETTINGS, JOBS)) == dict.fromkeys(JOBS, CANCELLED)
    assert (platform.cancels, script.sleeps) == ({"1": 1, "2": 2, "3": 2}, [3.0])
    assert [event.job_id for event in script.events if isinstance(event, CancelRepeated)] == ["2", "3"]
    assert [event.job_id for event in script.events if isinstance(event, CancelSent)] == ["1", "2", "3", "2", "3"]


def test_one_cancel_is_sent_for_each_job_before_any_is_repeated() -> None:
    platform = Platform(job1=5, job2=2, job3=1)
    platform.answers = {"1": [lost()] * 4, "2": [gateway("Throttling.User")]}
    script = Script(platform)

    assert script.run(stop_jobs(SETTINGS, JOBS)) == dict.fromkeys(JOBS, CANCELLED)
    cancels = [sent.parameters["JobId"] for sent in script.sent if sent.action == "CancelOTATaskByJob"]
    assert cancels == ["1", "2", "3", "1", "2", "1", "1", "1"]
    assert script.sleeps == [0.5, 1.0, 2.0, 4.0]
    assert script.slowed == [RateLimitGroup.CANCELS]
    retried = [event.action for event in script.events if isinstance(event, RequestRetried)]
    assert retried == ["CancelOTATaskByJob"] * 5


def test_the_pause_before_cancels_are_repeated_is_the_longest_that_an_answer_asks_for() -> None:
    platform = Platform(job1=1, job2=2, job3=2)
    platform.answers = {"2": [gateway("Throttling.User", 400, "no", **{"retry-after": "2"})], "3": [lost()]}
    script = Script(platform)

    assert script.run(stop_jobs(SETTINGS, JOBS)) == dict.fromkeys(JOBS, CANCELLED)
    assert script.sleeps == [2.0]


def test_a_refusal_of_a_repeated_cancel_may_come_from_the_one_whose_answer_was_lost() -> None:
    platform = Platform(job1=1, job2=1, job3=1)
    platform.answers["2"] = [lost(), gateway("Throttling.User"), refused("iot.firmware.JobAlreadyCanceled")]

    assert Script(platform).run(stop_jobs(SETTINGS, JOBS)) == dict.fromkeys(JOBS, CANCELLED)


def test_the_last_of_many_failures_says_that_an_earlier_cancel_may_have_been_accepted() -> None:
    platform = Platform(job1=1, job2=1, job3=1)
    platform.answers["2"] = [lost(), *[gateway("Throttling.User")] * 20]

    failure = Script(platform).run(stop_jobs(SETTINGS, JOBS))["2"]

    assert isinstance(failure, ThrottledError)
    assert failure.in_doubt


@pytest.mark.parametrize(
    "failure",
    [
        lost(),
        refused("iot.firmware.CancelOTATaskByJobFailed"),
        refused("iot.firmware.InvalidOTAJobId"),
        answered({}, status=503),
    ],
)
def test_a_further_cancel_that_fails_takes_nothing_from_one_that_was_accepted(failure: Answer) -> None:
    """The effect of the first cancel comes while the second one fails."""
    platform = Platform(job1=2, job2=2, job3=1)
    platform.answers["1"] = [ok(), *[failure] * 20]
    script = Script(platform)

    assert script.run(stop_jobs(SETTINGS, JOBS)) == dict.fromkeys(JOBS, CANCELLED)
    assert [event.job_id for event in script.events if isinstance(event, CancelNotRepeated)] == ["1"]
    assert "Cancelling job 1 again failed, an earlier cancel may have been accepted. " in "".join(script.warnings)


def test_a_job_whose_further_cancels_all_fail_is_reported_as_cancelled_and_waiting() -> None:
    platform = Platform(job1=0, job2=1, job3=1)
    platform.answers["1"] = [ok(), *[lost()] * 20]

    outcomes = Script(platform).run(stop_jobs(SETTINGS, JOBS))

    assert outcomes["1"] == Stopped(cancelled=0, waiting=1, flashing=0, is_taken=True)
    assert (outcomes["2"], outcomes["3"]) == (CANCELLED, CANCELLED)


def test_a_further_cancel_that_fails_is_the_outcome_of_its_job_where_none_was_accepted() -> None:
    """The job has no device tasks yet, and the first cancel is refused for that."""
    cancels: list[Answer] = [refused("iot.firmware.CancelUpgradeTaskFailed"), *[answered({}, status=503)] * 20]

    def answer(sent: Sent) -> Answer:
        if sent.action == "CancelOTATaskByJob":
            return cancels.pop(0)
        return ok(data=job("1", jobStatus="PLANNED")) if sent.action == "QueryOTAJob" else ok(data=[])

    with pytest.raises(UnavailableError):
        Script(answer).run(stop_job(SETTINGS, "1"))


def test_a_job_that_is_neither_cancelled_nor_counted_is_an_error_of_its_own() -> None:
    platform = Platform(job1=1, job2=1, job3=1)
    platform.answers["2"] = [refused("iot.firmware.CancelUpgradeTaskFailed")]

    def answer(sent: Sent) -> Answer:
        if sent.action != "CancelOTATaskByJob" and sent.parameters["JobId"] == "2":
            return refused("iot.firmware.NoDeviceCanUpgrade")
        return platform(sent)

    outcomes = Script(answer).run(stop_jobs(SETTINGS, JOBS))

    assert isinstance(outcomes["2"], ConflictError)
    assert (outcomes["1"], outcomes["3"]) == (CANCELLED, CANCELLED)
