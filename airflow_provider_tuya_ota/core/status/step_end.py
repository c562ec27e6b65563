"""The report on one step of a run: its own where that fits the step's state, else what is known instead."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Final

from airflow_provider_tuya_ota.core.status.event import Event
from airflow_provider_tuya_ota.core.status.report import ReleaseReport
from airflow_provider_tuya_ota.core.status.step import GOING_ON

if TYPE_CHECKING:
    from airflow_provider_tuya_ota.core.status.step import Step


STOPPED: Final = "was stopped: "
"""Beginning of what is said of a job whose step was ended from outside, and that has stopped it as far as is known."""


def report_of_step(step: Step, now: datetime) -> ReleaseReport:
    """Report on a step; of a mapped one, the report names the instance and how the others ended.

    :param now: for the duration of a step that was ended from outside.
    """
    report = _report_of_instance(step, now)
    if step.is_from_before_clear:
        report = replace(report, summary=f"{report.predicate}; that was before the run was cleared")
    if not step.tally:
        return report
    return replace(report, step=f"{step.task_id}[{step.map_index}]", summary=f"{report.predicate} ({step.tally})")


def _report_of_instance(step: Step, now: datetime) -> ReleaseReport:
    report, state = step.report, step.state
    if report is None:
        return _without_report(step)
    if report.event is Event.WAITING:
        return _after_wait(step, replace(report, duration=_seconds_since_start(report, now)))
    if step.is_unreachable and state == "failed":
        summary = (
            f"could not be polled for too long, and step {step.task_id} failed then, or a person marked it failed"
            " before its next try"
        )
        return replace(report, summary=summary)
    if state == "success" and not report.event.is_good and not report.summary:
        return replace(report, summary=f"{report.event}, and the step was marked success by a person")
    if state == "failed" and report.event.is_good:
        summary = f"{report.event}, and the step was marked failed by a person, or its process was lost at the end"
        return replace(report, event=Event.STOPPED, summary=summary)
    return report


def _after_wait(step: Step, report: ReleaseReport) -> ReleaseReport:
    if step.state in GOING_ON:
        return report
    meanwhile = f"; it {report.summary}" if report.summary else ""
    return replace(report, event=Event.STOPPED, summary=_stopped_from_outside(step) + meanwhile)


def _without_report(step: Step) -> ReleaseReport:
    if step.state in GOING_ON:
        event, summary = Event.WAITING, f"is {step.state}"
    elif step.job_id:
        how = "was marked success" if step.state == "success" else "failed"
        event = Event.STOPPED
        summary = (
            f"was started by step {step.task_id}, which {how} and left no report: a person marked it, or its process"
            " was lost"
        )
    elif step.state == "success":
        event, summary = Event.STOPPED, "was marked success by a person and did not run"
    elif step.asks:
        event = Event.STOPPED
        summary = (
            "was stopped: it asks a person, and was marked failed, rejected, not answered in time, or could not ask;"
            " its log says which"
        )
    elif not step.leaves_reports:
        event, summary = Event.FAILED, "failed; its log says why"
    else:
        event = Event.UNCLEAR
        summary = (
            "failed and left no report: it could not be begun, its process was lost, or a person marked it"
            f"{'' if step.only_reads else '; whether it started a job is not known'}"
        )
    job_id = step.job_id if event is Event.STOPPED else ""
    return ReleaseReport(event=event, summary=summary, step=step.task_id, job_id=job_id, run_link=step.run_link)


def _stopped_from_outside(step: Step) -> str:
    report = step.report
    if report is not None and report.job_id and (step.only_reads or report.on_cancel == "keep"):
        why = "" if step.only_reads else ", because on_cancel is 'keep'"
        return f"was not cancelled{why}, and is not waited for any more: {unreported_end(step)}"
    return f"{STOPPED}{unreported_end(step)}"


def unreported_end(step: Step) -> str:
    """Say in which ways a step may have come to its state without a report of its end.

    A deferred step may have lost its process too: the one that Airflow starts after the wait. The scheduler itself
    fails a step whose process ends before it begins.
    """
    lost = "" if step.state in {"success", "skipped"} else "or its process was lost, "
    return f"step {step.task_id} was marked {step.state} by a person, {lost}or its last report was not stored"


def _seconds_since_start(report: ReleaseReport, now: datetime) -> float:
    try:
        return (now - datetime.fromisoformat(report.started_at)).total_seconds()
    except (TypeError, ValueError):
        return report.duration
