"""The report on a step whose end no report tells: a failed or unreachable job, a question, a skip after a clear."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from airflow.providers.standard.operators.hitl import ApprovalOperator
from airflow.sdk import DAG

from airflow_provider_tuya_ota.core.status.event import Event
from airflow_provider_tuya_ota.core.status.report import ReleaseReport
from airflow_provider_tuya_ota.notifications import last_report
from airflow_provider_tuya_ota.operators.upgrade import TuyaOTACreateUpgradeJobOperator
from airflow_provider_tuya_ota.sensors.job import TuyaOTAJobSensor
from tests.provider.conftest import FakeTask
from tests.provider.operators.test_upgrade_operator import PRODUCT, seed, upload
from tests.provider.runtime.test_last_report import STEPS, FakeRun, pauses, released, report_of, run, stopped

if TYPE_CHECKING:
    from pathlib import Path

    from tests.provider.conftest import Service

__all__ = ["pauses", "run", "stopped"]


def test_a_job_that_had_failed_before_its_step_was_ended_is_reported_as_failed(
    service: Service, context: Any, firmware: Path, run: FakeRun
) -> None:
    seed(service, device={"device-003": {"outcome": "fails", "reason": "worn"}})
    dag = released(upload(context, firmware, need_to_verify=False))
    run.execute(dag.get_task("upgrade"))
    service.emulator.clock.advance(600)
    # The trigger has fired, and the scheduler fails the task before its process has begun.
    run.states |= {"verify": "success", "upgrade": "failed"}

    report = report_of(run, dag)

    assert (report["event"], report["counts"]) == ("failed", {"FAILED": 1, "SUCCEEDED": 2})
    assert "failed, as a poll shows; step upgrade was marked failed by a person, or its process" in report["text"]
    assert report["error"].startswith(f"job {report['job_id']}: not every device was upgraded (1 FAILED)")


@pytest.fixture
def unreachable(stopped: DAG, run: FakeRun) -> DAG:
    """A try of the upgrade could not poll its job, and a person marked the task failed before the next try."""
    left = run.tasks["upgrade"].xcom["ota_release"]
    left |= {"event": "unreachable", "on_cancel": "", "error": "The job goes on. Run the task again.", "summary": ""}
    return stopped


def test_a_step_that_was_marked_failed_before_its_next_try_is_reported_with_its_job_as_it_is_now(
    run: FakeRun, unreachable: DAG
) -> None:
    report = report_of(run, unreachable)

    assert (report["event"], report["counts"]) == ("unreachable", {"FAILED": 1, "NOTIFIED": 1, "SUCCEEDED": 1})
    assert "or a person marked it failed before its next try; 1 of its device tasks still wait" in report["text"]
    assert report["error"] == "The job goes on. Run the task again."


def test_a_step_that_is_still_unreachable_keeps_its_own_error(
    service: Service, run: FakeRun, unreachable: DAG, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.sleep", lambda _: None)
    service.connect(port=1)

    report = report_of(run, unreachable)

    assert (report["event"], report["counts"]) == ("unreachable", {})
    assert report["error"] == "The job goes on. Run the task again."


def asked(run: FakeRun, **xcom: Any) -> dict[str, Any]:
    """Let a release end at its question."""
    with DAG("dag", schedule=None) as dag:
        ApprovalOperator(task_id="approve", subject="Everybody?")
        TuyaOTACreateUpgradeJobOperator(
            task_id="upgrade", firmware_id="178", product_key=PRODUCT, target_selection="ALL"
        )
    run.tasks["approve"] = FakeTask(task_id="approve", xcom=xcom)
    return last_report({"ti": run, "dag": dag, "run_id": "run"}, ["approve", "upgrade"])  # type: ignore[typeddict-item] # the run is a stand-in


@pytest.mark.parametrize(
    ("xcom", "by"),
    [
        # Airflow keeps no return value where the rejection skips other tasks.
        ({"skipmixin_key": {"skipped": ["upgrade"]}}, ""),
        ({"return_value": {"chosen_options": ["Reject"], "responded_by_user": {"id": "7", "name": "ann"}}}, " by ann"),
    ],
)
def test_a_rejected_approval_is_reported_as_that(run: FakeRun, xcom: dict[str, Any], by: str) -> None:
    run.states = {"approve": "success", "upgrade": "skipped"}

    report = asked(run, **xcom)

    assert report["event"] == "stopped"
    assert f"because step approve was rejected{by}: upgrade (skipped)" in report["text"]


def test_an_approval_that_was_marked_failed_is_stopped(run: FakeRun, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW__API__BASE_URL", "https://airflow.example")
    run.states = {"approve": "failed", "upgrade": "upstream_failed"}

    report = asked(run)

    assert (report["event"], report["step"]) == ("stopped", "approve")
    assert report["run_link"] == "https://airflow.example/dags/dag/runs/run/tasks/approve"
    assert "marked failed" in report["text"]
    assert "not begun: upgrade (upstream_failed)" in report["text"]


@pytest.mark.parametrize(
    ("clear_number", "max_tries", "reported"),
    [(0, 0, "upgrade"), (1, 0, "verify"), (0, 1, "verify")],
    ids=["not cleared", "cleared", "cleared, and the run's state kept"],
)
def test_a_sensor_that_a_branch_skips_after_a_clear_is_not_reported(
    run: FakeRun, clear_number: int, max_tries: int, reported: str
) -> None:
    with DAG("dag", schedule=None) as dag:
        TuyaOTAJobSensor(task_id="verify", job_id="1")
        TuyaOTAJobSensor(task_id="upgrade", job_id="2", soft_fail=True)
    left = {
        "verify": (Event.SUCCEEDED, "2026-11-24T12:00:00+00:00"),
        "upgrade": (Event.TIMEOUT, "2026-11-24T11:00:00+00:00"),
    }
    for name, (event, started_at) in left.items():
        report = ReleaseReport(event=event, step=name, started_at=started_at)
        run.tasks[name] = FakeTask(task_id=name, xcom={"ota_release": report.to_dict()})
    run.states, run.max_tries = {"verify": "success", "upgrade": "skipped"}, max_tries
    dag_run = SimpleNamespace(clear_number=clear_number, start_date=datetime(2026, 11, 24, 11, 30, tzinfo=UTC))

    report_now = last_report({"ti": run, "dag": dag, "run_id": "run", "dag_run": dag_run}, STEPS)  # type: ignore[typeddict-item] # the run is a stand-in

    assert report_now["step"] == reported
