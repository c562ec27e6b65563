from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.emulator.plain_client import PlainClient

ONE, TWO = "device-001", "device-002"


def test_the_jobs_of_a_firmware_are_listed_newest_first(client: PlainClient) -> None:
    client.script(ONE, outcome="fails")
    firmware_id = client.create_firmware()
    jobs = [client.verify(firmware_id, ONE)]
    client.advance(60)
    jobs.append(client.verify(firmware_id, TWO))
    client.verify(client.create_firmware("3.0.0", b"other"), "device-003")

    answer = client.ask("ListOTAJobByFirmware", FirmwareId=firmware_id, CurrentPage="1", PageSize="200")[1]

    assert [job["jobId"] for job in answer["data"]] == jobs[::-1]


def test_verification_progress_counts_the_devices_that_have_ended(client: PlainClient) -> None:
    client.script(TWO, online=False)
    firmware_id = client.create_firmware()
    client.verify(firmware_id, ONE, TWO)
    client.advance(60)

    assert client.ask("QueryOTAFirmware", FirmwareId=firmware_id)[1]["firmwareInfo"]["verifyProgress"] == 50


def test_named_devices_are_listed_whatever_the_page(client: PlainClient) -> None:
    job = client.verify(client.create_firmware(), ONE, TWO)

    answer = client.ask("ListOTATaskByJob", JobId=job, CurrentPage="9", PageSize="1", **{"DeviceNames.1": TWO})[1]

    assert [task["deviceName"] for task in answer["data"]] == [TWO]


def test_lists_are_paged_with_totals(client: PlainClient) -> None:
    job = client.verify(client.create_firmware())

    _, answer = client.ask("ListOTATaskByJob", JobId=job, PageSize="4", CurrentPage="3")

    assert (len(answer["data"]), answer["total"], answer["pageCount"]) == (2, 10, 3)


@pytest.mark.parametrize(("totals", "total"), [("present", 10), ("of_page", 4), ("zero", 0), ("absent", None)])
def test_a_page_may_be_shorter_than_it_was_asked_for_whatever_its_total(
    client: PlainClient, totals: str, total: int | None
) -> None:
    job = client.verify(client.create_firmware())
    client.control("POST", "quirks", {"page_cap": 4, "totals": totals})

    pages = [
        client.ask("ListOTATaskByJob", JobId=job, PageSize="100", CurrentPage=str(number))[1] for number in (1, 2, 3)
    ]

    assert [len(page["data"]) for page in pages] == [4, 4, 2]
    assert pages[0].get("total") == total
    assert len({task["taskId"] for page in pages for task in page["data"]}) == 10


@pytest.mark.parametrize(("later_pages", "shown"), [("empty", 0), ("repeated", 4)])
def test_later_pages_may_be_empty_or_repeat_the_first_while_the_total_counts_all(
    client: PlainClient, later_pages: str, shown: int
) -> None:
    job = client.verify(client.create_firmware())
    client.control("POST", "quirks", {"page_cap": 4, "later_pages": later_pages})

    first, second = (
        client.ask("ListOTATaskByJob", JobId=job, PageSize="100", CurrentPage=number)[1] for number in "12"
    )

    assert (first["total"], second["total"]) == (10, 10)
    assert second["data"] == first["data"][:shown]


@pytest.mark.parametrize("totals", ["present", "of_page", "zero", "absent"])
def test_a_page_behind_the_last_one_may_be_refused_whatever_the_totals(client: PlainClient, totals: str) -> None:
    job = client.verify(client.create_firmware())
    client.control("POST", "quirks", {"totals": totals, "later_pages": "refused"})

    answers = [client.ask("ListOTATaskByJob", JobId=job, PageSize="5", CurrentPage=number)[1] for number in "123"]

    assert [len(answer["data"]) for answer in answers[:2]] == [5, 5]
    assert answers[2]["code"] == "iot.common.InvalidPageParams"


def test_a_capped_page_of_devices_is_followed_by_its_token(client: PlainClient) -> None:
    client.control("POST", "quirks", {"page_cap": 4})
    first = client.ask("QueryDevice", ProductKey="k1demoproduct", PageSize="10", CurrentPage="1")[1]
    second = client.ask("QueryDevice", ProductKey="k1demoproduct", PageSize="10", NextToken=first["nextToken"])[1]

    assert (len(first["data"]), len(second["data"])) == (4, 4)
    assert first["data"][0] != second["data"][0]
