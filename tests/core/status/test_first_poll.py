"""When a job is first polled that was queried right before its wait."""

from __future__ import annotations

import pytest

from airflow_provider_tuya_ota.core.status.job_snapshot import EarlierPoll
from airflow_provider_tuya_ota.core.status.poll_scheduler import FIRST_POLL, PollJob, PollScheduler
from tests.core.script import NOW
from tests.core.status.test_poll_scheduler import POLL, job

QUERIED = EarlierPoll(job("1"), None, is_large=False, read_at=NOW)


def scheduler(poll_interval: float = POLL) -> PollScheduler:
    plan = PollScheduler(10.0)
    plan.add("1", firmware_id="178", poll_interval=poll_interval, now=100.0, earlier=QUERIED)
    return plan


@pytest.mark.parametrize(("poll_interval", "pause"), [(POLL, FIRST_POLL), (3600.0, FIRST_POLL), (1.0, 1.0)])
def test_it_has_a_moment_to_begin(poll_interval: float, pause: float) -> None:
    plan = scheduler(poll_interval)

    assert plan.next(100.0) == plan.due() == 100.0 + pause
    assert plan.next(100.0 + pause) == PollJob("1", QUERIED)


def test_a_last_poll_comes_at_once_and_takes_nothing_from_the_query() -> None:
    plan = scheduler()

    plan.prioritize("1", 101.0)

    assert plan.next(101.0) == PollJob("1")


def test_a_second_wait_has_its_first_poll_at_once() -> None:
    plan = scheduler()

    plan.add("1", firmware_id="178", poll_interval=POLL, now=101.0)

    assert plan.next(101.0) == PollJob("1", QUERIED)


def test_the_query_of_a_second_wait_replaces_no_poll() -> None:
    plan = PollScheduler(10.0)
    plan.add("1", firmware_id="178", poll_interval=POLL, now=100.0)

    plan.add("1", firmware_id="178", poll_interval=POLL, now=101.0, earlier=QUERIED)

    assert plan.next(101.0) == PollJob("1")


def test_a_query_helps_one_poll_alone_where_that_fails() -> None:
    plan = scheduler()
    poll = plan.next(100.0 + FIRST_POLL)
    assert isinstance(poll, PollJob)

    plan.job_polled(poll, None, 104.0)

    assert plan.next(104.0 + POLL) == PollJob("1")
