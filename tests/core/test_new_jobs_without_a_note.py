from __future__ import annotations

import pytest

from airflow_provider_tuya_ota.core.errors import AmbiguousOutcomeError
from airflow_provider_tuya_ota.core.intents import Attempt
from tests.core.script import NOW, job
from tests.core.test_clearing import counted
from tests.core.test_new_jobs import JUST_NOW, OWN, UPGRADE, creates, jobs, script_for, start


def test_without_a_store_a_first_try_creates_at_once() -> None:
    script = script_for()
    script.is_durable = False

    assert start(script, Attempt(run_started_at=NOW)).job_id == "10"
    assert script.sleeps == []


def test_without_a_store_a_retry_adopts_the_job_that_this_run_can_have_created() -> None:
    script = script_for(ListOTAJobByFirmware=jobs(OWN, job("8", kind=UPGRADE, utcCreate="2026-02-01T00:00:00.000Z")))
    script.is_durable = False

    assert start(script, Attempt(run_started_at=NOW, is_retry=True)).job_id == "9"
    assert creates(script) == 0


def test_without_a_store_a_retry_that_finds_nothing_creates() -> None:
    script = script_for()
    script.is_durable = False

    assert start(script, Attempt(run_started_at=NOW, is_retry=True)).job_id == "10"


@pytest.mark.parametrize(("created", "adopted"), [("2026-03-01T11:59:59.000Z", False), (JUST_NOW, True)])
def test_without_a_store_a_retry_after_a_clear_takes_no_job_from_before_it(created: str, adopted: bool) -> None:
    script = script_for(ListOTAJobByFirmware=jobs(OWN | {"utcCreate": created}))
    script.is_durable = False
    attempt = Attempt(run_started_at=NOW, is_retry=True, clear_number=1)

    if adopted:
        assert start(script, attempt).job_id == "9"
    else:
        with pytest.raises(AmbiguousOutcomeError, match="job 9 may be from before"):
            start(script, attempt)


def test_without_a_store_a_clear_waits_for_what_is_under_way_and_stops_nothing() -> None:
    script = script_for(
        ListOTAJobByFirmware=[jobs(OWN), *[jobs(OWN | {"jobStatus": "COMPLETED"})] * 2],
        ListOTATaskByJob=counted({"QUEUED": 1}, {}),
    )
    script.is_durable = False

    assert start(script, Attempt(run_started_at=NOW, clear_number=1)).job_id == "10"
    assert "CancelOTATaskByJob" not in script.actions


def test_a_note_that_says_nothing_was_written_with_a_store_proves_that_nothing_was_sent() -> None:
    script = script_for(ListOTAJobByFirmware=jobs(OWN | {"jobStatus": "COMPLETED"}))

    assert start(script, Attempt(run_started_at=NOW, is_retry=True)).job_id == "10"
