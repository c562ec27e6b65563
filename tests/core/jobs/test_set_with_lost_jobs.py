"""Jobs of a set that the platform does not show any more."""

from __future__ import annotations

from dataclasses import replace

import pytest

from airflow_provider_tuya_ota.core.errors import ConflictError, JobMissingError, TransportError
from tests.core.jobs.job_sets import RETRY, Fake, create, ids
from tests.core.script import Script, lost, refused


@pytest.mark.parametrize(("gone", "place"), [("101", "as job 1 of 3"), ("103", "clear this task")])
def test_a_stored_job_that_the_platform_does_not_have_stops_the_set(gone: str, place: str) -> None:
    fake = Fake()
    script = Script(fake)
    create(script)
    fake.gone.add(gone)

    with pytest.raises(JobMissingError, match=f"job {gone}, which this task stored.*{place}"):
        create(script, RETRY)
    assert fake.creates == 3


def test_a_stored_job_that_no_list_shows_yet_is_queried() -> None:
    fake = Fake()
    script = Script(fake)
    create(script)
    fake.hidden.add("101")

    assert ids(create(script, RETRY)) == ["101", "102", "103"]


def test_a_clear_replaces_the_last_job_if_the_platform_lost_it_and_does_not_take_it_later() -> None:
    fake = Fake()
    script = Script(fake)
    create(script)
    fake.gone.add("103")
    fake.fates[4] = lost()

    def appear(number: int) -> None:
        if number == 4:
            fake.gone.clear()
            fake.jobs["103"]["jobStatus"] = "CANCELED"

    fake.after_create = appear
    jobs = create(script, replace(RETRY, clear_number=1))

    assert ids(jobs) == ["101", "102", "104"]


@pytest.mark.parametrize("stage", ["nothing", "preparing"])
def test_a_first_job_that_a_clear_replaces_is_not_taken_by_a_later_try(stage: str) -> None:
    fake = Fake()
    script = Script(fake)
    create(script)
    script.saved |= {"entity_id": "101", "set": script.saved["set"] | {"jobs": []}}
    fake.gone |= {"101", "102", "103"}
    fake.fates[4] = refused("iot.firmware.NoDeviceCanUpgrade")
    fake.unseen.add(4)
    with pytest.raises(ConflictError):
        create(script, replace(RETRY, clear_number=1))
    script.saved["stage"] = stage
    fake.fates[5] = lost()

    def appear(number: int) -> None:
        if number == 5:
            fake.gone.discard("101")
            fake.jobs["101"]["jobStatus"] = "CANCELED"

    fake.after_create = appear

    assert ids(create(script, replace(RETRY, clear_number=1)))[0] == "105"


def test_a_first_job_that_a_clear_replaces_leaves_no_rival_to_look_for() -> None:
    fake = Fake(fates={1: lost()}, unseen={1})
    script = Script(fake)
    with pytest.raises(TransportError):
        create(script)

    assert ids(create(script, RETRY)) == ["102", "103", "104"]
