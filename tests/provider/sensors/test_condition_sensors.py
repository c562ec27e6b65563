from __future__ import annotations

import json
from contextlib import nullcontext
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from airflow.sdk.exceptions import AirflowSensorTimeout, AirflowSkipException, TaskDeferred

from airflow_provider_tuya_ota.core.errors import (
    FirmwareStatusError,
    InvalidParameterError,
    NotFoundError,
    TriggerEventError,
)
from airflow_provider_tuya_ota.sensors.device import TuyaOTADeviceStateSensor
from airflow_provider_tuya_ota.sensors.firmware import TuyaOTAFirmwareStatusSensor
from airflow_provider_tuya_ota.triggers.condition import TuyaOTAConditionTrigger
from tests.provider.operators.test_upgrade_operator import PRODUCT, seed, upload
from tests.provider.operators.test_verify_operator import BOTH, fired, verify

if TYPE_CHECKING:
    from tests.provider.conftest import FakeTask, Service

GOLDEN = Path(__file__).parents[1] / "triggers/golden"
Sensor = TuyaOTADeviceStateSensor | TuyaOTAFirmwareStatusSensor


@pytest.fixture
def firmware_id(service: Service, context: Any, firmware: Path) -> str:
    seed(service, offline=0.4)
    return upload(context, firmware)


def firmware_sensor(firmware_id: str, **changes: Any) -> TuyaOTAFirmwareStatusSensor:
    return TuyaOTAFirmwareStatusSensor(
        task_id="t", firmware_id=firmware_id, **{"poke_interval": 0.05, "timeout": 20} | changes
    )


def device_sensor(*names: str, **changes: Any) -> TuyaOTADeviceStateSensor:
    return TuyaOTADeviceStateSensor(
        task_id="t", product_key=PRODUCT, device_names=names, **{"poke_interval": 0.05, "timeout": 20} | changes
    )


def wait(sensor: Sensor, context: Any) -> None:
    try:
        sensor.execute(context)
    except TaskDeferred as deferred:
        getattr(sensor, deferred.method_name)(context, event=fired(deferred.trigger))


@BOTH
def test_a_verification_that_goes_on_elsewhere_is_waited_for(
    service: Service, context: Any, firmware: Path, deferrable: bool
) -> None:
    seed(service)
    firmware_id = upload(context, firmware, need_to_verify=True)
    verify(firmware_id, wait_for_completion=False).execute(context)

    wait(firmware_sensor(firmware_id, deferrable=deferrable), context)

    assert service.emulator.world.firmwares.by_id[firmware_id].status == 1
    assert service.actions.count("QueryOTAFirmware") > 1


@BOTH
@pytest.mark.parametrize(("soft", "error"), [(False, FirmwareStatusError), (True, AirflowSkipException)])
def test_a_verification_that_fails_elsewhere_ends_the_wait(
    service: Service, context: Any, firmware: Path, deferrable: bool, soft: bool, error: type[Exception]
) -> None:
    seed(service, fails=[{"share": 1.0}])
    firmware_id = upload(context, firmware, need_to_verify=True)
    verify(firmware_id, wait_for_completion=False).execute(context)

    with pytest.raises(error, match="is FAILED"):
        wait(firmware_sensor(firmware_id, deferrable=deferrable, soft_fail=soft), context)


@BOTH
@pytest.mark.parametrize(("soft", "error"), [(False, AirflowSensorTimeout), (True, AirflowSkipException)])
def test_a_device_that_stays_away_is_waited_for_no_longer_than_asked(
    service: Service, context: Any, deferrable: bool, soft: bool, error: type[Exception]
) -> None:
    seed(service, offline=1.0)

    with pytest.raises(error):
        wait(device_sensor("device-001", deferrable=deferrable, soft_fail=soft, timeout=0.2), context)


@BOTH
def test_an_error_of_the_platform_is_the_same_in_both_modes(
    service: Service, context: Any, firmware_id: str, deferrable: bool
) -> None:
    with pytest.raises(NotFoundError):
        wait(firmware_sensor("999", deferrable=deferrable), context)


def test_airflow_gives_a_deferred_sensor_up_ten_minutes_after_the_trigger_does(
    service: Service, context: Any, firmware_id: str
) -> None:
    with pytest.raises(TaskDeferred) as deferred:
        device_sensor("device-001", state="DISABLE", deferrable=True, timeout=3600).execute(context)

    assert isinstance(deferred.value.timeout, timedelta)
    assert timedelta(minutes=69) < deferred.value.timeout <= timedelta(minutes=70)


def test_a_deferred_sensor_refuses_its_interval_by_the_name_that_a_dag_author_knows(
    service: Service, context: Any, firmware_id: str
) -> None:
    with pytest.raises(InvalidParameterError, match=r"^poke_interval: "):
        device_sensor("device-001", state="DISABLE", deferrable=True, poke_interval=0).execute(context)


def test_an_error_of_the_platform_in_the_triggerer_is_raised_as_itself(
    service: Service, context: Any, firmware_id: str
) -> None:
    sensor = firmware_sensor(firmware_id, statuses="VERIFIED", deferrable=True)
    with pytest.raises(TaskDeferred) as deferred:
        sensor.execute(context)
    del service.emulator.world.firmwares.by_id[firmware_id]
    # As a trigger of an earlier version, which does not know that the worker saw the firmware well.
    stored = deferred.value.trigger.serialize()[1] | {"state": {}}

    with pytest.raises(NotFoundError):
        sensor.execute_complete(context, event=fired(TuyaOTAConditionTrigger(**stored)))


def test_what_holds_already_needs_no_triggerer(service: Service, context: Any, firmware_id: str) -> None:
    firmware_sensor(firmware_id, deferrable=True).execute(context)

    assert service.actions[-1] == "QueryOTAFirmware"


def test_what_is_stored_of_a_wait_is_plain_and_holds_no_secret(
    service: Service, context: Any, firmware_id: str
) -> None:
    with pytest.raises(TaskDeferred) as deferred:
        device_sensor("device-001", state="DISABLE", deferrable=True).execute(context)

    path, values = deferred.value.trigger.serialize()

    assert path == "airflow_provider_tuya_ota.triggers.condition.TuyaOTAConditionTrigger"
    assert set(values) == {"condition", "deadline", "poll_interval", "tuya_ota_conn_id", "state"}
    assert values["state"]["has_polled"] is True
    assert service.emulator.key.access_key_secret not in json.dumps(values)


@pytest.mark.parametrize("form", [1, 2])
def test_every_form_that_was_ever_stored_goes_on(service: Service, context: Any, firmware_id: str, form: int) -> None:
    stored = json.loads((GOLDEN / f"condition_trigger_{form}.json").read_text())

    rebuilt = TuyaOTAConditionTrigger(**stored)

    assert (rebuilt.task_instance, rebuilt.template_fields) == (None, ())
    assert fired(rebuilt) == {"status": "met"}


@pytest.mark.parametrize("event", [None, {}, {"status": "success"}, {"status": "error"}])
def test_an_event_of_unknown_form_is_said_to_be_one(event: Any) -> None:
    with pytest.raises(TriggerEventError, match="same version"):
        firmware_sensor("1").execute_complete({}, event=event)


def test_a_firmware_is_waited_for_until_it_may_be_handed_out(service: Service, context: Any, firmware: Path) -> None:
    seed(service)
    firmware_id = upload(context, firmware, need_to_verify=True)
    sensor = TuyaOTAFirmwareStatusSensor(task_id="t", firmware_id=firmware_id)
    assert sensor.poke(context) is False

    service.emulator.world.firmwares.by_id[firmware_id].status = 1

    assert sensor.poke(context) is True


def test_a_firmware_that_failed_is_not_waited_for(service: Service, context: Any, firmware_id: str) -> None:
    service.emulator.world.firmwares.by_id[firmware_id].status = 3

    with pytest.raises(FirmwareStatusError, match="is FAILED, so it will not become NOT_NEEDED or VERIFIED"):
        TuyaOTAFirmwareStatusSensor(task_id="t", firmware_id=firmware_id).poke(context)
    with pytest.raises(AirflowSkipException):
        TuyaOTAFirmwareStatusSensor(task_id="t", firmware_id=firmware_id, soft_fail=True).poke(context)
    assert TuyaOTAFirmwareStatusSensor(task_id="t", firmware_id=firmware_id, statuses="FAILED").poke(context) is True


@pytest.mark.parametrize("statuses", ["GOOD", []])
def test_a_status_that_there_is_not_is_refused(service: Service, context: Any, statuses: Any) -> None:
    with pytest.raises(InvalidParameterError, match="UNVERIFIED"):
        TuyaOTAFirmwareStatusSensor(task_id="t", firmware_id="1", statuses=statuses).poke(context)
    assert service.actions == []


def test_devices_are_waited_for_until_enough_are_online(service: Service, context: Any) -> None:
    seed(service, devices=120, device={"device-007": {"online": False}})
    names = [f"device-{number:03d}" for number in range(1, 121)]

    def there(**changes: Any) -> bool:
        return TuyaOTADeviceStateSensor(task_id="t", product_key=PRODUCT, device_names=names, **changes).poke(context)

    assert (there(), there(at_least="119"), there(state="OFFLINE", at_least=1)) == (False, True, True)
    assert service.actions == ["BatchGetDeviceState"] * 9


@pytest.mark.parametrize("sensor", ["firmware", "device"])
def test_a_lost_poll_is_a_not_yet(service: Service, context: Any, firmware_id: str, sensor: str) -> None:
    service.emulator.faults.add({"action": "*", "kind": "redirect"})
    polling: Any = (
        TuyaOTAFirmwareStatusSensor(task_id="t", firmware_id=firmware_id)
        if sensor == "firmware"
        else TuyaOTADeviceStateSensor(task_id="t", product_key=PRODUCT, device_names=["device-001"])
    )

    assert polling.poke(context) is False


@pytest.mark.parametrize(
    "changes",
    [
        {"device_names": []},
        {"device_names": ["a", "a"]},
        {"state": "AWAKE"},
        {"at_least": 0},
        {"at_least": 2},
        {"at_least": "some"},
    ],
)
def test_a_wait_for_devices_that_makes_no_sense_is_refused(
    service: Service, context: Any, changes: dict[str, Any]
) -> None:
    arguments: dict[str, Any] = {"product_key": PRODUCT, "device_names": ["device-001"]}

    with pytest.raises(InvalidParameterError, match="Allowed"):
        TuyaOTADeviceStateSensor(task_id="t", **arguments | changes).poke(context)
    assert service.actions == []


@BOTH
def test_both_leave_a_report_as_every_step_does(
    service: Service, context: Any, ti: FakeTask, firmware_id: str, deferrable: bool
) -> None:
    def reported(sensor: Sensor, error: type[Exception] | None = None) -> dict[str, Any]:
        ti.xcom.clear()
        with nullcontext() if error is None else pytest.raises(error):
            wait_as_airflow(sensor, context)
        return dict(ti.xcom["ota_release"])

    changes: dict[str, Any] = {"deferrable": deferrable}
    good = reported(firmware_sensor(firmware_id, statuses=["NOT_NEEDED"], **changes))
    assert (good["event"], good["firmware_id"]) == ("succeeded", firmware_id)
    assert f"OTA firmware {firmware_id} has one of the statuses that were waited for" in good["text"]
    late = reported(firmware_sensor(firmware_id, statuses=["FAILED"], timeout=0.2, **changes), AirflowSensorTimeout)
    assert (late["event"], "ran out of time" in late["text"]) == ("timeout", True)
    refused = reported(firmware_sensor("17 8", **changes), InvalidParameterError)
    assert refused["event"] == "refused"

    seen = reported(device_sensor("device-001", at_least=1, state="OFFLINE", **changes))
    assert "has seen enough devices in the state that was waited for" in seen["text"]
    late = reported(device_sensor("device-001", state="DISABLE", timeout=0.2, **changes), AirflowSensorTimeout)
    assert (late["event"], late["step"], late["product_key"]) == ("timeout", "task", PRODUCT)


def wait_as_airflow(sensor: Sensor, context: Any) -> None:
    try:
        sensor.execute(context)
    except TaskDeferred as deferred:
        assert context["ti"].xcom["ota_release"]["event"] == "waiting"
        sensor.resume_execution("execute_complete", {"event": fired(deferred.trigger)}, context)


@pytest.mark.parametrize("failing", [[], ",", "[]"])
def test_failing_statuses_that_rendered_to_none_are_refused(context: Any, firmware_id: str, failing: Any) -> None:
    with pytest.raises(InvalidParameterError, match=r"failing_statuses: is empty\. Allowed: names of statuses"):
        firmware_sensor(firmware_id, failing_statuses=failing, deferrable=False).execute(context)
