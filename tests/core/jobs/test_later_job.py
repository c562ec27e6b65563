"""The later of two jobs that two programs created at the same time: it is stopped, and no retry resumes it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_tuya_ota.core.errors import AlreadyUnderWayError, UnavailableError
from airflow_provider_tuya_ota.core.jobs.intent import Attempt, Intent, Stage
from airflow_provider_tuya_ota.core.jobs.target import digest_of
from tests.core.jobs.upgrades import NOTE, OWN, UPGRADE, creates, jobs, script_for, start
from tests.core.script import Script, answered, job, ok

if TYPE_CHECKING:
    from tests.core.script import Answer, Sent

LATER = job("10", kind=UPGRADE, utcCreate="2026-03-01T12:00:00.500Z", targetSelection="ALL")
NOT_STOPPED = replace(NOTE.at(Stage.CREATED, "10"), earlier_job="9")
AWAY = answered({}, status=503)


def two_jobs(cancel: Answer, status: str = "IN_PROGRESS", **answers: Any) -> Script:
    """Job 9 of another program, and job 10 of this task, which has a status after its cancel."""

    def query(sent: Sent) -> Answer:
        is_own = sent.parameters["JobId"] == "10"
        return ok(data=LATER | {"jobStatus": status} if is_own else OWN)

    lists = [jobs(), jobs(OWN, LATER)]
    usual: dict[str, Any] = {
        "CancelOTATaskByJob": cancel,
        "QueryOTAJob": query,
        "ListOTAJobByFirmware": lists,
    }
    return script_for(**usual | answers)


def retry(script: Script, attempt: Attempt | None = None) -> AlreadyUnderWayError:
    script.saved = NOT_STOPPED.to_dict()
    with pytest.raises(AlreadyUnderWayError) as caught:
        start(script, attempt or Attempt(is_retry=True))
    assert creates(script) == 0
    return caught.value


def test_a_later_job_that_cannot_be_cancelled_is_named_with_the_first_one_and_what_to_do() -> None:
    script = two_jobs(AWAY)

    with pytest.raises(AlreadyUnderWayError) as caught:
        start(script)

    text = str(caught.value)
    assert text.startswith("job 10 of this task was not stopped, although job 9, created at 2026-03-01T12:00:00.000Z,")
    assert "A retry stops job 10 and creates nothing. Or cancel its device tasks in the vendor's console" in text
    assert isinstance(caught.value.__cause__, UnavailableError)
    stored = {name: script.saved[name] for name in ("stage", "entity_id", "earlier_job")}
    assert stored == {"stage": "created", "entity_id": "10", "earlier_job": "9"}
    assert creates(script) == 1


def test_that_the_job_is_the_later_one_is_saved_before_it_is_cancelled() -> None:
    saved: list[str] = []

    def cancel(_: Sent) -> Answer:
        saved.append(script.saved["earlier_job"])
        return ok()

    script = two_jobs(ok(), "CANCELED", CancelOTATaskByJob=cancel)

    with pytest.raises(AlreadyUnderWayError):
        start(script)
    assert saved == ["9"]


def test_a_retry_stops_the_job_and_does_not_resume_it() -> None:
    script = two_jobs(ok(), "CANCELED")

    error = retry(script)

    assert str(error).startswith("job 9 upgrades the same devices to firmware 178 and was created at the same time as")
    (cancel,) = [sent for sent in script.sent if sent.action == "CancelOTATaskByJob"]
    assert cancel.parameters["JobId"] == "10"
    assert (script.saved["stage"], script.saved["entity_id"], script.saved["earlier_job"]) == ("nothing", "", "")
    assert script.saved["known"].startswith(digest_of("10"))


@pytest.mark.parametrize(
    ("cancel", "text"),
    [(ok(), "job 10 may still begin"), (AWAY, "job 10 of this task was not stopped, although job 9")],
)
def test_a_retry_that_cannot_stop_it_either_leaves_that_to_the_next_one(cancel: Answer, text: str) -> None:
    script = two_jobs(cancel, "PLANNED")

    assert text in str(retry(script))
    assert script.saved == NOT_STOPPED.to_dict()


def test_a_clear_of_another_task_of_the_run_does_not_resume_it() -> None:
    script = two_jobs(ok(), "IN_PROGRESS")
    script.saved = replace(NOT_STOPPED, cleared_after=1).to_dict()

    with pytest.raises(AlreadyUnderWayError):
        start(script, Attempt(clear_number=1, cleared_after=1, is_retry=True))
    assert (creates(script), "CancelOTATaskByJob" in script.actions) == (0, True)


def test_a_clear_waits_for_it_and_creates_a_new_job() -> None:
    ended = ok(data=LATER | {"jobStatus": "CANCELED"})
    script = two_jobs(
        ok(),
        QueryOTAJob=ended,
        ListOTAJobByFirmware=jobs(),
        CreateOTAStaticUpgradeJob=ok(data={"jobId": "11"}),
    )
    script.saved = NOT_STOPPED.to_dict()

    assert start(script, Attempt(clear_number=1, cleared_after=1)).job_id == "11"


def test_an_intent_that_names_no_earlier_job_is_read() -> None:
    stored = NOTE.to_dict()
    del stored["earlier_job"]

    assert Intent.from_dict(stored) == NOTE
