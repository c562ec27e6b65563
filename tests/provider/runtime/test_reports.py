"""Every end of every operator leaves one report, and calls its notifiers once."""

from __future__ import annotations

from contextlib import nullcontext
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from airflow.sdk import BaseOperator
from airflow.sdk.exceptions import (
    AirflowFailException,
    AirflowRescheduleException,
    AirflowSensorTimeout,
    AirflowSkipException,
    AirflowTaskTimeout,
    TaskDeferralError,
    TaskDeferred,
)

from airflow_provider_tuya_ota.core.errors import (
    ConfigurationError,
    ConflictError,
    InvalidParameterError,
    NotFoundError,
    TransportError,
)
from airflow_provider_tuya_ota.core.model.outcome_errors import JobFailedError, WaitTimeoutError
from airflow_provider_tuya_ota.notifications import reported
from airflow_provider_tuya_ota.operators.firmware import (
    TuyaOTADeleteFirmwareOperator,
    TuyaOTAModifyFirmwareOperator,
    TuyaOTAUploadFirmwareOperator,
)
from airflow_provider_tuya_ota.operators.job import TuyaOTACreateVerifyJobOperator
from airflow_provider_tuya_ota.operators.module import (
    TuyaOTACreateModuleOperator,
    TuyaOTADeleteModuleOperator,
    TuyaOTAUpdateModuleOperator,
)
from airflow_provider_tuya_ota.operators.task import (
    TuyaOTACancelDeviceTasksOperator,
    TuyaOTACancelJobOperator,
    TuyaOTAConfirmTasksOperator,
)
from airflow_provider_tuya_ota.operators.upgrade import TuyaOTACreateUpgradeJobOperator
from airflow_provider_tuya_ota.sensors.job import TuyaOTAJobSensor
from tests.provider.conftest import FakeStore
from tests.provider.operators.test_upgrade_operator import seed, upgrade, upload
from tests.provider.operators.test_verify_operator import FAILS, fired, make_firmware, play, verify

if TYPE_CHECKING:
    from pathlib import Path

    from tests.provider.conftest import FakeTask, Service

PRODUCT = "k1demoproduct"
TIMEOUT = {"error": "Trigger timeout"}


def every_task(source: str) -> dict[str, tuple[type[BaseOperator], dict[str, Any]]]:
    """Give the arguments of one of each."""
    firmware_id = {"firmware_id": "178"}
    module = {"module_name": "mcu", "product_key": PRODUCT}
    made: list[tuple[type[BaseOperator], dict[str, Any]]] = [
        (TuyaOTAUploadFirmwareOperator, {"source": source, "version": "1.1.0", "product_key": PRODUCT}),
        (TuyaOTACreateVerifyJobOperator, firmware_id | {"product_key": PRODUCT}),
        (TuyaOTACreateUpgradeJobOperator, firmware_id | {"product_key": PRODUCT, "target_selection": "ALL"}),
        (TuyaOTAModifyFirmwareOperator, firmware_id | {"udi": "new"}),
        (TuyaOTADeleteFirmwareOperator, firmware_id | {"missing_ok": False}),
        (TuyaOTACreateModuleOperator, module),
        (TuyaOTAUpdateModuleOperator, module | {"desc": "new"}),
        (TuyaOTADeleteModuleOperator, module | {"missing_ok": False}),
        (TuyaOTACancelJobOperator, {"job_id": "7", "cancel_queued": True}),
        (TuyaOTACancelDeviceTasksOperator, firmware_id | {"product_key": PRODUCT, "device_names": ["device-001"]}),
        (TuyaOTAConfirmTasksOperator, {"job_id": "7"}),
        (TuyaOTAJobSensor, {"job_id": "7", "poke_interval": 0.05}),
    ]
    return {kind.__name__: (kind, arguments) for kind, arguments in made}


def one(name: str, source: Path, **also: Any) -> BaseOperator:
    kind, arguments = every_task(str(source))[name]
    return kind(task_id="task", **arguments | also)


KINDS = list(every_task("x.bin"))


@pytest.mark.parametrize("name", KINDS)
def test_an_unknown_connection_is_a_refusal_that_is_reported(
    service: Service, context: Any, ti: FakeTask, firmware: Path, name: str
) -> None:
    with pytest.raises(ConfigurationError):
        one(name, firmware, tuya_ota_conn_id="nowhere").execute(context)

    pushed = ti.xcom["ota_release"]
    assert (pushed["event"], pushed["step"], pushed["counts"]) == ("refused", "task", {})
    assert pushed["error"].startswith("Connection 'nowhere' is not defined")
    assert pushed["error"] in pushed["text"]


@pytest.mark.parametrize("name", KINDS)
def test_a_platform_that_is_away_is_a_failure_that_is_reported(
    service: Service, context: Any, ti: FakeTask, firmware: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.sleep", lambda _: None)
    service.connect(port=1)

    with pytest.raises((TransportError, AirflowSensorTimeout)):
        one(name, firmware, **({"timeout": 0.3} if "Sensor" in name else {})).execute(context)

    pushed = ti.xcom["ota_release"]
    assert pushed["event"] == ("timeout" if "Sensor" in name else "failed")
    assert pushed["error"]


REFUSED = [name for name in KINDS if name not in {"TuyaOTAUploadFirmwareOperator", "TuyaOTACreateModuleOperator"}]


@pytest.mark.parametrize("name", REFUSED)
def test_what_the_platform_does_not_know_is_a_refusal_that_is_reported(
    service: Service, context: Any, ti: FakeTask, firmware: Path, name: str
) -> None:
    with pytest.raises((NotFoundError, ConflictError)):
        one(name, firmware).execute(context)

    assert ti.xcom["ota_release"]["event"] == "refused"


def test_keeping_operators_say_what_they_did(service: Service, context: Any, ti: FakeTask, firmware: Path) -> None:
    seed(service, offline=1.0)
    firmware_id = upload(context, firmware)
    job_id = upgrade(firmware_id, wait_for_completion=False).execute(context)
    named: dict[str, Any] = {"firmware_id": firmware_id, "product_key": PRODUCT, "device_names": ["device-001"]}
    tasks: list[tuple[BaseOperator, str]] = [
        (
            TuyaOTACancelDeviceTasksOperator(task_id="a", **named),
            f"OTA firmware {firmware_id} is cancelled on 1 devices",
        ),
        (TuyaOTAConfirmTasksOperator(task_id="b", job_id=job_id), f"OTA job {job_id} got 0 device tasks confirmed"),
        (
            TuyaOTACancelJobOperator(task_id="c", job_id=job_id, cancel_queued=True),
            f"OTA job {job_id} was asked to cancel what has not begun; nothing is left unfinished",
        ),
        (
            TuyaOTAModifyFirmwareOperator(task_id="d", firmware_id=firmware_id, udi="x"),
            f"OTA firmware {firmware_id} was changed",
        ),
        (TuyaOTADeleteFirmwareOperator(task_id="e", firmware_id=firmware_id), f"OTA firmware {firmware_id} is deleted"),
    ]
    for task, text in tasks:
        task.execute(context)
        assert ti.xcom["ota_release"]["text"] == f"{text}, 0 s."
        assert ti.xcom["ota_release"]["event"] == "succeeded"


def test_refused_input_names_the_argument(service: Service, context: Any, ti: FakeTask) -> None:
    with pytest.raises(InvalidParameterError):
        verify("178", on_cancel="explode").execute(context)

    assert ti.xcom["ota_release"]["event"] == "refused"
    assert "on_cancel: 'explode' is not allowed" in ti.xcom["ota_release"]["text"]
    assert service.actions == []


def test_a_report_says_version_product_and_where_to_look(
    service: Service, context: Any, ti: FakeTask, firmware: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW__API__BASE_URL", "https://airflow.example/ota/")
    service.connect(extra={"console_url": "https://console.example/{job_id}"})
    ti.run_id, ti.map_index = "manual__2026-11-24T12:00:00+00:00", 0
    seed(service, device={"device-003": FAILS})
    firmware_id = upload(context, firmware)

    with pytest.raises(JobFailedError):
        upgrade(firmware_id).execute(context)

    pushed = ti.xcom["ota_release"]
    assert (pushed["version"], pushed["product_key"], pushed["firmware_id"]) == ("1.1.0", PRODUCT, firmware_id)
    assert pushed["link"] == f"https://console.example/{pushed['job_id']}"
    assert pushed["run_link"] == (
        "https://airflow.example/ota/dags/dag/runs/manual__2026-11-24T12%3A00%3A00%2B00%3A00/tasks/task/mapped/0"
    )
    assert [device["name"] for device in pushed["failing"]] == ["device-003"]
    assert datetime.fromisoformat(pushed["started_at"]).tzinfo is not None


def test_while_it_waits_a_task_has_said_that_it_does(
    service: Service, context: Any, ti: FakeTask, firmware: Path
) -> None:
    firmware_id = make_firmware(service, context, firmware)

    with pytest.raises(TaskDeferred):
        verify(firmware_id, deferrable=True).execute(context)

    pushed = ti.xcom["ota_release"]
    assert (pushed["event"], pushed["job_id"], pushed["on_cancel"]) == ("waiting", ti.xcom["job_id"], "stop")
    assert pushed["firmware_id"] == firmware_id


def test_after_a_timeout_the_report_has_what_the_stop_left(
    service: Service, context: Any, ti: FakeTask, firmware: Path
) -> None:
    play(service, device_001={"outcome": "silent"})
    firmware_id = make_firmware(service, context, firmware)

    with pytest.raises(WaitTimeoutError):
        verify(firmware_id, timeout=0.5).execute(context)

    (job,) = service.emulator.world.engine.jobs.values()
    pushed = ti.xcom["ota_release"]
    assert pushed["event"] == "timeout"
    assert pushed["counts"] == {status: number for status, number in job.counts.items() if number}
    assert pushed["counts"]["CANCELED"] == 1


def defer(operator: BaseOperator, context: Any) -> None:
    with pytest.raises(TaskDeferred):
        operator.execute(context)


def test_giving_up_keeps_job_link_and_duration_and_never_stops_a_job_of_others(
    service: Service, context: Any, ti: FakeTask, firmware: Path
) -> None:
    service.connect(extra={"console_url": "https://console.example/{job_id}", "requests_per_second": 1000})
    play(service, device_001={"outcome": "silent"})
    firmware_id = make_firmware(service, context, firmware)
    theirs = verify(firmware_id, wait_for_completion=False).execute(context)
    followed = verify(firmware_id, deferrable=True)
    context["task_state_store"] = FakeStore()
    defer(followed, context)
    ti.xcom["ota_release"]["started_at"] = (datetime.now().astimezone() - timedelta(hours=2)).isoformat()
    service.emulator.log.clear()

    with pytest.raises(WaitTimeoutError):
        followed.resume_execution("__fail__", TIMEOUT, context)

    pushed = ti.xcom["ota_release"]
    assert (pushed["event"], pushed["job_id"]) == ("timeout", theirs)
    assert pushed["link"] == f"https://console.example/{theirs}"
    assert 7200 <= pushed["duration"] < 7300
    assert "CancelOTATaskByJob" not in service.actions


def test_giving_up_stops_an_own_job_and_says_what_became_of_it(
    service: Service, context: Any, ti: FakeTask, firmware: Path
) -> None:
    play(service, device_001={"outcome": "silent"})
    firmware_id = make_firmware(service, context, firmware)
    context["task_state_store"] = FakeStore()
    operator = verify(firmware_id, deferrable=True)
    defer(operator, context)

    with pytest.raises(WaitTimeoutError):
        operator.resume_execution("__fail__", TIMEOUT, context)

    assert "CancelOTATaskByJob" in service.actions
    assert ti.xcom["ota_release"]["counts"]["CANCELED"] == 1


def test_a_broken_trigger_is_reported_with_the_job_that_goes_on(
    service: Service, context: Any, ti: FakeTask, firmware: Path
) -> None:
    firmware_id = make_firmware(service, context, firmware)
    operator = verify(firmware_id, deferrable=True)
    defer(operator, context)

    with pytest.raises(TaskDeferralError):
        operator.resume_execution("__fail__", {"error": "Trigger failure"}, context)

    pushed = ti.xcom["ota_release"]
    assert (pushed["event"], pushed["job_id"]) == ("failed", ti.xcom["job_id"])


@pytest.mark.parametrize("deferrable", [False, True])
@pytest.mark.parametrize("soft_fail", [False, True])
@pytest.mark.parametrize(
    ("device", "event"), [({}, "succeeded"), (FAILS, "failed"), ({"outcome": "silent"}, "timeout")]
)
def test_the_job_sensor_reports_each_of_its_ends(
    service: Service,
    context: Any,
    ti: FakeTask,
    firmware: Path,
    deferrable: bool,
    soft_fail: bool,
    device: Any,
    event: str,
) -> None:
    play(service, device_002=device)
    job_id = verify(make_firmware(service, context, firmware), wait_for_completion=False).execute(context)
    ti.xcom.clear()
    sensor = TuyaOTAJobSensor(
        task_id="wait", job_id=job_id, deferrable=deferrable, poke_interval=0.05, timeout=1, soft_fail=soft_fail
    )
    expected: Any = {"succeeded": (), "failed": JobFailedError, "timeout": AirflowSensorTimeout}[event]
    with nullcontext() if event == "succeeded" else pytest.raises(AirflowSkipException if soft_fail else expected):
        try:
            sensor.execute(context)
        except TaskDeferred as deferred:
            assert ti.xcom["ota_release"]["event"] == "waiting"
            sensor.resume_execution("execute_complete", {"event": fired(deferred.trigger)}, context)
    pushed = ti.xcom["ota_release"]
    assert (pushed["event"], pushed["job_id"], pushed["version"]) == (event, job_id, "1.1.0")
    assert sum(pushed["counts"].values()) == 2


class Quiet(BaseOperator):
    """Any task of somebody else."""

    notifiers: tuple[Any, ...] = ()


@pytest.mark.parametrize(
    ("error", "event"),
    [
        (AirflowTaskTimeout("over"), "timeout"),
        (AirflowSensorTimeout("over"), "timeout"),
        (AirflowFailException("no devices"), "refused"),
        (ValueError("what"), "failed"),
        (AirflowSkipException("not today"), "failed"),
    ],
)
def test_any_task_may_leave_a_report(context: Any, ti: FakeTask, error: BaseException, event: str) -> None:
    context["task"], ti.map_index = Quiet(task_id="check"), 0

    with pytest.raises(type(error)), reported(context):
        raise error

    assert (ti.xcom["ota_release"]["event"], ti.xcom["ota_release"]["step"]) == (event, "task[0]")


def test_waiting_elsewhere_is_no_end(context: Any, ti: FakeTask) -> None:
    with pytest.raises(AirflowRescheduleException), reported(context, Quiet(task_id="check")):
        raise AirflowRescheduleException(datetime.now().astimezone())  # type: ignore[no-untyped-call] # Airflow's

    assert ti.xcom == {}


def test_a_report_that_cannot_be_pushed_changes_no_outcome(
    context: Any, ti: FakeTask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ti, "xcom_push", lambda **_: (_ for _ in ()).throw(RuntimeError("away")))

    with reported(context, Quiet(task_id="check")):
        pass
    with pytest.raises(ValueError, match="mine"), reported(context, Quiet(task_id="check")):
        raise ValueError("mine")
