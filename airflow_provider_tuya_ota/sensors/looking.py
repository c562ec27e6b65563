"""What the worker does for :class:`~airflow_provider_tuya_ota.sensors.job.TuyaOTAJobSensor`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from airflow.sdk.exceptions import AirflowSensorTimeout, AirflowSkipException

from airflow_provider_tuya_ota.client import LogListener, TuyaOTAClient
from airflow_provider_tuya_ota.core.actions import QueryOTAJob
from airflow_provider_tuya_ota.core.model.outcome_errors import JobFailedError, WaitTimeoutError
from airflow_provider_tuya_ota.core.status.wait import JobWait, WaitOptions, poll_once, require_success
from airflow_provider_tuya_ota.hooks.tuya_ota import TuyaOTAHook, require_connection_id
from airflow_provider_tuya_ota.runtime.arguments import named_as, require_flag
from airflow_provider_tuya_ota.runtime.wait import options, verdict_of, wait_deferred
from airflow_provider_tuya_ota.sensors.kept import kept_wait
from airflow_provider_tuya_ota.triggers.job import TuyaOTAJobTrigger

if TYPE_CHECKING:
    from airflow.sdk import Context

    from airflow_provider_tuya_ota.sensors.job import TuyaOTAJobSensor

NEVER: Final = datetime.max.replace(tzinfo=UTC)
"""Deadline of a poke: Airflow itself ends a sensor that pokes."""


def look(sensor: TuyaOTAJobSensor, context: Context) -> bool:
    """Poll once: True when the job has succeeded, False when it may still.

    :raises JobFailedError: it ended without reaching every device, or has contradicted itself for too long.
    :raises TuyaOTAError: as :func:`~airflow_provider_tuya_ota.core.status.wait.poll_once`.
    """
    _require_arguments(sensor)
    settings = TuyaOTAHook(sensor.tuya_ota_conn_id).get_settings()
    try:
        with kept_wait(sensor, context) as kept:
            listener = LogListener(sensor.log, kept.state.line)
            watch = JobWait(sensor.job_id, WaitOptions(deadline=NEVER), kept.state)
            with TuyaOTAClient(settings, listener=listener, runtime=kept.runtime) as client:
                snapshot = client.run(poll_once(settings, watch))
        sensor.last_verdict = kept.state.verdict
        if snapshot is None or not snapshot.verdict.outcome.has_ended:
            return False
        require_success(snapshot.verdict)
    except JobFailedError as error:
        _skip_if_soft(sensor, error)
        raise
    return True


def hand_over(sensor: TuyaOTAJobSensor) -> None:
    """Defer to the triggerer."""
    _require_arguments(sensor)
    with named_as(poll_interval="poke_interval"):
        how = options(
            timeout=sensor.timeout, poll_interval=sensor.poke_interval, execution_timeout=sensor.execution_timeout
        )
    trigger = TuyaOTAJobTrigger(
        job_id=sensor.job_id, tuya_ota_conn_id=sensor.tuya_ota_conn_id, options=how.to_dict(), on_cancel="keep"
    )
    wait_deferred(sensor, trigger, how)


def _require_arguments(sensor: TuyaOTAJobSensor) -> None:
    require_flag("deferrable", sensor.deferrable)
    require_connection_id("tuya_ota_conn_id", sensor.tuya_ota_conn_id)
    QueryOTAJob(job_id=sensor.job_id)


def conclude(sensor: TuyaOTAJobSensor, event: dict[str, Any] | None) -> dict[str, int]:
    """Go on after the triggerer's event: counts by status, or the error that a blocking sensor raises."""
    try:
        sensor.last_verdict = verdict_of(event)
    except WaitTimeoutError as error:
        _skip_if_soft(sensor, error)
        raise AirflowSensorTimeout(str(error)) from error
    except JobFailedError as error:
        _skip_if_soft(sensor, error)
        raise
    return sensor.last_verdict.counts


def _skip_if_soft(sensor: TuyaOTAJobSensor, error: Exception) -> None:
    if sensor.soft_fail:
        raise AirflowSkipException(str(error)) from error
