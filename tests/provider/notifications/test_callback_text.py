"""What the webhook sends as a callback of a task or Dag."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from airflow.sdk import DAG, DagRunState, TaskInstanceState

from airflow_provider_tuya_ota.core.status.event import Event
from airflow_provider_tuya_ota.core.status.report import ReleaseReport
from tests.provider.notifications.test_webhook import MODES, Receiver, receiver, send

if TYPE_CHECKING:
    from tests.provider.conftest import FakeTask

__all__ = ["receiver"]

BEGAN = datetime(2026, 11, 24, 12, tzinfo=UTC)


def run_context(ti: FakeTask, state: DagRunState, reason: str, **report: Any) -> dict[str, Any]:
    """Make the context of a Dag's callback, with what its step reported."""
    if report:
        values = {"step": "task", "job_id": "7", "started_at": "2026-11-24T12:00:01+00:00"} | report
        ti.xcom["ota_release"] = ReleaseReport(**values).to_dict()
    ti.state = None  # type: ignore[assignment] # Airflow gives a Dag's callback a task without its state
    dag_run = SimpleNamespace(state=state, start_date=BEGAN)
    return {"ti": ti, "dag": DAG("dag", schedule=None), "run_id": "run", "dag_run": dag_run, "reason": reason}


@MODES
@pytest.mark.parametrize(
    ("state", "reason", "text"),
    [
        (DagRunState.SUCCESS, "success", "Run run of Dag dag: success (success)"),
        (DagRunState.FAILED, "task_failure", "Run run of Dag dag: failed (task_failure)"),
    ],
)
def test_a_callback_of_a_dag_says_how_the_run_ended(
    receiver: Receiver, ti: FakeTask, mode: str, state: DagRunState, reason: str, text: str
) -> None:
    send(mode, run_context(ti, state, reason))

    body = receiver.received[0][2]
    assert (body["text"], body["ota_release"], body["task_id"]) == (text, None, "task")


@pytest.mark.parametrize(
    ("state", "event", "text"),
    [
        (DagRunState.FAILED, Event.FAILED, "Run run of Dag dag: failed (why). Step task (OTA job 7) failed, 0 s."),
        (DagRunState.SUCCESS, Event.SUCCEEDED, "Run run of Dag dag: success (why). OTA job 7 succeeded, 0 s."),
    ],
)
def test_a_callback_of_a_dag_tells_the_report_of_the_step_that_ended_the_run(
    receiver: Receiver, ti: FakeTask, state: DagRunState, event: Event, text: str
) -> None:
    send("sync", run_context(ti, state, "why", event=event))

    body = receiver.received[0][2]
    assert (body["text"], body["ota_release"]["job_id"]) == (text, "7")


@pytest.mark.parametrize(
    ("state", "report"),
    [
        (DagRunState.FAILED, {"event": Event.WAITING}),
        (DagRunState.FAILED, {"event": Event.SUCCEEDED}),
        (DagRunState.SUCCESS, {"event": Event.FAILED}),
        (DagRunState.FAILED, {"event": Event.FAILED, "started_at": "2026-11-24T11:59:59+00:00"}),
        (DagRunState.FAILED, {"event": Event.FAILED, "started_at": ""}),
    ],
    ids=["waits", "failed run", "successful run", "before the clear", "no start"],
)
def test_a_report_that_does_not_fit_the_end_of_the_run_is_not_told(
    receiver: Receiver, ti: FakeTask, state: DagRunState, report: dict[str, Any]
) -> None:
    send("sync", run_context(ti, state, "why", **report))

    body = receiver.received[0][2]
    assert (body["text"], body["ota_release"]) == (f"Run run of Dag dag: {state.value} (why)", None)


def test_a_callback_of_a_dag_that_names_no_task_names_the_run(receiver: Receiver) -> None:
    context = {"dag": DAG("dag", schedule=None), "run_id": "run", "reason": "all_tasks_deadlocked"}
    send("sync", context)

    body = receiver.received[0][2]
    assert body["text"] == "Run run of Dag dag: ended (all_tasks_deadlocked)"
    assert (body["dag_id"], body["task_id"], body["run_id"]) == ("dag", None, "run")


@MODES
def test_a_callback_of_a_task_names_its_state_as_airflow_s_page_does(
    receiver: Receiver, ti: FakeTask, mode: str
) -> None:
    ti.state = TaskInstanceState.SUCCESS
    ti.xcom["ota_release"] = ReleaseReport(event=Event.SUCCEEDED).to_dict()
    send(mode, {"ti": ti})

    body = receiver.received[0][2]
    assert (body["text"], body["ota_release"]) == ("Task task of Dag dag: success", None)


@pytest.mark.parametrize(
    ("context", "text"),
    [
        ({"dag_run": SimpleNamespace(state=DagRunState.RUNNING)}, "Run run of Dag dag: running"),
        ({}, "Run run of Dag dag: state not known"),
    ],
)
def test_a_task_whose_state_airflow_does_not_give_is_named_with_the_state_of_its_run(
    receiver: Receiver, ti: FakeTask, context: dict[str, Any], text: str
) -> None:
    ti.state = None  # type: ignore[assignment] # as in the callback of a task whose process was lost
    send("sync", context | {"ti": ti})

    assert receiver.received[0][2]["text"] == f"{text}; the state of task task is not known"


@MODES
def test_a_deadline_names_its_run_as_airflow_s_alert_describes_it(receiver: Receiver, mode: str) -> None:
    # What ``Deadline.handle_miss`` gives to the callback: the run as JSON, and no task.
    run = {"dag_run_id": "run", "dag_id": "dag", "state": "running", "run_after": "2026-11-30T20:00:00Z"}
    send(mode, {"dag_run": run, "deadline": {"id": "1", "deadline_time": "2026-11-30T21:00:00Z"}})

    message = receiver.received[0][2]
    assert message["text"] == "Run run of Dag dag missed its deadline of 2026-11-30T21:00:00Z: running"
    assert (message["dag_id"], message["run_id"], message["task_id"]) == ("dag", "run", None)


def test_a_run_without_a_task_is_named(receiver: Receiver) -> None:
    run = SimpleNamespace(state=DagRunState.RUNNING, dag_id="dag", run_id="run")
    send("async", {"dag_run": run})

    assert receiver.received[0][2]["text"] == "Run run of Dag dag: running"


def test_a_context_that_says_nothing_is_no_error(receiver: Receiver) -> None:
    send("async", {"deadline": {}})

    assert receiver.received[0][2]["text"] == "Run ? of Dag ? missed its deadline: state not known"
