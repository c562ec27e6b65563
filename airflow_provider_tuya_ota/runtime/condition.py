"""Poll a condition of a firmware or of devices for a sensor: once from a worker, then from the triggerer."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NoReturn, Protocol

from airflow.sdk.exceptions import AirflowSensorTimeout

from airflow_provider_tuya_ota.client import LogListener, TuyaOTAClient
from airflow_provider_tuya_ota.core.errors import FirmwareStatusError, StateUnavailableError, TriggerEventError
from airflow_provider_tuya_ota.core.model.error_event import rebuild_error
from airflow_provider_tuya_ota.core.model.outcome_errors import WaitTimeoutError
from airflow_provider_tuya_ota.core.status.condition_wait import poll_condition, record_failure
from airflow_provider_tuya_ota.core.status.conditions import describe_condition
from airflow_provider_tuya_ota.hooks.tuya_ota import TuyaOTAHook
from airflow_provider_tuya_ota.runtime.arguments import named_as
from airflow_provider_tuya_ota.runtime.poke_state import Pokes, kept_poke_state
from airflow_provider_tuya_ota.runtime.wait import BACKSTOP, wait_options
from airflow_provider_tuya_ota.triggers.condition import TuyaOTAConditionTrigger

if TYPE_CHECKING:
    from datetime import timedelta

    from airflow.sdk import Context
    from airflow.triggers.base import BaseTrigger

    from airflow_provider_tuya_ota.core.status.conditions import Condition


class ConditionSensor(Pokes, Protocol):
    """A sensor that waits for a condition."""

    tuya_ota_conn_id: str
    timeout: float
    poke_interval: float
    execution_timeout: timedelta | None

    @property
    def log(self) -> Any:
        """Airflow's task log."""

    def skip_if_soft(self, error: Exception) -> None:
        """Skip the task where ``soft_fail`` asks for it."""

    def defer(self, *, trigger: BaseTrigger, method_name: str, timeout: timedelta | float | None = None) -> NoReturn:
        """Wait in the triggerer."""


def poke_condition(sensor: ConditionSensor, context: Context, condition: Condition) -> bool:
    """Poll once: True if the condition holds, False if it may hold later.

    :raises FirmwareStatusError: the firmware has a failing status.
    :raises TuyaOTAError: as :func:`~airflow_provider_tuya_ota.core.status.condition_wait.poll_condition`.
    """
    listener = LogListener(sensor.log)
    try:
        with kept_poke_state(sensor, context) as seen:
            try:
                settings = TuyaOTAHook(sensor.tuya_ota_conn_id).get_settings()
            except StateUnavailableError as error:
                listener.event(record_failure(seen.wait, condition, error, seen.runtime.context().steady))
                return False
            with TuyaOTAClient(settings, listener=listener, runtime=seen.runtime) as client:
                return client.run(poll_condition(settings, condition, seen.wait))
    except FirmwareStatusError as error:
        sensor.skip_if_soft(error)
        raise


def poke_then_defer(sensor: ConditionSensor, context: Context, condition: Condition) -> None:
    """Poll once in this worker, and defer to the triggerer if the condition does not hold yet."""
    if poke_condition(sensor, context, condition):
        return
    with named_as(poll_interval="poke_interval"):
        options = wait_options(
            timeout=sensor.timeout, poll_interval=sensor.poke_interval, execution_timeout=sensor.execution_timeout
        )
    sensor.defer(
        trigger=TuyaOTAConditionTrigger(
            condition=describe_condition(condition),
            deadline=options.deadline.isoformat(),
            poll_interval=options.poll_interval,
            tuya_ota_conn_id=sensor.tuya_ota_conn_id,
            state=sensor.poke_state.wait.to_dict() if sensor.poke_state else {},
        ),
        method_name="execute_complete",
        timeout=options.deadline - datetime.now(UTC) + BACKSTOP,
    )


def require_condition_met(sensor: ConditionSensor, event: dict[str, Any] | None) -> None:
    """Return if the triggerer's event says that the condition holds; otherwise raise as a blocking sensor does.

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
        sensor.skip_if_soft(error)
    if isinstance(error, WaitTimeoutError):
        raise AirflowSensorTimeout(str(error)) from error
    raise error
