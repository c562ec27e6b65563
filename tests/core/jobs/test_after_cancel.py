"""What is made of a cancel whose effect is read later: by one request, or by a count after another cancel."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_tuya_ota.core.jobs.stop import poll_after_cancel, stop_job
from airflow_provider_tuya_ota.core.jobs.stopped import NotCounted, Stopped
from tests.core.script import SETTINGS, Script, by_action, gateway, job, ok, refused, task

if TYPE_CHECKING:
    from tests.core.script import Answer, Sent

DENIED = gateway("SignatureDoesNotMatch", 403)


def test_where_it_cannot_be_read_whether_a_job_may_begin_nothing_else_is_asked() -> None:
    script = Script([DENIED])

    assert script.run(poll_after_cancel(SETTINGS, "9")) == NotCounted()
    assert script.actions == ["ListOTATaskByJob"]


def test_the_cancel_before_counts_where_the_count_of_a_job_that_may_begin_is_refused() -> None:
    script = Script([ok(data=[task("d1", "QUEUED")]), ok(), DENIED])

    assert script.run(poll_after_cancel(SETTINGS, "9")) == NotCounted()


def test_a_second_cancel_that_is_taken_counts_where_the_first_was_refused() -> None:
    def listed(sent: Sent) -> Answer:
        is_planned = script.actions.count("CancelOTATaskByJob") < 2
        wanted = sent.parameters.get("TaskStatus", "QUEUED")
        return ok(data=[] if is_planned or wanted != "QUEUED" else [task("d1", "QUEUED")])

    refusal = refused("iot.firmware.CancelUpgradeTaskFailed")
    script = Script(
        by_action(
            {
                "CancelOTATaskByJob": [refusal, ok(), ok(), ok()],
                "ListOTATaskByJob": listed,
                "QueryOTAJob": ok(data=job("9", "PLANNED")),
            }
        )
    )

    assert script.run(stop_job(SETTINGS, "9")) == Stopped(cancelled=0, waiting=1, flashing=0, is_taken=True)
