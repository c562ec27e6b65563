"""What one wait makes of single polls: how long each may take, when the next one is due, what its verdict counts as."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_tuya_ota.core.errors import PermissionDeniedError, PollingFailedError, StateUnavailableError
from airflow_provider_tuya_ota.core.flows.events import Level
from airflow_provider_tuya_ota.core.model.entities import Job
from airflow_provider_tuya_ota.core.model.outcome_errors import JobFailedError, WaitTimeoutError
from airflow_provider_tuya_ota.core.model.states import JobStatus, JobType
from airflow_provider_tuya_ota.core.model.verdict import Outcome, Verdict
from airflow_provider_tuya_ota.core.status import job_snapshot
from airflow_provider_tuya_ota.core.status.job_snapshot import EarlierPoll, JobSnapshot
from airflow_provider_tuya_ota.core.status.poll_events import JobFailureObserved
from airflow_provider_tuya_ota.core.status.wait import JobWait, WaitOptions, has_failed, poll_once
from airflow_provider_tuya_ota.core.status.wait_state import WaitState
from tests.core.one_job import wait_for_job
from tests.core.script import NOW, SETTINGS, Script, job, ok, task

if TYPE_CHECKING:
    from airflow_provider_tuya_ota.core.wire.http import Response
    from tests.core.script import Sent

DENIED = PermissionDeniedError(action="A", code="No", message="no", request_id="r", http_status=403)


def waiting(**options: Any) -> JobWait:
    return JobWait("9001", WaitOptions(deadline=NOW + timedelta(seconds=100), **options))


def after(seconds: float) -> Any:
    return NOW + timedelta(seconds=seconds)


def verdict(outcome: Outcome = Outcome.SUCCEEDED, **changes: Any) -> Verdict:
    values: dict[str, Any] = {
        "job_id": "9001",
        "firmware_id": "178",
        "job_type": "UPGRADE_FIRMWARE",
        "job_status": "COMPLETED",
        "firmware_status": "",
        "counts": {"SUCCEEDED": 1},
    }
    return Verdict(outcome=outcome, **values | changes)


def seen(verdict: Verdict) -> JobSnapshot:
    found = Job(job_id="9001", firmware_id="178", status=JobStatus.COMPLETED, type=JobType.UPGRADE_FIRMWARE)
    return JobSnapshot(verdict, EarlierPoll(found, None, is_large=False, read_at=NOW), names=frozenset({"d1"}))


@pytest.mark.parametrize(
    ("seconds", "longest"), [(0, 130), (99, 31), (99.5, 30.5), (100, 60), (110, 50), (125, 35), (130, 30), (200, 30)]
)
def test_a_poll_may_take_until_half_a_minute_after_the_deadline_and_a_last_one_a_minute_at_most(
    seconds: float, longest: float
) -> None:
    assert waiting().longest(after(seconds)) == longest


@pytest.mark.parametrize(("seconds", "pause"), [(0, 15), (90, 10), (99.5, 0.5), (100, 0), (200, 0)])
def test_the_next_poll_comes_after_the_interval_or_at_the_deadline(seconds: float, pause: float) -> None:
    assert waiting().pause(after(seconds)) == pause


def test_what_lets_no_poll_begin_counts_as_a_poll_that_failed() -> None:
    error = StateUnavailableError("give the connection", reason="500")
    wait = waiting(poll_error_tolerance=50.0)

    event, pause = wait.pause_after(error, after(0))
    assert (event.line(), pause) == (wait.record_failure(error, after(1)).line(), 15)
    with pytest.raises(PollingFailedError, match="for 50 s; it goes on at the platform"):
        wait.pause_after(error, after(50))
    with pytest.raises(WaitTimeoutError, match="job 9001 had not ended"):
        waiting().pause_after(error, after(100))


@pytest.mark.parametrize(("seconds", "is_last"), [(99, False), (100, True), (101, True)])
def test_a_poll_that_begins_at_the_deadline_is_the_last_one(seconds: float, is_last: bool) -> None:
    assert waiting().is_last(after(seconds)) is is_last


@pytest.mark.parametrize(
    ("options", "seconds"), [({"poll_interval": 30}, 60), ({"poll_interval": 5}, 20), ({"settle_time": 10}, 10)]
)
def test_a_success_on_devices_that_the_platform_chose_counts_once_late_tasks_had_time_to_be_listed(
    options: dict[str, Any], seconds: float
) -> None:
    wait = waiting(**options)
    wait.record(wait.assess(seen(verdict()), NOW), NOW)

    settling = wait.assess(seen(verdict()), after(seconds - 1))

    assert settling.outcome is Outcome.SETTLING
    assert settling.why == "the platform chose its devices, and some may be listed later"
    assert wait.assess(seen(verdict()), after(seconds)).outcome is Outcome.SUCCEEDED


def test_a_contradiction_before_a_success_takes_none_of_the_time_of_late_tasks() -> None:
    wait = waiting()
    wait.record(verdict(Outcome.SETTLING), NOW)
    wait.record(wait.assess(seen(verdict()), after(55)), after(55))

    assert wait.assess(seen(verdict()), after(114)).outcome is Outcome.SETTLING
    assert wait.assess(seen(verdict()), after(115)).outcome is Outcome.SUCCEEDED


def test_a_success_that_is_held_does_not_end_as_a_contradiction() -> None:
    wait = waiting()
    wait.record(verdict(Outcome.SETTLING), NOW)

    wait.record(wait.assess(seen(verdict()), after(299)), after(299))
    wait.record(wait.assess(seen(verdict()), after(358)), after(358))

    assert wait.assess(seen(verdict()), after(359)).outcome is Outcome.SUCCEEDED
    with pytest.raises(JobFailedError, match="for 300 s"):
        wait.record(verdict(Outcome.SETTLING), after(359))


@pytest.mark.parametrize(("first_seen", "extended"), [(20, 100), (95, 155), (100, 160), (130, 190)])
def test_a_success_that_is_held_at_the_deadline_extends_it_until_it_counts(first_seen: float, extended: float) -> None:
    wait = waiting()
    wait.record(wait.assess(seen(verdict()), after(first_seen)), after(first_seen))

    assert not wait.is_last(after(extended - 1))
    assert wait.pause(after(extended - 1)) == 1
    assert wait.is_last(after(extended))
    assert wait.assess(seen(verdict()), after(extended)).outcome is Outcome.SUCCEEDED


def test_a_deadline_is_not_extended_any_more_once_the_success_is_gone() -> None:
    wait = waiting()
    wait.record(wait.assess(seen(verdict()), after(95)), after(95))
    wait.record(verdict(Outcome.RUNNING), after(110))

    assert wait.is_last(after(110))


def test_the_deadline_of_devices_asked_for_by_name_is_never_extended() -> None:
    wait = waiting(expected=("d1",))

    assert wait.record(wait.assess(seen(verdict()), after(95)), after(95))
    assert wait.is_last(after(100))


@pytest.mark.parametrize(
    ("counts", "said", "goes_on"),
    [
        ({"SUCCEEDED": 1}, "had no certain result when the time to wait was over: the firmware is UNVERIFIED.", False),
        ({"SUCCEEDED": 1, "IN_PROGRESS": 1}, "had not ended when the time to wait was over.", True),
    ],
)
def test_a_timeout_does_not_say_of_an_ended_job_that_it_goes_on(
    counts: dict[str, int], said: str, goes_on: bool
) -> None:
    wait = waiting()
    wait.record(verdict(Outcome.SETTLING, why="the firmware is UNVERIFIED", counts=counts), NOW)

    assert f"job 9001 {said} Last state: job 9001 COMPLETED" in str(wait.timeout())
    assert ("It goes on at the platform" in str(wait.timeout())) is goes_on


def test_a_success_counts_only_once_the_list_of_device_tasks_was_read_to_its_end() -> None:
    wait = waiting()
    wait.record(wait.assess(seen(verdict()), NOW), NOW)
    unread = replace(seen(verdict()), is_whole=False)

    assert wait.assess(unread, after(60)).outcome is Outcome.SETTLING
    assert wait.assess(replace(unread, is_whole=True), after(60)).outcome is Outcome.SUCCEEDED


def test_while_a_success_is_held_nobody_asks_for_the_page_behind_its_device_tasks() -> None:
    script = large(1, 0)

    script.run(wait_for_job(SETTINGS, "9001", WaitOptions(deadline=after(3600), poll_interval=5)))

    held = ["QueryOTAJob", "ListOTATaskByJob"]
    assert script.actions == [*held * 5, "ListOTATaskByJob"]


@pytest.mark.parametrize(
    ("outcome", "has_ended"),
    [(Outcome.RUNNING, False), (Outcome.SETTLING, False), (Outcome.SUCCEEDED, True), (Outcome.FAILED, True)],
)
def test_a_wait_knows_whether_its_job_has_ended(outcome: Outcome, has_ended: bool) -> None:
    wait = waiting()

    assert wait.record(verdict(outcome), NOW) is has_ended
    assert wait.state.line == verdict(outcome).line()
    assert wait.state.verdict == verdict(outcome)


def test_a_contradiction_ends_the_wait_after_five_minutes_by_default() -> None:
    wait = waiting()
    wait.record(verdict(Outcome.SETTLING), NOW)
    wait.record(verdict(Outcome.SETTLING), after(299))

    with pytest.raises(JobFailedError, match="for 300 s"):
        wait.record(verdict(Outcome.SETTLING), after(300))


def test_a_listing_that_is_refused_is_no_poll_that_is_refused() -> None:
    wait = waiting()
    wait.state.record_listing()

    event = wait.record_failure(DENIED, NOW, is_listing=True)

    assert (event.level, event.line().endswith(" The wait for job 9001 goes on.")) == (Level.WARNING, True)
    with pytest.raises(PermissionDeniedError):
        wait.record_failure(DENIED, NOW)


def test_what_was_seen_before_is_gone_on_with() -> None:
    state = WaitState(line="job 9001 IN_PROGRESS")

    assert JobWait("9001", waiting().options, state).state is state


def test_options_that_are_left_out_have_the_documented_defaults() -> None:
    values = WaitOptions(deadline=NOW).to_dict()

    assert values == {
        "deadline": "2026-03-01T12:00:00+00:00",
        "poll_interval": 15.0,
        "poll_error_tolerance": 7200.0,
        "settle_time": 300.0,
        "expected": [],
    }


def test_the_devices_that_were_asked_for_survive_json() -> None:
    options = WaitOptions(deadline=NOW, expected=("d1", "d2"))

    assert options.to_dict()["expected"] == ["d1", "d2"]
    assert WaitOptions.from_dict(options.to_dict()) == options


def large(number: int, ended_after: int) -> Script:
    """Play a job with more device tasks than fit on a page, all of which succeed."""
    names = [f"d{one}" for one in range(number)]
    polls = 0

    def answer(sent: Sent) -> Response:
        nonlocal polls
        if sent.action == "QueryOTAJob":
            polls += 1
            return ok(data=job(status="COMPLETED" if polls > ended_after else "IN_PROGRESS", kind="UPGRADE_FIRMWARE"))
        wanted = sent.parameters.get("TaskStatus")
        current = "SUCCEEDED" if polls > ended_after else "QUEUED"
        begin = (int(sent.parameters["CurrentPage"]) - 1) * (size := int(sent.parameters["PageSize"]))
        tasks = [task(name, current) for name in names] if wanted in {None, current} else []
        return ok(data=tasks[begin : begin + size], total=len(tasks))

    return Script(answer)


def test_a_small_job_is_read_with_two_requests_at_each_poll_and_the_size_of_a_large_one_is_found_out_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(job_snapshot, "FRESH", timedelta(0))
    small, many = large(1, 2), large(150, 2)
    options = WaitOptions(deadline=after(3600), settle_time=0)
    for script in (small, many):
        script.run(wait_for_job(SETTINGS, "9001", options))

    # The next page is read where all have ended: only then an empty one shows that there are no others.
    assert small.actions == [*["QueryOTAJob", "ListOTATaskByJob"] * 3, "ListOTATaskByJob"]
    whole_pages = [sent for sent in many.sent if sent.parameters.get("PageSize") == "100"]
    # The first poll alone tries to read all tasks with one request.
    assert len([sent for sent in whole_pages if "TaskStatus" not in sent.parameters]) == 1


@pytest.mark.parametrize("expected", [150, 2])
def test_a_large_job_has_failed_where_it_is_not_on_the_devices_that_were_asked_for(expected: int) -> None:
    options = WaitOptions(deadline=after(3600), expected=tuple(f"d{one}" for one in range(expected)))

    assert large(150, 0).run(has_failed(SETTINGS, "9001", options)) is (expected == 2)


def test_a_poll_alone_takes_a_job_for_a_small_one() -> None:
    script = large(1, 9)

    snapshot = script.run(poll_once(SETTINGS, waiting()))

    assert snapshot is not None
    assert script.actions == ["QueryOTAJob", "ListOTATaskByJob"]


def test_a_poll_after_the_deadline_is_broken_off_after_half_a_minute() -> None:
    script = large(1, 0)
    usual = script.answers

    def slow(sent: Sent) -> Any:
        script.now += timedelta(seconds=31)
        return usual(sent)  # type: ignore[operator] # a function in this script

    script.answers = slow
    script.now = after(200)

    assert script.run(poll_once(SETTINGS, waiting())) is None
    assert script.actions == ["QueryOTAJob"]
    assert script.warnings


def test_a_job_of_which_a_device_task_goes_on_has_not_failed_whatever_its_status_says() -> None:
    def answer(sent: Sent) -> Response:
        if sent.action == "QueryOTAJob":
            return ok(data=job(status="COMPLETED", kind="UPGRADE_FIRMWARE"))
        return ok(data=[task("d1", "SUCCEEDED"), task("d2", "QUEUED")], total=2)

    script = Script(answer)

    assert script.run(has_failed(SETTINGS, "9001", waiting().options)) is False
    assert script.sleeps == []


def test_a_job_that_looks_failed_is_reported_and_polled_again_until_that_counts() -> None:
    script = Script(
        lambda sent: (
            ok(data=job(status="COMPLETED", kind="UPGRADE_FIRMWARE")) if sent.action == "QueryOTAJob" else ok(data=[])
        )
    )

    assert script.run(has_failed(SETTINGS, "9001", waiting(settle_time=30).options)) is True
    assert {type(event) for event in script.events} == {JobFailureObserved}
    assert script.sleeps == [15.0, 15.0]
