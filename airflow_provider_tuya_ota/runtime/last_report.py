"""The report at the end of a run: on the last step that began, even if it left no report itself."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Final

from airflow_provider_tuya_ota.client import LogListener, TuyaOTAClient
from airflow_provider_tuya_ota.core.errors import StateUnavailableError
from airflow_provider_tuya_ota.core.jobs.after_stop import poll_after_stop
from airflow_provider_tuya_ota.core.model.task_counts import count_waiting
from airflow_provider_tuya_ota.core.status.event import LONGEST_ERROR, Event, first_line
from airflow_provider_tuya_ota.core.status.job_snapshot import fetch_verdict
from airflow_provider_tuya_ota.core.status.last_step import (
    REJECT,
    confirm_end,
    needs_poll,
    report_last_step,
    worst_instance,
)
from airflow_provider_tuya_ota.core.status.old_reports import set_aside_old_reports
from airflow_provider_tuya_ota.core.status.report import ReleaseReport, verdict_fields
from airflow_provider_tuya_ota.core.status.step import Step
from airflow_provider_tuya_ota.core.status.step_end import STOPPED
from airflow_provider_tuya_ota.core.texts import bounded_line
from airflow_provider_tuya_ota.hooks.airflow_api import repeat
from airflow_provider_tuya_ota.hooks.tuya_ota import TuyaOTAHook
from airflow_provider_tuya_ota.links import run_link
from airflow_provider_tuya_ota.runtime.attempt import last_clear
from airflow_provider_tuya_ota.runtime.xcom import pull, pull_job_id, pull_report

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk import Context

    from airflow_provider_tuya_ota.core.model.verdict import Verdict

CONN_ID: Final = "tuya_ota_conn_id"
SKIPPED: Final = "skipmixin_key"
"""XCom of a task of Airflow that has skipped others."""
_POLL_SECONDS: Final = 120.0
"""After which no further job is polled, so that the notification is not delayed."""
_NOT_CANCELLED: Final = (
    "of its device tasks still wait, and may not be cancelled by anyone. To cancel them, use TuyaOTACancelJobOperator"
    " or the sample Dag stop_job"
)
_UNKNOWN_CONNECTION: Final = (
    "The job was not polled: the step is mapped, and the tuya_ota_conn_id of this instance is not known. Look at the"
    " job in the platform's console."
)


def last_report(context: Context, task_ids: Sequence[str]) -> dict[str, Any]:
    """Report on the last step of this run that began: :func:`airflow_provider_tuya_ota.notifications.last_report`."""
    now = datetime.now(UTC)
    steps = []
    for task_id in task_ids:
        try:
            steps.append(_instances(context, task_id))
        except StateUnavailableError as error:
            # The notification must go out even during an outage.
            return _unreadable(context["ti"], task_id, error).to_dict()
    steps = set_aside_old_reports(steps, _cleared_at(context))
    until = time.monotonic() + _POLL_SECONDS
    while True:
        report = report_last_step([worst_instance(instances, now) for instances in steps], now)
        every = [instance for instances in steps for instance in instances]
        if not needs_poll(every, report) or time.monotonic() > until:
            return report.to_dict()
        report, verdict = _polled(context, report)
        known = steps if verdict is None else [confirm_end(instances, report, verdict) for instances in steps]
        if known == steps:
            return report.to_dict()
        # What was stopped is decided again: another instance, or a step that was not begun.
        steps = known


def _cleared_at(context: Context) -> datetime | None:
    """Give when the run began after its last clear; None where nothing shows that it was cleared."""
    clear_number, cleared_after = last_clear(context, retries=getattr(context.get("task"), "retries", 0) or 0)
    # A clear that keeps the run's state changes no more than this step's own tries.
    was_cleared = clear_number or (cleared_after or 0) > 0
    return getattr(context.get("dag_run"), "start_date", None) if was_cleared else None


def _unreadable(ti: Any, task_id: str, error: StateUnavailableError) -> ReleaseReport:
    """Report that a step could not be read."""
    summary = f"may have ended in any way: step {task_id} could not be read. Look at the run in Airflow"
    return ReleaseReport(
        event=Event.UNCLEAR, summary=summary, step=task_id, error=first_line(error), run_link=run_link(ti)
    )


def _instances(context: Context, task_id: str) -> list[Step]:
    """Read a step; a mapped one has several instances."""
    ti: Any = context["ti"]
    run_id = context["run_id"]
    read = partial(ti.get_task_states, dag_id=ti.dag_id, task_ids=[task_id], run_ids=[run_id])
    states = repeat(read, f"give the state of step {task_id}").get(run_id, {})
    # Instances of a mapped task are called task_0, task_1 and so on.
    found = [
        (int(name.removeprefix(f"{task_id}_")) if name != task_id else -1, str(state or ""))
        for name, state in states.items()
    ]
    return [_step(context, task_id, map_index, state) for map_index, state in found or [(-1, "")]]


def _step(context: Context, task_id: str, map_index: int, state: str) -> Step:
    ti: Any = context["ti"]
    run_id = context["run_id"]
    report = _read(pull_report(ti, task_id=task_id, map_index=map_index))
    task = context["dag"].get_task(task_id)
    kind: Any = getattr(task, "operator_class", type(task))
    # By name: the provider that asks people need not be installed.
    asks = any(one.__name__ == "HITLOperator" for one in kind.__mro__)
    # The arguments of a mapped task name only those that are no default.
    leaves_reports = CONN_ID in kind.template_fields
    at = SimpleNamespace(dag_id=ti.dag_id, run_id=run_id, task_id=task_id, map_index=map_index)
    return Step(
        task_id=task_id,
        state=state,
        report=report,
        run_link=run_link(at),
        leaves_reports=leaves_reports,
        only_reads=hasattr(kind, "poke"),
        asks=asks,
        answer=_answer(ti, task_id, map_index) if asks else None,
        job_id=pull_job_id(ti, task_id=task_id, map_index=map_index) if leaves_reports and report is None else "",
        map_index=map_index,
    )


def _answer(ti: Any, task_id: str, map_index: int) -> Any:
    """Give a person's answer. Airflow stores no return value of a task that skips others, only the skipped ones."""
    pulled = {key: pull(ti, key, task_id=task_id, map_index=map_index) for key in ("return_value", SKIPPED)}
    if isinstance(pulled[SKIPPED], dict) and pulled[SKIPPED].get("skipped"):
        return {"chosen_options": [REJECT]}
    return pulled["return_value"]


def _argument(task: Any, name: str) -> Any:
    """Give an argument of an operator, mapped or not."""
    return getattr(task, name, None) or getattr(task, "partial_kwargs", {}).get(name)


def _conn_id(task: Any, context: Context) -> str:
    """Give the connection of a step whose report does not name it; empty where each instance may have its own."""
    conn_id = _argument(task, CONN_ID) or TuyaOTAHook.default_conn_name
    is_mapped = hasattr(task, "partial_kwargs")
    if is_mapped and _may_expand(task.expand_input.value, CONN_ID):
        return ""
    if is_mapped or task.get_closest_mapped_task_group() is not None:
        # A template would be rendered with the map index of the task that notifies.
        return conn_id if isinstance(conn_id, str) and "{" not in conn_id else ""
    return str(task.render_template(conn_id, context))


def _may_expand(values: Any, name: str) -> bool:
    """Whether a task may be mapped over an argument: what a task before it returned is not known here."""
    if isinstance(values, Mapping):
        return name in values
    is_list = isinstance(values, list | tuple)
    return not is_list or any(not isinstance(one, Mapping) or name in one for one in values)


def _read(values: Any) -> ReleaseReport | None:
    try:
        return ReleaseReport.from_dict(values)
    except ValueError:
        return None


def _polled(context: Context, report: ReleaseReport) -> tuple[ReleaseReport, Verdict | None]:
    """Add the state of the job now.

    :returns: the report, and what the poll shows; None where the job could not be polled.
    """
    task: Any = context["dag"].get_task(report.step.partition("[")[0])
    is_stopped = report.on_cancel == "stop"
    try:
        conn_id = report.tuya_ota_conn_id or _conn_id(task, context)
        if not conn_id:
            return replace(report, error=_UNKNOWN_CONNECTION), None
        hook = TuyaOTAHook(conn_id)
        # An outage must not delay the notification.
        settings = replace(hook.get_settings(), connect_timeout=3.0, read_timeout=5.0)
        with TuyaOTAClient(settings, listener=LogListener(hook.log)) as client:
            poll = poll_after_stop if is_stopped else fetch_verdict
            verdict = client.run(poll(client.settings, report.job_id))
    except Exception as error:  # noqa: BLE001 - the rest is reported in any case
        if report.event is Event.UNREACHABLE:
            # Its own error says for how long, and what to do.
            return report, None
        said = bounded_line(f"The job could not be polled: {first_line(error)}", LONGEST_ERROR)
        return replace(report, error=said), None
    left = 0 if report.on_cancel == "keep" else count_waiting(verdict.counts)
    # A trigger that had not begun, or whose triggerer is frozen, cancels nothing.
    state = f"{left} {_NOT_CANCELLED}" if left else "state read afterwards"
    said = report.summary
    if left and said.startswith(STOPPED):
        said = f"may go on: {said.removeprefix(STOPPED)}"
    polled = replace(report, summary=f"{said}; {state}", **verdict_fields(verdict))
    return polled, verdict
