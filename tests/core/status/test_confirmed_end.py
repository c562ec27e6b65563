"""The end of a step that no report tells, as a poll of its job shows it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from airflow_provider_tuya_ota.core.model.verdict import Outcome, Verdict
from airflow_provider_tuya_ota.core.status.event import Event
from airflow_provider_tuya_ota.core.status.last_step import confirm_end, needs_poll, report_last_step
from airflow_provider_tuya_ota.core.status.step import Step
from tests.core.status.test_last_step import NOW, report, step, summary_of


def verdict(outcome: Outcome, **counts: int) -> Verdict:
    return Verdict(
        job_id="2",
        firmware_id="",
        job_type="UPGRADE_FIRMWARE",
        job_status="COMPLETED" if outcome.has_ended else "IN_PROGRESS",
        firmware_status="",
        outcome=outcome,
        why="not every device was upgraded (1 FAILED)",
        counts=counts,
    )


ENDS = {
    "goes on": step("up", "deferred", Event.WAITING, job_id="2", map_index=1),
    "waiting": step("up", "success", Event.WAITING, job_id="2", map_index=1),
    "none": Step(task_id="up", state="success", job_id="2", map_index=1),
    "failed": step("up", "failed", Event.WAITING, job_id="2", map_index=1),
    "skipped": step("up", "skipped", Event.WAITING, job_id="2", map_index=1),
    "good": step("up", "success", Event.SUCCEEDED, job_id="2", map_index=1),
    "bad": step("up", "success", Event.FAILED, job_id="2", map_index=1),
    "other": step("up", "success", Event.WAITING, job_id="2", map_index=0),
    "another": step("other", "success", Event.WAITING, job_id="2", map_index=1),
}


@pytest.mark.parametrize(
    ("end", "name"), [("waiting", "up[1]"), ("none", "up[1]"), ("waiting", "up")], ids=["waiting", "none", "not mapped"]
)
def test_a_poll_confirms_a_success_that_left_no_report_of_its_end(end: str, name: str) -> None:
    polled = report(Event.STOPPED, name, job_id="2", counts={"SUCCEEDED": 2})
    (found,) = confirm_end([ENDS[end]], polled, verdict(Outcome.SUCCEEDED, SUCCEEDED=2))

    event, named, text = summary_of(found)
    assert (event, named) == (Event.SUCCEEDED, name)
    assert text == (
        "OTA job 2 succeeded, as a poll shows: the step's last report was not stored, or a person marked it success:"
        " 2 SUCCEEDED, 0 s."
    )


def test_a_poll_that_shows_the_success_of_a_job_makes_its_failed_step_no_success() -> None:
    polled = report(Event.STOPPED, "up[1]", job_id="2", counts={"SUCCEEDED": 2})
    (found,) = confirm_end([ENDS["failed"]], polled, verdict(Outcome.SUCCEEDED, SUCCEEDED=2))

    event, _, text = summary_of(found)
    assert event is Event.STOPPED
    assert text == (
        "OTA job 2 succeeded, as a poll shows, but step up was marked failed by a person, or its process was lost, or"
        " its last report was not stored: 2 SUCCEEDED, 0 s."
    )


@pytest.mark.parametrize(
    ("end", "how"),
    [
        ("failed", "failed by a person, or its process was lost, or its last report was not stored"),
        ("skipped", "skipped by a person, or its last report was not stored"),
        ("waiting", "success by a person, or its last report was not stored"),
        ("none", "success by a person, or its last report was not stored"),
    ],
)
def test_a_poll_confirms_the_failure_of_a_job_that_no_report_tells(end: str, how: str) -> None:
    polled = report(Event.STOPPED, "up[1]", job_id="2", counts={"FAILED": 1})
    (found,) = confirm_end([ENDS[end]], polled, verdict(Outcome.FAILED, FAILED=1))

    event, named, text = summary_of(found)
    assert (event, named) == (Event.FAILED, "up[1]")
    assert text == (
        f"OTA job 2 failed, as a poll shows; step up was marked {how}: 1 FAILED, 0 s."
        " job 2: not every device was upgraded (1 FAILED)"
    )


@pytest.mark.parametrize(
    "found",
    [
        verdict(Outcome.FAILED, FAILED=1, CANCELED=1),
        replace(verdict(Outcome.FAILED, FAILED=1), job_status="CANCELED"),
        verdict(Outcome.RUNNING, FAILED=1, IN_PROGRESS=1),
        verdict(Outcome.SETTLING, FAILED=1),
    ],
    ids=["cancelled device", "cancelled job", "running", "settling"],
)
def test_a_job_that_a_stop_may_have_failed_or_that_goes_on_stays_stopped(found: Verdict) -> None:
    polled = report(Event.STOPPED, "up[1]", job_id="2", counts=found.counts)

    assert confirm_end([ENDS["failed"]], polled, found) == [ENDS["failed"]]


AWAY = step("up", "failed", Event.UNREACHABLE, job_id="2", error="Why.", counts={"QUEUED": 1})


def test_a_failed_step_that_could_not_poll_its_job_may_have_been_marked_before_its_next_try() -> None:
    event, _, text = summary_of(AWAY)

    assert event is Event.UNREACHABLE
    assert text == (
        "OTA job 2 could not be polled for too long, and step up failed then, or a person marked it failed before its"
        " next try: 1 QUEUED, 0 s. Why."
    )


@pytest.mark.parametrize(
    ("left", "needs"),
    [
        (AWAY, True),
        (replace(AWAY, state="success"), True),
        (replace(AWAY, state="skipped"), True),
        (replace(AWAY, state="up_for_retry"), False),
        (replace(AWAY, report=report(Event.UNREACHABLE, "up")), False),
        (step("up", "failed", Event.WAITING, job_id="2"), True),
        (step("up", "failed", Event.WAITING), False),
        (step("up", "failed", Event.WAITING, job_id="2", counts={"FAILED": 1}), False),
        (step("up", "failed", Event.FAILED, job_id="2"), False),
    ],
)
def test_a_job_is_polled_where_no_report_tells_its_end(left: Step, needs: bool) -> None:
    other = step("other", "failed", Event.UNREACHABLE, job_id="1")

    assert needs_poll([other, left], report_last_step([left], NOW)) is needs


@pytest.mark.parametrize("state", ["failed", "success"])
def test_a_poll_shows_the_failure_of_a_job_that_its_step_could_not_poll(state: str) -> None:
    away = replace(AWAY, state=state)
    polled = replace(report_last_step([away], NOW), counts={"FAILED": 1})
    (found,) = confirm_end([away], polled, verdict(Outcome.FAILED, FAILED=1))

    assert summary_of(found)[0] is Event.FAILED
    assert summary_of(found)[2].startswith(
        f"OTA job 2 failed, as a poll shows; step up could not poll it for too long, and ended {state}: 1 FAILED"
    )
    assert confirm_end([away], polled, verdict(Outcome.SUCCEEDED, SUCCEEDED=1)) == [away]


@pytest.mark.parametrize("outcome", [Outcome.SUCCEEDED, Outcome.FAILED])
@pytest.mark.parametrize("end", ["good", "bad", "other", "another", "goes on"])
def test_a_poll_confirms_nothing_else(end: str, outcome: Outcome) -> None:
    polled = report(Event.STOPPED, "up[1]", job_id="2", counts={"SUCCEEDED": 2})

    assert confirm_end([ENDS[end]], polled, verdict(outcome, SUCCEEDED=2)) == [ENDS[end]]
