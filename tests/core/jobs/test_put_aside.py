"""Jobs that a task is done with: none of them is taken for the job of a later request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_tuya_ota.core.errors import AlreadyUnderWayError, TransportError
from airflow_provider_tuya_ota.core.jobs.intent import Attempt, Stage
from airflow_provider_tuya_ota.core.jobs.target import digest_of
from tests.core.jobs.upgrades import CREATED, OWN, jobs, script_for, start
from tests.core.script import lost, ok, refused

if TYPE_CHECKING:
    from airflow_provider_tuya_ota.core.wire.http import Response
    from tests.core.script import Sent


def test_no_job_that_a_task_put_aside_is_taken_for_a_later_one() -> None:
    def query(sent: Sent) -> Response:
        return ok(data=OWN | {"jobStatus": "CANCELED", "jobId": sent.parameters["JobId"]})

    script = script_for(QueryOTAJob=query)
    script.saved = CREATED.to_dict()
    assert start(script, Attempt(clear_number=1)).job_id == "10"

    late = jobs(OWN | {"jobStatus": "CANCELED"})
    again = script_for(
        QueryOTAJob=query, ListOTAJobByFirmware=[jobs(), *[late] * 9], CreateOTAStaticUpgradeJob=[lost()] * 9
    )
    again.saved = script.saved

    with pytest.raises(TransportError):
        start(again, Attempt(clear_number=2))
    assert again.saved["entity_id"] == ""


def requests_again(saved: Any, late: Response) -> Any:
    """Clear the task again, lose its request, and show what an earlier request created; give what is stored then."""
    again = script_for(ListOTAJobByFirmware=[jobs(), *[late] * 9], CreateOTAStaticUpgradeJob=[lost()] * 9)
    again.saved = saved
    with pytest.raises(TransportError):
        start(again, Attempt(clear_number=2))
    return again.saved


def test_a_job_that_was_missing_at_a_clear_and_appears_later_is_not_taken_for_the_new_one() -> None:
    script = script_for(
        QueryOTAJob=refused("iot.firmware.InvalidOTAJobId"), ListOTAJobByFirmware=[jobs(), *[lost()] * 9]
    )
    script.saved = CREATED.to_dict()
    with pytest.raises(TransportError):
        start(script, Attempt(clear_number=1))
    assert any("Job 9" in text for text in script.warnings)

    assert requests_again(script.saved, jobs(OWN))["entity_id"] == ""


def test_a_job_that_was_cancelled_as_the_later_of_two_is_not_taken_for_the_next_one() -> None:
    first = OWN | {"jobId": "8", "utcCreate": "2026-03-01T11:59:59.000Z"}
    script = script_for(
        ListOTAJobByFirmware=[jobs(), jobs(first, OWN)],
        CreateOTAStaticUpgradeJob=ok(data={"jobId": "9"}),
        QueryOTAJob=lambda sent: ok(data=OWN | {"jobId": sent.parameters["JobId"], "jobStatus": "CANCELED"}),
    )
    with pytest.raises(AlreadyUnderWayError, match="job 8"):
        start(script)
    assert script.saved["stage"] == "nothing"

    assert requests_again(script.saved, jobs(OWN))["entity_id"] == ""


def test_an_intent_without_a_job_puts_no_job_aside() -> None:
    assert CREATED.at(Stage.LOST).put_aside().known == CREATED.known


def test_a_task_remembers_the_newest_fifty_jobs_that_it_put_aside() -> None:
    intent = CREATED
    for number in range(100, 160):
        intent = intent.at(Stage.CREATED, str(number)).put_aside()

    assert intent.known == tuple(digest_of(str(number)) for number in range(159, 109, -1))
