"""A platform that refuses a page behind the last one, whatever its totals are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_tuya_ota.core.actions import ListOTATaskByJob, QueryDevice
from airflow_provider_tuya_ota.core.errors import (
    IncompleteListError,
    InvalidRequestError,
    NotFoundError,
    TransportError,
    TuyaOTAError,
)
from airflow_provider_tuya_ota.core.flows import pages as turning
from airflow_provider_tuya_ota.core.flows.pages import every_page, whole_list
from tests.core.script import SETTINGS, Script, lost, ok, refused, task

if TYPE_CHECKING:
    from airflow_provider_tuya_ota.core.wire.http import Response
    from tests.core.script import Answer, Sent

FIRST = ListOTATaskByJob(job_id="9", current_page=1, page_size=3)
REFUSAL = refused("iot.common.InvalidPageParams")
TOTALS = ["true", "absent", "zero", "of_page", "too small"]


def names(count: int) -> list[str]:
    return [f"d{number}" for number in range(count)]


class Refusing:
    """A list of some items that refuses each page without any."""

    def __init__(self, count: int, totals: str, shown: int = 3) -> None:
        self.items, self.totals, self.shown = [task(name, "QUEUED") for name in names(count)], totals, shown

    def __call__(self, sent: Sent) -> Answer:
        begin = (int(sent.parameters["CurrentPage"]) - 1) * self.shown
        page = self.items[begin : begin + self.shown]
        if not page:
            return REFUSAL
        told: dict[str, dict[str, Any]] = {
            "absent": {},
            "zero": {"total": 0},
            "of_page": {"total": len(page)},
            "too small": {"total": 1},
        }
        return ok(data=page, **told.get(self.totals, {"total": len(self.items)}))


@pytest.mark.parametrize("count", [1, 2, 3, 4, 6, 7])
@pytest.mark.parametrize("shown", [1, 2, 3])
@pytest.mark.parametrize("totals", TOTALS)
def test_a_refused_page_behind_others_is_an_empty_one(totals: str, shown: int, count: int) -> None:
    listing = Script(Refusing(count, totals, shown)).run(whole_list(SETTINGS, FIRST))

    assert [item.device_name for item in listing.require_complete()] == names(count)


@pytest.mark.parametrize("totals", TOTALS)
def test_a_full_page_whose_next_one_is_refused_ends_a_list_of_which_nothing_is_concluded(totals: str) -> None:
    found = Script(Refusing(6, totals)).run(every_page(SETTINGS, FIRST))

    assert [item.device_name for item in found] == names(6)


def page(text: str, total: int | None = None) -> Response:
    return ok(data=[task(name, "QUEUED") for name in text], total=total)


def test_a_list_whose_total_counts_more_than_the_pages_before_the_refusal_is_incomplete() -> None:
    listing = Script([page("abc", 5), REFUSAL, page("abc", 5)]).run(whole_list(SETTINGS, FIRST))

    assert listing.missing == 2
    with pytest.raises(IncompleteListError):
        listing.require_complete()


def test_a_first_page_that_is_refused_is_an_error() -> None:
    with pytest.raises(InvalidRequestError):
        Script([REFUSAL]).run(whole_list(SETTINGS, FIRST))


@pytest.mark.parametrize(
    ("failure", "error"), [(lost(), TransportError), (refused("iot.firmware.InvalidOTAJobId"), NotFoundError)]
)
def test_only_a_refusal_of_the_request_is_an_empty_page(failure: Answer, error: type[TuyaOTAError]) -> None:
    with pytest.raises(error):
        Script([page("abc"), *[failure] * 20]).run(whole_list(SETTINGS, FIRST))


@pytest.mark.parametrize(("deepest", "is_end"), [(5, False), (6, True)])
def test_a_page_that_page_numbers_do_not_reach_is_not_behind_the_list(
    monkeypatch: pytest.MonkeyPatch, deepest: int, is_end: bool
) -> None:
    monkeypatch.setattr(turning, "DEEPEST", deepest)
    script = Script([page("abc"), REFUSAL, page("abc")])

    if is_end:
        assert len(script.run(whole_list(SETTINGS, FIRST)).items) == 3
    else:
        with pytest.raises(InvalidRequestError):
            script.run(whole_list(SETTINGS, FIRST))


@pytest.mark.parametrize(("token", "is_end"), [("t", False), ("", True)])
def test_a_page_that_the_answer_before_it_named_is_not_behind_the_list(token: str, is_end: bool) -> None:
    device = {"deviceName": "d", "productKey": "pk", "deviceSecret": "s", "status": "ONLINE"}
    first = ok(data=[device], nextToken=token)
    script = Script([first, REFUSAL, first])
    flow = whole_list(SETTINGS, QueryDevice(product_key="pk", current_page=1, page_size=1))

    if is_end:
        assert len(script.run(flow).items) == 1
    else:
        with pytest.raises(InvalidRequestError):
            script.run(flow)
