"""Wait for a job that was created elsewhere."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from airflow.providers.common.compat.sdk import conf
from airflow.sdk.exceptions import AirflowSensorTimeout

from airflow_provider_tuya_ota.hooks.connection_id import DEFAULT_CONNECTION_ID, require_connection_id
from airflow_provider_tuya_ota.sensors.base import TuyaOTASensor

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk import Context

    from airflow_provider_tuya_ota.core.model.outcome_errors import WaitTimeoutError
    from airflow_provider_tuya_ota.core.model.verdict import Verdict
    from airflow_provider_tuya_ota.core.status.wait_state import WaitState

NEVER: Final = datetime.max.replace(tzinfo=UTC)
"""Deadline of a poke: Airflow itself ends a sensor that pokes."""


class TuyaOTAJobSensor(TuyaOTASensor):
    """Wait until a verification or upgrade job has succeeded on every device.

    Reads only. Succeeds for a verification when the firmware says so and every device task does, for an upgrade job
    when every device task does. Firmware, job and tasks may contradict each other for five minutes after the end.

    A poll without a usable answer counts as "not yet", for at most two hours in a row. A refusal after a poll that
    succeeded is tolerated for five minutes, because a key may be being replaced. All modes decide alike; in the mode
    ``reschedule`` the state of the wait is kept in Airflow's task state store between two polls. After a restart of the
    triggerer, a deferred wait starts again: its first poll must not be refused.

    Returns the counts of device tasks by status in the deferrable mode, nothing otherwise.

    :param job_id: job to wait for.
    :param deferrable: wait in the triggerer instead of a worker; Airflow's ``[operators] default_deferrable`` by
        default.
    :param tuya_ota_conn_id: id of the connection.
    :param poke_interval: seconds between two polls; 15 by default.
    :param timeout: seconds to wait; Airflow's default of 7 days.
    :param soft_fail: skip the task instead of failing it, for a failed job and for a timeout.
    :raises JobFailedError: names every failing device with its reason and progress, or the contradiction that stays.
    :raises PollingFailedError: polls have failed for too long; the job goes on.
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
        tuya_ota_conn_id: str = DEFAULT_CONNECTION_ID,
        poke_interval: float = 15.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(tuya_ota_conn_id=tuya_ota_conn_id, poke_interval=poke_interval, **kwargs)
        self.job_id = job_id
        self.deferrable = deferrable
        self.last_verdict: Verdict | None = None

    def poke(self, context: Context) -> bool:
        """Poll once: True when the job has succeeded, False when it may still."""
        from airflow_provider_tuya_ota.client import LogListener, TuyaOTAClient  # noqa: PLC0415 - a parsed Dag needs no client
        from airflow_provider_tuya_ota.core.errors import StateUnavailableError  # noqa: PLC0415 - a parsed Dag needs no protocol
        from airflow_provider_tuya_ota.core.model.outcome_errors import JobFailedError  # noqa: PLC0415 - a parsed Dag needs no protocol
        from airflow_provider_tuya_ota.core.status.wait import JobWait, WaitOptions, poll_once, require_success  # noqa: PLC0415 - a parsed Dag needs no protocol
        from airflow_provider_tuya_ota.hooks.tuya_ota import TuyaOTAHook  # noqa: PLC0415 - a parsed Dag needs no hook
        from airflow_provider_tuya_ota.runtime.poke_state import kept_poke_state  # noqa: PLC0415 - a parsed Dag needs no worker code

        self._require_arguments()
        try:
            with kept_poke_state(self, context) as seen:
                listener = LogListener(self.log, seen.wait.line)
                options = WaitOptions(deadline=NEVER, poll_interval=self.poke_interval)
                job_wait = JobWait(self.job_id, options, seen.wait)
                try:
                    settings = TuyaOTAHook(self.tuya_ota_conn_id).get_settings()
                except StateUnavailableError as error:
                    listener.event(job_wait.record_failure(error, seen.runtime.context().steady))
                    return False
                with TuyaOTAClient(settings, listener=listener, runtime=seen.runtime) as client:
                    snapshot = client.run(poll_once(settings, job_wait))
            self.last_verdict = seen.wait.verdict
            if snapshot is None or not snapshot.verdict.outcome.has_ended:
                return False
            require_success(snapshot.verdict)
        except JobFailedError as error:
            self.skip_if_soft(error)
            raise
        return True

    def execute_complete(self, context: Context, event: dict[str, Any] | None) -> dict[str, int]:  # noqa: ARG002 - Airflow's signature
        """Go on after the triggerer's event: counts by status, or the error that a blocking sensor raises."""
        from airflow_provider_tuya_ota.core.model.outcome_errors import JobFailedError, WaitTimeoutError  # noqa: PLC0415 - a parsed Dag needs no protocol
        from airflow_provider_tuya_ota.core.status.job_set_wait import require_only_success  # noqa: PLC0415 - a parsed Dag needs no protocol
        from airflow_provider_tuya_ota.runtime.wait import parse_event  # noqa: PLC0415 - a parsed Dag needs no worker code

        try:
            self.last_verdict = require_only_success(parse_event(event))
        except WaitTimeoutError as error:
            self.skip_if_soft(error)
            raise AirflowSensorTimeout(str(error)) from error
        except JobFailedError as error:
            self.skip_if_soft(error)
            raise
        return self.last_verdict.counts

    def hand_over(self, context: Context) -> None:  # noqa: ARG002 - the signature of the base
        """Defer to the triggerer."""
        from airflow_provider_tuya_ota.runtime.arguments import named_as  # noqa: PLC0415 - a parsed Dag needs no worker code
        from airflow_provider_tuya_ota.runtime.wait import wait_in_triggerer, wait_options  # noqa: PLC0415 - a parsed Dag needs no worker code
        from airflow_provider_tuya_ota.triggers.job import TuyaOTAJobTrigger  # noqa: PLC0415 - a parsed Dag needs no client

        self._require_arguments()
        with named_as(poll_interval="poke_interval"):
            options = wait_options(
                timeout=self.timeout, poll_interval=self.poke_interval, execution_timeout=self.execution_timeout
            )
        trigger = TuyaOTAJobTrigger(
            job_id=self.job_id, tuya_ota_conn_id=self.tuya_ota_conn_id, options=options.to_dict(), on_cancel="keep"
        )
        wait_in_triggerer(self, trigger, options)

    def timeout_error(self, state: WaitState) -> WaitTimeoutError:
        """Build the error for a wait whose time is over."""
        from airflow_provider_tuya_ota.core.status.wait import JobWait, WaitOptions  # noqa: PLC0415 - a parsed Dag needs no protocol

        return JobWait(self.job_id, WaitOptions(deadline=NEVER), state).timeout()

    def _require_arguments(self) -> None:
        from airflow_provider_tuya_ota.core.actions import QueryOTAJob  # noqa: PLC0415 - a parsed Dag needs no protocol
        from airflow_provider_tuya_ota.runtime.arguments import require_flag  # noqa: PLC0415 - a parsed Dag needs no worker code

        require_flag("deferrable", self.deferrable)
        require_connection_id("tuya_ota_conn_id", self.tuya_ota_conn_id)
        QueryOTAJob(job_id=self.job_id)
