"""What the worker does for the sensors of firmwares and devices."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

from airflow.sdk.exceptions import AirflowSensorTimeout, AirflowSkipException

from airflow_provider_tuya_ota.client import LogListener, TuyaOTAClient
from airflow_provider_tuya_ota.core.errors import FirmwareStatusError, TriggerEventError, TuyaOTAError
from airflow_provider_tuya_ota.core.model.error_event import rebuild_error
from airflow_provider_tuya_ota.core.model.outcome_errors import WaitTimeoutError
from airflow_provider_tuya_ota.core.model.states import DeviceStatus
from airflow_provider_tuya_ota.core.status.conditions import (
    DevicesCondition,
    FirmwareCondition,
    describe_condition,
    poll_condition,
)
from airflow_provider_tuya_ota.hooks.tuya_ota import TuyaOTAHook
from airflow_provider_tuya_ota.runtime.arguments import named_as, parse_choice, parse_int, parse_names, require_flag
from airflow_provider_tuya_ota.runtime.wait import BACKSTOP, options
from airflow_provider_tuya_ota.sensors.kept import kept_wait
from airflow_provider_tuya_ota.triggers.condition import TuyaOTAConditionTrigger

if TYPE_CHECKING:
    from airflow.sdk import Context

    from airflow_provider_tuya_ota.core.status.conditions import Condition
    from airflow_provider_tuya_ota.sensors.device import TuyaOTADeviceStateSensor
    from airflow_provider_tuya_ota.sensors.firmware import TuyaOTAFirmwareStatusSensor

    Sensor = TypeVar("Sensor", TuyaOTADeviceStateSensor, TuyaOTAFirmwareStatusSensor)


def firmware_condition(sensor: TuyaOTAFirmwareStatusSensor) -> FirmwareCondition:
    """Read what the sensor of firmwares waits for.

    :raises InvalidParameterError: before anything is sent.
    """
    require_flag("deferrable", sensor.deferrable)
    wanted, failing = parse_names("statuses", sensor.statuses), parse_names("failing_statuses", sensor.failing_statuses)
    return FirmwareCondition(
        firmware_id=sensor.firmware_id,
        statuses=["VERIFIED", "NOT_NEEDED"] if wanted is None else wanted,
        failing_statuses=["FAILED"] if failing is None else failing,
    )


def devices_condition(sensor: TuyaOTADeviceStateSensor) -> DevicesCondition:
    """Read what the sensor of devices waits for.

    :raises InvalidParameterError: before anything is sent.
    """
    require_flag("deferrable", sensor.deferrable)
    with named_as(device_name="device_names"):
        return DevicesCondition(
            product_key=sensor.product_key,
            device_names=parse_names("device_names", sensor.device_names) or [],
            state=parse_choice("state", sensor.state, tuple(DeviceStatus), default=DeviceStatus.ONLINE),
            at_least=parse_int("at_least", sensor.at_least),
        )


def look(sensor: Sensor, context: Context, condition: Condition) -> bool:
    """Poll once: True when the condition holds, False when it may still.

    :raises FirmwareStatusError: the firmware has a failing status.
    :raises TuyaOTAError: as :func:`~airflow_provider_tuya_ota.core.status.conditions.poll_condition`.
    """
    settings = TuyaOTAHook(sensor.tuya_ota_conn_id).get_settings()
    try:
        with (
            kept_wait(sensor, context) as kept,
            TuyaOTAClient(settings, listener=LogListener(sensor.log), runtime=kept.runtime) as client,
        ):
            return client.run(poll_condition(settings, condition, kept.state))
    except FirmwareStatusError as error:
        _skip_if_soft(sensor, error)
        raise


def look_then_hand_over(sensor: Sensor, context: Context, condition: Condition) -> None:
    """Poll once from here, and defer to the triggerer where the condition does not hold yet."""
    if look(sensor, context, condition):
        return
    with named_as(poll_interval="poke_interval"):
        how = options(
            timeout=sensor.timeout, poll_interval=sensor.poke_interval, execution_timeout=sensor.execution_timeout
        )
    sensor.defer(
        trigger=TuyaOTAConditionTrigger(
            condition=describe_condition(condition),
            deadline=how.deadline.isoformat(),
            poll_interval=how.poll_interval,
            tuya_ota_conn_id=sensor.tuya_ota_conn_id,
            state=sensor.kept.state.to_dict() if sensor.kept else {},
        ),
        method_name="execute_complete",
        timeout=how.deadline - datetime.now(UTC) + BACKSTOP,
    )


def conclude(sensor: Sensor, event: dict[str, Any] | None) -> None:
    """Go on after the triggerer's event: nothing, or the error that a blocking sensor raises.

    :raises TriggerEventError: the event has no form that this version knows.
    """
    match event:
        case {"status": "met"}:
            return
        case {"status": "error", "error": dict(described)}:
            error = rebuild_error(described)
        case _:
            raise TriggerEventError(
                "the triggerer sent an event that this version does not know; run the same version of"
                " airflow-provider-tuya-ota on workers and triggerers, then clear the task"
            )
    if isinstance(error, FirmwareStatusError | WaitTimeoutError):
        _skip_if_soft(sensor, error)
    if isinstance(error, WaitTimeoutError):
        raise AirflowSensorTimeout(str(error)) from error
    raise error


def _skip_if_soft(sensor: Sensor, error: TuyaOTAError) -> None:
    if sensor.soft_fail:
        raise AirflowSkipException(str(error)) from error
