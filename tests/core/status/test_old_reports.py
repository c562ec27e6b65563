"""What a step did before the run was cleared is no end of this run."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_tuya_ota.core.status.event import Event
from airflow_provider_tuya_ota.core.status.old_reports import set_aside_old_reports
from tests.core.status.test_last_step import VERIFIED, step, summary_of

if TYPE_CHECKING:
    from airflow_provider_tuya_ota.core.status.step import Step

CLEARED = datetime(2026, 11, 24, 12, 0, 0, tzinfo=UTC)
BEFORE, AFTER = "2026-11-24T11:00:00+00:00", "2026-11-24T12:00:10+00:00"


def this_time(*steps: Step, cleared_at: datetime | None = CLEARED) -> tuple[Event, str, str]:
    return summary_of(*(one for (one,) in set_aside_old_reports([[one] for one in steps], cleared_at)))


def test_a_step_that_is_skipped_after_a_clear_is_not_reported_with_what_it_did_before() -> None:
    old = step("upgrade", "skipped", Event.FAILED, job_id="2", counts={"FAILED": 1}, started_at=BEFORE)
    event, at, text = this_time(VERIFIED, old)

    assert (event, at) == (Event.STOPPED, "verify")
    assert "succeeded, but what follows was not begun: upgrade (skipped; its older report says failed, job 2)" in text
    assert this_time(old)[1:] == (
        "upgrade",
        "Step upgrade was not begun: upgrade (skipped; its older report says failed, job 2), 0 s.",
    )


@pytest.mark.parametrize("cleared_at", [CLEARED, None], ids=["cleared", "cleared, and nothing shows it"])
def test_the_job_of_this_time_is_reported_and_not_that_of_a_skipped_step(cleared_at: datetime | None) -> None:
    waits = step("first", "failed", Event.WAITING, job_id="333")
    old = step("upgrade", "skipped", Event.FAILED, job_id="111", started_at=BEFORE)

    event, at, text = this_time(waits, old, cleared_at=cleared_at)

    assert (event, at) == (Event.STOPPED, "first")
    assert text.startswith("OTA job 333 ")


@pytest.mark.parametrize("cleared_at", [CLEARED, None])
@pytest.mark.parametrize("kind", [{"only_reads": True}, {"leaves_reports": False}, {}], ids=["sensor", "own", "marked"])
def test_a_step_that_skipped_itself_this_time_keeps_its_report(
    kind: dict[str, Any], cleared_at: datetime | None
) -> None:
    soft = step("wait", "skipped", Event.TIMEOUT, job_id="3", started_at=AFTER, **kind)

    assert this_time(VERIFIED, soft, cleared_at=cleared_at)[:2] == (Event.TIMEOUT, "wait")


def test_a_sensor_is_not_taken_for_old_because_of_two_clocks_where_nothing_was_cleared() -> None:
    soft = step("wait", "skipped", Event.TIMEOUT, job_id="3", started_at=BEFORE, only_reads=True)

    assert this_time(VERIFIED, soft, cleared_at=None)[:2] == (Event.TIMEOUT, "wait")
    assert this_time(VERIFIED, replace(soft, only_reads=False), cleared_at=None)[:2] == (Event.STOPPED, "verify")


def test_a_sensor_that_is_older_than_a_step_before_it_was_skipped_after_a_clear_that_left_the_run_going() -> None:
    soft = step("wait", "skipped", Event.TIMEOUT, job_id="3", started_at=AFTER, only_reads=True)
    later = step("verify", "success", Event.SUCCEEDED, job_id="1", started_at="2026-11-24T12:00:20+00:00")

    event, at, text = this_time(later, soft)

    assert (event, at) == (Event.STOPPED, "verify")
    assert "not begun: wait (skipped; its older report says timeout, job 3)" in text


def test_a_sensor_that_is_older_than_one_of_the_steps_before_it_was_skipped_after_a_clear() -> None:
    earlier = step("check", "success", Event.SUCCEEDED, started_at="2026-11-24T12:00:05+00:00")
    later = step("verify", "success", Event.SUCCEEDED, job_id="1", started_at="2026-11-24T12:00:20+00:00")
    soft = step("wait", "skipped", Event.TIMEOUT, job_id="3", started_at=AFTER, only_reads=True)

    assert this_time(earlier, later, soft)[:2] == (Event.STOPPED, "verify")
    assert this_time(earlier, soft)[:2] == (Event.TIMEOUT, "wait")


def test_a_report_of_the_very_moment_of_the_clear_or_of_the_step_before_it_is_kept() -> None:
    same = step("verify", "success", Event.SUCCEEDED, job_id="1", started_at=CLEARED.isoformat())
    soft = step("wait", "skipped", Event.TIMEOUT, job_id="3", started_at=CLEARED.isoformat(), only_reads=True)

    assert this_time(same, soft)[:2] == (Event.TIMEOUT, "wait")
    assert "before the run" not in this_time(same)[2]


@pytest.mark.parametrize("start", ["", "?", "2026-11-24T11:00:00"])
def test_a_report_whose_start_is_unclear_is_kept(start: str) -> None:
    soft = step("wait", "skipped", Event.TIMEOUT, job_id="3", started_at=start)

    assert this_time(VERIFIED, soft)[:2] == (Event.TIMEOUT, "wait")


@pytest.mark.parametrize(("state", "event"), [("success", Event.SUCCEEDED), ("failed", Event.FAILED)])
def test_what_an_ended_step_reported_before_the_clear_says_so(state: str, event: Event) -> None:
    old = step("upgrade", state, event, job_id="2", started_at=BEFORE)
    new = replace(old, report=replace(old.report, started_at=AFTER))  # type: ignore[type-var] # the step has a report

    said = f" {event}; that was before the run was cleared"
    assert this_time(VERIFIED, old)[:2] == (event, "upgrade")
    assert said in this_time(VERIFIED, old)[2]
    assert "before the run" not in this_time(VERIFIED, new)[2]
    assert "before the run" not in this_time(VERIFIED, old, cleared_at=None)[2]


def test_a_step_that_runs_again_has_no_old_report() -> None:
    running = step("upgrade", "deferred", Event.WAITING, job_id="2", started_at=BEFORE)

    assert "before the run" not in this_time(VERIFIED, running)[2]


def test_a_step_that_a_person_ended_before_the_clear_is_said_to_be_ended_by_a_person() -> None:
    waited = step("upgrade", "failed", Event.WAITING, job_id="2", started_at=BEFORE)
    marked = step("upgrade", "success", Event.FAILED, job_id="2", started_at=BEFORE)

    assert "was stopped: step upgrade was marked failed by a person" in this_time(VERIFIED, waited)[2]
    assert "under way" not in this_time(VERIFIED, waited)[2]
    assert "failed, and the step was marked success by a person; that was before" in this_time(VERIFIED, marked)[2]
