from __future__ import annotations

from typing import Any

import pytest

from airflow_provider_tuya_ota.core.actions import CancelOTATaskByDevice, CancelOTATaskByJob
from airflow_provider_tuya_ota.core.errors import ConflictError, NotFoundError, OutcomeError, TuyaOTAError
from airflow_provider_tuya_ota.core.jobs.cancel_tasks import JobCancel, cancel_tasks_of_devices, cancel_tasks_of_job
from airflow_provider_tuya_ota.core.jobs.stop_events import CancelRefused, CancelRepeated
from airflow_provider_tuya_ota.core.jobs.task_events import TasksCounted
from tests.core.script import SETTINGS, Answer, Script, by_action, gateway, job, lost, ok, refused, task

NOTHING_WAITS = refused("iot.firmware.DeviceUpgradeRecordNotFound")
FLASHING = refused("iot.firmware.IncorrectDeviceUpgradeJobStatus")


def cancel(script: Script, **changes: Any) -> None:
    arguments: dict[str, Any] = {"product_key": "pk", "firmware_id": "178", "device_name": ["a", "b"]}
    script.run(cancel_tasks_of_devices(SETTINGS, CancelOTATaskByDevice(**arguments | changes)))


def waits(name: str, **fields: Any) -> Any:
    return ok(data=[task(name, "QUEUED", **fields)])


def devices(script: Script) -> list[list[str]]:
    return [
        [value for name, value in sent.parameters.items() if name.startswith("DeviceName.")]
        for sent in script.sent
        if sent.action == "CancelOTATaskByDevice"
    ]


def test_devices_are_cancelled_with_one_request() -> None:
    script = Script([ok()])

    cancel(script)

    assert devices(script) == [["a", "b"]]


@pytest.mark.parametrize(("answer", "error"), [(NOTHING_WAITS, NotFoundError), (FLASHING, ConflictError)])
def test_a_refusal_stands_where_no_answer_was_lost(answer: Any, error: type[TuyaOTAError]) -> None:
    script = Script([answer])

    with pytest.raises(error):
        cancel(script)
    assert len(script.sent) == 1


def test_a_lost_request_that_got_through_is_enough() -> None:
    script = Script([lost(), NOTHING_WAITS, ok(data=[]), ok(data=[])])

    cancel(script)

    assert script.actions[2:] == ["ListOTAUnfinishedTaskByDevice"] * 2
    assert "An answer was lost" in script.warnings[-1]


def test_after_a_lost_request_only_devices_with_a_task_are_asked_for_again() -> None:
    script = Script([lost(), NOTHING_WAITS, ok(data=[]), waits("b", firmwareId="178"), ok()])

    cancel(script)

    assert devices(script) == [["a", "b"], ["a", "b"], ["b"]]


@pytest.mark.parametrize(
    ("named", "job_id", "again"),
    [
        pytest.param({"firmwareId": "179"}, None, False, id="of another firmware"),
        pytest.param({"firmwareId": "178", "jobId": "8"}, "9", False, id="of another job"),
        pytest.param({"firmwareId": "178", "jobId": "9"}, "9", True, id="of the job"),
        pytest.param({"jobId": "8"}, None, True, id="of any job of an unknown firmware"),
        pytest.param({}, "9", True, id="of an unknown job"),
    ],
)
def test_after_a_lost_request_only_tasks_of_the_firmware_and_the_job_count(
    named: dict[str, str], job_id: str | None, again: bool
) -> None:
    script = Script([lost(), NOTHING_WAITS, waits("a", **named), *([ok()] if again else [])])

    cancel(script, device_name=["a"], job_id=job_id)

    assert len(devices(script)) == (3 if again else 2)


def test_a_device_that_is_flashing_after_a_lost_request_is_an_error() -> None:
    script = Script([lost(), FLASHING, ok(data=[task("a", "IN_PROGRESS")]), FLASHING])

    with pytest.raises(ConflictError):
        cancel(script, device_name=["a"])


# --- by job ---

ENDED = refused("iot.firmware.CancelUpgradeTaskFailed")
LOST = lost(), ENDED
ALREADY = "had already ended as COMPLETED; nothing was cancelled"
NOT_KNOWN = "an answer was lost, so whether this request cancelled anything is not known"


def cancel_by_job(script: Script) -> JobCancel:
    action = CancelOTATaskByJob(job_id="9001", cancel_queued_task=True)
    return script.run(cancel_tasks_of_job(SETTINGS, action))


def world(cancel: tuple[Answer, ...], statuses: tuple[str, ...], *queued_at: int, flashing: int = 0) -> Script:
    """Answer as a job with so many queued tasks at each count, and whose status is read once or twice."""
    queued = iter(queued_at)

    shown = 0

    def listed(sent: Any) -> Answer:
        nonlocal shown
        status = sent.parameters["TaskStatus"]
        if sent.parameters["CurrentPage"] != "1":
            return ok(data=[], total=shown)
        shown = next(queued) if status == "QUEUED" else flashing if status == "IN_PROGRESS" else 0
        return ok(data=[task(f"d{place}", status) for place in range(shown)], total=shown)

    jobs = [ok(data=job(status=status)) if status else gateway("ServiceUnavailable", 503) for status in statuses]
    return Script(by_action({"QueryOTAJob": jobs, "ListOTATaskByJob": listed, "CancelOTATaskByJob": list(cancel)}))


@pytest.mark.parametrize(
    ("cancel", "statuses", "before", "summary"),
    [
        ((ENDED,), ("COMPLETED",), 0, ALREADY),
        # A platform that takes a cancel of what has ended cancels nothing either.
        ((ok(),), ("COMPLETED",), 0, ALREADY),
        # It had ended before the first request, so that no request can have ended it.
        (LOST, ("COMPLETED",), 0, ALREADY),
        # It ended between the first poll and the request.
        ((ENDED,), ("IN_PROGRESS", "COMPLETED"), 2, ALREADY),
        # A list that lags shows tasks of a job that has ended.
        ((ENDED,), ("COMPLETED",), 2, ALREADY),
        (LOST, ("IN_PROGRESS", "CANCELED"), 2, f"has ended as CANCELED; {NOT_KNOWN}"),
        (LOST, ("IN_PROGRESS", "IN_PROGRESS"), 2, f"has nothing left to cancel; {NOT_KNOWN}"),
        ((ENDED,), ("IN_PROGRESS", "IN_PROGRESS"), 0, "had nothing left to cancel; nothing was cancelled"),
        ((ENDED,), ("", ""), 0, "had nothing left to cancel; nothing was cancelled"),
        ((ENDED,), ("", "COMPLETED"), 0, ALREADY),
    ],
)
def test_a_cancel_that_met_nothing_says_so_and_as_what_the_job_had_ended(
    cancel: tuple[Answer, ...], statuses: tuple[str, ...], before: int, summary: str
) -> None:
    script = world(cancel, statuses, before, 0)

    assert cancel_by_job(script).summary == summary
    assert script.warnings[-1] == f"Job 9001 {summary}"


@pytest.mark.parametrize("status", ["IN_PROGRESS", "PLANNED", "COMPLETED", ""])
def test_a_cancel_that_was_taken_says_what_is_left(status: str) -> None:
    script = world((ok(),), (status,), 2, 0, flashing=1)

    result = cancel_by_job(script)

    assert result.summary == "was asked to cancel what has not begun; 1 IN_PROGRESS is left unfinished"
    assert sum(result.left.values()) == 1
    assert "1 devices of job 9001 are flashing and cannot be stopped" in script.warnings[-1]
    counted = [event for event in script.events if isinstance(event, TasksCounted)]
    assert [(sum(event.counts.values()), event.is_after_cancel) for event in counted] == [(3, False), (1, True)]


def test_a_refusal_stands_where_tasks_are_left_that_wait() -> None:
    script = world((ENDED,), ("IN_PROGRESS",), 2, 2)

    with pytest.raises(ConflictError):
        cancel_by_job(script)


@pytest.mark.parametrize(("counts", "sleeps"), [([2, 2, 0], [3.0]), ([2, 2, 2, 0], [3.0, 6.0])])
def test_a_cancel_whose_answer_was_lost_is_given_time_to_take_effect(counts: list[int], sleeps: list[float]) -> None:
    script = world(LOST, ("IN_PROGRESS", "CANCELED"), *counts)

    assert cancel_by_job(script).summary == f"has ended as CANCELED; {NOT_KNOWN}"
    assert script.sleeps[-len(sleeps) :] == sleeps


def test_a_refusal_after_a_lost_answer_stands_where_tasks_wait_all_the_same() -> None:
    script = world(LOST, ("IN_PROGRESS",), 2, 2, 2, 2, 2)

    with pytest.raises(ConflictError):
        cancel_by_job(script)
    assert script.sleeps[-3:] == [3.0, 6.0, 12.0]


class Planned:
    """A job that has no device tasks at first, of a platform on which a cancel does nothing to it then."""

    def __init__(self, *, begins_after: int) -> None:
        self.begins_after, self.cancels = begins_after, 0

    def __call__(self, sent: Any) -> Answer:
        if sent.action == "CancelOTATaskByJob":
            self.cancels += 1
            return ok()
        if sent.action == "QueryOTAJob":
            return ok(data=job(status="CANCELED" if self.cancels > self.begins_after else "PLANNED"))
        status = "CANCELED" if self.cancels > self.begins_after else "QUEUED"
        is_there = self.cancels >= self.begins_after and sent.parameters.get("TaskStatus") in {status, None}
        return ok(data=[task("d1", status)] if is_there else [])


@pytest.mark.parametrize(("begins_after", "pauses"), [(2, [3.0, 6.0]), (3, [3.0, 6.0, 12.0])])
def test_a_job_that_has_no_device_tasks_yet_is_cancelled_again_when_it_has_some(
    begins_after: int, pauses: list[float]
) -> None:
    platform = Planned(begins_after=begins_after)
    script = Script(platform)

    cancelled = cancel_by_job(script)

    assert "nothing is left unfinished" in cancelled.summary
    assert (platform.cancels, script.sleeps) == (begins_after + 1, pauses)
    repeated = [event for event in script.events if isinstance(event, CancelRepeated)]
    assert repeated == [CancelRepeated("9001", 0, pause) for pause in pauses]


def test_a_further_cancel_that_is_refused_means_that_the_first_one_was_accepted() -> None:
    """The first cancel ends the job some seconds later, and the second one comes before that."""
    cancels = 0
    script: Script

    def answer(sent: Any) -> Answer:
        nonlocal cancels
        if sent.action == "CancelOTATaskByJob":
            cancels += 1
            return ok() if cancels == 1 else ENDED
        if sent.action == "QueryOTAJob":
            return ok(data=job(status="CANCELED" if sum(script.sleeps) >= 5 else "PLANNED"))
        return ok(data=[])

    script = Script(answer)

    assert "nothing is left unfinished" in cancel_by_job(script).summary
    assert (cancels, script.sleeps) == (3, [3.0, 6.0])
    assert len([event for event in script.events if isinstance(event, CancelRefused)]) == 2


def test_a_job_that_may_still_begin_is_an_error() -> None:
    platform = Planned(begins_after=99)

    with pytest.raises(OutcomeError, match="job 9001 may still begin: it was asked to cancel 4 times"):
        cancel_by_job(Script(platform))
    assert platform.cancels == 4


@pytest.mark.parametrize("is_taken", [True, False])
def test_a_count_that_is_refused_does_not_make_a_cancel_that_was_taken_a_refusal(is_taken: bool) -> None:
    counts = 0

    def answer(sent: Any) -> Answer:
        nonlocal counts
        if sent.action == "QueryOTAJob":
            return ok(data=job())
        counts += sent.action == "ListOTATaskByJob"
        if sent.action == "CancelOTATaskByJob" and not is_taken:
            return ENDED
        return ok(data=[]) if counts <= 4 else refused("iot.firmware.InvalidOTAJobId")

    script = Script(answer)

    with pytest.raises(NotFoundError) as failure:
        cancel_by_job(script)

    assert failure.value.in_doubt is is_taken
    assert any("The platform accepted the cancel of job 9001" in text for text in script.warnings) is is_taken
