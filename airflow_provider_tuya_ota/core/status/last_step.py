"""Report on the last step of a run that began, also where that step left no report or a wrong one."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from airflow_provider_tuya_ota.core.model.states import JobStatus, TaskStatus
from airflow_provider_tuya_ota.core.model.verdict import Outcome
from airflow_provider_tuya_ota.core.status.event import LONGEST_ERROR, Event
from airflow_provider_tuya_ota.core.status.report import ReleaseReport
from airflow_provider_tuya_ota.core.status.step_end import report_of_step, unreported_end
from airflow_provider_tuya_ota.core.texts import bounded_line

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from airflow_provider_tuya_ota.core.model.verdict import Verdict
    from airflow_provider_tuya_ota.core.status.step import Step

REJECT: Final = "Reject"
"""The option of Airflow's ApprovalOperator that rejects."""
LONGEST_NAME: Final = 64
_WORST_FIRST: Final = (
    Event.FAILED,
    Event.UNREACHABLE,
    Event.TIMEOUT,
    Event.UNCLEAR,
    Event.STOPPED,
    Event.REFUSED,
    Event.WAITING,
    *(event for event in Event if event.is_good),
)


def worst_instance(instances: Sequence[Step], now: datetime) -> Step:
    """Choose the instance of a mapped task to report on: of those that began, the one with the worst end."""
    begun = [instance for instance in instances if instance.has_begun] or instances
    worst = min(begun, key=lambda instance: _WORST_FIRST.index(report_of_step(instance, now).event))
    if len(instances) == 1:
        return worst
    ends = Counter(
        report_of_step(instance, now).event.value if instance.has_begun else "not begun" for instance in instances
    )
    tally = ", ".join(f"{count} {end}" for end, count in ends.most_common())
    return replace(worst, tally=f"of {len(instances)} instances {tally}")


def needs_poll(instances: Sequence[Step], report: ReleaseReport) -> bool:
    """Whether the job of a step has to be polled before the step is reported.

    :param instances: of every step.
    :param report: of the step; one that has counts was polled, unless the step could not poll its job later.
    """
    if not report.job_id:
        return False
    if report.event is Event.UNREACHABLE:
        return any(step.is_unreachable and _is_of(report, step) for step in instances)
    return report.event is Event.STOPPED and not report.counts


def confirm_end(instances: Sequence[Step], polled: ReleaseReport, verdict: Verdict) -> list[Step]:
    """Give an instance whose end is not known the report of the end that a poll of its job shows.

    A success is confirmed where Airflow counts the instance as one; else the instance stays stopped. A failure is the
    job's own only where no device task was cancelled: else the stop may have caused it.

    :param instances: of one task.
    :param polled: the report on one step, with what the poll shows.
    :param verdict: of the poll.
    """
    return [_confirmed(step, polled, verdict) if _is_of(polled, step) else step for step in instances]


def _is_of(report: ReleaseReport, step: Step) -> bool:
    return report.step in {step.task_id, f"{step.task_id}[{step.map_index}]"}


def _confirmed(step: Step, polled: ReleaseReport, verdict: Verdict) -> Step:
    if verdict.outcome is Outcome.SUCCEEDED and step.has_unreported_end:
        if step.state != "success":
            return replace(
                step, report=replace(polled, summary=f"succeeded, as a poll shows, but {unreported_end(step)}")
            )
        summary = "succeeded, as a poll shows: the step's last report was not stored, or a person marked it success"
        return replace(step, report=replace(polled, event=Event.SUCCEEDED, summary=summary))
    was_cancelled = verdict.job_status == JobStatus.CANCELED or TaskStatus.CANCELED in verdict.counts
    if verdict.outcome is not Outcome.FAILED or was_cancelled or not (step.has_unreported_end or step.is_unreachable):
        return step
    why = f"could not poll it for too long, and ended {step.state}" if step.is_unreachable else ""
    summary = f"failed, as a poll shows; {f'step {step.task_id} {why}' if why else unreported_end(step)}"
    error = bounded_line(verdict.failure_text(), LONGEST_ERROR)
    return replace(step, report=replace(polled, event=Event.FAILED, summary=summary, error=error))


def report_last_step(steps: Sequence[Step], now: datetime) -> ReleaseReport:
    """Report on the last step that began.

    Its own report counts where it fits the step's state. Where it does not fit, or there is none, a person or a lost
    process ended the step, and the report says so.

    :param steps: in the order of the Dag.
    :param now: for the duration of a step that was ended from outside.
    :returns: the report. If its event is ``stopped`` and it has a job but no counts, the job has not been polled since.
    """
    steps = _without_stale_reports(steps)
    at = max((number for number, step in enumerate(steps) if step.is_reported), default=None)
    if at is None:
        left = [step for step in steps if not step.has_begun]
        because = f", because {rejection}" if (rejection := _rejection(steps)) else ""
        summary = f"was not begun{because}: {_list_steps(left)}"
        return ReleaseReport(event=Event.STOPPED, summary=summary, step=steps[0].task_id)
    step = steps[at]
    report = report_of_step(step, now)
    left = [later for later in steps[at + 1 :] if not later.has_begun]
    if report.event.is_good and left:
        rejection = _rejection(steps[at + 1 :])
        but = f"{rejection}, and what" if rejection else "what"
        return replace(
            report, event=Event.STOPPED, summary=f"succeeded, but {but} follows was not begun: {_list_steps(left)}"
        )
    if step.asks and left and report.event is Event.STOPPED:
        report = replace(report, summary=f"{report.summary}; not begun: {_list_steps(left)}")
    before = next((earlier.report for earlier in reversed(steps[:at]) if earlier.report and earlier.has_begun), None)
    if before is not None and not report.job_id and not report.event.is_good:
        return replace(report, error=_error_with(report, before))
    return report


def _error_with(report: ReleaseReport, before: ReleaseReport) -> str:
    """Add what became of the step before to an error; both are cut, so that neither pushes out the other."""
    earlier = f"Before it, step {before.step} {before.event}: {before.text}"
    if not report.error:
        return bounded_line(earlier, LONGEST_ERROR)
    # One character is the blank between them, and one is left for the ellipsis.
    earlier = bounded_line(earlier, max(LONGEST_ERROR // 2, LONGEST_ERROR - len(report.error) - 2))
    return f"{bounded_line(report.error, LONGEST_ERROR - len(earlier) - 1)} {earlier}"


def _without_stale_reports(steps: Sequence[Step]) -> list[Step]:
    """Drop the report that a step left before the run was cleared, where a rejection has skipped the step now."""
    found: list[Step] = []
    for step in steps:
        is_stale = step.state == "skipped" and bool(_rejection(found))
        found.append(replace(step, report=None) if is_stale else step)
    return found


def _list_steps(steps: Sequence[Step]) -> str:
    return ", ".join(f"{step.task_id} ({step.state or 'no state'}{_old_end(step)})" for step in steps)


def _old_end(step: Step) -> str:
    if (old := step.old_report) is None:
        return ""
    return f"; its older report says {old.event}{f', job {old.job_id}' if old.job_id else ''}"


def _rejection(steps: Sequence[Step]) -> str:
    for step in steps:
        answer = step.answer if isinstance(step.answer, dict) else {}
        if REJECT in (answer.get("chosen_options") or ()):
            who = answer.get("responded_by_user") or {}
            name = bounded_line(str(who.get("name") or who.get("id") or ""), LONGEST_NAME)
            return f"step {step.task_id} was rejected" + (f" by {name}" if name else "")
    return ""
