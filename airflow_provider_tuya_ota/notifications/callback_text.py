"""What the webhook says as a callback of a task or Dag, where no step gives it a report."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from airflow_provider_tuya_ota.core.status.event import Event
from airflow_provider_tuya_ota.core.status.report import ReleaseReport


def describe_state(context: Mapping[str, Any]) -> str:
    """Say in which state a task or run is; Airflow gives the reason to callbacks of a Dag alone.

    The task in the context of a Dag's callback has no state, and neither has one whose process was lost.
    """
    ti = context.get("ti")
    dag_id = name_of(context, "dag_id") or "?"
    run_id = name_of(context, "run_id") or "?"
    run_state = plain_state(context.get("dag_run"))
    if isinstance(deadline := context.get("deadline"), Mapping):
        due = f" of {deadline['deadline_time']}" if deadline.get("deadline_time") else ""
        return f"Run {run_id} of Dag {dag_id} missed its deadline{due}: {run_state or 'state not known'}"
    if "reason" in context:
        return f"Run {run_id} of Dag {dag_id}: {run_state or 'ended'} ({context['reason']})"
    of_run = f"Run {run_id} of Dag {dag_id}: {run_state or 'state not known'}"
    if ti is None:
        return of_run
    if state := plain_state(ti):
        return f"Task {ti.task_id} of Dag {dag_id}: {state}"
    return f"{of_run}; the state of task {ti.task_id} is not known"


def name_of(context: Mapping[str, Any], key: str) -> Any:
    """Find the ``dag_id`` or ``run_id`` of a callback; a deadline alert has no task, and its run is a mapping.

    :returns: None where the context does not say it.
    """
    found = getattr(context.get("ti"), key, None) or getattr(context.get("dag"), key, None) or context.get(key)
    run = context.get("dag_run")
    if found or run is None:
        return found
    if isinstance(run, Mapping):
        return run.get("dag_run_id" if key == "run_id" else key)
    return getattr(run, key, None)


def plain_state(entity: Any) -> str:
    """Give the state of a task or run as text: Airflow's enumerations show their class."""
    state = entity.get("state") if isinstance(entity, Mapping) else getattr(entity, "state", None)
    return str(getattr(state, "value", state) or "")


def report_of_run(context: Mapping[str, Any]) -> ReleaseReport | None:
    """Read the report of the step that the callback of a Dag is about: the last that failed, or that succeeded.

    :returns: None where there is none, where it cannot be read, or where it does not fit the end of the run: it is of
        a wait, of before the run was cleared, or says the contrary.
    """
    from airflow_provider_tuya_ota.runtime.xcom import REPORT_KEY  # noqa: PLC0415 - a parsed Dag needs no worker code

    ti: Any = context.get("ti")
    dag_run: Any = context.get("dag_run")
    if "reason" not in context or ti is None:
        return None
    try:
        values = ti.xcom_pull(task_ids=ti.task_id, key=REPORT_KEY, map_indexes=ti.map_index)
        report = ReleaseReport.from_dict(values)
        is_old = datetime.fromisoformat(report.started_at) < dag_run.start_date
    except Exception:  # noqa: BLE001 - the state is worth sending without a report
        return None
    is_success = plain_state(dag_run) == "success"
    fits = report.event.is_good is is_success and report.event is not Event.WAITING
    return report if fits and not is_old else None
