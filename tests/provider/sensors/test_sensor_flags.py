"""A sensor ends in the same way in every mode and with every flag of Airflow; its timeout names the last state."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from airflow.sdk import DAG
from airflow.sdk.exceptions import AirflowSensorTimeout, AirflowSkipException, AirflowTaskTimeout, TaskDeferred

from airflow_provider_tuya_ota.core.errors import FirmwareStatusError
from airflow_provider_tuya_ota.core.status.wait_state import WaitState
from airflow_provider_tuya_ota.runtime import condition
from airflow_provider_tuya_ota.sensors import firmware as firmware_sensor
from airflow_provider_tuya_ota.sensors.device import TuyaOTADeviceStateSensor
from airflow_provider_tuya_ota.sensors.firmware import TuyaOTAFirmwareStatusSensor
from airflow_provider_tuya_ota.sensors.job import TuyaOTAJobSensor
from tests.provider.operators.test_upgrade_operator import PRODUCT, seed, upload
from tests.provider.operators.test_verify_operator import BOTH, fired

if TYPE_CHECKING:
    from pathlib import Path

    from tests.provider.conftest import FakeTask, Service


def end(sensor: Any, context: Any) -> BaseException | None:
    """Let a sensor run to its end, as Airflow does."""
    try:
        try:
            sensor.execute(context)
        except TaskDeferred as deferred:
            sensor.resume_execution("execute_complete", {"event": fired(deferred.trigger)}, context)
    except Exception as error:  # noqa: BLE001 - each test compares it
        return error
    return None


def status(firmware_id: str, **changes: Any) -> Any:
    fast: dict[str, Any] = {"poke_interval": 0.05, "timeout": 0.2}
    with DAG("dag", schedule=None):
        return TuyaOTAFirmwareStatusSensor(task_id="task", firmware_id=firmware_id, **fast | changes)


@pytest.fixture
def firmware_id(service: Service, context: Any, firmware: Path) -> str:
    seed(service, offline=1.0)
    return upload(context, firmware, need_to_verify=True)


@BOTH
@pytest.mark.parametrize(
    ("flags", "failed", "late"),
    [
        ({}, FirmwareStatusError, AirflowSensorTimeout),
        ({"soft_fail": True}, AirflowSkipException, AirflowSkipException),
        ({"never_fail": True}, AirflowSkipException, AirflowSensorTimeout),
        ({"silent_fail": True}, AirflowSensorTimeout, AirflowSensorTimeout),
    ],
)
def test_a_flag_means_the_same_in_every_mode(
    context: Any, firmware_id: str, deferrable: bool, flags: dict[str, Any], failed: type, late: type
) -> None:
    failing = status(firmware_id, failing_statuses="UNVERIFIED", deferrable=deferrable, **flags)
    waiting = status(firmware_id, deferrable=deferrable, **flags)

    assert (type(end(failing, context)), type(end(waiting, context))) == (failed, late)


@BOTH
@pytest.mark.parametrize("rings", ["in a poke", "between two"])
@pytest.mark.parametrize(
    ("flags", "kind"),
    [
        ({}, AirflowTaskTimeout),
        ({"soft_fail": True}, AirflowSkipException),
        ({"never_fail": True}, AirflowTaskTimeout),
        ({"silent_fail": True}, AirflowTaskTimeout),
    ],
)
def test_an_execution_timeout_is_a_timeout_wherever_the_alarm_rings(
    context: Any,
    ti: FakeTask,
    monkeypatch: pytest.MonkeyPatch,
    deferrable: bool,
    rings: str,
    flags: dict[str, Any],
    kind: type,
) -> None:
    def ring(*_: Any, **__: Any) -> None:
        raise AirflowTaskTimeout("Timeout, PID: 4711")

    sensor = status("178", deferrable=deferrable, timeout=60.0, **flags)
    if rings == "in a poke":
        monkeypatch.setattr(condition, "poke_condition", ring)
        monkeypatch.setattr(firmware_sensor.TuyaOTAFirmwareStatusSensor, "poke", ring)
    else:
        monkeypatch.setattr(firmware_sensor.TuyaOTAFirmwareStatusSensor, "poke", lambda *_: False)
        monkeypatch.setattr(condition, "poke_condition", lambda *_: False)
        monkeypatch.setattr(sensor, "_get_next_poke_interval", ring)
        monkeypatch.setattr(condition, "wait_options", ring)

    with pytest.raises(kind):
        sensor.execute(context)

    report = ti.xcom["ota_release"]
    assert (report["event"], report["error"]) == ("timeout", "The task's execution_timeout was over.")


@pytest.mark.parametrize(
    ("flags", "kind"),
    [({}, AirflowTaskTimeout), ({"soft_fail": True}, AirflowSkipException), ({"never_fail": True}, AirflowTaskTimeout)],
)
def test_an_execution_timeout_after_the_triggerer_is_one_too(
    context: Any, monkeypatch: pytest.MonkeyPatch, flags: dict[str, Any], kind: type
) -> None:
    def ring(*_: Any, **__: Any) -> None:
        raise AirflowTaskTimeout

    sensor = status("178", deferrable=True, **flags)
    monkeypatch.setattr(sensor, "execute_complete", ring)

    with pytest.raises(kind):
        sensor.resume_execution("execute_complete", {"event": {}}, context)


@BOTH
def test_a_timeout_names_what_was_missing_and_what_to_do(
    context: Any, ti: FakeTask, firmware_id: str, deferrable: bool
) -> None:
    fast: dict[str, Any] = {"poke_interval": 0.05, "timeout": 0.2, "deferrable": deferrable}
    with DAG("dag", schedule=None):
        sensor = TuyaOTADeviceStateSensor(task_id="task", product_key=PRODUCT, device_names=["device-001"], **fast)

    said = (
        "the time to wait is over: 0 of 1 devices are ONLINE; missing: device-001. To wait longer, run the task again"
    )
    assert str(end(sensor, context)) == said
    assert (ti.xcom["ota_release"]["event"], ti.xcom["ota_release"]["error"]) == ("timeout", said)


@BOTH
def test_a_state_that_is_not_known_any_more_is_not_stated(
    service: Service, context: Any, firmware_id: str, deferrable: bool
) -> None:
    sensor = status(firmware_id, deferrable=deferrable)
    inner = sensor.poke if not deferrable else sensor.hand_over

    def once(*given: Any) -> Any:
        try:
            return inner(*given)
        finally:
            service.emulator.world.firmwares.by_id.pop(firmware_id, None)

    setattr(sensor, inner.__name__, once)

    said = str(end(sensor, context))

    assert said.startswith("the time to wait is over: the last poll failed: QueryOTAFirmware was refused")
    assert f"The last poll that succeeded: firmware {firmware_id} (1.1.0) is UNVERIFIED. To wait longer" in said


@pytest.mark.parametrize(
    ("flags", "error"),
    [
        ({}, AirflowSensorTimeout),
        ({"soft_fail": True}, AirflowSkipException),
        ({"never_fail": True}, AirflowSensorTimeout),
    ],
)
def test_a_triggerer_that_never_answers_is_a_timeout(context: Any, flags: dict[str, Any], error: type) -> None:
    with pytest.raises(error, match="Check that a triggerer runs, then run the task again"):
        status("178", deferrable=True, **flags).resume_execution("__fail__", {"error": "Trigger timeout"}, context)


def test_a_job_that_pokes_names_its_state_at_a_timeout(service: Service, context: Any) -> None:
    with DAG("dag", schedule=None):
        sensor = TuyaOTAJobSensor(task_id="task", job_id="1")
    said = str(sensor.timeout_error(WaitState(line="job 1 IN_PROGRESS", last_error="lost.")))

    assert "Last state: job 1 IN_PROGRESS. The last poll failed: lost. It goes on at the platform" in said
