"""Waiting for a job that somebody else created."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import conf
from airflow.sdk import BaseSensorOperator
from airflow.sdk.exceptions import AirflowSensorTimeout, AirflowSkipException

from airflow_provider_tuya_ota.core.errors import (
    JobFailedError,
    ProtocolError,
    ThrottledError,
    TransportError,
    UnavailableError,
    WaitTimeoutError,
)
from airflow_provider_tuya_ota.core.verdicts import Outcome
from airflow_provider_tuya_ota.core.watching import look_at_job, require_success
from airflow_provider_tuya_ota.hooks.tuya_ota import TuyaOTAHook
from airflow_provider_tuya_ota.waiting import patience, verdict_of, wait_deferred

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk import Context


class TuyaOTAJobSensor(BaseSensorOperator):
    """Wait until a verification or upgrade job has succeeded on every device.

    Reads only. Succeeds for a verification when the package says so and every device task does, for an upgrade job
    when every device task does. A look that fails in transit counts as "not yet".

    Returns the counts of device tasks by status in the deferrable mode, nothing otherwise.

    :param job_id: job to wait for.
    :param deferrable: wait in the triggerer instead of a worker; Airflow's ``[operators] default_deferrable`` by
        default.
    :param tuya_ota_conn_id: id of the connection.
    :param poke_interval: seconds between two looks; 15 by default.
    :param timeout: seconds to wait; Airflow's default of 7 days.
    :param soft_fail: skip the task instead of failing it, for a failed job and for a timeout.
    :raises JobFailedError: naming every failing device with its reason and progress.
    :raises AirflowSensorTimeout: the time was over; the job goes on.

    Source: https://developer.tuya.com/en/docs/tuya-iot/ListOTATaskByJob?id=Kf0lr3sl2jzfs
    """

    template_fields: Sequence[str] = ("job_id", "tuya_ota_conn_id")
    ui_color = "#f2e8ff"

    def __init__(
        self,
        *,
        job_id: str,
        deferrable: bool = conf.getboolean("operators", "default_deferrable", fallback=False),
        tuya_ota_conn_id: str = TuyaOTAHook.default_conn_name,
        poke_interval: float = 15.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(poke_interval=poke_interval, **kwargs)
        self.job_id = job_id
        self.deferrable = deferrable
        self.tuya_ota_conn_id = tuya_ota_conn_id
        self._last = ""

    def execute(self, context: Context) -> Any:
        """Wait in a worker, or hand over to the triggerer."""
        if not self.deferrable:
            return super().execute(context)
        how = patience(timeout=self.timeout, poll_interval=self.poke_interval, execution_timeout=self.execution_timeout)
        wait_deferred(self, conn_id=self.tuya_ota_conn_id, job_id=self.job_id, how=how, carry={})
        return None

    def poke(self, context: Context) -> bool:  # noqa: ARG002 - Airflow's signature
        """Look once."""
        try:
            with TuyaOTAHook(self.tuya_ota_conn_id).get_conn(self.log) as client:
                verdict = client.run(look_at_job(client.settings, self.job_id))
        except (TransportError, UnavailableError, ThrottledError, ProtocolError) as error:
            self.log.warning("%s Job %s goes on; looking again.", error, self.job_id)
            return False
        if (line := verdict.line()) != self._last:
            self._last = line
            self.log.info("%s", line)
        if verdict.outcome in {Outcome.RUNNING, Outcome.SETTLING}:
            return False
        try:
            require_success(verdict)
        except JobFailedError as error:
            if self.soft_fail:
                raise AirflowSkipException(str(error)) from error
            raise
        return True

    def execute_complete(self, context: Context, event: dict[str, Any] | None) -> dict[str, int]:  # noqa: ARG002 - Airflow's signature
        """Go on after the triggerer's event."""
        try:
            verdict = verdict_of(event)
        except WaitTimeoutError as error:
            if self.soft_fail:
                raise AirflowSkipException(str(error)) from error
            raise AirflowSensorTimeout(str(error)) from error
        except JobFailedError as error:
            if self.soft_fail:
                raise AirflowSkipException(str(error)) from error
            raise
        return verdict.counts
