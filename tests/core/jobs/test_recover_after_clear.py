"""What a try does that follows on a clear: of its own task, or of another one of the run."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_tuya_ota.core.errors import (
    AmbiguousOutcomeError,
    ProtocolError,
    TransportError,
)
from airflow_provider_tuya_ota.core.jobs.drain import StillDrainingError
from airflow_provider_tuya_ota.core.jobs.intent import Attempt
from airflow_provider_tuya_ota.core.jobs.tracked_job import JobOrigin
from airflow_provider_tuya_ota.core.model.outcome_errors import WaitTimeoutError
from tests.core.jobs.upgrades import CREATED, NAMED, OF_NAMED, OWN, creates, jobs, script_for, start
from tests.core.script import NOW, lost, ok, refused, task

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow_provider_tuya_ota.core.wire.http import Response
    from tests.core.script import Answer, Script, Sent


def counted(*rounds: dict[str, int]) -> list[Response]:
    return [
        ok(data=[task(f"d{number}", status) for number in range(round_.get(status, 0))])
        for round_ in rounds
        for status in ("CONFIRM", "QUEUED", "NOTIFIED", "IN_PROGRESS")
    ]


ENDED = ok(data=OWN | {"jobStatus": "COMPLETED"})


def test_a_clear_stops_the_old_job_waits_until_it_is_done_and_creates_a_new_one() -> None:
    after_the_cancel = [*counted({"IN_PROGRESS": 1}), ok(data=[task("d0", "CANCELED"), task("d1", "CANCELED")])]
    tasks = [
        *counted({"QUEUED": 2, "IN_PROGRESS": 1}),
        *after_the_cancel,
        *counted({"IN_PROGRESS": 1}, {"IN_PROGRESS": 1}, {}),
    ]
    script = script_for(ListOTATaskByJob=tasks, QueryOTAJob=ENDED)
    script.saved = CREATED.to_dict()

    found = start(script, Attempt(clear_number=1, poll_interval=30.0))

    assert (found.job_id, found.origin) == ("10", JobOrigin.CREATED)
    assert script.actions.index("CancelOTATaskByJob") < script.actions.index("CreateOTAStaticUpgradeJob")
    assert script.actions.count("CancelOTATaskByJob") == 1
    assert script.sleeps == [30.0, 30.0]
    assert script.saved["clear_number"] == 1
    assert any("2 device tasks cancelled, 1 are flashing and cannot be stopped" in text for text in script.warnings)


def test_a_clear_that_may_not_stop_anything_waits_for_the_old_job() -> None:
    script = script_for(ListOTATaskByJob=counted({"QUEUED": 1}, {}), QueryOTAJob=ENDED)
    script.saved = CREATED.to_dict()

    start(script, Attempt(clear_number=1, may_cancel=False))

    assert "CancelOTATaskByJob" not in script.actions


def test_an_old_job_whose_device_tasks_are_not_planned_yet_is_waited_for() -> None:
    def query(_sent: Sent) -> Response:
        return ok(data=OWN | {"jobStatus": "CANCELED" if script.sleeps else "PLANNED"})

    script = script_for(QueryOTAJob=query)
    script.saved = CREATED.to_dict()

    found = start(script, Attempt(clear_number=1))

    assert (found.job_id, script.sleeps) == ("10", [15.0])
    assert script.actions.count("CancelOTATaskByJob") == 1


def test_an_old_job_that_goes_on_is_waited_for_though_every_listed_device_task_has_ended() -> None:
    def query(_sent: Sent) -> Response:
        return ok(data=OWN | {"jobStatus": "COMPLETED" if script.sleeps else "IN_PROGRESS"})

    script = script_for(ListOTATaskByJob=counted({}, {}), QueryOTAJob=query)
    script.saved = CREATED.to_dict()

    assert start(script, Attempt(clear_number=1, may_cancel=False)).job_id == "10"
    assert script.sleeps == [15.0]


def test_an_old_job_that_does_not_begin_is_named_when_the_time_is_over() -> None:
    planned = ok(data=OWN | {"jobStatus": "PLANNED"})
    script = script_for(ListOTATaskByJob=ok(data=[]), QueryOTAJob=planned)
    script.saved = CREATED.to_dict()

    with pytest.raises(WaitTimeoutError, match=r"job 9, which this task .*, still has not ended"):
        start(script, Attempt(clear_number=1, may_cancel=False, drained_by=NOW + timedelta(seconds=20)))
    assert "CancelOTATaskByJob" not in script.actions


def test_an_edited_request_waits_for_the_old_job_without_stopping_it() -> None:
    script = script_for(ListOTATaskByJob=counted({"QUEUED": 1}, {}), ListOTAJobByFirmware=jobs(), QueryOTAJob=ENDED)
    script.saved = replace(CREATED, fingerprint="of another request").to_dict()

    assert start(script).job_id == "10"
    assert "CancelOTATaskByJob" not in script.actions


def test_an_old_job_that_does_not_end_is_named_when_the_time_is_over() -> None:
    script = script_for(ListOTATaskByJob=counted(*[{"IN_PROGRESS": 3}] * 3))
    script.saved = CREATED.to_dict()

    with pytest.raises(WaitTimeoutError, match="job 9, which this task started before it was cleared, still has 3"):
        start(script, Attempt(clear_number=1, drained_by=NOW + timedelta(seconds=20)))
    assert creates(script) == 0
    assert script.sleeps == [15.0, 5.0]


def test_a_wait_for_the_old_job_can_be_left_to_others_and_what_may_be_stopped_is_stopped_first() -> None:
    stopped = ok(data=[task("d0", "CANCELED"), task("d1", "CANCELED")])
    flashing = counted({"IN_PROGRESS": 1})
    script = script_for(ListOTATaskByJob=[*counted({"QUEUED": 2, "IN_PROGRESS": 1}), *flashing, stopped, *flashing])
    script.saved = CREATED.to_dict()

    with pytest.raises(StillDrainingError) as waits:
        start(script, Attempt(clear_number=1, drain_here=False))

    assert waits.value.job_id == "9"
    assert (script.actions.count("CancelOTATaskByJob"), script.sleeps, creates(script)) == (1, [], 0)
    assert script.saved["entity_id"] == "9"


def test_an_old_job_that_is_done_needs_no_wait_elsewhere() -> None:
    script = script_for(ListOTATaskByJob=counted({}), QueryOTAJob=ENDED)
    script.saved = CREATED.to_dict()

    assert start(script, Attempt(clear_number=1, drain_here=False)).job_id == "10"


def cleared_elsewhere(**changes: Any) -> Attempt:
    """A try after a clear of another task of the run, or of this one while it ran: Airflow shows no difference."""
    return Attempt(**{"clear_number": 1, "cleared_after": 0} | changes)


def test_clearing_another_task_of_the_run_does_not_make_a_retry_create_again() -> None:
    script = script_for(ListOTATaskByJob=ok(data=[task("d1", "NOTIFIED")]))
    script.saved = replace(CREATED, cleared_after=0).to_dict()

    found = start(script, cleared_elsewhere())

    assert (found.job_id, found.origin, creates(script)) == ("9", JobOrigin.RESUMED, 0)
    assert "CancelOTATaskByJob" not in script.actions
    assert script.saved["clear_number"] == 1
    assert "it still waits for job 9" in script.lines[0]


def test_a_job_that_was_stopped_when_the_running_task_was_cleared_is_followed_by_another() -> None:
    tasks = [ok(data=[task("d1", "CANCELED")]), *counted({"IN_PROGRESS": 1}, {})]
    script = script_for(ListOTATaskByJob=tasks, QueryOTAJob=ENDED)
    script.saved = replace(CREATED, cleared_after=0).to_dict()

    assert start(script, cleared_elsewhere()).job_id == "10"


def test_a_cancelled_job_without_device_tasks_was_stopped_too() -> None:
    script = script_for(QueryOTAJob=ok(data=OWN | {"jobStatus": "CANCELED"}))
    script.saved = replace(CREATED, cleared_after=0).to_dict()

    assert start(script, cleared_elsewhere()).job_id == "10"


@pytest.mark.parametrize(("before", "now"), [(0, 1), (None, 1), (0, None), (None, None)])
def test_a_task_that_was_cleared_itself_creates_again(before: int | None, now: int | None) -> None:
    script = script_for(QueryOTAJob=ENDED)
    script.saved = replace(CREATED, cleared_after=before).to_dict()

    assert start(script, cleared_elsewhere(cleared_after=now)).job_id == "10"
    assert script.saved["cleared_after"] == now


def test_a_job_that_ended_before_the_clear_costs_no_wait() -> None:
    script = script_for(QueryOTAJob=ENDED)
    script.saved = CREATED.to_dict()

    assert start(script, Attempt(clear_number=2)).job_id == "10"
    assert script.sleeps == []


def with_a_lost_answer(status: str, *tasks: dict[str, Any], number: int = 1) -> Script:
    """A firmware with jobs that may be the one whose answer was lost: they show none, or some, of the devices."""
    shown = [OWN | {"jobId": str(9 + at), "targetSelection": "SPECIFIC", "jobStatus": status} for at in range(number)]

    def listed(sent: Sent) -> Response:
        wanted = sent.parameters.get("TaskStatus")
        return ok(data=[one for one in tasks if wanted in {None, one["taskStatus"]}])

    script = script_for(
        ListOTAJobByFirmware=jobs(*shown),
        QueryOTAJob=lambda sent: ok(
            data=shown[int(sent.parameters["JobId"]) - 9] if sent.parameters["JobId"] != "20" else {}
        ),
        ListOTATaskByJob=listed,
        CreateOTAStaticUpgradeJob=ok(data={"jobId": "20"}),
    )
    script.saved = OF_NAMED.to_dict()
    return script


CLEARED = Attempt(clear_number=1, cleared_after=1)
BOTH = (task("d1", "SUCCEEDED"), task("d2", "FAILED"))


@pytest.mark.parametrize(
    ("status", "tasks", "number"), [("CANCELED", (), 1), ("COMPLETED", BOTH[:1], 1), ("COMPLETED", BOTH, 2)]
)
def test_jobs_that_have_ended_and_may_be_anybody_s_stop_retries_and_hold_up_no_clear(
    status: str, tasks: Sequence[dict[str, Any]], number: int
) -> None:
    script = with_a_lost_answer(status, *tasks, number=number)

    with pytest.raises(AmbiguousOutcomeError, match=r"All of them have ended.* clear this task to create a new job"):
        start(script, Attempt(is_retry=True), NAMED)
    assert creates(script) == 0

    assert start(script, CLEARED, NAMED).job_id == "20"


@pytest.mark.parametrize(
    ("status", "tasks"), [("PLANNED", ()), ("IN_PROGRESS", BOTH[:1]), ("CANCELED", [task("d1", "IN_PROGRESS")])]
)
def test_a_clear_creates_nothing_while_a_job_goes_on_that_may_be_anybody_s(
    status: str, tasks: Sequence[dict[str, Any]]
) -> None:
    script = with_a_lost_answer(status, *tasks)

    with pytest.raises(AmbiguousOutcomeError, match="clear this task to create a new job"):
        start(script, CLEARED, NAMED)
    assert creates(script) == 0


def test_a_clear_of_another_task_creates_nothing_after_a_job_that_may_be_anybody_s() -> None:
    script = with_a_lost_answer("CANCELED")
    script.saved = replace(OF_NAMED, cleared_after=0).to_dict()

    with pytest.raises(AmbiguousOutcomeError):
        start(script, cleared_elsewhere(is_retry=True), NAMED)


def test_a_clear_goes_on_without_a_note_too() -> None:
    script = with_a_lost_answer("CANCELED")
    script.saved = None

    assert start(script, replace(CLEARED, run_started_at=NOW), NAMED).job_id == "20"


@pytest.mark.parametrize("answers", [[lost()] * 9, [ok(data={})]], ids=["lost", "unnamed"])
def test_the_job_of_before_a_clear_that_a_list_shows_late_is_not_taken_for_the_new_one(answers: list[Answer]) -> None:
    late = jobs(OWN | {"jobStatus": "CANCELED"})
    script = script_for(
        QueryOTAJob=ENDED, ListOTAJobByFirmware=[jobs(), *[late] * 9], CreateOTAStaticUpgradeJob=answers
    )
    script.saved = CREATED.to_dict()

    with pytest.raises((TransportError, ProtocolError)):
        start(script, Attempt(clear_number=1))
    assert script.saved["entity_id"] == ""


def test_a_task_that_dies_after_a_clear_remembers_the_job_of_before_it() -> None:
    script = script_for(QueryOTAJob=ENDED, ListOTAJobByFirmware=lost())
    script.saved = CREATED.to_dict()
    with pytest.raises(TransportError):
        start(script, Attempt(clear_number=1))
    assert script.saved["stage"] == "preparing"

    retry = script_for(ListOTAJobByFirmware=[jobs(), *[jobs(OWN)] * 9], CreateOTAStaticUpgradeJob=[lost()] * 9)
    retry.saved = script.saved

    with pytest.raises(TransportError):
        start(retry, Attempt(clear_number=1, is_retry=True))
    assert retry.saved["entity_id"] == ""


HIDDEN = {"QueryOTAJob": refused("iot.firmware.InvalidOTAJobId"), "ListOTAJobByFirmware": jobs(OWN)}


def test_a_cleared_task_creates_no_job_beside_one_that_is_listed_and_cannot_be_queried() -> None:
    script = script_for(**HIDDEN, ListOTATaskByJob=ok(data=[task("d1", "IN_PROGRESS")]))
    script.saved = CREATED.to_dict()

    with pytest.raises(WaitTimeoutError, match="job 9, which this task started before it was cleared, still has"):
        start(script, Attempt(clear_number=1, drained_by=NOW))

    assert creates(script) == 0


def test_a_retry_resumes_a_job_that_is_listed_and_cannot_be_queried() -> None:
    script = script_for(**HIDDEN)
    script.saved = CREATED.to_dict()

    assert start(script).job_id == "9"
    assert creates(script) == 0
