from __future__ import annotations

from typing import get_args

import pytest

from airflow_provider_tuya_ota.core import actions
from airflow_provider_tuya_ota.core.errors import InvalidParameterError
from airflow_provider_tuya_ota.core.models import Job, Page
from airflow_provider_tuya_ota.core.pages import IDENTITY, new_items, next_page
from airflow_provider_tuya_ota.core.states import JobStatus, JobType

FIRST = actions.ListOTAJobByFirmware(firmware_id="178", current_page=1, page_size=2)


def jobs(*ids: str) -> Page[Job]:
    return Page(items=[Job(job_id=name, firmware_id="178", status=JobStatus("X"), type=JobType("Y")) for name in ids])


def test_an_item_that_moved_to_a_later_page_is_given_once() -> None:
    seen: set[str] = set()

    assert [job.job_id for job in new_items(jobs("1", "2"), seen)] == ["1", "2"]
    assert [job.job_id for job in new_items(jobs("2", "3"), seen)] == ["3"]


def test_a_full_page_with_something_new_is_followed_by_the_next_one() -> None:
    page = jobs("1", "2")

    assert next_page(FIRST, page, page.items) == actions.ListOTAJobByFirmware(
        firmware_id="178", current_page=2, page_size=2
    )


@pytest.mark.parametrize(("page", "fresh"), [(jobs("1"), ["1"]), (jobs(), []), (jobs("1", "2"), [])])
def test_a_list_ends_with_a_page_that_is_not_full_or_has_nothing_new(page: Page[Job], fresh: list[str]) -> None:
    assert next_page(FIRST, page, [job for job in page.items if job.job_id in fresh]) is None


def test_a_token_takes_over_where_page_numbers_do_not_reach() -> None:
    action = actions.QueryDevice(product_key="pk", current_page=200, page_size=1)

    following = next_page(action, Page(items=["a device"], next_token="t"), ["a device"])  # type: ignore[misc] # only counted

    assert following == actions.QueryDevice(product_key="pk", current_page=201, page_size=1, next_token="t")


def test_pages_of_unknown_size_are_not_guessed_at() -> None:
    action = actions.ListOTATaskByJob(job_id="9")

    with pytest.raises(InvalidParameterError, match="page_size"):
        next_page(action, Page(), [])


def test_the_items_of_every_paged_operation_can_be_told_apart() -> None:
    paged = [action for action in actions.ALL_ACTIONS.values() if hasattr(action, "largest_page")]
    results = [get_args(base)[0] for action in paged for base in getattr(action, "__orig_bases__", ())]

    assert len(paged) == 7
    assert {get_args(result)[0] for result in results} == set(IDENTITY)
