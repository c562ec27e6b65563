from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pytest

from airflow_provider_tuya_ota.core.model.entities import Job
from airflow_provider_tuya_ota.core.model.states import JobStatus, JobType
from airflow_provider_tuya_ota.core.model.verdict import DeviceState, Outcome, Verdict
from airflow_provider_tuya_ota.core.status.condition_schedule import PollCondition
from airflow_provider_tuya_ota.core.status.job_snapshot import EarlierPoll, JobListing, JobSnapshot
from airflow_provider_tuya_ota.core.status.poll_scheduler import (
    LARGE,
    SMALL,
    ListJobs,
    PollJob,
    PollScheduler,
)
from tests.core.script import NOW

if TYPE_CHECKING:
    from collections.abc import Sequence

POLL = 15.0


def job(job_id: str, status: str = "IN_PROGRESS", firmware_id: str = "178", kind: str = "UPGRADE_FIRMWARE") -> Job:
    return Job(job_id=job_id, firmware_id=firmware_id, status=JobStatus(status), type=JobType(kind))


def snapshot(
    job_id: str,
    *,
    outcome: Outcome = Outcome.RUNNING,
    done: int = 0,
    going_on: Sequence[str] = (),
    is_large: bool = False,
    firmware_id: str = "178",
) -> JobSnapshot:
    verdict = Verdict(
        job_id=job_id,
        firmware_id=firmware_id,
        job_type="UPGRADE_FIRMWARE",
        job_status="IN_PROGRESS",
        firmware_status="",
        outcome=outcome,
        counts={"SUCCEEDED": done, "IN_PROGRESS": len(going_on)},
        devices=tuple(DeviceState(f"d{number}", "IN_PROGRESS", progress) for number, progress in enumerate(going_on)),
    )
    return JobSnapshot(verdict, EarlierPoll(job(job_id, firmware_id=firmware_id), None, is_large, NOW))


def taken(scheduler: PollScheduler, now: float) -> list[PollJob | ListJobs]:
    """Take everything that is due now, as if nothing were ever answered."""
    due: list[PollJob | ListJobs] = []
    while not isinstance(one := scheduler.next(now), float):
        assert not isinstance(one, PollCondition)
        due.append(one)
    return due


def polls(due: list[PollJob | ListJobs]) -> list[str]:
    return [one.job_id for one in due if isinstance(one, PollJob)]


def listings(due: list[PollJob | ListJobs]) -> list[ListJobs]:
    return [one for one in due if isinstance(one, ListJobs)]


def crowd(number: int = 100, firmwares: int = 2) -> PollScheduler:
    """More waits than can be polled one by one."""
    scheduler = PollScheduler(10.0)
    for one in range(number):
        scheduler.add(str(one), firmware_id=f"p{one % firmwares}", poll_interval=POLL, now=0.0)
    return scheduler


@pytest.mark.parametrize(
    ("going_on", "pause"), [((), POLL), (("99", "79"), POLL), (("99", ""), POLL), (("80", "100"), POLL / 3)]
)
def test_a_job_is_polled_at_once_and_again_after_the_interval_or_a_third_of_it_where_every_device_is_nearly_done(
    going_on: Sequence[str], pause: float
) -> None:
    scheduler = PollScheduler(10.0)
    scheduler.add("1", firmware_id="178", poll_interval=POLL, now=100.0)

    (poll,) = taken(scheduler, 100.0)
    assert poll == PollJob("1")
    assert scheduler.next(100.0) == math.inf
    scheduler.job_polled(poll, snapshot("1", going_on=going_on), 101.0)

    assert scheduler.next(101.0) == pytest.approx(101.0 + pause)


NEARLY_DONE = ("90",)


@pytest.mark.parametrize("going_on", [(), NEARLY_DONE])
@pytest.mark.parametrize(("quiet", "pause"), [(160.0, 16.0), (300.0, 30.0), (86400.0, 60.0)])
def test_a_job_in_which_nothing_happens_is_polled_after_a_tenth_of_that_time(
    quiet: float, pause: float, going_on: Sequence[str]
) -> None:
    scheduler = PollScheduler(10.0)
    scheduler.add("1", firmware_id="178", poll_interval=POLL, now=0.0)
    (poll,) = taken(scheduler, 0.0)
    assert isinstance(poll, PollJob)
    scheduler.job_polled(poll, snapshot("1", going_on=going_on), 0.0)

    scheduler.job_polled(poll, snapshot("1", going_on=going_on), quiet)
    assert scheduler.next(quiet) == pytest.approx(quiet + pause)
    scheduler.job_polled(poll, snapshot("1", done=1, going_on=going_on), quiet)

    assert scheduler.next(quiet) == pytest.approx(quiet + (POLL / 3 if going_on else POLL))


def test_no_job_is_polled_more_than_once_a_second_unless_asked_to() -> None:
    scheduler = PollScheduler(100.0)
    for name, interval in (("1", 2.0), ("2", 0.2)):
        scheduler.add(name, firmware_id=None, poll_interval=interval, now=0.0)
    first, second = taken(scheduler, 0.0)
    assert isinstance(first, PollJob)
    assert isinstance(second, PollJob)

    scheduler.job_polled(first, snapshot("1", going_on=NEARLY_DONE), 0.0)
    assert scheduler.next(0.0) == pytest.approx(1.0)
    scheduler.job_polled(second, snapshot("2", going_on=NEARLY_DONE), 0.0)

    assert scheduler.next(0.0) == pytest.approx(0.2)


def test_a_poll_that_failed_is_due_again() -> None:
    scheduler = PollScheduler(10.0)
    scheduler.add("1", firmware_id="178", poll_interval=POLL, now=0.0)
    (poll,) = taken(scheduler, 0.0)
    assert isinstance(poll, PollJob)

    scheduler.job_polled(poll, None, 0.0)

    assert polls(taken(scheduler, POLL)) == ["1"]


def test_few_jobs_are_not_listed_and_many_are_by_their_firmwares() -> None:
    assert listings(taken(crowd(20), 0.0)) == []

    first, second = listings(taken(crowd(), 0.0))

    assert (first.firmware_id, len(first.job_ids), first.pages) == ("p0", 50, 1)
    assert (second.firmware_id, len(second.job_ids)) == ("p1", 50)


def test_whole_polls_have_a_quarter_of_the_budget_in_a_crowd() -> None:
    scheduler = crowd()

    done = [len(polls(taken(scheduler, moment / 10))) for moment in range(241)]

    # Ten requests a second, a quarter of them, three for each poll.
    assert sum(done) == pytest.approx(24 * 10 / 4 / SMALL, abs=1)
    assert max(done) == 1


def test_a_large_job_pays_for_all_its_requests() -> None:
    scheduler = crowd()
    (first,) = [one for one in taken(scheduler, 0.0) if isinstance(one, PollJob)]
    scheduler.job_polled(first, snapshot(first.job_id, is_large=True), 0.0)
    for other in range(100):
        if str(other) != first.job_id:
            scheduler.remove(str(other), POLL)
    for other in range(100, 200):
        scheduler.add(str(other), firmware_id="p9", poll_interval=POLL, now=POLL)

    (poll, *_) = taken(scheduler, POLL)
    assert isinstance(poll, PollJob)
    assert poll.job_id == first.job_id
    assert poll.earlier is not None
    assert poll.earlier.is_large
    assert scheduler.next(POLL) == pytest.approx(POLL + LARGE / 2.5)


def test_a_job_that_a_listing_shows_to_have_ended_is_polled_before_all_others() -> None:
    scheduler = crowd()
    at = listings(taken(scheduler, 0.0))[0]
    listed = {name: job(name, "COMPLETED" if name == "4" else "IN_PROGRESS") for name in at.job_ids[:5]}

    going_on = scheduler.jobs_listed(at, JobListing(listed, 1), 1.0)

    assert going_on == [name for name in at.job_ids[:5] if name != "4"]
    assert scheduler.next(1.0) == PollJob("4")


def test_a_list_that_contradicts_what_is_seen_has_a_job_polled_once_in_its_interval() -> None:
    scheduler = crowd()
    at = listings(taken(scheduler, 0.0))[0]
    ended, going_on = JobListing({"4": job("4", "COMPLETED")}, 1), JobListing({"4": job("4")}, 1)
    scheduler.jobs_listed(at, ended, 1.0)
    assert polls(taken(scheduler, 1.0)) == ["4"]

    scheduler.job_polled(PollJob("4"), snapshot("4"), 2.0)
    scheduler.jobs_listed(at, ended, 3.0)

    assert "4" not in polls(taken(scheduler, 2.0 + POLL - 0.1))
    assert "4" in polls(taken(scheduler, 2.0 + POLL))
    scheduler.jobs_listed(at, going_on, 20.0)
    scheduler.job_polled(PollJob("4"), snapshot("4"), 21.0)
    assert "4" not in polls(taken(scheduler, 21.0 + POLL))
    scheduler.jobs_listed(at, ended, 40.0)
    assert "4" in polls(taken(scheduler, 40.0))


def test_a_job_that_is_listed_as_ended_is_not_put_off_by_the_next_list() -> None:
    scheduler = crowd()
    at = listings(taken(scheduler, 0.0))[0]
    ended = JobListing({name: job(name, "COMPLETED") for name in ("0", "2", "4")}, 1)

    scheduler.jobs_listed(at, ended, 1.0)
    first = scheduler.next(1.0)
    scheduler.jobs_listed(at, ended, 2.0)

    assert first == PollJob("0")
    assert [scheduler.next(2.0), scheduler.next(2.0)] == [PollJob("2"), PollJob("4")]


def test_a_firmware_in_which_a_job_has_ended_is_soon_listed_again() -> None:
    scheduler = crowd(firmwares=1)
    (at,) = listings(taken(scheduler, 0.0))
    scheduler.jobs_listed(at, JobListing({}, 3), 600.0)
    (again,) = listings(taken(scheduler, 600.0 + 4 * POLL))
    assert again.pages == 3

    scheduler.jobs_listed(again, JobListing({"4": job("4", "COMPLETED")}, 3), 1000.0)

    assert listings(taken(scheduler, 1000.0 + POLL / 3 - 0.1)) == []
    assert len(listings(taken(scheduler, 1000.0 + POLL / 3))) == 1


def test_a_listing_that_failed_is_due_again() -> None:
    scheduler = crowd(firmwares=1)
    (at,) = listings(taken(scheduler, 0.0))

    assert scheduler.jobs_listed(at, None, 1.0) == []

    (again,) = listings(taken(scheduler, 1.0 + POLL))
    assert (again.job_ids, again.pages) == (at.job_ids, None)


def test_a_list_that_could_not_be_read_has_another_try_once_the_jobs_were_asked_for_by_themselves() -> None:
    scheduler = crowd(firmwares=1)
    (at,) = listings(taken(scheduler, 0.0))
    scheduler.jobs_listed(at, None, 1.0)
    (alone,) = listings(taken(scheduler, 1.0 + POLL))

    scheduler.jobs_listed(alone, JobListing({}, alone.pages), 20.0)

    assert listings(taken(scheduler, 20.0 + 4 * POLL)) == [at]


def test_no_more_is_listed_while_enough_listings_are_under_way() -> None:
    scheduler = crowd()
    assert scheduler.due() == 0.0

    assert isinstance(scheduler.next(0.0, may_list=False), PollJob)
    assert scheduler.next(0.0, may_list=False) == pytest.approx(SMALL / 2.5)
    assert isinstance(scheduler.next(0.0), ListJobs)


def test_a_job_that_settles_is_polled_again_soon_where_a_poll_of_it_fails() -> None:
    scheduler = crowd()
    taken(scheduler, 0.0)
    poll = PollJob("4")
    scheduler.job_polled(poll, snapshot("4", outcome=Outcome.SETTLING), 0.0)
    assert "4" in polls(taken(scheduler, POLL))

    scheduler.job_polled(poll, None, POLL)

    assert "4" in polls(taken(scheduler, 2 * POLL))


def test_jobs_that_nobody_waits_for_any_more_are_left_out_of_what_a_listing_shows() -> None:
    scheduler = crowd(firmwares=2)
    at, other = listings(taken(scheduler, 0.0))
    for name in (at.job_ids[0], *other.job_ids):
        scheduler.remove(name, POLL)

    assert scheduler.jobs_listed(at, JobListing({at.job_ids[0]: job(at.job_ids[0])}, 1), 1.0) == []
    assert scheduler.jobs_listed(other, JobListing({"1": job("1")}, 1), 1.0) == []


def test_a_job_whose_firmware_is_not_known_is_listed_alone_until_a_poll_shows_its_firmware() -> None:
    scheduler = crowd(firmwares=1)
    scheduler.add("new", firmware_id=None, poll_interval=POLL, now=1.0)
    assert listings(taken(scheduler, 1.0))[1:] == [ListJobs(None, ("new",), 1)]

    scheduler.job_polled(PollJob("new"), snapshot("new", firmware_id="p0"), 2.0)
    scheduler.jobs_listed(ListJobs(None, ("new",), 1), JobListing({}, 1), 2.0)
    scheduler.jobs_listed(ListJobs("p0", ("0",), 1), JobListing({}, 1), 2.0)

    (at,) = listings(taken(scheduler, 70.0))
    assert at.firmware_id == "p0"
    assert at.job_ids[-1] == "new"


def test_jobs_that_the_platform_does_not_list_are_asked_for_one_by_one() -> None:
    scheduler = crowd(firmwares=1)
    (at,) = listings(taken(scheduler, 0.0))

    scheduler.poll_singly("p0", 1.0)
    scheduler.job_polled(PollJob("4"), snapshot("4", firmware_id="p0"), 1.0)

    assert listings(taken(scheduler, 1.0)) == [ListJobs(None, (name,), 1) for name in at.job_ids]
    for name in at.job_ids:
        scheduler.remove(name, POLL)
    scheduler.poll_singly("p0", 2.0)
    assert scheduler.next(100.0) == math.inf


def test_a_job_that_contradicts_itself_is_polled_as_a_whole_until_it_settles() -> None:
    scheduler = crowd()
    (at, _) = listings(taken(scheduler, 0.0))
    scheduler.job_polled(PollJob("4"), snapshot("4", outcome=Outcome.SETTLING), 0.0)

    scheduler.jobs_listed(at, JobListing({"4": job("4", "COMPLETED")}, 1), 1.0)

    assert "4" not in polls(taken(scheduler, 1.0))
    assert scheduler.next(POLL) == PollJob("4")


def test_a_poll_takes_from_the_one_before_it_unless_that_has_failed_or_this_one_is_urgent() -> None:
    scheduler = PollScheduler(10.0)
    scheduler.add("1", firmware_id="178", poll_interval=POLL, now=0.0)
    shown = snapshot("1")

    def next_at(now: float) -> PollJob:
        poll = scheduler.next(now)
        assert isinstance(poll, PollJob)
        return poll

    assert next_at(0.0).earlier is None
    scheduler.job_polled(PollJob("1"), shown, 0.0)
    assert next_at(POLL).earlier is shown.poll
    scheduler.job_polled(PollJob("1"), None, POLL)
    assert next_at(3 * POLL).earlier is None
    scheduler.job_polled(PollJob("1"), shown, 3 * POLL)
    scheduler.prioritize("1", 3 * POLL)

    assert next_at(3 * POLL).earlier is None
