from __future__ import annotations

import json
from datetime import timedelta, timezone

import pytest

from airflow_provider_tuya_ota.core.errors import (
    ApiError,
    AuthenticationError,
    NotFoundError,
    PermissionDeniedError,
    PollingFailedError,
    TuyaOTAError,
)
from airflow_provider_tuya_ota.core.status.job_set_wait import JobSetWait, WaitedJob
from airflow_provider_tuya_ota.core.status.wait import WaitOptions
from airflow_provider_tuya_ota.core.status.wait_state import GRACE_PERIOD, WaitState
from tests.core.script import NOW, lost

DEFAULT_TOLERANCE = 3600.0


def refusal(kind: type[ApiError]) -> ApiError:
    return kind(action="QueryOTAJob", code="No", message="no", request_id="r", http_status=403)


def fail(state: WaitState, error: TuyaOTAError, seconds: float, *, is_listing: bool = False) -> None:
    now = NOW + timedelta(seconds=seconds)
    state.record_failure(
        error, now, subject="job 1", meanwhile="it goes on", tolerance=DEFAULT_TOLERANCE, is_listing=is_listing
    )


def seen_well() -> WaitState:
    state = WaitState()
    state.record()
    return state


def test_failures_that_pass_are_tolerated_for_so_long_and_no_longer() -> None:
    state = WaitState()
    fail(state, lost(), 0)
    fail(state, lost(), DEFAULT_TOLERANCE - 1)

    with pytest.raises(
        PollingFailedError, match=r"job 1 could not be polled for 3600 s; it goes on\. Last: request to"
    ):
        fail(state, lost(), DEFAULT_TOLERANCE)


def test_a_poll_that_succeeds_ends_a_row_of_failures() -> None:
    state = WaitState()
    fail(state, lost(), 0)
    state.record()

    fail(state, lost(), DEFAULT_TOLERANCE)
    fail(state, refusal(NotFoundError), DEFAULT_TOLERANCE + 1)
    state.record()
    fail(state, refusal(NotFoundError), 2 * DEFAULT_TOLERANCE)


@pytest.mark.parametrize("kind", [AuthenticationError, PermissionDeniedError, NotFoundError])
def test_a_refusal_is_tolerated_for_a_moment_where_polls_went_well_and_not_at_all_otherwise(
    kind: type[ApiError],
) -> None:
    with pytest.raises(kind):
        fail(WaitState(), refusal(kind), 0)
    state = seen_well()
    fail(state, refusal(kind), 0)

    with pytest.raises(PollingFailedError, match="for 300 s"):
        fail(state, refusal(kind), GRACE_PERIOD)


def test_a_refusal_at_the_end_of_an_outage_is_given_its_own_moment() -> None:
    state = seen_well()
    for minute in range(30):
        fail(state, lost(), 60.0 * minute)

    fail(state, refusal(AuthenticationError), 1800)
    fail(state, refusal(AuthenticationError), 1800 + GRACE_PERIOD - 1)

    with pytest.raises(PollingFailedError):
        fail(state, refusal(AuthenticationError), 1800 + GRACE_PERIOD)


def test_listings_that_succeed_prove_nothing_about_polls_that_fail() -> None:
    state = WaitState()
    fail(state, lost(), 0)
    state.record_listing()

    with pytest.raises(PollingFailedError):
        fail(state, lost(), DEFAULT_TOLERANCE)


def test_a_listing_alone_does_not_make_up_for_a_poll_that_is_refused() -> None:
    state = WaitState()
    state.record_listing()

    fail(state, refusal(PermissionDeniedError), 0, is_listing=True)
    with pytest.raises(PermissionDeniedError):
        fail(state, refusal(PermissionDeniedError), 0)


def test_a_listing_that_is_refused_before_anything_was_seen_ends_the_wait() -> None:
    with pytest.raises(PermissionDeniedError):
        fail(WaitState(), refusal(PermissionDeniedError), 0, is_listing=True)


def test_what_is_not_said_to_be_a_listing_is_a_poll() -> None:
    state = WaitState()
    state.record_listing()

    with pytest.raises(PermissionDeniedError):
        state.record_failure(refusal(PermissionDeniedError), NOW, subject="job 1", meanwhile="it goes on", tolerance=9)


def test_listings_that_fail_are_forgiven_by_the_next_one_that_succeeds() -> None:
    state = seen_well()
    fail(state, lost(), 0, is_listing=True)
    state.record_listing()

    fail(state, lost(), DEFAULT_TOLERANCE, is_listing=True)
    with pytest.raises(PollingFailedError):
        fail(state, lost(), 2 * DEFAULT_TOLERANCE, is_listing=True)


def test_it_knows_whether_the_key_is_refused_now() -> None:
    state = seen_well()
    assert not WaitState().is_key_refused
    refused = []
    for error in (refusal(AuthenticationError), refusal(NotFoundError), refusal(AuthenticationError)):
        fail(state, error, 0)
        refused.append(state.is_key_refused)
    state.record()

    assert [*refused, state.is_key_refused] == [True, False, True, False]


def test_it_knows_whether_the_last_poll_or_listing_failed() -> None:
    state = seen_well()
    failing = [state.is_failing]
    for is_listing in (True, False):
        fail(state, lost(), 0, is_listing=is_listing)
        failing.append(state.is_failing)
    state.record_listing()
    failing.append(state.is_failing)
    state.record()
    fail(state, lost(), 0, is_listing=True)
    failing.append(state.is_failing)
    state.record_listing()

    assert [*failing, state.is_failing] == [False, True, True, True, True, False]


def test_a_set_is_failing_while_the_last_poll_of_a_job_without_a_result_failed() -> None:
    states = {"1": seen_well(), "2": seen_well()}
    jobs = [WaitedJob(job_id=job_id) for job_id in states]
    wait = JobSetWait(jobs, WaitOptions(deadline=NOW + timedelta(days=1)), states=states)
    failing = [wait.is_failing]
    fail(states["2"], lost(), 0)
    failing.append(wait.is_failing)
    wait.settle("2", lost())

    assert [*failing, wait.is_failing] == [False, True, False]


def test_the_first_poll_of_a_job_that_is_known_is_judged_like_a_later_one() -> None:
    jobs = [WaitedJob(job_id="1", is_known=True), WaitedJob(job_id="2")]
    known, unknown = JobSetWait(jobs, WaitOptions(deadline=NOW + timedelta(days=1))).unfinished

    fail(known.state, refusal(AuthenticationError), 0)
    with pytest.raises(AuthenticationError):
        fail(unknown.state, refusal(AuthenticationError), 0)
    with pytest.raises(PollingFailedError):
        fail(known.state, refusal(AuthenticationError), GRACE_PERIOD)


def test_it_survives_as_json_in_the_middle_of_everything() -> None:
    state = seen_well()
    state.settling_since = NOW.astimezone(timezone(timedelta(hours=8)))
    state.successful_since = NOW + timedelta(seconds=1)
    state.most_listed = 3
    state.line = "job 1 IN_PROGRESS"
    fail(state, lost(), 0)
    fail(state, refusal(NotFoundError), 60)

    again = WaitState.from_dict(json.loads(json.dumps(state.to_dict())))

    assert again == WaitState.from_dict(state.to_dict())
    assert again.to_dict() == state.to_dict()
    assert (again.has_polled, again.line, again.settling_since) == (True, "job 1 IN_PROGRESS", NOW)
    assert again.successful_since == NOW + timedelta(seconds=1)
    assert again.most_listed == 3
    assert state.to_dict()["settling_since"] == "2026-03-01T12:00:00+00:00"
    fail(again, lost(), DEFAULT_TOLERANCE - 1)
    with pytest.raises(PollingFailedError):
        fail(again, lost(), DEFAULT_TOLERANCE)


@pytest.mark.parametrize("stored", [{}, {"later": 1}])
def test_what_is_missing_was_not_seen(stored: dict[str, int]) -> None:
    assert WaitState.from_dict(stored) == WaitState()
