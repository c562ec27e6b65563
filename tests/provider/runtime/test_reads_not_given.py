"""A read that Airflow's API does not answer prevents no notification, and fails no successful wait."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from airflow.sdk import DAG
from airflow.sdk.api.datamodels._generated import DagRun
from airflow.sdk.exceptions import (
    AirflowRescheduleException,
    AirflowRuntimeError,
    AirflowSensorTimeout,
    ErrorType,
    TaskDeferred,
)
from airflow.sdk.execution_time import comms
from airflow.sdk.execution_time.task_runner import RuntimeTaskInstance

from airflow_provider_tuya_ota.core.model.outcome_errors import WaitTimeoutError
from airflow_provider_tuya_ota.notifications import last_report
from airflow_provider_tuya_ota.sensors.device import TuyaOTADeviceStateSensor
from tests.provider.conftest import FakeStore, FakeTask
from tests.provider.operators.test_upgrade_operator import PRODUCT, seed, upgrade, upload
from tests.provider.runtime.test_last_report import FakeRun, draining, released
from tests.provider.specs import stands_in_for

if TYPE_CHECKING:
    from pathlib import Path

    from tests.provider.conftest import Service

__all__ = ["draining"]
ONCE, FOR_GOOD = 1, 1000


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("airflow_provider_tuya_ota.hooks.airflow_api.PAUSES", (0.0, 0.0))


def refuse(left: list[int]) -> None:
    left[0] -= 1
    if left[0] >= 0:
        raise AirflowRuntimeError(comms.ErrorResponse(error=ErrorType.API_SERVER_ERROR, detail={"status_code": 500}))


@stands_in_for(RuntimeTaskInstance, own=("xcom", "left", "began"))
@dataclass
class Task(FakeTask):
    """A task instance whose reads fail."""

    left: list[int] = field(default_factory=lambda: [0])
    began: datetime | None = None

    def xcom_pull(self, task_ids: str, *, key: str, map_indexes: int) -> Any:
        refuse(self.left)
        return super().xcom_pull(task_ids, key=key, map_indexes=map_indexes)

    def get_first_reschedule_date(self, context: Any) -> datetime | None:
        refuse(self.left)
        return self.began


@stands_in_for(RuntimeTaskInstance, own=("tasks", "states", "execute", "left", "fails"))
@dataclass
class Run(FakeRun):
    """A run whose reads fail."""

    left: list[int] = field(default_factory=lambda: [0])
    fails: str = ""

    def get_task_states(self, dag_id: str, *, task_ids: list[str], run_ids: list[str]) -> dict[str, dict[str, str]]:
        if self.fails == "states":
            refuse(self.left)
        return super().get_task_states(dag_id, task_ids=task_ids, run_ids=run_ids)

    def xcom_pull(self, task_ids: str, *, key: str, map_indexes: int) -> Any:
        if self.fails == key:
            refuse(self.left)
        return super().xcom_pull(task_ids, key=key, map_indexes=map_indexes)


@pytest.mark.parametrize("fails", ["states", "ota_release", "job_id"])
@pytest.mark.parametrize(("times", "event"), [(ONCE, "stopped"), (FOR_GOOD, "unclear")])
def test_a_run_that_cannot_be_read_is_reported_all_the_same(
    service: Service, fails: str, times: int, event: str
) -> None:
    run = Run(left=[times], fails=fails, states={"verify": "success"})

    report = last_report({"ti": run, "dag": released("178"), "run_id": "run"}, ["verify", "upgrade"])  # type: ignore[typeddict-item] # the run is a stand-in

    assert report["event"] == event
    if event == "unclear":
        assert "step verify could not be read. Look at the run in Airflow" in report["text"]
        assert "Airflow's API did not give the" in report["error"]


def sensor(**changes: Any) -> TuyaOTADeviceStateSensor:
    with DAG("dag", schedule=None):
        return TuyaOTADeviceStateSensor(
            task_id="task", product_key=PRODUCT, device_names=["device-001"], **{"timeout": 60.0} | changes
        )


@pytest.mark.parametrize("times", [ONCE, FOR_GOOD])
def test_a_condition_that_was_met_in_the_triggerer_stays_met(service: Service, times: int) -> None:
    ti = Task(left=[times])
    context: Any = {"ti": ti}

    sensor(deferrable=True).resume_execution("execute_complete", {"event": {"status": "met"}}, context)

    assert ti.xcom["ota_release"]["event"] == "succeeded"


def test_a_first_poke_that_is_not_given_once_is_read_again(service: Service) -> None:
    seed(service, offline=1.0)
    ti = Task(left=[ONCE], began=datetime.now(UTC) - timedelta(hours=2))
    context: Any = {"ti": ti}

    with pytest.raises(AirflowSensorTimeout):
        sensor(mode="reschedule").execute(context)


def test_a_first_poke_that_is_never_given_lets_the_sensor_wait_on(
    service: Service, capsys: pytest.CaptureFixture[str]
) -> None:
    seed(service, offline=1.0)
    ti = Task(left=[FOR_GOOD], began=datetime.now(UTC) - timedelta(hours=2))
    context: Any = {"ti": ti}

    with pytest.raises(AirflowRescheduleException):
        sensor(mode="reschedule").execute(context)

    assert "Whether the timeout has passed is decided at the next poke: Airflow's API" in capsys.readouterr().out


@pytest.mark.parametrize("times", [ONCE, FOR_GOOD])
@pytest.mark.parametrize("retries", [0, 3])
def test_a_job_is_stopped_after_airflow_s_timeout_although_the_report_is_not_given(
    service: Service, context: Any, firmware: Path, times: int, retries: int
) -> None:
    seed(service, device={"device-002": {"outcome": "silent"}})
    firmware_id = upload(context, firmware)
    ti = Task()
    context |= {"ti": ti, "task_state_store": FakeStore(), "dag_run": DagRun.model_construct(clear_number=0)}
    operator = upgrade(
        firmware_id, target_selection="SPECIFIC", device_names=["device-002"], deferrable=True, retries=retries
    )
    with pytest.raises(TaskDeferred):
        operator.execute(context)
    service.emulator.clock.advance(600)
    ti.left[0] = times
    # Another task of the run was cleared.
    context["dag_run"].clear_number = 1

    with pytest.raises(WaitTimeoutError, match="What had not begun was stopped"):
        operator.resume_execution("__fail__", {"error": "Trigger timeout"}, context)


def test_a_job_from_before_a_clear_is_not_stopped_where_the_report_is_not_given(
    service: Service, context: Any, ti: FakeTask, draining: Any
) -> None:
    service.emulator.log.clear()
    vars(ti)["xcom_pull"] = lambda *_, **__: refuse([FOR_GOOD])

    with pytest.raises(WaitTimeoutError, match="has not stored"):
        draining.resume_execution("__fail__", {"error": "Trigger timeout"}, context)

    assert service.actions == []
