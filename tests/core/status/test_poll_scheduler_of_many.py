"""Several waits for one job, and many waits that poll each by itself."""

from __future__ import annotations

import pytest

from airflow_provider_tuya_ota.core.status.job_snapshot import JobListing
from airflow_provider_tuya_ota.core.status.poll_scheduler import PollJob, PollScheduler, interval_of_single_polls
from tests.core.status.test_poll_scheduler import POLL, crowd, glances, looks, snapshot, taken


def test_a_second_wait_for_a_job_has_it_looked_at_as_often_as_the_more_impatient_wants() -> None:
    scheduler = PollScheduler(10.0)
    for interval in (POLL, 6.0, 60.0):
        scheduler.add("1", firmware_id="178", poll_interval=interval, now=0.0)
    (look,) = taken(scheduler, 0.0)
    assert isinstance(look, PollJob)

    scheduler.job_polled(look, snapshot("1"), 0.0)

    assert scheduler.next(0.0) == pytest.approx(6.0)


def test_once_the_impatient_wait_has_left_a_job_is_polled_as_often_as_the_others_want() -> None:
    scheduler = PollScheduler(10.0)
    for interval in (POLL, 3.0, 3.0, 60.0):
        scheduler.add("1", firmware_id="178", poll_interval=interval, now=0.0)
    (look,) = taken(scheduler, 0.0)
    assert isinstance(look, PollJob)

    scheduler.remove("1", 3.0)
    scheduler.job_polled(look, snapshot("1"), 0.0)
    assert scheduler.next(0.0) == pytest.approx(3.0)
    scheduler.remove("1", 3.0)
    scheduler.job_polled(look, snapshot("1"), 0.0)

    assert scheduler.next(0.0) == pytest.approx(POLL)


def test_impatient_waits_that_have_left_make_no_crowd() -> None:
    scheduler = PollScheduler(10.0)
    for name in range(20):
        for interval in (POLL, 0.5):
            scheduler.add(str(name), firmware_id="178", poll_interval=interval, now=0.0)
    assert len(glances(taken(scheduler, 0.0))) == 1

    for name in range(20):
        scheduler.remove(str(name), 0.5)
        scheduler.prioritize(str(name), 1.0)

    assert glances(taken(scheduler, 1000.0)) == []


@pytest.mark.parametrize(("waits", "interval"), [(1, 15.0), (25, 15.0), (100, 60.0), (1000, 600.0)])
def test_waits_that_poll_each_by_itself_keep_within_half_the_budget_together(waits: int, interval: float) -> None:
    assert interval_of_single_polls(15.0, waits=waits, rate=10.0) == pytest.approx(interval)


def test_a_second_wait_for_a_job_does_not_wait_for_the_next_look() -> None:
    scheduler = PollScheduler(10.0)
    scheduler.add("1", firmware_id="178", poll_interval=POLL, now=0.0)
    (look,) = taken(scheduler, 0.0)
    assert isinstance(look, PollJob)
    scheduler.job_polled(look, snapshot("1"), 0.0)

    scheduler.add("1", firmware_id="178", poll_interval=POLL, now=1.0)

    assert looks(taken(scheduler, 1.0)) == ["1"]


def test_jobs_that_nobody_waits_for_any_more_do_not_count_as_a_crowd() -> None:
    scheduler = crowd()
    for name in range(20, 100):
        scheduler.remove(str(name), POLL)

    errands = taken(scheduler, 0.0)

    assert sorted(looks(errands), key=int) == [str(name) for name in range(20)]
    assert glances(errands) == []


def test_a_firmware_is_listed_as_often_as_the_least_patient_wait_for_any_of_its_jobs_wants() -> None:
    scheduler = crowd(firmwares=1)
    scheduler.add("hasty", firmware_id="p0", poll_interval=POLL / 5, now=0.0)
    (at,) = glances(taken(scheduler, 0.0))

    scheduler.jobs_listed(at, JobListing({}, 1), 0.0)

    assert glances(taken(scheduler, POLL / 5 / 3 - 0.01)) == []
    assert len(glances(taken(scheduler, POLL / 5 / 3 + 0.01))) == 1


def test_three_waits_for_one_job_cost_no_more_than_one() -> None:
    scheduler = PollScheduler(10.0)
    for name in range(20):
        for _ in range(3):
            scheduler.add(str(name), firmware_id="p0", poll_interval=POLL, now=0.0)

    assert glances(taken(scheduler, 0.0)) == []


def test_a_crowd_stays_one_where_of_two_waits_for_each_job_one_has_left() -> None:
    scheduler = crowd(40, firmwares=1)
    for name in range(40):
        scheduler.add(str(name), firmware_id="p0", poll_interval=POLL, now=0.0)
        scheduler.remove(str(name), POLL)

    assert len(glances(taken(scheduler, 0.0))) == 1


def test_a_job_that_was_urgent_and_that_nobody_waits_for_any_more_is_not_polled() -> None:
    scheduler = PollScheduler(10.0)
    for name in ("1", "2"):
        scheduler.add(name, firmware_id="178", poll_interval=POLL, now=0.0)
    scheduler.prioritize("1", 0.0)

    scheduler.remove("1", POLL)

    assert looks(taken(scheduler, 0.0)) == ["2"]
    assert scheduler.due() == float("inf")


def test_a_firmware_of_which_nobody_waits_for_a_job_any_more_is_not_listed() -> None:
    scheduler = crowd(firmwares=1)
    scheduler.add("other", firmware_id="p9", poll_interval=POLL, now=0.0)

    scheduler.remove("other", POLL)

    assert [at.firmware_id for at in glances(taken(scheduler, 0.0))] == ["p0"]


def test_a_job_of_no_known_firmware_is_read_again_by_itself() -> None:
    scheduler = crowd(firmwares=1)
    scheduler.add("new", firmware_id=None, poll_interval=POLL, now=0.0)
    (alone,) = [at for at in glances(taken(scheduler, 0.0)) if at.firmware_id is None]

    scheduler.jobs_listed(alone, JobListing({}, 1), 1.0)

    assert alone in glances(taken(scheduler, 1.0 + 4 * POLL))
