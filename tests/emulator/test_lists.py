from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.emulator.stranger import Stranger

ONE, TWO = "device-001", "device-002"


def test_the_jobs_of_a_package_are_listed_newest_first(stranger: Stranger) -> None:
    stranger.script(ONE, outcome="fails")
    package = stranger.package()
    jobs = [stranger.verify(package, ONE)]
    stranger.advance(60)
    jobs.append(stranger.verify(package, TWO))
    stranger.verify(stranger.package("3.0.0", b"other"), "device-003")

    answer = stranger.ask("ListOTAJobByFirmware", FirmwareId=package, CurrentPage="1", PageSize="200")[1]

    assert [job["jobId"] for job in answer["data"]] == jobs[::-1]


def test_verification_progress_counts_the_devices_that_have_ended(stranger: Stranger) -> None:
    stranger.script(TWO, online=False)
    package = stranger.package()
    stranger.verify(package, ONE, TWO)
    stranger.advance(60)

    assert stranger.ask("QueryOTAFirmware", FirmwareId=package)[1]["firmwareInfo"]["verifyProgress"] == 50


def test_named_devices_are_listed_whatever_the_page(stranger: Stranger) -> None:
    job = stranger.verify(stranger.package(), ONE, TWO)

    answer = stranger.ask("ListOTATaskByJob", JobId=job, CurrentPage="9", PageSize="1", **{"DeviceNames.1": TWO})[1]

    assert [task["deviceName"] for task in answer["data"]] == [TWO]


def test_lists_are_paged_with_totals(stranger: Stranger) -> None:
    job = stranger.verify(stranger.package())

    _, answer = stranger.ask("ListOTATaskByJob", JobId=job, PageSize="4", CurrentPage="3")

    assert (len(answer["data"]), answer["total"], answer["pageCount"]) == (2, 10, 3)
