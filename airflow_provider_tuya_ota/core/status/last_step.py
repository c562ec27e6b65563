"""Report on the last step of a run that began, also where that step left no report or a wrong one."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from airflow_provider_tuya_ota.core.status.event import LONGEST_ERROR, Event
from airflow_provider_tuya_ota.core.status.report import ReleaseReport
from airflow_provider_tuya_ota.core.texts import bounded_line

if TYPE_CHECKING:
    from collections.abc import Sequence

GOING_ON: Final = frozenset(
    {"running", "deferred", "awaiting_input", "restarting", "up_for_retry", "up_for_reschedule"}
)
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
_BEGUN: Final = GOING_ON | {"success", "failed"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One task of a run, as Airflow's scheduler knows it.

    :param task_id: id of the task.
    :param state: its state; empty before it is scheduled.
    :param report: the report that it left; None where it left none.
    :param run_link: its page in Airflow; empty where that is not known.
    :param leaves_reports: whether it is a task of this package. Other tasks are skipped if they succeeded.
    :param waits_elsewhere: whether it waits in the triggerer, without a worker process that could be lost.
    :param only_reads: whether it can start nothing, as a sensor.
    :param asks: whether it does nothing but ask a person.
    :param answer: the person's answer, where it asks.
    :param job_id: job that it has pushed as XCom, where it left no report; empty where there is none.
    :param map_index: which instance of a mapped task it is; -1 where the task is not mapped.
    :param tally: how its instances have ended, where there are several.
    """

    task_id: str
    state: str
    report: ReleaseReport | None = None
    run_link: str = ""
    leaves_reports: bool = True
    waits_elsewhere: bool = False
    only_reads: bool = False
    asks: bool = False
    answer: Any = None
    job_id: str = ""
    map_index: int = -1
    tally: str = ""

    @property
    def has_begun(self) -> bool:
        """Whether it ran; a report from before the run was cleared does not count."""
        if self.state == "skipped":
            return self.report is not None and not self.report.event.is_good
        return self.state in _BEGUN

    @property
    def is_success_without_end(self) -> bool:
        """Whether Airflow says that it succeeded, and it left no report of its end."""
        return self.state == "success" and (self.report is None or self.report.event is Event.WAITING)

    @property
    def is_reported(self) -> bool:
        """Whether there is something to report about it."""
        return self.has_begun and (self.leaves_reports or self.report is not None or self.state != "success")


def worst_instance(instances: Sequence[Step], now: datetime) -> Step:
    """Choose the instance of a mapped task to report on: of those that began, the one with the worst end."""
    begun = [instance for instance in instances if instance.has_begun] or instances
    worst = min(begun, key=lambda instance: _WORST_FIRST.index(_actual_report(instance, now).event))
    if len(instances) == 1:
        return worst
    ends = Counter(
        _actual_report(instance, now).event.value if instance.has_begun else "not begun" for instance in instances
    )
    tally = ", ".join(f"{count} {end}" for end, count in ends.most_common())
    return replace(worst, tally=f"of {len(instances)} instances {tally}")


def confirm_success(instances: Sequence[Step], polled: ReleaseReport) -> list[Step]:
    """Give an instance that Airflow counts as a success the report of one, where its own may not have been stored.

    :param instances: of one task.
    :param polled: the report on one step, whose job has succeeded as a poll shows.
    """
    summary = "succeeded, as a poll shows: the step's last report was not stored, or a person marked it success"
    return [
        replace(step, report=replace(polled, event=Event.SUCCEEDED, summary=summary))
        if step.is_success_without_end and polled.step in {step.task_id, f"{step.task_id}[{step.map_index}]"}
        else step
        for step in instances
    ]


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
    report = _actual_report(step, now)
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
    return ", ".join(f"{step.task_id} ({step.state or 'no state'})" for step in steps)


def _rejection(steps: Sequence[Step]) -> str:
    for step in steps:
        answer = step.answer if isinstance(step.answer, dict) else {}
        if REJECT in (answer.get("chosen_options") or ()):
            who = answer.get("responded_by_user") or {}
            name = bounded_line(str(who.get("name") or who.get("id") or ""), LONGEST_NAME)
            return f"step {step.task_id} was rejected" + (f" by {name}" if name else "")
    return ""


def _actual_report(step: Step, now: datetime) -> ReleaseReport:
    report = _report_of_instance(step, now)
    if not step.tally:
        return report
    return replace(report, step=f"{step.task_id}[{step.map_index}]", summary=f"{report.predicate} ({step.tally})")


def _report_of_instance(step: Step, now: datetime) -> ReleaseReport:
    report, state = step.report, step.state
    if report is None:
        return _without_report(step)
    if report.event is Event.WAITING:
        spent = replace(report, duration=_seconds_since_start(report, now))
        if state in GOING_ON:
            return spent
        meanwhile = f"; it {report.summary}" if report.summary else ""
        return replace(spent, event=Event.STOPPED, summary=_stopped_from_outside(step) + meanwhile)
    if state == "success" and not report.event.is_good:
        return replace(report, summary=f"{report.event}, and the step was marked success by a person")
    if state == "failed" and report.event.is_good:
        summary = f"{report.event}, and the step was marked failed by a person, or its process was lost at the end"
        return replace(report, event=Event.STOPPED, summary=summary)
    return report


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
    if step.state == "success":
        return f"was stopped by a person, who marked step {step.task_id} success, or its last report was not stored"
    if step.waits_elsewhere:
        return f"was stopped by a person, who marked step {step.task_id} {step.state}"
    return f"was stopped: step {step.task_id} was marked {step.state} by a person, or its process was lost"


def _seconds_since_start(report: ReleaseReport, now: datetime) -> float:
    try:
        return (now - datetime.fromisoformat(report.started_at)).total_seconds()
    except (TypeError, ValueError):
        return report.duration
