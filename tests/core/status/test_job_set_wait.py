"""Waiting for several jobs with one deadline: each is decided as if it were waited for alone."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_tuya_ota.core.errors import (
    AuthenticationError,
    ConfigurationError,
    InvalidParameterError,
    NotFoundError,
    PollingFailedError,
    StateUnavailableError,
)
from airflow_provider_tuya_ota.core.model.job_results import JobEnd, assess_jobs
from airflow_provider_tuya_ota.core.model.outcome_errors import JobFailedError, WaitTimeoutError
from airflow_provider_tuya_ota.core.model.verdict import Outcome, Verdict
from airflow_provider_tuya_ota.core.status.end_rule import EndRule, every_end, first_failure
from airflow_provider_tuya_ota.core.status.job_set_wait import (
    JobSetWait,
    WaitedJob,
    require_only_success,
    wait_for_jobs,
)
from airflow_provider_tuya_ota.core.status.poll_events import JobSetEnded, JobWaitEnded, PollFailed
from airflow_provider_tuya_ota.core.status.wait import LAST_POLL, WaitOptions
from airflow_provider_tuya_ota.core.status.wait_state import WaitState
from tests.core.script import NOW, SETTINGS, Script, gateway, job, lost, ok, task

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.core.script import Answer, Sent

NO_CONNECTION = StateUnavailableError("give the connection", reason="500")
KEY = AuthenticationError(action="A", code="No", message="no", request_id="r", http_status=403)


class Platform:
    """Upgrade jobs of one device each: its status from one poll to the next, the last one stays, or an answer instead.

    :param clock: whose clock each request of a slow job moves.
    """

    def __init__(self, **statuses: Sequence[str | Answer]) -> None:
        self.statuses = {name.removeprefix("job"): list(each) for name, each in statuses.items()}
        self.polls = dict.fromkeys(self.statuses, 0)
        self.script = Script(self)
        self.slow: dict[str, float] = {}

    def __call__(self, sent: Sent) -> Answer:
        job_id = sent.parameters["JobId"]
        self.script.now += timedelta(seconds=self.slow.get(job_id, 0.0))
        status = self.statuses[job_id][min(self.polls[job_id], len(self.statuses[job_id]) - 1)]
        if not isinstance(status, str):
            self.polls[job_id] += 1
            return status
        if sent.action == "QueryOTAJob":
            ended = {"SUCCEEDED": "COMPLETED", "FAILED": "COMPLETED"}
            return ok(data=job(job_id, kind="UPGRADE_FIRMWARE", status=ended.get(status, "IN_PROGRESS")))
        page = int(sent.parameters["CurrentPage"])
        self.polls[job_id] += page == 1
        found = [task(f"device-{job_id}", status, taskDesc="worn flash")] if page == 1 else []
        return ok(data=found, total=1)


def options(seconds: float = 600, **changes: Any) -> WaitOptions:
    return WaitOptions(deadline=NOW + timedelta(seconds=seconds), **changes)


def waiting(*job_ids: str, how: WaitOptions | None = None, ends: EndRule = every_end, **states: Any) -> JobSetWait:
    jobs = [WaitedJob(job_id=job_id, expected=(f"device-{job_id}",)) for job_id in job_ids]
    return JobSetWait(jobs, how or options(), ends=ends, **states)


def run(platform: Platform, **how: Any) -> JobSetWait:
    wait = waiting(*platform.statuses, **how)
    platform.script.run(wait_for_jobs(SETTINGS, wait))
    return wait


def ends(wait: JobSetWait) -> Mapping[str, JobEnd]:
    return assess_jobs(wait.results).ends


def test_each_job_is_polled_until_it_ends_and_no_longer() -> None:
    platform = Platform(job1=["SUCCEEDED"], job2=["QUEUED", "IN_PROGRESS", "SUCCEEDED"], job3=["QUEUED", "FAILED"])

    wait = run(platform)

    assert ends(wait) == {"1": JobEnd.SUCCEEDED, "2": JobEnd.SUCCEEDED, "3": JobEnd.FAILED}
    assert platform.script.sleeps == [15.0, 15.0]
    assert [job.job_id for job in wait.may_go_on] == []
    assert {verdict.job_id for verdict in platform.script.reports} == {"1", "2", "3"}
    (end,) = (event for event in platform.script.events if isinstance(event, JobSetEnded))
    assert end.line() == ("3 jobs: 2 succeeded, 1 failed (3). Devices: 1 FAILED, 2 SUCCEEDED. Reasons: 1 x worn flash")
    assert end.level == "warning"


def test_jobs_that_all_succeed_end_without_a_warning() -> None:
    platform = Platform(job1=["SUCCEEDED"], job2=["SUCCEEDED"])

    run(platform)

    assert platform.script.warnings == []


def test_a_lost_job_is_neither_ended_nor_failed_and_the_others_are_waited_for() -> None:
    gone = gateway("iot.firmware.InvalidOTAJobId", 404)
    platform = Platform(job1=[gone], job2=["QUEUED", "SUCCEEDED"])

    wait = run(platform, ends=first_failure)

    assert ends(wait) == {"1": JobEnd.UNKNOWN, "2": JobEnd.SUCCEEDED}
    assert isinstance(wait.results["1"], NotFoundError)
    assert [job.job_id for job in wait.may_go_on] == ["1"]
    (event,) = (event for event in platform.script.events if isinstance(event, JobWaitEnded))
    assert event.line().startswith("The wait for job 1 has ended. QueryOTAJob was refused")


def test_a_job_whose_polls_keep_failing_is_lost_after_its_own_tolerance() -> None:
    platform = Platform(job1=["QUEUED", *[lost()] * 100], job2=["QUEUED"] * 10 + ["SUCCEEDED"])

    wait = run(platform, how=options(3000, poll_error_tolerance=100.0))

    assert ends(wait) == {"1": JobEnd.UNKNOWN, "2": JobEnd.SUCCEEDED}
    assert isinstance(wait.results["1"], PollingFailedError)


def test_at_the_deadline_each_job_is_polled_once_more() -> None:
    platform = Platform(job1=["QUEUED"], job2=["QUEUED", "QUEUED", "SUCCEEDED"], job3=["QUEUED"])

    wait = run(platform, how=options(20))

    assert ends(wait) == {"1": JobEnd.TIMED_OUT, "2": JobEnd.SUCCEEDED, "3": JobEnd.TIMED_OUT}
    assert platform.polls == {"1": 3, "2": 3, "3": 3}
    assert [job.job_id for job in wait.may_go_on] == ["1", "3"]
    assert "job 3 had not ended when the time to wait was over" in str(wait.results["3"])


def test_a_timeout_names_why_the_last_poll_failed_and_nothing_where_it_did_not() -> None:
    wait = run(Platform(job1=["QUEUED"], job2=["QUEUED", *[lost()] * 100]), how=options(20))

    assert ["The last poll failed: " in str(wait.results[job_id]) for job_id in ("1", "2")] == [False, True]


@pytest.mark.parametrize(("seconds", "polls"), [(15.0, 1), (14.9, 2)])
def test_where_the_last_poll_of_one_job_takes_long_others_count_as_late_without_one(seconds: float, polls: int) -> None:
    platform = Platform(job1=["QUEUED"], job2=["QUEUED", "SUCCEEDED"])
    wait = waiting("1", "2", how=options(0.0))
    platform.polls["2"] = 1
    platform.slow["1"] = seconds

    platform.script.run(wait_for_jobs(SETTINGS, wait))

    assert platform.polls["2"] == polls
    assert ends(wait)["2"] == (JobEnd.TIMED_OUT if polls == 1 else JobEnd.SUCCEEDED)
    assert platform.script.now <= NOW + timedelta(seconds=LAST_POLL)


def test_the_only_job_is_polled_however_late_its_wait_begins() -> None:
    platform = Platform(job1=["SUCCEEDED"])

    assert ends(run(platform, how=options(-3600))) == {"1": JobEnd.SUCCEEDED}


@pytest.mark.parametrize("job_ids", [(), ("",), ("1", ""), ("1", "2", "1")])
def test_an_empty_set_and_one_with_a_job_twice_are_refused(job_ids: tuple[str, ...]) -> None:
    with pytest.raises(InvalidParameterError, match=r"^jobs: a wait needs at least one job"):
        waiting(*job_ids)


def test_a_refused_key_interrupts_the_wait_which_goes_on_where_it_stopped() -> None:
    platform = Platform(job1=["SUCCEEDED"], job2=[gateway("SignatureDoesNotMatch", 403), "SUCCEEDED"])
    wait = waiting("1", "2")

    with pytest.raises(AuthenticationError):
        platform.script.run(wait_for_jobs(SETTINGS, wait))
    assert list(wait.results) == ["1"]
    platform.script.run(wait_for_jobs(SETTINGS, wait))

    assert set(ends(wait).values()) == {JobEnd.SUCCEEDED}
    assert platform.polls["1"] == 1


def test_a_refused_key_ends_the_wait_only_for_jobs_that_were_never_polled() -> None:
    wait = waiting("1", "2", "3", states={"2": WaitState(has_polled=True)})

    events = wait.give_up(KEY)

    assert list(wait.results) == ["1", "3"]
    assert wait.results["1"] is not wait.results["3"]
    assert [type(event) for event in events] == [JobWaitEnded, JobWaitEnded]
    wait.give_up(KEY)
    assert wait.unfinished == []


def test_any_other_error_of_the_connection_ends_the_wait_for_all() -> None:
    wait = waiting("1", "2", states={"2": WaitState(has_polled=True)})

    events = wait.give_up(ConfigurationError("the connection is gone"))

    assert set(ends(wait).values()) == {JobEnd.UNKNOWN}
    assert isinstance(events[-1], JobSetEnded)
    assert wait.give_up(ConfigurationError("again")) == []


def test_a_connection_that_is_not_given_counts_as_a_failed_poll_of_each_job() -> None:
    wait = waiting("1", "2", how=options(poll_error_tolerance=50.0))

    events, pause = wait.pause_after(NO_CONNECTION, NOW)

    assert [event.line() for event in events] == [PollFailed("2 jobs: 1, 2", NO_CONNECTION.sentence).line()]
    assert (pause, wait.is_failing) == (15, True)
    events, pause = wait.pause_after(NO_CONNECTION, NOW + timedelta(seconds=50))
    assert [type(event) for event in events] == [JobWaitEnded, JobWaitEnded, JobSetEnded]
    assert (pause, wait.unfinished, wait.is_failing) == (0.0, [], False)


def test_a_connection_that_is_not_given_for_too_long_ends_the_wait_for_the_job_that_has_had_no_answer_longest() -> None:
    failing = WaitState.from_dict({"has_polled": True, "failing_since": NOW.isoformat()})
    wait = waiting("1", "2", how=options(poll_error_tolerance=50.0), states={"1": failing})

    events, pause = wait.pause_after(NO_CONNECTION, NOW + timedelta(seconds=50))

    assert [type(event) for event in events] == [PollFailed, JobWaitEnded]
    assert (pause, [one.job_id for one in wait.unfinished]) == (15.0, ["2"])


def test_changed_options_are_those_of_the_jobs_that_go_on() -> None:
    wait = waiting("1", "2")
    first, second = wait.unfinished
    wait.settle("1", verdict("1", Outcome.SUCCEEDED))

    wait.change_options(poll_interval=60.0)

    assert (first.options.poll_interval, second.options.poll_interval) == (15.0, 60.0)
    assert second.options.expected == ("device-2",)


def test_one_job_is_a_set_of_one_which_reports_nothing_beside_its_result() -> None:
    platform = Platform(job1=["QUEUED"])

    wait = run(platform, how=options(20))

    assert platform.script.events == []
    assert wait.subject == "job 1"
    with pytest.raises(WaitTimeoutError, match="job 1 had not ended"):
        require_only_success(wait.results)


def test_the_only_job_gives_its_verdict_or_raises_why_not() -> None:
    done = verdict("1", Outcome.SUCCEEDED)

    assert require_only_success({"1": done}) is done
    with pytest.raises(JobFailedError, match="job 1"):
        require_only_success({"1": verdict("1", Outcome.FAILED)})


def test_a_wait_that_has_ended_polls_nothing_more() -> None:
    platform = Platform(job1=["SUCCEEDED"])
    wait = run(platform)
    polls = dict(platform.polls)

    platform.script.run(wait_for_jobs(SETTINGS, wait))

    assert platform.polls == polls


def test_several_jobs_name_fifty_devices_together() -> None:
    many = Verdict.from_dict(
        verdict("1", Outcome.FAILED).to_dict()
        | {"devices": [{"name": f"d{number}", "status": "FAILED"} for number in range(50)]}
    )
    wait, alone = waiting(*"12345"), waiting("1")

    wait.settle("1", many)
    alone.settle("1", many)

    assert [len(one.results["1"].devices) for one in (wait, alone)] == [10, 50]  # type: ignore[union-attr] # verdicts


def test_a_waited_job_is_rebuilt_from_plain_values() -> None:
    one = WaitedJob(job_id="1", firmware_id="178", expected=("d1",), on_cancel="stop")

    assert WaitedJob.from_dict(one.to_dict() | {"added_later": 1}) == one
    assert WaitedJob.from_dict({"job_id": "1"}) == WaitedJob(job_id="1", on_cancel="keep")


def verdict(job_id: str, outcome: Outcome) -> Verdict:
    return Verdict(
        job_id=job_id,
        firmware_id="178",
        job_type="UPGRADE_FIRMWARE",
        job_status="",
        firmware_status="",
        outcome=outcome,
        counts={"SUCCEEDED": 1},
    )
