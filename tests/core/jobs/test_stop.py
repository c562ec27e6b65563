from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_tuya_ota.core.errors import ConfigurationError, Delivery, TransportError
from airflow_provider_tuya_ota.core.jobs.stop import not_stopped, poll_after_cancel, stop_job
from airflow_provider_tuya_ota.core.jobs.stop_events import CancelRefused, CancelSent
from airflow_provider_tuya_ota.core.jobs.stopped import NotCounted, Stopped
from airflow_provider_tuya_ota.core.model.states import UNFINISHED
from airflow_provider_tuya_ota.core.status.task_counts import count_tasks
from tests.core.script import SETTINGS, Script, gateway, job, lost, ok, refused, task

if TYPE_CHECKING:
    from airflow_provider_tuya_ota.core.jobs.stopped import StopResult
    from tests.core.script import Answer, Sent


class Job:
    """A job whose device tasks are listed by status, with or without totals."""

    def __init__(
        self, cancel: Answer | None = None, *, totals: bool = True, filters: bool = True, **counts: int
    ) -> None:
        self.statuses = [status for status, number in counts.items() for _ in range(number)]
        self.cancel, self.totals, self.filters = cancel or ok(), totals, filters
        self.after: list[str] | None = None
        self.most = 100

    def __call__(self, sent: Sent) -> Answer:
        if sent.action == "CancelOTATaskByJob":
            if self.after is not None:
                self.statuses = self.after
            return self.cancel
        if sent.action == "QueryOTAJob":
            has_ended = not set(self.statuses) & set(UNFINISHED)
            return ok(data=job("9", "COMPLETED" if has_ended else "IN_PROGRESS"))
        wanted = sent.parameters.get("TaskStatus")
        number, size = int(sent.parameters["CurrentPage"]), min(int(sent.parameters["PageSize"]), self.most)
        found = [
            task(f"d{place}", status)
            for place, status in enumerate(self.statuses)
            if not self.filters or wanted in {status, None}
        ]
        extra: dict[str, Any] = {"total": len(found)} if self.totals else {}
        return ok(data=found[(number - 1) * size : number * size], **extra)


def require_counted(outcome: StopResult) -> Stopped:
    assert isinstance(outcome, Stopped)
    return outcome


def counts(script: Script) -> dict[str, int]:
    found = script.run(count_tasks(SETTINGS, "9", UNFINISHED))
    return {status.value: number for status, number in found.items()}


EXPECTED = {"CONFIRM": 0, "QUEUED": 250, "NOTIFIED": 3, "IN_PROGRESS": 100}


def test_tasks_are_counted_with_a_request_for_each_status_where_totals_are_reported() -> None:
    script = Script(Job(QUEUED=250, NOTIFIED=3, IN_PROGRESS=100, SUCCEEDED=500))

    assert counts(script) == EXPECTED
    # A full page whose total is no larger may be all there is, or the platform counts the page: read on.
    assert len(script.sent) == 4 + 2


def test_tasks_are_counted_one_by_one_where_no_totals_are_reported() -> None:
    assert counts(Script(Job(totals=False, QUEUED=250, NOTIFIED=3, IN_PROGRESS=100))) == EXPECTED


def test_tasks_are_counted_right_by_a_platform_that_does_not_filter() -> None:
    assert counts(Script(Job(filters=False, QUEUED=250, NOTIFIED=3, IN_PROGRESS=100, FAILED=7))) == EXPECTED


def test_a_platform_that_shows_fewer_tasks_on_a_page_than_it_was_asked_for_is_counted_right() -> None:
    platform = Job(QUEUED=25, IN_PROGRESS=11)
    platform.most = 10

    assert counts(Script(platform)) == {"CONFIRM": 0, "QUEUED": 25, "NOTIFIED": 0, "IN_PROGRESS": 11}


def test_everything_that_waits_is_cancelled_and_what_flashes_is_said() -> None:
    platform = Job(CONFIRM=1, QUEUED=2, NOTIFIED=1, IN_PROGRESS=3)
    platform.after = ["CANCELED"] * 3 + ["IN_PROGRESS"] * 4
    script = Script(platform)

    stopped = require_counted(script.run(stop_job(SETTINGS, "9")))

    assert stopped == Stopped(cancelled=3, waiting=0, flashing=4)
    (cancel,) = [sent for sent in script.sent if sent.action == "CancelOTATaskByJob"]
    switches = {name: value for name, value in cancel.parameters.items() if name.startswith("Cancel")}
    assert switches == {"CancelQueuedTask": "true", "CancelNotifiedTask": "true", "CancelUnconfirmedTask": "true"}
    assert script.warnings == ["job 9: 3 device tasks cancelled, 4 are flashing and cannot be stopped"]


@pytest.mark.parametrize(
    ("answer", "event", "job"),
    [(ok(), CancelSent, "job 9"), (refused("iot.firmware.JobAlreadyCanceled"), CancelRefused, "job 9")],
)
def test_what_the_platform_makes_of_a_cancel_is_reported(answer: Answer, event: type, job: str) -> None:
    script = Script(Job(answer, IN_PROGRESS=1))

    script.run(stop_job(SETTINGS, "9"))

    assert type(script.events[0]) is event
    assert job in script.lines[0].lower()


def test_the_cancel_is_sent_before_anything_else_because_there_may_be_no_time_for_more() -> None:
    script = Script(Job(IN_PROGRESS=2, SUCCEEDED=1))

    assert script.run(stop_job(SETTINGS, "9")) == Stopped(cancelled=0, waiting=0, flashing=2)
    assert script.actions[0] == "CancelOTATaskByJob"


def test_a_cancel_that_got_through_is_no_failure_because_nobody_can_count() -> None:
    platform = Job(QUEUED=1)
    script = Script(lambda sent: platform(sent) if sent.action == "CancelOTATaskByJob" else lost())

    stopped = script.run(stop_job(SETTINGS, "9"))

    assert stopped == NotCounted()
    assert script.warnings[-1] == (
        "job 9: its cancel was sent, its effect was not counted; devices that are flashing go on"
    )


def test_a_job_that_was_not_stopped_is_left_to_a_person() -> None:
    refused = ConfigurationError("The connection has no key.")

    assert not_stopped("9", refused) == (
        "Job 9 was not stopped; cancel its device tasks in the vendor's console. The connection has no key."
    )


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (TransportError("No answer.", endpoint="a", delivery=Delivery.UNKNOWN), "it may have been carried out."),
        (ZeroDivisionError(), "ZeroDivisionError."),
    ],
)
def test_a_job_whose_cancel_may_have_been_carried_out_is_not_said_to_go_on(error: Exception, sentence: str) -> None:
    said = not_stopped("9", error)

    assert said.startswith("Whether job 9 was stopped is not known; look at its device tasks in the vendor's console. ")
    assert said.endswith(sentence)


@pytest.mark.parametrize("code", ["iot.firmware.JobAlreadyCanceled", "iot.firmware.CancelUpgradeTaskFailed"])
def test_a_job_that_has_ended_meanwhile_is_as_good(code: str) -> None:
    platform = Job(refused(code), QUEUED=2)
    platform.after = ["CANCELED"] * 2

    assert require_counted(Script(platform).run(stop_job(SETTINGS, "9"))).waiting == 0


def test_a_refused_cancel_whose_job_cannot_be_counted_is_no_success() -> None:
    refusal = refused("iot.firmware.CancelUpgradeTaskFailed")
    script = Script(lambda sent: refusal if sent.action == "CancelOTATaskByJob" else lost())

    with pytest.raises(TransportError):
        script.run(stop_job(SETTINGS, "9"))


def test_what_could_not_be_cancelled_is_said() -> None:
    script = Script(Job(refused("iot.firmware.CancelUpgradeTaskFailed"), QUEUED=2))

    assert script.run(stop_job(SETTINGS, "9")) == Stopped(cancelled=0, waiting=2, flashing=0, is_taken=False)
    assert "2 could not be cancelled and may still begin" in script.warnings[-1]


class Late:
    """A job whose cancel is taken and has its effect at a later count; another cancel is refused."""

    def __init__(self, *, at_count: int, first: Answer | None = None) -> None:
        self.at_count, self.answers, self.counts = at_count, [first or ok()], 0

    def __call__(self, sent: Sent) -> Answer:
        if sent.action == "CancelOTATaskByJob":
            return self.answers.pop() if self.answers else refused("iot.firmware.JobAlreadyCanceled")
        if sent.action == "QueryOTAJob":
            return ok(data=job("9", "CANCELED" if self.counts >= self.at_count else "IN_PROGRESS"))
        wanted = sent.parameters.get("TaskStatus")
        self.counts += wanted == "CANCELED"
        status = "CANCELED" if self.counts >= self.at_count else "QUEUED"
        return ok(data=[task("d1", status)] if wanted in {status, None} else [], total=int(wanted in {status, None}))


@pytest.mark.parametrize("first", [None, lost()])
def test_a_cancel_that_has_its_effect_later_is_counted_again_and_not_reported_as_refused(first: Answer | None) -> None:
    script = Script(Late(at_count=3, first=first))

    assert script.run(stop_job(SETTINGS, "9")) == Stopped(cancelled=1, waiting=0, flashing=0)


def test_what_waits_still_after_a_cancel_that_was_taken_is_not_said_to_have_been_refused() -> None:
    script = Script(Late(at_count=99))

    stopped = require_counted(script.run(stop_job(SETTINGS, "9")))

    assert (stopped.waiting, stopped.is_taken) == (1, True)
    assert stopped.line("9") == (
        "job 9: 0 device tasks cancelled, 1 still waited when they were counted, although the platform may have taken"
        " the cancel, 0 are flashing and cannot be stopped"
    )


def test_a_lost_cancel_is_repeated_and_then_reported() -> None:
    script = Script(Job(lost(), QUEUED=1))

    with pytest.raises(TransportError):
        script.run(stop_job(SETTINGS, "9"))
    assert script.actions.count("CancelOTATaskByJob") == 5


class Planned:
    """A job without device tasks, of a platform that may take a cancel of such a job without ending it."""

    def __init__(self, *, ends_with_cancel: int, status: str = "PLANNED") -> None:
        self.ends_with_cancel, self.status, self.cancels = ends_with_cancel, status, 0

    def __call__(self, sent: Sent) -> Answer:
        if sent.action == "CancelOTATaskByJob":
            self.cancels += 1
            if self.cancels == self.ends_with_cancel:
                self.status = "CANCELED"
        if sent.action == "QueryOTAJob":
            return ok(data=job("9", jobStatus=self.status))
        return ok(data=[])


def test_a_job_that_a_cancel_has_ended_before_its_tasks_were_planned_is_stopped() -> None:
    platform = Planned(ends_with_cancel=1)
    script = Script(platform)

    assert script.run(stop_job(SETTINGS, "9")) == Stopped(cancelled=0, waiting=0, flashing=0)
    assert (platform.cancels, script.sleeps) == (1, [])


def test_a_job_without_device_tasks_that_goes_on_is_cancelled_again() -> None:
    platform = Planned(ends_with_cancel=3)
    script = Script(platform)

    assert not require_counted(script.run(stop_job(SETTINGS, "9"))).is_planned
    assert (platform.cancels, script.sleeps) == (3, [3.0, 6.0])


def test_a_job_that_no_cancel_ends_before_its_tasks_are_planned_is_left_to_a_person() -> None:
    script = Script(Planned(ends_with_cancel=0))

    assert script.run(stop_job(SETTINGS, "9")) == Stopped(cancelled=0, waiting=0, flashing=0, is_planned=True)
    assert script.sleeps == [3.0, 6.0, 12.0]
    assert script.warnings[-1].startswith("job 9 may still begin: it has not ended")


def test_a_job_that_is_not_shown_yet_may_still_begin() -> None:
    platform = Planned(ends_with_cancel=0)
    missing = refused("iot.firmware.InvalidOTAJobId")
    script = Script(lambda sent: missing if sent.action == "QueryOTAJob" else platform(sent))

    assert require_counted(script.run(stop_job(SETTINGS, "9"))).is_planned
    assert platform.cancels == 4


def test_where_many_are_stopped_a_job_that_may_still_begin_is_cancelled_again_before_it_is_counted() -> None:
    platform = Planned(ends_with_cancel=1)
    script = Script(platform)

    assert not require_counted(script.run(poll_after_cancel(SETTINGS, "9"))).is_planned
    assert (platform.cancels, script.sleeps) == (1, [])
    assert script.actions[:3] == ["ListOTATaskByJob", "QueryOTAJob", "CancelOTATaskByJob"]
    assert script.warnings[0] == "Job 9 still has not ended. Cancelling again now"


def test_where_many_are_stopped_a_further_cancel_that_fails_is_reported_and_the_job_counted() -> None:
    platform, denied = Planned(ends_with_cancel=9), gateway("SignatureDoesNotMatch", 403)
    script = Script(lambda sent: denied if sent.action == "CancelOTATaskByJob" else platform(sent))

    assert require_counted(script.run(poll_after_cancel(SETTINGS, "9"))).is_planned
    assert "Cancelling job 9 again failed, an earlier cancel may have been accepted" in script.warnings[1]


def test_where_many_are_stopped_one_that_has_ended_costs_two_requests() -> None:
    script = Script(Job(CANCELED=3))

    assert script.run(poll_after_cancel(SETTINGS, "9")) == NotCounted()
    assert script.actions == ["ListOTATaskByJob", "QueryOTAJob"]


def test_where_many_are_stopped_a_poll_that_fails_takes_nothing_from_the_cancel() -> None:
    script = Script(lambda sent: lost())

    assert script.run(poll_after_cancel(SETTINGS, "9")) == NotCounted()


def test_whether_a_cancelled_job_may_still_begin_can_be_unknown() -> None:
    platform = Planned(ends_with_cancel=0)
    script = Script(lambda sent: lost() if sent.action == "QueryOTAJob" else platform(sent))

    assert script.run(stop_job(SETTINGS, "9")) == NotCounted()


def test_device_tasks_that_are_planned_while_they_are_counted_are_cancelled() -> None:
    """The counts were empty, and the tasks are there a moment later."""
    cancels: list[str] = []
    counted = 0

    def answer(sent: Sent) -> Answer:
        nonlocal counted
        if sent.action == "CancelOTATaskByJob":
            cancels.append(sent.action)
            return ok()
        if sent.action == "QueryOTAJob":
            return ok(data=job("9", "IN_PROGRESS" if len(cancels) == 1 else "CANCELED"))
        counted += "TaskStatus" in sent.parameters
        status = sent.parameters.get("TaskStatus")
        now = "QUEUED" if len(cancels) == 1 else "CANCELED"
        there = counted >= 5 and status in {now, None}
        return ok(data=[task("d1", now)] if there and not (status == now == "CANCELED" and counted < 6) else [])

    script = Script(answer)

    stopped = require_counted(script.run(stop_job(SETTINGS, "9")))

    assert (stopped.cancelled, stopped.waiting, stopped.is_planned) == (1, 0, False)
    assert (len(cancels), script.sleeps) == (2, [3.0])


def test_device_tasks_that_are_planned_after_the_cancel_are_cancelled_too() -> None:
    platform = Job()
    cancels = 0

    def answer(sent: Sent) -> Answer:
        nonlocal cancels
        if sent.action == "CancelOTATaskByJob":
            cancels += 1
            platform.statuses = ["QUEUED"] * 2 if cancels == 1 else ["CANCELED"] * 2
            return ok()
        return platform(sent)

    script = Script(answer)

    assert script.run(stop_job(SETTINGS, "9")) == Stopped(cancelled=2, waiting=0, flashing=0)
    assert (cancels, script.sleeps) == (2, [3.0])
