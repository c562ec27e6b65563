"""Waiting for a job that somebody else created."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import conf
from airflow.sdk import BaseSensorOperator

from airflow_provider_tuya_ota.hooks.tuya_ota import TuyaOTAHook
from airflow_provider_tuya_ota.runtime.arguments import parse_interval
from airflow_provider_tuya_ota.templates import TemplatedArguments

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk import Context

    from airflow_provider_tuya_ota.core.model.verdict import Verdict
    from airflow_provider_tuya_ota.sensors.kept import Kept


class TuyaOTAJobSensor(TemplatedArguments, BaseSensorOperator):
    """Wait until a verification or upgrade job has succeeded on every device.

    Reads only. Succeeds for a verification when the firmware says so and every device task does, for an upgrade job
    when every device task does. Firmware, job and tasks may contradict each other for five minutes after the end.

    A poll that fails in transit counts as "not yet", for two hours in a row at the most. A refusal of what was polled
    well before is tolerated for five minutes: a key is being changed. All modes judge alike; in the mode ``reschedule``
    what was seen is kept in Airflow's task state store between two polls.

    Returns the counts of device tasks by status in the deferrable mode, nothing otherwise.

    :param job_id: job to wait for.
    :param deferrable: wait in the triggerer instead of a worker; Airflow's ``[operators] default_deferrable`` by
        default.
    :param tuya_ota_conn_id: id of the connection.
    :param poke_interval: seconds between two looks; 15 by default.
    :param timeout: seconds to wait; Airflow's default of 7 days.
    :param soft_fail: skip the task instead of failing it, for a failed job and for a timeout.
    :raises JobFailedError: naming every failing device with its reason and progress, or the contradiction that stays.
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
        tuya_ota_conn_id: str = TuyaOTAHook.default_conn_name,
        poke_interval: float = 15.0,
        **kwargs: Any,
    ) -> None:
        parse_interval("poke_interval", poke_interval)
        parse_interval("timeout", kwargs.get("timeout"))
        super().__init__(poke_interval=poke_interval, **kwargs)
        self.job_id = job_id
        self.deferrable = deferrable
        self.tuya_ota_conn_id = tuya_ota_conn_id
        self.last_verdict: Verdict | None = None
        self.kept: Kept | None = None

    def execute(self, context: Context) -> Any:
        """Wait in a worker, or hand over to the triggerer."""
        from airflow_provider_tuya_ota.runtime.task_report import reported  # noqa: PLC0415 - parsing a Dag needs no protocol
        from airflow_provider_tuya_ota.sensors.looking import hand_over  # noqa: PLC0415 - parsing a Dag needs no protocol

        with reported(context, self) as report:
            # Each poke has a process of its own then; the step began with the first.
            if self.reschedule and (began := context["ti"].get_first_reschedule_date(context)) is not None:
                report.started_at = began
            report.wait()
            if self.deferrable is not True:
                return super().execute(context)
            hand_over(self)
        return None

    def resume_execution(self, next_method: str, next_kwargs: dict[str, Any] | None, context: Context) -> Any:
        """Go on after deferral, however it ended."""
        from airflow_provider_tuya_ota.runtime.task_report import reported  # noqa: PLC0415 - parsing a Dag needs no protocol

        with reported(context, self) as report:
            report.load_state()
            return super().resume_execution(next_method, next_kwargs, context)

    def poke(self, context: Context) -> bool:
        """Look once."""
        from airflow_provider_tuya_ota.sensors.looking import look  # noqa: PLC0415 - parsing a Dag needs no protocol

        return look(self, context)

    def execute_complete(self, context: Context, event: dict[str, Any] | None) -> dict[str, int]:  # noqa: ARG002 - Airflow's signature
        """Go on after the triggerer's event."""
        from airflow_provider_tuya_ota.sensors.looking import conclude  # noqa: PLC0415 - parsing a Dag needs no protocol

        return conclude(self, event)
