"""What the worker does for :class:`~airflow_provider_tuya_ota.sensors.job.TuyaOTAJobSensor`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.sdk.exceptions import AirflowSensorTimeout, AirflowSkipException

from airflow_provider_tuya_ota.core.actions import QueryOTAJob
from airflow_provider_tuya_ota.core.errors import PASSING, JobFailedError, WaitTimeoutError
from airflow_provider_tuya_ota.core.looks import look_at_job
from airflow_provider_tuya_ota.core.verdicts import Outcome
from airflow_provider_tuya_ota.core.watching import require_success
from airflow_provider_tuya_ota.hooks.tuya_ota import TuyaOTAHook, require_connection_id
from airflow_provider_tuya_ota.triggers.job import TuyaOTAJobTrigger
from airflow_provider_tuya_ota.values import named_as, require_flag
from airflow_provider_tuya_ota.waiting import patience, verdict_of, wait_deferred

if TYPE_CHECKING:
    from airflow_provider_tuya_ota.sensors.job import TuyaOTAJobSensor


def look(sensor: TuyaOTAJobSensor) -> bool:
    """Look once: True when the job has succeeded, False when it may still."""
    _require_arguments(sensor)
    try:
        with TuyaOTAHook(sensor.tuya_ota_conn_id).get_conn(sensor.log) as client:
            verdict = client.run(look_at_job(client.settings, sensor.job_id))
    except PASSING as error:
        sensor.log.warning("%s Job %s goes on; looking again.", error.sentence, sensor.job_id)
        return False
    sensor.last_verdict = verdict
    if (line := verdict.line()) != sensor.last_line:
        sensor.last_line = line
        sensor.log.info("%s", line)
    if verdict.outcome in {Outcome.RUNNING, Outcome.SETTLING}:
        return False
    try:
        require_success(verdict)
    except JobFailedError as error:
        _skip_if_soft(sensor, error)
        raise
    return True


def hand_over(sensor: TuyaOTAJobSensor) -> None:
    """Defer to the triggerer."""
    _require_arguments(sensor)
    with named_as(poll_interval="poke_interval"):
        how = patience(
            timeout=sensor.timeout, poll_interval=sensor.poke_interval, execution_timeout=sensor.execution_timeout
        )
    trigger = TuyaOTAJobTrigger(
        job_id=sensor.job_id, tuya_ota_conn_id=sensor.tuya_ota_conn_id, patience=how.to_dict(), on_cancel="keep"
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
