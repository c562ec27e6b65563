from __future__ import annotations

from dataclasses import replace
from typing import get_args

import pytest

from airflow_provider_tuya_ota.core import actions
from airflow_provider_tuya_ota.core.errors import InvalidParameterError, ProtocolError
from airflow_provider_tuya_ota.core.flows.pages import IDENTITY, Reading
from airflow_provider_tuya_ota.core.model.entities import Device, Job, Page
from airflow_provider_tuya_ota.core.model.states import DeviceStatus, JobStatus, JobType
from airflow_provider_tuya_ota.core.secret import Secret

FIRST = actions.ListOTAJobByFirmware(firmware_id="178", current_page=1, page_size=2)


def jobs(*ids: str, total: int | None = None) -> Page[Job]:
    items = [Job(job_id=name, firmware_id="178", status=JobStatus("X"), type=JobType("Y")) for name in ids]
    return Page(items=items, total=total)


def test_an_item_that_moved_to_a_later_page_is_given_once() -> None:
    reading = Reading(FIRST)

    assert [job.job_id for job in reading.take(jobs("1", "2"))] == ["1", "2"]
    assert [job.job_id for job in reading.take(jobs("2", "3"))] == ["3"]


def test_a_full_page_with_something_new_is_followed_by_the_next_one() -> None:
    reading = Reading(FIRST)
    reading.take(jobs("1", "2"))

    assert reading.request == replace(FIRST, current_page=2)


@pytest.mark.parametrize("last", [jobs("3"), jobs(), jobs("1", "2")], ids=["not full", "empty", "nothing new"])
def test_after_the_last_page_those_before_it_are_read_again(last: Page[Job]) -> None:
    reading = Reading(FIRST)
    reading.take(jobs("1", "2"))
    reading.take(last)

    assert reading.request == FIRST
    reading.take(jobs("1", "2"))
    assert reading.request is None


def test_a_reading_that_begins_in_the_middle_goes_back_no_further() -> None:
    reading = Reading(replace(FIRST, current_page=7))

    reading.take(jobs("13"))

    assert reading.request is None


def test_a_list_that_stood_still_is_left_when_it_ends_wherever_the_reading_began() -> None:
    reading = Reading(replace(FIRST, current_page=7))
    reading.take(jobs("13", "14", total=15))
    reading.take(jobs("15", total=15))

    assert reading.request is None


def test_a_request_without_a_number_asks_for_the_first_page() -> None:
    reading = Reading(actions.ListOTATaskByJob(job_id="9", page_size=1))

    assert reading.request == actions.ListOTATaskByJob(job_id="9", page_size=1, current_page=1)


def test_a_token_takes_over_where_page_numbers_do_not_reach_and_leads_nowhere_back() -> None:
    action = actions.QueryDevice(product_key="pk", current_page=200, page_size=1)
    device = Device(device_name="d", product_key="pk", status=DeviceStatus.ONLINE, device_secret=Secret("s"))
    reading = Reading(action)

    reading.take(Page(items=[device], next_token="t"))
    assert reading.request == actions.QueryDevice(product_key="pk", current_page=201, page_size=1, next_token="t")

    reading.take(Page())
    assert reading.request is None


@pytest.mark.parametrize("total", [None, 201])
def test_where_the_token_that_the_next_page_needs_is_missing_the_platform_is_at_fault_after_the_page_was_given(
    total: int | None,
) -> None:
    device = Device(device_name="d", product_key="pk", status=DeviceStatus.ONLINE, device_secret=Secret("s"))
    reading = Reading(actions.QueryDevice(product_key="pk", current_page=200, page_size=50))
    devices = [replace(device, device_name=str(number)) for number in range(50)]

    assert reading.take(Page(items=devices, total=total)) == devices

    with pytest.raises(
        ProtocolError, match=r"^QueryDevice: the list was read up to 50 items and not to its end"
    ) as caught:
        assert reading.request
    assert "NextToken" in str(caught.value)


def test_a_list_that_ends_exactly_where_a_token_would_be_needed_is_whole_without_it() -> None:
    device = Device(device_name="d", product_key="pk", status=DeviceStatus.ONLINE, device_secret=Secret("s"))
    reading = Reading(actions.QueryDevice(product_key="pk", current_page=200, page_size=50))

    reading.take(Page(items=[replace(device, device_name=str(number)) for number in range(50)], total=10_000))

    assert reading.request is None


def test_pages_of_unknown_size_are_not_guessed_at() -> None:
    with pytest.raises(InvalidParameterError, match="page_size"):
        Reading(actions.ListOTATaskByJob(job_id="9"))


def test_the_items_of_every_paged_operation_have_distinct_keys() -> None:
    paged = [action for action in actions.ALL_ACTIONS.values() if hasattr(action, "largest_page")]
    results = [get_args(base)[0] for action in paged for base in getattr(action, "__orig_bases__", ())]

    assert len(paged) == 7
    assert {get_args(result)[0] for result in results} == set(IDENTITY)
