"""A poking sensor treats outages, refusals and contradictions as a deferred one does."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, tzinfo
from typing import TYPE_CHECKING, Any, Self

import pytest
from airflow.sdk.exceptions import AirflowRescheduleException, AirflowSensorTimeout, AirflowSkipException
from airflow.sdk.execution_time.task_runner import RuntimeTaskInstance

from airflow_provider_tuya_ota.core.errors import AuthenticationError, PollingFailedError
from airflow_provider_tuya_ota.core.model.outcome_errors import JobFailedError
from airflow_provider_tuya_ota.runtime import poke_state
from airflow_provider_tuya_ota.sensors.firmware import TuyaOTAFirmwareStatusSensor
from airflow_provider_tuya_ota.sensors.job import TuyaOTAJobSensor
from airflow_provider_tuya_ota.transports import runtime
from airflow_provider_tuya_ota.transports.runtime import Runtime
from tests.emulator.plain_client import PlainClient, over_socket
from tests.provider.conftest import FakeStore, FakeTask
from tests.provider.operators.test_verify_operator import play
from tests.provider.specs import stands_in_for

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_provider_tuya_ota.core.flows.effects import FlowContext
    from tests.provider.conftest import Service

Sensor = TuyaOTAJobSensor | TuyaOTAFirmwareStatusSensor
MODES = pytest.mark.parametrize("mode", ["poke", "reschedule"])
KINDS = pytest.mark.parametrize("kind", ["job", "firmware"])


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Let seconds pass in every world."""
    passed = timedelta(0)
    inner = Runtime.context

    def context(world: Runtime) -> FlowContext:
        ambient = inner(world)
        return replace(ambient, steady=ambient.steady + passed)

    def let_pass(seconds: float) -> None:
        nonlocal passed
        passed += timedelta(seconds=seconds)

    monkeypatch.setattr(Runtime, "context", context)
    return let_pass


class Task:
    """A sensor's task: each poke has a process of its own in the mode ``reschedule``."""

    def __init__(
        self, service: Service, mode: str, kind: str = "job", device: str = "device-001", **changes: Any
    ) -> None:
        plain_client = PlainClient(over_socket(service.url))
        self.firmware_id = plain_client.create_firmware(f"2.0.{device[-1]}", NeedToVerify="true")
        self.job = plain_client.verify(self.firmware_id, device)
        self.mode, self.kind, self.changes = mode, kind, changes
        self.ti = FakeTask()
        self.store = FakeStore()
        self.sensor = self.build()

    def build(self) -> Sensor:
        arguments: dict[str, Any] = {"task_id": "t", "mode": self.mode} | self.changes
        if self.kind == "job":
            return TuyaOTAJobSensor(job_id=self.job, **arguments)
        return TuyaOTAFirmwareStatusSensor(firmware_id=self.firmware_id, **arguments)

    def poke(self) -> bool:
        if self.mode == "reschedule":
            self.sensor = self.build()
        context: Any = {"ti": self.ti, "task_state_store": self.store}
        return self.sensor.poke(context)


def silence(service: Service) -> None:
    """Let the devices of all jobs say nothing."""
    play(service, device_001={"outcome": "silent"}, device_002={"outcome": "silent"})


@KINDS
@MODES
def test_an_outage_is_sat_out_for_two_hours_and_no_longer(
    service: Service, later: Callable[[float], None], mode: str, kind: str
) -> None:
    silence(service)
    task = Task(service, mode, kind)
    assert task.poke() is False
    service.emulator.faults.add({"action": "*", "kind": "redirect"})

    for _ in range(2):
        assert task.poke() is False
        later(3500)
    assert task.poke() is False
    later(300)

    with pytest.raises(PollingFailedError, match="could not be polled for 7200 s"):
        task.poke()


class SetBack(datetime):
    """A wall clock that somebody has set back by a day."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> Self:
        return super().now(tz) - timedelta(days=1)


@KINDS
def test_a_wall_clock_that_is_set_back_makes_no_outage_last_longer(
    service: Service, later: Callable[[float], None], kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    silence(service)
    task = Task(service, "poke", kind)
    service.emulator.faults.add({"action": "*", "kind": "redirect"})
    assert task.poke() is False
    monkeypatch.setattr(runtime, "datetime", SetBack)
    later(7300)

    with pytest.raises(PollingFailedError, match="could not be polled for 7200 s"):
        task.poke()


@KINDS
@MODES
def test_a_key_that_worked_is_given_a_moment_to_work_again(
    service: Service, later: Callable[[float], None], mode: str, kind: str
) -> None:
    silence(service)
    task = Task(service, mode, kind)
    assert task.poke() is False
    service.connect(password="of another key")

    assert task.poke() is False
    later(200)
    service.connect()
    assert task.poke() is False
    service.connect(password="of another key")
    assert task.poke() is False
    later(300)

    with pytest.raises(PollingFailedError, match="for 300 s"):
        task.poke()


@KINDS
@MODES
def test_a_key_that_never_worked_fails_at_once(service: Service, mode: str, kind: str) -> None:
    task = Task(service, mode, kind)
    service.connect(password="of another key")

    with pytest.raises(AuthenticationError):
        task.poke()


@MODES
@pytest.mark.parametrize(("soft", "error"), [(False, JobFailedError), (True, AirflowSkipException)])
def test_a_contradiction_that_lasts_is_a_failure(
    service: Service, later: Callable[[float], None], mode: str, soft: bool, error: type[Exception]
) -> None:
    silence(service)
    task = Task(service, mode, soft_fail=soft)
    service.emulator.world.engine.jobs[task.job].status = "COMPLETED"

    assert task.poke() is False
    later(299)
    assert task.poke() is False
    later(1)

    with pytest.raises(error, match="The platform has reported this for 300 s"):
        task.poke()


def test_a_retry_begins_anew(service: Service, later: Callable[[float], None]) -> None:
    silence(service)
    task = Task(service, "reschedule")
    service.emulator.faults.add({"action": "*", "kind": "redirect"})
    assert task.poke() is False
    later(8000)

    task.ti.try_number += 1

    assert task.poke() is False


def test_it_is_kept_only_between_processes_and_written_only_where_something_is_new(service: Service) -> None:
    silence(service)
    poking, rescheduled = Task(service, "poke"), Task(service, "reschedule", "firmware", "device-002")
    writes: list[Any] = []
    inner = rescheduled.store.set

    def count(key: str, value: Any, **more: Any) -> None:
        writes.append(value)
        inner(key, value, **more)

    rescheduled.store.set = count  # type: ignore[method-assign] # listens in
    for _ in range(5):
        poking.poke()
        rescheduled.poke()

    assert poking.store.values == {}
    assert len(writes) == 1
    assert rescheduled.store.values[poke_state.KEY]["try_number"] == 1


def test_without_a_task_state_store_each_process_judges_for_itself(service: Service) -> None:
    silence(service)
    task = Task(service, "reschedule")
    task.store = None  # type: ignore[assignment] # an Airflow without one

    assert [task.poke(), task.poke()] == [False, False]


@stands_in_for(RuntimeTaskInstance, own=("xcom",))
@dataclass
class Rescheduled(FakeTask):
    """A task whose first poke was two hours ago, or that pokes for the first time."""

    start_date: datetime | None = None

    def get_first_reschedule_date(self, context: Any) -> datetime | None:
        return self.start_date


def test_a_step_that_was_rescheduled_began_with_its_first_poke(service: Service) -> None:
    silence(service)
    task = Task(service, "reschedule", timeout=60.0)
    began = datetime.now(UTC) - timedelta(hours=2)
    ti = Rescheduled(start_date=began)
    context: Any = {"ti": ti, "task_state_store": task.store}

    with pytest.raises(AirflowSensorTimeout):
        task.sensor.execute(context)

    report = ti.xcom["ota_release"]
    assert (report["event"], report["started_at"]) == ("timeout", began.isoformat())
    assert report["duration"] >= timedelta(hours=2).total_seconds()


def test_a_step_that_is_to_be_rescheduled_waits_since_now(service: Service) -> None:
    silence(service)
    task, ti, before = Task(service, "reschedule", timeout=60.0), Rescheduled(), datetime.now(UTC)
    context: Any = {"ti": ti, "task_state_store": task.store}

    with pytest.raises(AirflowRescheduleException):
        task.sensor.execute(context)

    report = ti.xcom["ota_release"]
    assert report["event"] == "waiting"
    assert datetime.fromisoformat(report["started_at"]) >= before


@MODES
def test_a_success_is_held_for_four_pokes_as_a_deferred_sensor_holds_it(
    service: Service, later: Callable[[float], None], mode: str
) -> None:
    plain_client = PlainClient(over_socket(service.url))
    task = Task(service, mode, poke_interval=2.0)
    task.job = plain_client.upgrade(plain_client.create_firmware("3.0.0", NeedToVerify="false"), "device-003")
    task.sensor = task.build()
    service.emulator.clock.advance(7200)

    assert task.poke() is False
    later(7.5)
    assert task.poke() is False
    later(0.6)
    assert task.poke() is True
