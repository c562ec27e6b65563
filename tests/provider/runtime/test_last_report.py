"""The report on a run's last step, with a poll of the platform if the step left no report."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from airflow.providers.standard.operators.hitl import ApprovalOperator
from airflow.sdk import DAG
from airflow.sdk.exceptions import TaskDeferred
from airflow.sdk.execution_time.task_runner import RuntimeTaskInstance

from airflow_provider_tuya_ota.core.jobs.cancel import cancel_job
from airflow_provider_tuya_ota.core.model.outcome_errors import JobFailedError, WaitTimeoutError
from airflow_provider_tuya_ota.core.status.event import Event
from airflow_provider_tuya_ota.core.status.report import ReleaseReport
from airflow_provider_tuya_ota.hooks.tuya_ota import TuyaOTAHook
from airflow_provider_tuya_ota.notifications import last_report
from airflow_provider_tuya_ota.operators.job import TuyaOTACreateVerifyJobOperator
from airflow_provider_tuya_ota.operators.upgrade import TuyaOTACreateUpgradeJobOperator
from airflow_provider_tuya_ota.sensors.job import TuyaOTAJobSensor
from airflow_provider_tuya_ota.transports.runtime import Runtime
from tests.provider.conftest import CONNECTION, FakeStore, FakeTask
from tests.provider.operators.test_upgrade_operator import PRODUCT, seed, upload
from tests.provider.operators.test_verify_operator import make_firmware, play, verify
from tests.provider.specs import stands_in_for

if TYPE_CHECKING:
    from pathlib import Path

    from tests.provider.conftest import Service

STEPS = ["verify", "upgrade"]


@stands_in_for(RuntimeTaskInstance, own=("tasks", "states", "execute"))
@dataclass
class FakeRun:
    """A run as its last step sees it."""

    tasks: dict[str, FakeTask] = field(default_factory=dict)
    states: dict[str, str] = field(default_factory=dict)
    dag_id: str = "dag"
    task_id: str = "notify"
    max_tries: int = 0

    def get_task_states(self, dag_id: str, *, task_ids: list[str], run_ids: list[str]) -> dict[str, dict[str, str]]:
        assert (dag_id, run_ids) == ("dag", ["run"])
        wanted = tuple(f"{task_id}_" for task_id in task_ids)
        found = {name: state for name, state in self.states.items() if name in task_ids or name.startswith(wanted)}
        return {"run": found} if found else {}

    def xcom_pull(self, task_ids: str, *, key: str, map_indexes: int) -> Any:
        name = task_ids if map_indexes < 0 else f"{task_ids}_{map_indexes}"
        return self.tasks[name].xcom.get(key) if name in self.tasks else None

    def execute(self, step: Any, name: str = "") -> None:
        """Let a step do its part, and end or wait."""
        ti = self.tasks.setdefault(name or step.task_id, FakeTask(task_id=step.task_id, max_tries=0))
        try:
            step.execute({"ti": ti})
        except TaskDeferred:
            self.states[name or step.task_id] = "deferred"
        except JobFailedError:
            self.states[name or step.task_id] = "failed"
        else:
            self.states[name or step.task_id] = "success"


@pytest.fixture
def run() -> FakeRun:
    return FakeRun()


def released(firmware_id: str, **upgrade: Any) -> DAG:
    """Make a release of two steps."""
    fast: dict[str, Any] = {"firmware_id": firmware_id, "product_key": PRODUCT, "poll_interval": 0.05}
    also: dict[str, Any] = {"target_selection": "SPECIFIC", "device_names": ["device-002", "device-003", "device-004"]}
    with DAG("dag", schedule=None) as dag:
        TuyaOTACreateVerifyJobOperator(task_id="verify", device_names=["device-001"], **fast)
        TuyaOTACreateUpgradeJobOperator(task_id="upgrade", **{"deferrable": True} | fast | also | upgrade)
    return dag


def report_of(run: FakeRun, dag: DAG) -> dict[str, Any]:
    context: Any = {"ti": run, "dag": dag, "run_id": "run"}
    return last_report(context, STEPS)


@pytest.fixture
def stopped(service: Service, context: Any, firmware: Path, run: FakeRun) -> DAG:
    """A person marked the upgrade failed after one device was flashed and one was found broken."""
    seed(service, device={"device-003": {"outcome": "fails", "reason": "worn"}, "device-004": {"outcome": "silent"}})
    dag = released(upload(context, firmware, need_to_verify=True))
    for name in STEPS:
        run.execute(dag.get_task(name))
    service.emulator.clock.advance(600)
    run.states["upgrade"] = "failed"
    return dag


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Skip the time between two polls."""
    passed: list[float] = []
    # Pauses of less than a second are those of the rate limit.
    monkeypatch.setattr(Runtime, "sleep", lambda _, seconds: passed.append(seconds) if seconds >= 1 else None)
    return passed


def test_a_stopped_upgrade_reports_how_far_it_came_and_not_of_the_verification(
    service: Service, run: FakeRun, stopped: DAG, monkeypatch: pytest.MonkeyPatch
) -> None:
    job_id, sleep = run.tasks["upgrade"].xcom["job_id"], Runtime.sleep

    def triggerer_stops(_: Runtime, seconds: float) -> None:
        if seconds < 1:
            # The rate limit's.
            return
        assert seconds == 3.0
        with TuyaOTAHook().get_conn() as client, monkeypatch.context() as meanwhile:
            # It may have to wait until its account may cancel again.
            meanwhile.setattr(Runtime, "sleep", sleep)
            client.run(cancel_job(client.settings, job_id))

    monkeypatch.setattr(Runtime, "sleep", triggerer_stops)
    report = report_of(run, stopped)

    assert (report["event"], report["step"], report["job_id"]) == ("stopped", "upgrade", job_id)
    assert report["counts"] == {"FAILED": 1, "CANCELED": 1, "SUCCEEDED": 1}
    assert [device["name"] for device in report["failing"]] == ["device-003", "device-004"]
    assert report["version"] == "1.1.0"
    assert "was stopped: step upgrade was marked failed by a person, or its process was lost" in report["text"]
    assert "; state read afterwards: 1 FAILED" in report["text"]


def test_what_still_waits_after_a_stop_is_reported_with_how_to_cancel_it(
    service: Service, run: FakeRun, stopped: DAG, pauses: list[float]
) -> None:
    report = report_of(run, stopped)

    assert report["counts"] == {"FAILED": 1, "NOTIFIED": 1, "SUCCEEDED": 1}
    assert (
        "; 1 of its device tasks still wait, and may not be cancelled by anyone. To cancel them, use" in report["text"]
    )
    assert "TuyaOTACancelJobOperator or the sample Dag stop_job: 1 FAILED" in report["text"]
    assert pauses == [3.0, 5.0, 10.0]


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


@pytest.mark.parametrize("lost", ["job_id", "ota_release"])
def test_a_task_that_was_killed_while_it_pushed_its_job_has_one(
    service: Service, context: Any, firmware: Path, run: FakeRun, lost: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    seed(service, device={"device-002": {"outcome": "silent"}})
    dag = released(upload(context, firmware), deferrable=False)
    run.tasks["upgrade"] = ti = FakeTask(task_id="upgrade", max_tries=0)
    inner = FakeTask.xcom_push

    def push(task: FakeTask, key: str, value: Any) -> None:
        inner(task, key, value)
        if len(ti.xcom) == (1 if lost == "job_id" else 3):
            raise KeyboardInterrupt

    monkeypatch.setattr(FakeTask, "xcom_push", push)
    step: Any = dag.get_task("upgrade")
    with pytest.raises(KeyboardInterrupt):
        step.execute({"ti": ti})
    assert ti.xcom.pop(lost, None) is None or lost == "ota_release"
    run.states = {"verify": "success", "upgrade": "failed"}

    report = report_of(run, dag)

    (job_id,) = service.emulator.world.engine.jobs
    assert (report["event"], report["job_id"], sum(report["counts"].values())) == ("stopped", job_id, 3)


def test_a_job_that_is_kept_is_looked_at_once(
    service: Service, context: Any, firmware: Path, run: FakeRun, pauses: list[float]
) -> None:
    seed(service, device={"device-002": {"outcome": "silent"}})
    dag = released(upload(context, firmware, need_to_verify=True), on_cancel="keep")
    for name in STEPS:
        run.execute(dag.get_task(name))
    run.states["upgrade"] = "failed"
    pauses.clear()

    report = report_of(run, dag)

    assert "; state read afterwards: " in report["text"]
    assert (report["on_cancel"], pauses) == ("keep", [])


@pytest.mark.parametrize("away", ["no connection", "no platform"])
def test_a_platform_that_is_away_is_said_and_the_rest_is_reported(
    service: Service, run: FakeRun, stopped: DAG, away: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.sleep", lambda _: None)
    if away == "no platform":
        service.connect(port=1)
    else:
        service.monkeypatch.delenv(CONNECTION)

    report = report_of(run, stopped)

    assert (report["event"], report["counts"]) == ("stopped", {})
    assert report["job_id"] == run.tasks["upgrade"].xcom["job_id"]
    assert "The job could not be polled" in report["error"]


def test_a_wait_that_was_marked_success_is_no_success(
    service: Service, run: FakeRun, stopped: DAG, pauses: list[float]
) -> None:
    run.states["upgrade"] = "success"

    assert report_of(run, stopped)["event"] == "stopped"


@pytest.fixture
def draining(service: Service, context: Any, ti: FakeTask, firmware: Path) -> Any:
    """A task that was cleared while a device was flashing, and waits for that device now."""
    play(service, device_001={"flash_seconds": 90000.0}, device_002={"flash_seconds": 90000.0})
    firmware_id = make_firmware(service, context, firmware)
    context |= {"task_state_store": FakeStore(), "dag_run": SimpleNamespace(clear_number=0, start_date=None)}
    with DAG("dag", schedule=None):
        operator = verify(firmware_id, deferrable=True, retries=3)
    with pytest.raises(TaskDeferred):
        operator.execute(context)
    service.emulator.clock.advance(600)
    context["dag_run"].clear_number = 1
    ti.max_tries, ti.try_number = ti.try_number + 3, ti.try_number + 1
    ti.xcom.clear()
    with pytest.raises(TaskDeferred):
        operator.execute(context)
    return operator


def test_a_task_that_waits_for_the_job_of_before_a_clear_says_so(
    service: Service, ti: FakeTask, run: FakeRun, draining: Any
) -> None:
    (old,) = service.emulator.world.engine.jobs
    run.tasks["verify"], run.states["verify"] = ti, "failed"

    report = last_report({"ti": run, "dag": draining.dag, "run_id": "run"}, ["verify"])  # type: ignore[typeddict-item] # the run is a stand-in

    assert (report["event"], report["job_id"]) == ("stopped", "")
    assert f"waits for job {old}, from before this task was cleared; no new job was created" in report["text"]


def test_airflow_s_timeout_of_that_wait_takes_the_old_job_for_nobody_s(
    service: Service, context: Any, ti: FakeTask, draining: Any
) -> None:
    service.emulator.log.clear()

    with pytest.raises(WaitTimeoutError, match="no new one was created"):
        draining.resume_execution("__fail__", {"error": "Trigger timeout"}, context)

    assert (ti.xcom["ota_release"]["event"], ti.xcom["ota_release"]["job_id"]) == ("timeout", "")
    assert service.actions == []


def test_what_fits_is_reported_without_asking_the_platform(
    service: Service, context: Any, firmware: Path, run: FakeRun
) -> None:
    seed(service, device={"device-003": {"outcome": "fails", "reason": "worn"}})
    dag = released(upload(context, firmware, need_to_verify=True), deferrable=False)
    for name in STEPS:
        run.execute(dag.get_task(name))
    service.emulator.log.clear()

    assert report_of(run, dag) == run.tasks["upgrade"].xcom["ota_release"]
    assert report_of(run, dag)["event"] == "failed"
    assert service.actions == []


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


@pytest.mark.parametrize("left", [None, "a text", {}, {"event": "unheard of"}])
def test_what_is_no_report_is_no_report(run: FakeRun, left: Any) -> None:
    run.tasks["upgrade"] = FakeTask(xcom={"ota_release": left})
    run.states = {"verify": "success", "upgrade": "failed"}

    report = report_of(run, released("178"))

    assert (report["event"], report["step"]) == ("unclear", "upgrade")


def test_a_run_of_which_nothing_is_known_was_not_begun(run: FakeRun) -> None:
    assert report_of(run, released("178"))["event"] == "stopped"


def test_of_a_mapped_step_the_worst_instance_is_reported(
    service: Service, context: Any, firmware: Path, run: FakeRun
) -> None:
    seed(service, device={"device-003": {"outcome": "fails", "reason": "worn"}})
    firmware_id = upload(context, firmware, need_to_verify=False)
    fast: dict[str, Any] = {"firmware_id": firmware_id, "product_key": PRODUCT, "poll_interval": 0.05}
    groups = [["device-002"], ["device-003"], ["device-004"]]
    with DAG("dag", schedule=None) as dag:
        TuyaOTACreateUpgradeJobOperator.partial(task_id="upgrade", target_selection="SPECIFIC", **fast).expand(
            device_names=groups
        )
    for number, names in enumerate(groups):
        step = TuyaOTACreateUpgradeJobOperator(
            task_id="upgrade", target_selection="SPECIFIC", device_names=names, **fast
        )
        run.execute(step, f"upgrade_{number}")
    report = last_report({"ti": run, "dag": dag, "run_id": "run"}, ["upgrade"])  # type: ignore[typeddict-item] # the run is a stand-in

    assert (report["event"], report["failing"][0]["name"]) == ("failed", "device-003")
    assert (report["step"], "(of 3 instances 2 succeeded, 1 failed)" in report["text"]) == ("upgrade[1]", True)
    run.states["upgrade_1"], run.tasks["upgrade_1"].xcom["ota_release"] = "failed", None
    report = last_report({"ti": run, "dag": dag, "run_id": "run"}, ["upgrade"])  # type: ignore[typeddict-item] # the run is a stand-in
    assert (report["event"], report["failing"][0]["name"], report["step"]) == ("failed", "device-003", "upgrade[1]")
