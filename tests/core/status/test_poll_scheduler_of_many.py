"""Several waits for one job, and many waits that poll each by itself."""

from __future__ import annotations

import math

import pytest

from airflow_provider_tuya_ota.core.status.job_snapshot import JobListing
from airflow_provider_tuya_ota.core.status.poll_scheduler import (
    ListJobs,
    PollJob,
    PollScheduler,
    interval_of_single_polls,
)
from tests.core.status.test_poll_scheduler import POLL, crowd, listings, polls, snapshot, taken


def test_a_second_wait_for_a_job_has_it_polled_at_the_shorter_of_the_intervals() -> None:
    scheduler = PollScheduler(10.0)
    for interval in (POLL, 6.0, 60.0):
        scheduler.add("1", firmware_id="178", poll_interval=interval, now=0.0)
    (poll,) = taken(scheduler, 0.0)
    assert isinstance(poll, PollJob)

    scheduler.job_polled(poll, snapshot("1"), 0.0)

    assert scheduler.next(0.0) == pytest.approx(6.0)


def test_once_the_wait_with_the_shortest_interval_has_left_a_job_is_polled_at_that_of_the_others() -> None:
    scheduler = PollScheduler(10.0)
    for interval in (POLL, 3.0, 3.0, 60.0):
        scheduler.add("1", firmware_id="178", poll_interval=interval, now=0.0)
    (poll,) = taken(scheduler, 0.0)
    assert isinstance(poll, PollJob)

    scheduler.remove("1", 3.0)
    scheduler.job_polled(poll, snapshot("1"), 0.0)
    assert scheduler.next(0.0) == pytest.approx(3.0)
    scheduler.remove("1", 3.0)
    scheduler.job_polled(poll, snapshot("1"), 0.0)

    assert scheduler.next(0.0) == pytest.approx(POLL)


def test_waits_with_short_intervals_that_have_left_make_no_crowd() -> None:
    scheduler = PollScheduler(10.0)
    for name in range(20):
        for interval in (POLL, 0.5):
            scheduler.add(str(name), firmware_id="178", poll_interval=interval, now=0.0)
    assert len(listings(taken(scheduler, 0.0))) == 1

    for name in range(20):
        scheduler.remove(str(name), 0.5)
        scheduler.prioritize(str(name), 1.0)

    assert listings(taken(scheduler, 1000.0)) == []


@pytest.mark.parametrize(("waits", "interval"), [(1, 15.0), (25, 15.0), (100, 60.0), (1000, 600.0)])
def test_waits_that_poll_each_by_itself_keep_within_half_the_budget_together(waits: int, interval: float) -> None:
    assert interval_of_single_polls(15.0, waits=waits, rate=10.0) == pytest.approx(interval)


def test_a_second_wait_for_a_job_does_not_wait_for_the_next_poll() -> None:
    scheduler = PollScheduler(10.0)
    scheduler.add("1", firmware_id="178", poll_interval=POLL, now=0.0)
    (poll,) = taken(scheduler, 0.0)
    assert isinstance(poll, PollJob)
    scheduler.job_polled(poll, snapshot("1"), 0.0)

    scheduler.add("1", firmware_id="178", poll_interval=POLL, now=1.0)

    assert polls(taken(scheduler, 1.0)) == ["1"]


def test_jobs_that_nobody_waits_for_any_more_do_not_count_as_a_crowd() -> None:
    scheduler = crowd()
    for name in range(20, 100):
        scheduler.remove(str(name), POLL)

    due = taken(scheduler, 0.0)

    assert sorted(polls(due), key=int) == [str(name) for name in range(20)]
    assert listings(due) == []


def test_a_firmware_is_listed_at_the_shortest_interval_of_the_waits_for_its_jobs() -> None:
    scheduler = crowd(firmwares=1)
    scheduler.add("hasty", firmware_id="p0", poll_interval=POLL / 5, now=0.0)
    (at,) = listings(taken(scheduler, 0.0))

    scheduler.jobs_listed(at, JobListing({}, 1), 0.0)

    assert listings(taken(scheduler, POLL / 5 / 3 - 0.01)) == []
    assert len(listings(taken(scheduler, POLL / 5 / 3 + 0.01))) == 1


def test_three_waits_for_one_job_cost_no_more_than_one() -> None:
    scheduler = PollScheduler(10.0)
    for name in range(20):
        for _ in range(3):
            scheduler.add(str(name), firmware_id="p0", poll_interval=POLL, now=0.0)

    assert listings(taken(scheduler, 0.0)) == []


def test_a_crowd_stays_one_where_of_two_waits_for_each_job_one_has_left() -> None:
    scheduler = crowd(40, firmwares=1)
    for name in range(40):
        scheduler.add(str(name), firmware_id="p0", poll_interval=POLL, now=0.0)
        scheduler.remove(str(name), POLL)

    assert len(listings(taken(scheduler, 0.0))) == 1


def test_a_job_that_was_urgent_and_that_nobody_waits_for_any_more_is_not_polled() -> None:
    scheduler = PollScheduler(10.0)
    for name in ("1", "2"):
        scheduler.add(name, firmware_id="178", poll_interval=POLL, now=0.0)
    scheduler.prioritize("1", 0.0)

    scheduler.remove("1", POLL)

    assert polls(taken(scheduler, 0.0)) == ["2"]
    assert scheduler.due() == float("inf")


def test_a_firmware_of_which_nobody_waits_for_a_job_any_more_is_not_listed() -> None:
    scheduler = crowd(firmwares=1)
    scheduler.add("other", firmware_id="p9", poll_interval=POLL, now=0.0)

    scheduler.remove("other", POLL)

    assert [at.firmware_id for at in listings(taken(scheduler, 0.0))] == ["p0"]


def test_a_job_of_no_known_firmware_is_read_again_by_itself() -> None:
    scheduler = crowd(firmwares=1)
    scheduler.add("new", firmware_id=None, poll_interval=POLL, now=0.0)
    (alone,) = [at for at in listings(taken(scheduler, 0.0)) if at.firmware_id is None]

    scheduler.jobs_listed(alone, JobListing({}, 1), 1.0)

    assert alone in listings(taken(scheduler, 1.0 + 4 * POLL))


def test_what_is_urgent_leaves_others_their_turn() -> None:
    scheduler = crowd()
    for name in range(50):
        scheduler.prioritize(str(name), 0.0)

    due = taken(scheduler, 0.0)

    places = [place for place, one in enumerate(due) if isinstance(one, ListJobs)]
    # After the first four the turn is that of the job which has waited longest, and then that of the firmwares.
    assert places == [9, 14]
    assert sorted(map(int, polls(due))) == list(range(50))


def test_when_all_have_left_nothing_is_due_and_a_late_answer_changes_nothing() -> None:
    scheduler = crowd(20)
    due = taken(scheduler, 0.0)
    for name in range(20):
        scheduler.remove(str(name), POLL)

    for one in due:
        assert isinstance(one, PollJob)
        scheduler.job_polled(one, snapshot(one.job_id), 1.0)

    assert scheduler.next(1e9) == math.inf


def test_being_asked_again_and_again_piles_nothing_up() -> None:
    scheduler = crowd(10)
    for moment in range(10_000):
        scheduler.prioritize("3", float(moment))

    assert len(scheduler._urgent._heap) < 20
    assert polls(taken(scheduler, 1e6)).count("3") == 1
