"""The rule that ends the wait for a set of jobs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from airflow_provider_tuya_ota.core.errors import InvalidParameterError
from airflow_provider_tuya_ota.core.model.job_results import JobEnd, JobResult, assess_jobs
from airflow_provider_tuya_ota.core.model.outcome_errors import JobFailedError, WaitEndedError
from airflow_provider_tuya_ota.core.model.verdict import Outcome, Verdict
from airflow_provider_tuya_ota.core.status.end_rule import every_end, find_end_rule, first_failure
from tests.core.status.test_job_set_wait import KEY, Platform, ends, run, verdict

if TYPE_CHECKING:
    from collections.abc import Mapping


def test_the_first_failure_ends_the_wait_where_the_caller_says_so() -> None:
    platform = Platform(job1=["QUEUED"], job2=["QUEUED", "FAILED"], job3=["QUEUED"], job4=["SUCCEEDED"])

    wait = run(platform, ends=first_failure)

    assert ends(wait) == {
        "1": JobEnd.UNFINISHED,
        "2": JobEnd.FAILED,
        "3": JobEnd.UNFINISHED,
        "4": JobEnd.SUCCEEDED,
    }
    result = wait.results["1"]
    assert isinstance(result, WaitEndedError)
    assert str(result).startswith("the wait for job 1 ended before the job did, because job 2 has failed. The job goes")
    assert result.verdict is not None
    assert platform.polls["3"] == 1
    assert [job.job_id for job in wait.may_go_on] == ["1", "3"]


def test_a_job_that_was_never_polled_when_the_rule_ends_the_wait_has_no_state() -> None:
    platform = Platform(job1=["FAILED"], job2=["SUCCEEDED"])

    wait = run(platform, ends=first_failure)

    assert "Last state: no poll of it succeeded" in str(wait.results["2"])
    assert assess_jobs(wait.results).without_counts == ("2",)


def test_a_contradiction_that_stays_is_a_failure_too() -> None:
    error = JobFailedError("it contradicts itself", verdict=verdict("1", Outcome.SETTLING))

    assert first_failure({"1": error}) == "job 1 has failed"
    assert first_failure({"1": KEY, "2": verdict("2", Outcome.RUNNING)}) == ""
    assert every_end({"1": error}) == ""


def test_a_rule_sees_the_jobs_that_go_on() -> None:
    seen: list[dict[str, JobResult]] = []

    def enough(results: Mapping[str, JobResult]) -> str:
        seen.append(dict(results))
        running = results.get("2")
        return "2 flashes" if isinstance(running, Verdict) and "IN_PROGRESS" in running.counts else ""

    wait = run(Platform(job1=["QUEUED"], job2=["QUEUED", "IN_PROGRESS"]), ends=enough)

    assert [list(results) for results in seen] == [["1"], ["1", "2"], ["1", "2"], ["1", "2"]]
    assert set(ends(wait).values()) == {JobEnd.UNFINISHED}


def test_a_stored_wait_names_its_rule() -> None:
    assert find_end_rule("first_failure") is first_failure
    assert find_end_rule("every_end") is every_end
    with pytest.raises(InvalidParameterError, match=r"no rule 'never'.*every_end or first_failure") as caught:
        find_end_rule("never")
    assert caught.value.field == "ends"
