"""The report on a run's last step, with a poll of the platform if the step left no report."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from airflow.sdk import DAG
from airflow.sdk.exceptions import TaskDeferred
from airflow.sdk.execution_time.task_runner import RuntimeTaskInstance

from airflow_provider_tuya_ota.core.jobs.cancel import cancel_job
from airflow_provider_tuya_ota.core.model.outcome_errors import JobFailedError, WaitTimeoutError
from airflow_provider_tuya_ota.hooks.tuya_ota import TuyaOTAHook
from airflow_provider_tuya_ota.notifications import last_report
from airflow_provider_tuya_ota.operators.job import TuyaOTACreateVerifyJobOperator
from airflow_provider_tuya_ota.operators.upgrade import TuyaOTACreateUpgradeJobOperator
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
    assert "may go on: step upgrade was marked failed by a person, or its process was lost" in report["text"]
    assert "was stopped" not in report["text"]
    assert pauses == [3.0, 5.0, 10.0]


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
