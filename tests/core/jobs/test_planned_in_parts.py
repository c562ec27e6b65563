"""A job whose device tasks are planned in parts: a cancel takes those that are there, and the next part may begin."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from airflow_provider_tuya_ota.core.actions import CancelOTATaskByJob
from airflow_provider_tuya_ota.core.errors import OutcomeError
from airflow_provider_tuya_ota.core.jobs.cancel_tasks import cancel_tasks_of_job
from airflow_provider_tuya_ota.core.jobs.stop import poll_after_cancel, stop_job
from airflow_provider_tuya_ota.core.jobs.stopped import NotCounted, Stopped
from tests.core.script import SETTINGS, Script, job, lost, ok, refused, task

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.core.script import Answer, Sent


class InParts:
    """Parts of two device tasks each, planned at a cancel each; the job ends when no part is left.

    :param parts: how many there are after the first.
    :param before: statuses of device tasks that had ended before.
    """

    def __init__(self, parts: int, before: Iterable[str] = ()) -> None:
        self.parts, self.statuses = parts, [*before, "QUEUED", "QUEUED"]
        self.cancels = 0
        self.query: Answer | None = None

    def __call__(self, sent: Sent) -> Answer:
        if sent.action == "CancelOTATaskByJob":
            self.cancels += 1
            self.statuses = ["CANCELED" if status == "QUEUED" else status for status in self.statuses]
            return ok()
        if sent.action == "QueryOTAJob":
            ended = not self.parts and "QUEUED" not in self.statuses
            answer = self.query or ok(data=job("9", "CANCELED" if ended else "IN_PROGRESS"))
            if self.parts and "QUEUED" not in self.statuses:
                # The next part is planned after the query.
                self.parts -= 1
                self.statuses += ["QUEUED", "QUEUED"]
            return answer
        wanted = sent.parameters.get("TaskStatus")
        found = [task(f"d{at}", status) for at, status in enumerate(self.statuses) if wanted in {status, None}]
        return ok(data=found, total=len(found))


@pytest.mark.parametrize(("parts", "sleeps"), [(0, []), (1, [3.0]), (2, [3.0, 6.0]), (3, [3.0, 6.0, 12.0])])
@pytest.mark.parametrize("before", [[], ["SUCCEEDED"], ["CANCELED"]])
def test_a_stop_cancels_the_parts_that_are_planned_after_the_first_cancel(
    parts: int, sleeps: list[float], before: list[str]
) -> None:
    platform = InParts(parts, before)
    script = Script(platform)

    stopped = script.run(stop_job(SETTINGS, "9"))

    assert stopped == Stopped(cancelled=2 * (parts + 1) + before.count("CANCELED"), waiting=0, flashing=0)
    assert stopped.is_complete
    assert (platform.cancels, script.sleeps) == (parts + 1, sleeps)


def test_a_job_that_goes_on_after_the_last_cancel_is_never_reported_as_stopped() -> None:
    script = Script(InParts(99))

    stopped = script.run(stop_job(SETTINGS, "9"))

    assert stopped == Stopped(cancelled=8, waiting=0, flashing=0, is_planned=True)
    assert not stopped.is_complete
    assert script.warnings[-1] == (
        "job 9 may still begin: it has not ended, and more device tasks than the 8 that were cancelled may be planned."
        " Cancel it again when it has some"
    )


def test_a_job_that_has_ended_costs_one_request_more_than_its_count() -> None:
    script = Script(InParts(0))

    script.run(stop_job(SETTINGS, "9"))

    assert script.actions.count("QueryOTAJob") == 1
    assert script.actions[-1] == "QueryOTAJob"


def test_where_a_device_waits_or_flashes_no_job_is_queried() -> None:
    platform = InParts(0, ["IN_PROGRESS"])
    script = Script(platform)

    assert script.run(stop_job(SETTINGS, "9")) == Stopped(cancelled=2, waiting=0, flashing=1)
    assert "QueryOTAJob" not in script.actions


def test_a_cancelled_job_that_cannot_be_queried_is_not_reported_as_stopped() -> None:
    platform = InParts(0)
    platform.query = lost()

    assert Script(platform).run(stop_job(SETTINGS, "9")) == NotCounted()


def test_a_cancelled_job_that_is_not_shown_may_still_begin() -> None:
    platform = InParts(0)
    platform.query = refused("iot.firmware.InvalidOTAJobId")

    stopped = Script(platform).run(stop_job(SETTINGS, "9"))

    assert stopped == Stopped(cancelled=2, waiting=0, flashing=0, is_planned=True)


def test_where_many_are_stopped_a_part_that_is_planned_later_is_cancelled_too() -> None:
    platform = InParts(1)
    platform.statuses = ["CANCELED"] * 2
    script = Script(platform)

    assert script.run(poll_after_cancel(SETTINGS, "9")) == Stopped(cancelled=4, waiting=0, flashing=0)


ACTION = CancelOTATaskByJob(job_id="9", cancel_queued_task=True)


@pytest.mark.parametrize("parts", [0, 1, 2, 3])
def test_an_operator_that_cancels_a_job_cancels_each_part(parts: int) -> None:
    platform = InParts(parts)

    cancelled = Script(platform).run(cancel_tasks_of_job(SETTINGS, ACTION))

    assert "nothing is left unfinished" in cancelled.summary
    assert (platform.cancels, set(platform.statuses), platform.parts) == (parts + 1, {"CANCELED"}, 0)


def test_an_operator_that_cancels_a_job_which_goes_on_says_so() -> None:
    with pytest.raises(OutcomeError, match="job 9 may still begin: it was asked to cancel 4 times"):
        Script(InParts(99)).run(cancel_tasks_of_job(SETTINGS, ACTION))
