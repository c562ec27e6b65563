"""How conditions and jobs share one scheduler."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pytest

from airflow_provider_tuya_ota.core.status.condition_schedule import PollCondition
from airflow_provider_tuya_ota.core.status.conditions import DevicesCondition, FirmwareCondition
from airflow_provider_tuya_ota.core.status.poll_scheduler import IN_A_ROW, ListJobs, PollJob, PollScheduler

if TYPE_CHECKING:
    from airflow_provider_tuya_ota.core.status.conditions import Condition

POLL = 15.0


def firmware_is(status: str = "VERIFIED", firmware_id: str = "178") -> FirmwareCondition:
    return FirmwareCondition(firmware_id=firmware_id, statuses=[status], failing_statuses=[])


def devices(number: int) -> DevicesCondition:
    names = [f"d{one}" for one in range(number)]
    return DevicesCondition(product_key="pk", device_names=names, state="ONLINE", at_least=None)


def taken(scheduler: PollScheduler, now: float, most: int = 1000) -> list[PollJob | ListJobs | PollCondition]:
    found: list[PollJob | ListJobs | PollCondition] = []
    while len(found) < most and not isinstance(poll := scheduler.next(now), (int, float)):
        found.append(poll)
    return found


def test_a_condition_is_polled_at_once_and_again_after_its_interval() -> None:
    scheduler = PollScheduler(10.0)
    scheduler.add_condition(firmware_is(), poll_interval=POLL, now=100.0)

    assert scheduler.due() == 100.0
    assert taken(scheduler, 100.0) == [PollCondition(firmware_is())]
    assert scheduler.due() == math.inf
    scheduler.condition_polled(firmware_is(), 103.0)

    assert scheduler.next(103.0) == 103.0 + POLL


def test_waits_for_one_condition_share_its_polls_at_the_shortest_of_their_intervals() -> None:
    scheduler = PollScheduler(10.0)
    for interval in (POLL, 5.0, 60.0):
        scheduler.add_condition(firmware_is(), poll_interval=interval, now=0.0)
    assert taken(scheduler, 0.0) == [PollCondition(firmware_is())]

    scheduler.condition_polled(firmware_is(), 0.0)
    assert scheduler.due() == 5.0
    scheduler.remove_condition(firmware_is(), 5.0)
    scheduler.condition_polled(firmware_is(), 0.0)

    assert scheduler.due() == POLL


def test_another_condition_of_the_same_firmware_has_polls_of_its_own() -> None:
    scheduler = PollScheduler(10.0)
    scheduler.add_condition(firmware_is("VERIFIED"), poll_interval=POLL, now=0.0)
    scheduler.add_condition(firmware_is("FAILED"), poll_interval=POLL, now=0.0)

    assert len(taken(scheduler, 0.0)) == 2


def test_a_wait_that_joins_later_has_its_condition_polled_at_once() -> None:
    scheduler = PollScheduler(10.0)
    scheduler.add_condition(firmware_is(), poll_interval=POLL, now=0.0)
    taken(scheduler, 0.0)
    scheduler.condition_polled(firmware_is(), 0.0)

    scheduler.add_condition(firmware_is(), poll_interval=POLL, now=1.0)

    assert taken(scheduler, 1.0) == [PollCondition(firmware_is())]


def test_a_condition_that_nobody_waits_for_is_not_polled_any_more() -> None:
    scheduler = PollScheduler(10.0)
    scheduler.add_condition(firmware_is(), poll_interval=POLL, now=0.0)
    scheduler.prioritize(firmware_is(), 0.0)

    scheduler.remove_condition(firmware_is(), POLL)
    scheduler.condition_polled(firmware_is(), 1.0)

    assert scheduler.due() == math.inf


def test_a_condition_that_is_urgent_comes_first_and_once() -> None:
    scheduler = PollScheduler(10.0)
    scheduler.add("1", firmware_id=None, poll_interval=POLL, now=0.0)
    scheduler.add_condition(firmware_is(), poll_interval=POLL, now=0.0)

    scheduler.prioritize(firmware_is(), 1.0)

    assert taken(scheduler, 1.0) == [PollCondition(firmware_is()), PollJob("1")]


def test_urgent_polls_leave_a_condition_its_turn() -> None:
    scheduler = PollScheduler(100.0)
    scheduler.add_condition(firmware_is(), poll_interval=POLL, now=0.0)
    names = [str(number) for number in range(2 * IN_A_ROW)]
    for name in names:
        scheduler.add(name, firmware_id=None, poll_interval=POLL, now=100.0)
        scheduler.prioritize(name, 0.0)

    polls = taken(scheduler, 1.0)

    assert polls.index(PollCondition(firmware_is())) == IN_A_ROW


@pytest.mark.parametrize(("named", "between"), [(10, 1), (150, 1), (200, 2), (450, 3)])
def test_jobs_have_as_many_requests_as_a_condition_before_the_next_one(named: int, between: int) -> None:
    scheduler = PollScheduler(1000.0)
    for number in range(20):
        scheduler.add(str(number), firmware_id=None, poll_interval=POLL, now=0.0)
    wanted = [devices(named + number) for number in range(-2, 0)]
    for condition in wanted:
        scheduler.add_condition(condition, poll_interval=POLL, now=0.0)

    polls = taken(scheduler, 0.0)

    first, second = [place for place, poll in enumerate(polls) if isinstance(poll, PollCondition)]
    assert (first, second - first - 1) == (0, between)


def test_conditions_and_listings_take_turns_in_a_crowd() -> None:
    scheduler = PollScheduler(10.0)
    for number in range(100):
        scheduler.add(str(number), firmware_id=f"p{number % 4}", poll_interval=POLL, now=0.0)
    for number in range(4):
        scheduler.add_condition(firmware_is(firmware_id=str(number)), poll_interval=POLL, now=0.0)

    kinds = [type(poll).__name__ for poll in taken(scheduler, 0.0, most=9)]

    assert kinds == ["PollCondition", "PollJob", *["PollCondition", "ListJobs"] * 3, "ListJobs"]


def test_where_no_job_is_due_conditions_wait_for_nothing() -> None:
    scheduler = PollScheduler(10.0)
    for number in range(4):
        scheduler.add_condition(firmware_is(firmware_id=str(number)), poll_interval=POLL, now=0.0)

    assert len(taken(scheduler, 0.0)) == 4


@pytest.mark.parametrize(("number", "requests"), [(1, 1), (50, 1), (51, 2), (120, 3)])
def test_a_condition_knows_how_many_requests_a_poll_needs(number: int, requests: int) -> None:
    assert devices(number).requests == requests
    assert firmware_is().requests == 1


def test_a_list_counts_with_the_requests_that_it_costs_and_not_with_its_jobs() -> None:
    scheduler = PollScheduler(10.0)
    for name in range(200):
        scheduler.add(str(name), firmware_id=f"p{name % 10}", poll_interval=POLL, now=0.0)
    for number in (300, 301):
        scheduler.add_condition(devices(number), poll_interval=POLL, now=0.0)

    order = [type(poll) for poll in taken(scheduler, 0.0, 8)]

    first = order.index(PollCondition)
    between = order[first + 1 : order.index(PollCondition, first + 1)]
    # Six requests for three hundred devices: one poll of a job, and three lists of a page each.
    assert between == [PollJob, ListJobs, ListJobs, ListJobs]


def test_while_enough_large_polls_are_under_way_only_small_ones_begin() -> None:
    scheduler = PollScheduler(10.0)
    scheduler.add_condition(devices(501), poll_interval=POLL, now=0.0)
    scheduler.add_condition(devices(500), poll_interval=POLL, now=1.0)

    assert scheduler.next(2.0, may_poll_large=False) == PollCondition(devices(500))
    assert scheduler.next(2.0, may_poll_large=False) == math.inf
    assert scheduler.next(2.0) == PollCondition(devices(501))


@pytest.mark.parametrize(
    ("condition", "is_large"), [(firmware_is(), False), (devices(500), False), (devices(501), True)]
)
def test_a_poll_says_whether_it_takes_more_than_a_second_of_the_default_rate(
    condition: Condition, is_large: bool
) -> None:
    assert PollCondition(condition).is_large is is_large


def test_a_large_condition_that_is_urgent_comes_before_other_conditions_once() -> None:
    scheduler = PollScheduler(10.0)
    for number in (1, 501, 502):
        scheduler.add_condition(devices(number), poll_interval=POLL, now=0.0)

    scheduler.prioritize(devices(502), 1.0)

    assert scheduler.next(1.0, may_poll_large=False) == PollCondition(devices(1))
    assert taken(scheduler, 1.0) == [PollCondition(devices(502)), PollCondition(devices(501))]


def test_a_large_condition_that_becomes_urgent_during_its_poll_is_polled_again_at_once() -> None:
    scheduler = PollScheduler(10.0)
    scheduler.add_condition(devices(501), poll_interval=POLL, now=0.0)
    taken(scheduler, 0.0)

    scheduler.prioritize(devices(501), 1.0)
    scheduler.condition_polled(devices(501), 2.0)

    assert taken(scheduler, 2.0) == [PollCondition(devices(501))]
    scheduler.condition_polled(devices(501), 3.0)
    assert scheduler.next(3.0) == 3.0 + POLL


def test_a_large_condition_that_was_urgent_and_is_waited_for_no_more_is_forgotten() -> None:
    scheduler = PollScheduler(10.0)
    scheduler.add_condition(devices(501), poll_interval=POLL, now=0.0)
    scheduler.prioritize(devices(501), 0.0)

    scheduler.remove_condition(devices(501), POLL)

    assert scheduler.due() == math.inf
    scheduler.add_condition(devices(501), poll_interval=POLL, now=5.0)
    assert scheduler.due() == 5.0
