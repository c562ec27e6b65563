"""What all sensors share: templated arguments, intervals that are checked when a Dag is parsed, and soft failures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseSensorOperator
from airflow.sdk.exceptions import AirflowSkipException

from airflow_provider_tuya_ota.core.durations import require_interval
from airflow_provider_tuya_ota.operators.base import TuyaOTATask

if TYPE_CHECKING:
    from airflow_provider_tuya_ota.runtime.poke_state import PokeState


class TuyaOTASensor(TuyaOTATask, BaseSensorOperator):
    """The base of this package's sensors.

    :param tuya_ota_conn_id: id of the connection.
    :param poke_interval: seconds between two polls.
    :ivar poke_state: what this try has seen so far; None before its first poke.
    """

    def __init__(self, *, tuya_ota_conn_id: str, poke_interval: float, **kwargs: Any) -> None:
        # Airflow's constructor fails on some of these in its own words, and misreads others.
        require_interval("poke_interval", poke_interval)
        require_interval("timeout", kwargs.get("timeout"))
        super().__init__(poke_interval=poke_interval, **kwargs)
        self.tuya_ota_conn_id = tuya_ota_conn_id
        self.poke_state: PokeState | None = None

    def skip_if_soft(self, error: Exception) -> None:
        """Skip the task where ``soft_fail`` asks for it.

        :raises AirflowSkipException: with the text of the error.
        """
        if self.soft_fail:
            raise AirflowSkipException(str(error)) from error
