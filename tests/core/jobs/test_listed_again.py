"""The list after a create: one request where the list before it has proven that its total counts all pages."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from airflow_provider_tuya_ota.core.errors import AlreadyUnderWayError
from airflow_provider_tuya_ota.core.flows.lists import list_jobs, list_jobs_again
from airflow_provider_tuya_ota.core.jobs.upgrade import start_upgrade
from tests.core.jobs.upgrades import jobs, script_for, start
from tests.core.script import SETTINGS, Script, ok, refused
from tests.core.short_lists import GRAY, NAMED, TOTALS, Platform, upgrade

if TYPE_CHECKING:
    from tests.core.script import Answer, Sent

LISTS = "ListOTAJobByFirmware"
FIRST_CREATED = {"utcCreate": "2026-03-01T12:00:00Z", "grayPercent": "10"}


def pages(script: Script) -> list[int]:
    return [int(sent.parameters["CurrentPage"]) for sent in script.sent if sent.action == LISTS]


def list_twice(*answers: Answer) -> tuple[list[str], list[int]]:
    """Give the jobs of the second listing, and the pages that it requested."""
    script = Script(list(answers))
    before = script.run(list_jobs(SETTINGS, "178"))
    number = len(script.sent)
    again = script.run(list_jobs_again(SETTINGS, "178", before))
    assert len(script.sent) == len(answers)
    return [job.job_id for job in again.items], pages(script)[number:]


def page(*job_ids: str, total: int | None) -> Answer:
    counted = {} if total is None else {"total": total}
    return ok(data=[upgrade(job_id) for job_id in job_ids], **counted)


def test_a_page_of_as_many_jobs_as_its_proven_total_is_the_whole_list() -> None:
    found = list_twice(page("1", total=1), page(total=1), page("2", "1", total=2))

    assert found == (["2", "1"], [1])


@pytest.mark.parametrize("total", [0, None, 3])
def test_a_total_that_is_no_number_of_all_jobs_ends_no_list(total: int | None) -> None:
    then = [page("2", total=total), page("1", total=total), page(total=total)]
    back = [page("1", total=total), page("2", total=total)]

    found = list_twice(page("1", total=1), page(total=1), *then, *back)

    assert found == (["2", "1"], [1, 2, 3, 2, 1])


@pytest.mark.parametrize(
    "before",
    [
        pytest.param([page("1", total=1), page(total=0), page("1", total=1)], id="it counts its own page"),
        pytest.param([page("1", total=None), page(total=None), page("1", total=None)], id="there is none"),
        pytest.param([page("1", total=1), page("1", total=1)], id="the page behind repeats the first one"),
        pytest.param([page("1", total=1), refused("iot.common.InvalidPageParams")], id="that page is refused"),
        pytest.param([page(total=0)], id="the list was empty"),
    ],
)
def test_without_proof_a_list_is_read_to_an_empty_page(before: list[Answer]) -> None:
    found = list_twice(*before, page("2", "1", total=2), page(total=2))

    assert found == (["2", "1"], [1, 2])


def test_a_list_that_lacks_an_earlier_job_is_read_to_an_empty_page() -> None:
    lacking = page("2", total=1)

    found = list_twice(page("1", total=1), page(total=1), lacking, page("2", "1", total=2), page(total=2))

    assert found == (["2", "1"], [1, 1, 2])


@pytest.mark.parametrize("way", TOTALS)
@pytest.mark.parametrize("cap", [1, 2, 3, 20])
@pytest.mark.parametrize("action", [GRAY, NAMED], ids=["gray", "named"])
def test_a_job_that_another_program_created_first_is_found_on_whatever_page_it_is(
    action: object, cap: int, way: str
) -> None:
    platform = Platform(way, cap=cap, jobs=[upgrade("old")])

    def answer(sent: Sent) -> Answer:
        given = platform(sent)
        if sent.action == "CreateOTAStaticUpgradeJob":
            platform.jobs.append(upgrade("first", "IN_PROGRESS", sent.parameters["TargetSelection"], **FIRST_CREATED))
            platform.tasks.extend(
                one | {"jobId": "first", "taskId": f"first-{one['deviceName']}"} for one in list(platform.tasks)
            )
        return given

    with pytest.raises(AlreadyUnderWayError, match="job first, created at"):
        Script(answer).run(start_upgrade(SETTINGS, action))  # type: ignore[arg-type] # one of two actions of the same type


def test_a_release_s_second_job_costs_one_request_less() -> None:
    script = script_for(**{LISTS: [jobs_counted("1"), jobs_counted("1", "10")]})

    start(script)

    assert pages(script) == [1, 2, 1]


def jobs_counted(*job_ids: str) -> Answer:
    return ok(data=[upgrade(job_id) for job_id in job_ids], total=len(job_ids))


def test_without_totals_each_listing_is_read_there_and_back() -> None:
    listed = jobs(upgrade("1"))
    script = script_for(**{LISTS: [listed, jobs(upgrade("1"), upgrade("10"))]})

    start(script)

    assert pages(script) == [1, 2, 1, 1, 2, 1]
