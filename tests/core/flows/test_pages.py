from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_tuya_ota.core.actions import ListOTATaskByJob
from airflow_provider_tuya_ota.core.errors import IncompleteListError, ProtocolError, UnavailableError
from airflow_provider_tuya_ota.core.flows import pages as turning
from airflow_provider_tuya_ota.core.flows.lists import get_any_firmware
from airflow_provider_tuya_ota.core.flows.pages import every_page, whole_list
from tests.core.script import REQUEST_ID, SETTINGS, Script, Sent, ok, refused, task

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_provider_tuya_ota.core.wire.http import Response

SIZE = 3
FIRST = ListOTATaskByJob(job_id="9", current_page=1, page_size=SIZE)
MOMENTS = 12
"""Requests after which a list that only grows is left alone, so that its reading ends."""


def read(answers: Callable[[Sent], Response] | list[Response]) -> tuple[list[str], Script]:
    script = Script(answers)
    found = script.run(every_page(SETTINGS, FIRST))
    return [item.device_name for item in found], script


def page(names: str, total: Any = None) -> Response:
    return ok(data=[task(name, "QUEUED") for name in names], total=total)


@pytest.mark.parametrize(
    ("pages", "expected"),
    [
        pytest.param([page("")], "", id="nothing"),
        pytest.param([page("ab")], "ab", id="one short page"),
        pytest.param([page("abc", 5), page("de", 5)], "abcde", id="two pages and a true total"),
        pytest.param([page("ab", 5), page("cd", 5), page("e", 5)], "abcde", id="pages shorter than asked for"),
    ],
)
def test_a_list_that_stood_still_is_read_once(pages: list[Response], expected: str) -> None:
    names, script = read(pages)

    assert "".join(names) == expected
    assert len(script.sent) == len(pages)


@pytest.mark.parametrize(
    ("there", "back", "expected"),
    [
        pytest.param([page("abc"), page("")], [page("abc")], "abc", id="one full page and no total"),
        pytest.param([page("abc", 1), page("d", 1)], [page("abc", 1)], "abcd", id="a total that is too small"),
        pytest.param([page("abc", 0), page("d", 0)], [page("abc", 0)], "abcd", id="a total of zero"),
        pytest.param([page("ab", 99), page("", 99)], [page("ab", 99)], "ab", id="a total that is too large"),
        pytest.param([page("abc"), page("abc")], [page("abc")], "abc", id="a page that repeats itself"),
        pytest.param([page("aab", 5), page("c", 3)], [page("aab", 3)], "abc", id="an item twice on one page"),
        pytest.param(
            [page("abc", 5), page("cde", 6), page("f", 6)],
            [page("cde", 6), page("xab", 6)],
            "abcdefx",
            id="an item that joined",
        ),
        pytest.param([page("abc", 5), page("e", 4)], [page("bcd", 4)], "abced", id="an item that left"),
    ],
)
def test_a_list_that_may_have_moved_is_read_back_to_where_it_began(
    there: list[Response], back: list[Response], expected: str
) -> None:
    names, script = read(there + back)

    assert "".join(names) == expected
    numbers = [int(sent.parameters["CurrentPage"]) for sent in script.sent]
    assert numbers == [*range(1, len(there) + 1), *range(len(there) - 1, 0, -1)]


def test_pages_are_asked_for_by_number_from_one() -> None:
    _, script = read([page("abc", 4), page("d", 4)])

    assert [(sent.parameters["CurrentPage"], sent.parameters["PageSize"]) for sent in script.sent] == [
        ("1", "3"),
        ("2", "3"),
    ]


def test_of_an_item_that_is_seen_twice_the_later_state_counts() -> None:
    script = Script([page("abc"), page(""), ok(data=[task("c", "FAILED")])])

    found = script.run(every_page(SETTINGS, FIRST))

    assert [item.status for item in found] == ["QUEUED", "QUEUED", "FAILED"]


@given(st.integers(0, 20), st.one_of(st.none(), st.integers(0, 1000)))
def test_no_lie_about_the_total_loses_an_item(count: int, total: int | None) -> None:
    items = [task(f"d{number}", "QUEUED") for number in range(count)]

    def serve(sent: Sent) -> Response:
        begin = (int(sent.parameters["CurrentPage"]) - 1) * SIZE
        return ok(data=items[begin : begin + SIZE], total=total)

    names, _ = read(serve)

    assert names == [f"d{number}" for number in range(count)]


@given(st.data())
@pytest.mark.parametrize("totals", [True, False])
@pytest.mark.parametrize("joining", [True, False])
def test_no_item_that_stays_is_missed_while_others_leave_or_join(
    totals: bool, joining: bool, data: st.DataObject
) -> None:
    living = [f"d{number}" for number in range(data.draw(st.integers(0, 15)))]
    stays = set(living)

    def change(moment: int) -> None:
        # A list that moves by a page or more between two requests looks like a page that repeats itself.
        for number in range(data.draw(st.integers(0, SIZE - 1))):
            place = data.draw(st.integers(0, len(living)))
            if joining:
                living.insert(place, f"new-{moment}-{number}")
            elif living:
                stays.discard(living.pop(place % len(living)))

    def serve(sent: Sent) -> Response:
        begin = (int(sent.parameters["CurrentPage"]) - 1) * SIZE
        total = len(living) if totals else None
        shown = ok(data=[task(name, "QUEUED") for name in living[begin : begin + SIZE]], total=total)
        if len(script.sent) < MOMENTS:
            change(len(script.sent))
        return shown

    script = Script(serve)
    found = {item.device_name for item in script.run(every_page(SETTINGS, FIRST))}

    assert stays <= found


def test_a_list_of_more_items_than_any_has_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turning, "LONGEST_LIST", 10)

    def serve(sent: Sent) -> Response:
        first = int(sent.parameters["CurrentPage"]) * 1000
        return ok(data=[task(f"d{first + offset}", "QUEUED") for offset in range(SIZE)])

    with pytest.raises(ProtocolError, match=r"^ListOTATaskByJob: the list does not end: up to page 5 .* 12 items"):
        read(serve)


WIDE = ListOTATaskByJob(job_id="9", current_page=1, page_size=100)


@pytest.mark.parametrize("new", [1, 4])
def test_a_list_that_hardly_brings_anything_new_is_given_up_soon(new: int) -> None:
    def serve(sent: Sent) -> Response:
        first = int(sent.parameters["CurrentPage"]) * new
        return ok(data=[task(f"d{first + offset}", "QUEUED") for offset in range(new)], total=10_000_000)

    script = Script(serve)
    with pytest.raises(ProtocolError, match="a total of 10,000,000; 50 of its pages brought hardly anything new"):
        script.run(every_page(SETTINGS, WIDE))
    assert len(script.sent) == turning.SPARSE_PAGES + 1


@pytest.mark.parametrize("shown", [10, 50, 100])
def test_a_platform_that_shows_less_than_was_asked_for_is_read_to_the_end(shown: int) -> None:
    def serve(sent: Sent) -> Response:
        first = (int(sent.parameters["CurrentPage"]) - 1) * shown
        return ok(data=[task(f"d{n}", "QUEUED") for n in range(first, min(first + shown, 5000))], total=5000)

    assert len(Script(serve).run(every_page(SETTINGS, WIDE))) == 5000


@pytest.mark.parametrize(("pace", "longest"), [(10.0, 600), (1.0, 5000)])
def test_a_list_that_takes_too_long_is_given_up_at_the_pace_of_the_connection(pace: float, longest: int) -> None:
    def serve(sent: Sent) -> Response:
        script.now += timedelta(seconds=longest / 4)
        first = int(sent.parameters["CurrentPage"]) * 100
        return ok(data=[task(f"d{first + offset}", "QUEUED") for offset in range(100)])

    script = Script(serve)
    with pytest.raises(ProtocolError, match=f"has no total; it was read for {longest} s"):
        script.run(every_page(replace(SETTINGS, requests_per_second=pace), WIDE))
    assert len(script.sent) == 5


def test_the_largest_release_is_read_and_a_list_ten_times_as_long_fills_no_memory() -> None:
    assert 100_000 < turning.LONGEST_LIST < 200_000


@pytest.mark.parametrize(
    ("pages", "missing"),
    [
        pytest.param([page("", 2)], 2, id="no item of two"),
        pytest.param([page("ab", 5), page("", 5), page("ab", 5)], 3, id="later pages empty"),
        pytest.param([page("ab", 5), page("", 0), page("ab", 5)], 3, id="later pages empty, and their total"),
        pytest.param([page("ab", 5), page("ab", 5), page("ab", 5)], 3, id="later pages repeated"),
        pytest.param([page("aab", 3), page("", 3), page("aab", 3)], 0, id="an item twice on a page"),
        pytest.param([page("ab", 2), page("", 3), page("ab", 3)], 0, id="an item that joined behind the last page"),
        pytest.param([page("abc", 3), page("", 2), page("bc", 2)], 0, id="an item that left"),
        pytest.param([page("ab"), page(""), page("ab")], 0, id="no total"),
    ],
)
def test_a_list_with_fewer_items_than_its_total_is_incomplete(pages: list[Response], missing: int) -> None:
    assert Script(pages).run(whole_list(SETTINGS, FIRST)).missing == missing


def test_a_list_that_shows_an_item_twice_on_a_page_may_lack_another_one() -> None:
    pages = [page("aab", 3), page("", 3), page("aab", 3)]
    doubled, single = (
        Script(given).run(whole_list(SETTINGS, FIRST)) for given in (pages, [page("ab", 2), page("", 2)])
    )

    assert (doubled.doubles, single.doubles) == (1, 0)
    assert len(doubled.require_complete()) == 2
    with pytest.raises(IncompleteListError, match="the list shows 1 items twice on one page"):
        doubled.require_each_once()
    assert single.require_each_once() == single.items
    with pytest.raises(IncompleteListError, match="its Total counts 5"):
        Script([page("ab", 5), page("", 5), page("ab", 5)]).run(whole_list(SETTINGS, FIRST)).require_each_once()


def test_a_connection_is_tested_with_get_any_firmware() -> None:
    script = Script([ok(firmwareInfo=[])])

    assert script.run(get_any_firmware(SETTINGS)).request_id == REQUEST_ID
    assert script.actions == ["ListOTAFirmware"]


def test_a_connection_test_that_fails_is_not_repeated() -> None:
    script = Script([refused("iot.system.SystemException")])

    with pytest.raises(UnavailableError):
        script.run(get_any_firmware(SETTINGS))
    assert script.sleeps == []
