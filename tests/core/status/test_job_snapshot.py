from __future__ import annotations

from typing import Any

import pytest

from airflow_provider_tuya_ota.core.errors import AuthenticationError, NotFoundError, ProtocolError
from airflow_provider_tuya_ota.core.status.job_snapshot import fetch_job_listing
from tests.core.script import SETTINGS, Script, Sent, answered, gateway, job, ok, refused


def listed(*jobs: dict[str, Any]) -> Any:
    return ok(data=list(jobs), total=len(jobs))


def test_a_listing_of_many_jobs_of_a_firmware_is_one_request() -> None:
    script = Script([listed(job("1"), job("2", status="COMPLETED"), job("3"))])

    listing = script.run(fetch_job_listing(SETTINGS, "178", ["1", "2", "9"]))

    assert script.actions == ["ListOTAJobByFirmware"]
    assert {name: found.status for name, found in listing.jobs.items()} == {"1": "IN_PROGRESS", "2": "COMPLETED"}
    assert listing.pages == 1


@pytest.mark.parametrize(("firmware_id", "pages"), [(None, 1), ("178", 3), ("178", None)])
def test_a_few_jobs_of_a_long_list_or_of_no_known_firmware_are_asked_for_by_themselves(
    firmware_id: str | None, pages: int | None
) -> None:
    script = Script([ok(data=job("1")), ok(data=job("2"))])

    listing = script.run(fetch_job_listing(SETTINGS, firmware_id, ["1", "2"], pages=pages))

    assert script.actions == ["QueryOTAJob", "QueryOTAJob"]
    assert list(listing.jobs) == ["1", "2"]
    assert listing.pages == pages


def test_how_long_the_list_is_is_reported_for_the_next_listing() -> None:
    everything = [job(str(number)) for number in range(450)]

    def page(sent: Sent) -> Any:
        begin = (int(sent.parameters["CurrentPage"]) - 1) * 200
        return ok(data=everything[begin : begin + 200], total=450)

    assert Script(page).run(fetch_job_listing(SETTINGS, "178", ["1"])).pages == 3


def test_a_job_that_is_gone_or_odd_is_its_own_failure_and_no_other_job_s() -> None:
    odd = answered({"code": "", "requestId": "r", "success": True, "data": [1]})
    answers = [refused("iot.firmware.InvalidOTAJobId"), odd, ok(data=job("3"))]

    listing = Script(answers).run(fetch_job_listing(SETTINGS, "178", ["1", "2", "3"], pages=4))

    assert {name: type(error) for name, error in listing.failed.items()} == {"1": NotFoundError, "2": ProtocolError}
    assert list(listing.jobs) == ["3"]


def test_what_keeps_every_job_from_being_read_is_a_failure_of_the_listing() -> None:
    script = Script([gateway("SignatureDoesNotMatch", 403)])

    with pytest.raises(AuthenticationError):
        script.run(fetch_job_listing(SETTINGS, "178", ["1", "2", "3"], pages=4))
    assert len(script.sent) == 1
