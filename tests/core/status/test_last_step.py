from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from airflow_provider_tuya_ota.core.status.event import LONGEST_ERROR, Event
from airflow_provider_tuya_ota.core.status.last_step import report_last_step, worst_instance
from airflow_provider_tuya_ota.core.status.report import ReleaseReport
from airflow_provider_tuya_ota.core.status.step import Step
from tests.report_schema import violations

NOW = datetime(2026, 11, 24, 12, 0, 30, tzinfo=UTC)
CLEARED = datetime(2026, 11, 24, 12, 0, 0, tzinfo=UTC)
BEFORE, AFTER = "2026-11-24T11:00:00+00:00", "2026-11-24T12:00:10+00:00"
OWN = ("leaves_reports", "only_reads", "asks", "answer", "map_index")


def report(event: Event, step: str, **values: Any) -> ReleaseReport:
    return ReleaseReport(event=event, step=step, **{"started_at": "2026-11-24T12:00:00+00:00"} | values)


def step(task_id: str, state: str, event: Event | None = None, **values: Any) -> Step:
    own = {name: values.pop(name) for name in OWN if name in values}
    left = None if event is None else report(event, task_id, **values)
    return Step(task_id=task_id, state=state, report=left, run_link="https://airflow/x", **own)


def summary_of(*steps: Step) -> tuple[Event, str, str]:
    found = report_last_step(steps, NOW)
    return found.event, found.step, found.text


VERIFIED = step("verify", "success", Event.SUCCEEDED, job_id="1", counts={"SUCCEEDED": 2})


def test_the_last_step_that_began_is_reported_not_the_last_with_a_good_report() -> None:
    failed = step("upgrade", "failed", Event.FAILED, job_id="2", counts={"FAILED": 1})

    assert summary_of(VERIFIED, failed) == (Event.FAILED, "upgrade", "OTA job 2 failed: 1 FAILED, 0 s.")


def test_a_wait_that_a_person_broke_off_is_stopped_and_not_what_came_before() -> None:
    waiting = step("upgrade", "failed", Event.WAITING, job_id="2")
    found = report_last_step([VERIFIED, waiting], NOW)

    assert (found.event, found.job_id, found.counts, found.duration) == (Event.STOPPED, "2", {}, 30.0)
    assert found.text == (
        "OTA job 2 was stopped: step upgrade was marked failed by a person, or its process was lost, or its last report"
        " was not stored, 30 s."
    )


@pytest.mark.parametrize("state", ["failed", "success", "skipped"])
def test_a_job_that_nobody_cancels_with_its_wait_is_not_said_to_be_stopped(state: str) -> None:
    kept = step("upgrade", state, Event.WAITING, job_id="2", on_cancel="keep")
    watched = replace(step("upgrade", state, Event.WAITING, job_id="2"), only_reads=True)

    assert summary_of(VERIFIED, kept)[0] is Event.STOPPED
    assert "OTA job 2 was not cancelled, because on_cancel is 'keep', and is not" in summary_of(VERIFIED, kept)[2]
    assert "OTA job 2 was not cancelled, and is not waited for any more" in summary_of(VERIFIED, watched)[2]
    assert f"was marked {state} by a person" in summary_of(VERIFIED, kept)[2]


def test_what_a_broken_off_step_waited_for_is_reported() -> None:
    draining = step("upgrade", "failed", Event.WAITING, summary="waits for job 1")

    assert summary_of(draining)[2] == (
        "Step upgrade was stopped: step upgrade was marked failed by a person, or its process was lost, or its last"
        " report was not stored; it waits for job 1, 30 s."
    )


def test_a_wait_that_ended_without_a_report_may_also_have_lost_its_process() -> None:
    event, _, text = summary_of(step("upgrade", "failed", Event.WAITING, job_id="2"))

    assert event is Event.STOPPED
    assert "by a person, or its process was lost" in text


def test_a_lost_process_skips_no_step() -> None:
    assert summary_of(step("upgrade", "skipped", Event.WAITING, job_id="2"))[2] == (
        "OTA job 2 was stopped: step upgrade was marked skipped by a person, or its last report was not stored, 30 s."
    )


def test_a_success_whose_last_report_is_of_its_wait_may_have_lost_the_report_of_its_end() -> None:
    waiting = step("verify", "success", Event.WAITING, job_id="2")

    assert summary_of(waiting)[2] == (
        "OTA job 2 was stopped: step verify was marked success by a person, or its last report was not stored, 30 s."
    )


def test_a_wait_that_goes_on_is_under_way() -> None:
    event, _, text = summary_of(step("upgrade", "deferred", Event.WAITING, job_id="2"))

    assert (event, text) == (Event.WAITING, "OTA job 2 is under way, 30 s.")


def test_a_duration_that_is_unclear_is_no_error() -> None:
    broken = Step(task_id="upgrade", state="failed", report=ReleaseReport(event=Event.WAITING, started_at="?"))

    assert report_last_step([broken], NOW).duration == 0.0


def test_a_failure_that_a_person_marked_as_success_stays_one() -> None:
    event, _, text = summary_of(step("upgrade", "success", Event.FAILED, job_id="2", error="Why."))

    assert event is Event.FAILED
    assert "failed, and the step was marked success by a person" in text


def test_a_success_that_was_marked_failed_is_none() -> None:
    event, _, text = summary_of(step("upgrade", "failed", Event.SUCCEEDED, job_id="2"))

    assert event is Event.STOPPED
    assert "succeeded, and the step was marked failed by a person" in text


@pytest.mark.parametrize(
    ("state", "own", "event", "said"),
    [
        ("failed", {}, Event.UNCLEAR, "left no report"),
        ("success", {}, Event.STOPPED, "did not run"),
        ("running", {}, Event.WAITING, "is running"),
        ("failed", {"leaves_reports": False}, Event.FAILED, "its log says why"),
    ],
)
def test_a_step_without_a_report_is_reported_by_its_state(
    state: str, own: dict[str, Any], event: Event, said: str
) -> None:
    found = report_last_step([VERIFIED, step("upgrade", state, **own)], NOW)

    assert (found.event, found.step, found.run_link) == (event, "upgrade", "https://airflow/x")
    assert said in found.text
    assert "Before it, step verify succeeded: OTA job 1 succeeded: 2 SUCCEEDED" in found.text


@pytest.mark.parametrize(
    "state", ["running", "deferred", "awaiting_input", "restarting", "up_for_retry", "up_for_reschedule"]
)
def test_a_step_that_goes_on_has_begun_and_has_no_end(state: str) -> None:
    assert summary_of(VERIFIED, step("upgrade", state))[:2] == (Event.WAITING, "upgrade")
    assert summary_of(step("upgrade", state, Event.WAITING, job_id="2"))[0] is Event.WAITING


def test_a_step_before_the_last_one_that_was_skipped_is_not_said_to_follow_it() -> None:
    assert summary_of(step("check", "skipped"), VERIFIED)[:2] == (Event.SUCCEEDED, "verify")


@pytest.mark.parametrize("state", ["skipped", "upstream_failed", "removed", ""])
def test_a_release_that_ends_between_two_steps_is_stopped(state: str) -> None:
    found = report_last_step([VERIFIED, step("upgrade", state)], NOW)

    assert (found.event, found.step, found.counts) == (Event.STOPPED, "verify", {"SUCCEEDED": 2})
    assert f"succeeded, but what follows was not begun: upgrade ({state or 'no state'})" in found.text


def test_a_refusal_stays_one_when_what_follows_is_not_begun() -> None:
    found = summary_of(step("check", "failed", Event.REFUSED, error="Why."), step("verify", "upstream_failed"))

    assert found == (Event.REFUSED, "check", "Step check was refused, nothing was started, 0 s. Why.")


def test_steps_of_others_that_succeeded_are_passed_over() -> None:
    approve = step("approve", "success", leaves_reports=False)

    assert summary_of(VERIFIED, approve)[:2] == (Event.SUCCEEDED, "verify")


def test_a_step_that_skipped_itself_has_begun_and_a_report_of_before_a_clear_does_not_count() -> None:
    soft = step("wait", "skipped", Event.TIMEOUT, job_id="3")

    assert summary_of(soft)[0] is Event.TIMEOUT
    assert summary_of(VERIFIED, step("upgrade", "upstream_failed", Event.FAILED))[:2] == (Event.STOPPED, "verify")
    assert summary_of(VERIFIED, step("upgrade", "skipped", Event.SUCCEEDED))[:2] == (Event.STOPPED, "verify")


def test_a_run_of_which_nothing_began_says_so() -> None:
    event, first, text = summary_of(step("verify", "skipped"), step("upgrade", ""))

    assert (event, first) == (Event.STOPPED, "verify")
    assert "was not begun: verify (skipped), upgrade (no state)" in text


def test_a_question_that_a_person_marked_failed_is_stopped_and_says_what_was_not_begun() -> None:
    marked = step("approve", "failed", leaves_reports=False, asks=True)
    event, at, text = summary_of(VERIFIED, marked, step("everybody", "upstream_failed"))

    assert (event, at) == (Event.STOPPED, "approve")
    assert text.startswith("Step approve was stopped: it asks a person, and was marked failed, rejected, not answered")
    assert "; not begun: everybody (upstream_failed)" in text
    assert "Before it, step verify succeeded: OTA job 1 succeeded: 2 SUCCEEDED" in text


def test_a_question_that_failed_at_the_end_of_a_run_leaves_nothing_behind() -> None:
    event, _, text = summary_of(VERIFIED, step("approve", "failed", leaves_reports=False, asks=True))

    assert event is Event.STOPPED
    assert "not begun" not in text


ANSWERS = [
    ({"responded_by_user": {"id": "7", "name": "ann"}}, " by ann"),
    ({"responded_by_user": {"id": "7", "name": "a\nb\x1b[1m" + "n" * 200}}, " by a"),
    ({"responded_by_user": {"id": "7"}}, " by 7"),
    ({"responded_by_user": None}, ""),
    ({}, ""),
]


@pytest.mark.parametrize(("answer", "by"), ANSWERS)
def test_a_rejection_is_reported_and_by_whom(answer: dict[str, Any], by: str) -> None:
    whole = {"chosen_options": ["Reject"]} | answer
    rejected = step("approve", "success", leaves_reports=False, asks=True, answer=whole)
    event, at, text = summary_of(VERIFIED, rejected, step("everybody", "skipped"))

    assert (event, at) == (Event.STOPPED, "verify")
    assert f"succeeded, but step approve was rejected{by}" in text
    assert text.split(": 2 SUCC")[0].endswith(", and what follows was not begun: everybody (skipped)")
    assert len(text) < 300


def test_a_rejection_before_anything_began_is_reported() -> None:
    rejected = step("approve", "success", leaves_reports=False, asks=True, answer={"chosen_options": ["Reject"]})
    event, _, text = summary_of(rejected, step("verify", "skipped"))

    assert event is Event.STOPPED
    assert "was not begun, because step approve was rejected: verify (skipped)" in text


@pytest.mark.parametrize("answer", [None, "a text", {}, {"chosen_options": None}, {"chosen_options": ["Approve"]}])
def test_any_other_answer_is_no_rejection(answer: Any) -> None:
    asked = step("approve", "success", leaves_reports=False, asks=True, answer=answer)

    assert "rejected" not in summary_of(VERIFIED, asked, step("everybody", "skipped"))[2]


@pytest.mark.parametrize(
    ("instances", "worst"),
    [
        ([("success", Event.SUCCEEDED), ("skipped", Event.TIMEOUT)], 1),
        ([("success", Event.SUCCEEDED), ("success", Event.FAILED)], 1),
        ([("failed", Event.REFUSED), ("failed", Event.FAILED)], 1),
        ([("failed", Event.REFUSED), ("failed", Event.UNCLEAR), ("running", Event.WAITING)], 1),
        ([("removed", None), ("failed", Event.FAILED)], 1),
        ([("skipped", None), ("success", Event.SUCCEEDED)], 1),
        ([("removed", None)], 0),
    ],
)
def test_of_several_instances_the_one_with_the_worst_end_stands_for_all(
    instances: list[tuple[str, Event | None]], worst: int
) -> None:
    steps = [step(f"upgrade {number}", state, event) for number, (state, event) in enumerate(instances)]

    assert replace(worst_instance(steps, NOW), tally="") == steps[worst]


def test_of_several_instances_the_worst_is_named_and_the_others_are_counted() -> None:
    refused = step("up", "failed", Event.REFUSED, map_index=1, error="No.")
    released = step("up", "success", Event.SUCCEEDED, map_index=0, job_id="1")
    waits = step("up", "scheduled", map_index=2)

    event, named, text = summary_of(worst_instance([released, refused, waits], NOW))

    assert (event, named) == (Event.REFUSED, "up[1]")
    assert text == (
        "Step up[1] was refused, nothing was started (of 3 instances 1 succeeded, 1 refused, 1 not begun), 0 s. No."
    )
    assert summary_of(worst_instance([refused], NOW))[1] == "up"


@pytest.mark.parametrize(("state", "how"), [("failed", "failed"), ("success", "was marked success")])
def test_a_step_that_pushed_its_job_and_left_no_report_had_started_it(state: str, how: str) -> None:
    found = report_last_step([Step(task_id="up", state=state, job_id="9")], NOW)

    assert (found.event, found.job_id) == (Event.STOPPED, "9")
    assert found.text == (
        f"OTA job 9 was started by step up, which {how} and left no report: a person marked it, or its process was"
        " lost, 0 s."
    )


def test_a_step_that_goes_on_without_a_report_is_not_taken_for_its_job() -> None:
    found = report_last_step([Step(task_id="up", state="running", job_id="9")], NOW)

    assert (found.event, found.job_id, found.text) == (Event.WAITING, "", "Step up is running, 0 s.")


@pytest.mark.parametrize(
    ("own", "begins"),
    [(0, "Before it, "), (100, "u" * 100 + " Before it, "), (LONGEST_ERROR, "u" * (LONGEST_ERROR // 2 - 2))],
    ids=["none", "short", "long"],
)
@pytest.mark.parametrize("earlier", [0, 100, LONGEST_ERROR])
def test_an_error_with_what_was_before_it_is_as_short_as_any_other(own: int, begins: str, earlier: int) -> None:
    before = step("verify", "failed", Event.FAILED, job_id="1836", error="v" * earlier)
    last = step("upgrade", "failed", Event.REFUSED, error="u" * own)

    values = report_last_step([before, last], NOW).to_dict()

    assert violations(values) == []
    assert values["error"].startswith(begins)
    assert len(values["error"]) >= LONGEST_ERROR - 1 or own + earlier < LONGEST_ERROR
    assert "Before it, step verify failed: Step verify (OTA job 1836) failed" in values["error"]


def test_what_a_step_left_before_the_run_was_cleared_is_not_reported_where_a_rejection_skipped_it_now() -> None:
    rejected = step("approve", "success", leaves_reports=False, asks=True, answer={"chosen_options": ["Reject"]})
    stale = step("everybody", "skipped", Event.FAILED, job_id="2", counts={"FAILED": 1})

    event, found, text = summary_of(VERIFIED, rejected, stale)

    assert (event, found) == (Event.STOPPED, "verify")
    assert "step approve was rejected, and what follows was not begun: everybody (skipped)" in text


def test_only_of_a_step_that_may_have_started_a_job_it_is_said_to_be_unknown() -> None:
    clause = "whether it started a job is not known"

    assert clause in summary_of(step("upgrade", "failed"))[2]
    assert clause not in summary_of(step("wait", "failed", only_reads=True))[2]
