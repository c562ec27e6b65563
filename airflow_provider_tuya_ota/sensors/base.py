"""What all sensors share: templated arguments, intervals that are checked when a Dag is parsed, and soft failures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from airflow.sdk import BaseSensorOperator
from airflow.sdk.exceptions import AirflowSkipException

from airflow_provider_tuya_ota.core.durations import require_interval
from airflow_provider_tuya_ota.operators.base import TuyaOTATask

if TYPE_CHECKING:
    from airflow.sdk import Context

    from airflow_provider_tuya_ota.runtime.poke_state import PokeState


class TuyaOTASensor(TuyaOTATask, BaseSensorOperator):
    """The base of this package's sensors: each leaves a report of its end as XCom ``ota_release``.

    :param tuya_ota_conn_id: id of the connection.
    :param poke_interval: seconds between two polls.
    :cvar waits_for: what it waits for, as the end of a sentence, where that is not a job.
    :cvar succeeded: what became of that where it ends well, likewise.
    :ivar poke_state: what this try has seen so far; None before its first poke.
    """

    deferrable: bool
    waits_for: ClassVar[str] = ""
    succeeded: ClassVar[str] = ""

    def __init__(self, *, tuya_ota_conn_id: str, poke_interval: float, **kwargs: Any) -> None:
        # Airflow's constructor fails on some of these in its own words, and misreads others.
        require_interval("poke_interval", poke_interval)
        require_interval("timeout", kwargs.get("timeout"))
        super().__init__(poke_interval=poke_interval, **kwargs)
        self.tuya_ota_conn_id = tuya_ota_conn_id
        self.poke_state: PokeState | None = None

    def execute(self, context: Context) -> Any:
        """Wait in a worker, or hand over to the triggerer."""
        from airflow_provider_tuya_ota.runtime.first_poke import with_known_start  # noqa: PLC0415 - a parsed Dag needs no worker code

        with self.reported(context, summary=self.succeeded) as report:
            # Each poke has a process of its own then; the step began with the first.
            if self.reschedule:
                context = with_known_start(context, self.log)
                report.started_at = context["ti"].get_first_reschedule_date(context) or report.started_at
            report.leave_waiting(self.waits_for)
            if self.deferrable is not True:
                return super().execute(context)
            self.hand_over(context)
        return None

    def hand_over(self, context: Context) -> None:
        """Defer to the triggerer; return where there is nothing to wait for."""
        raise NotImplementedError

    def resume_execution(self, next_method: str, next_kwargs: dict[str, Any] | None, context: Context) -> Any:
        """Go on after deferral, however it ended."""
        with self.reported(context, summary=self.succeeded) as report:
            report.load_state()
            return super().resume_execution(next_method, next_kwargs, context)

    def skip_if_soft(self, error: Exception) -> None:
        """Skip the task where ``soft_fail`` asks for it.

        :raises AirflowSkipException: with the text of the error.
        """
        if self.soft_fail:
            raise AirflowSkipException(str(error)) from error
