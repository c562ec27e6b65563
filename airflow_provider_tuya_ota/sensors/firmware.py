"""Wait until a firmware has a status, for example is verified elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import conf

from airflow_provider_tuya_ota.core.errors import InvalidParameterError
from airflow_provider_tuya_ota.hooks.connection_id import DEFAULT_CONNECTION_ID
from airflow_provider_tuya_ota.sensors.base import TuyaOTASensor

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk import Context

    from airflow_provider_tuya_ota.core.status.conditions import FirmwareCondition


class TuyaOTAFirmwareStatusSensor(TuyaOTASensor):
    """Wait until a firmware has one of the given statuses.

    Reads only. In the mode ``reschedule`` no worker is held.

    A poll without a usable answer counts as "not yet", for at most two hours in a row. A refusal after a poll that
    succeeded is tolerated for five minutes, because a key may be being replaced. All modes decide alike; in the mode
    ``reschedule`` the state of the wait is kept in Airflow's task state store between two polls.

    :param firmware_id: firmware.
    :param statuses: names of statuses: ``NOT_NEEDED``, ``UNVERIFIED``, ``VERIFIED``, ``VERIFYING``, ``FAILED``. By
        default VERIFIED and NOT_NEEDED: the firmware may be handed out.
    :param failing_statuses: statuses at which waiting makes no sense; FAILED by default, though a firmware that failed
        may be verified once more.
    :param deferrable: wait in the triggerer instead of a worker; Airflow's ``[operators] default_deferrable`` by
        default. The first poll is made in a worker.
    :param tuya_ota_conn_id: id of the connection.
    :param poke_interval: seconds between two polls; 60 by default. A poll costs one request.
    :param timeout: seconds to wait; Airflow's default of 7 days.
    :param soft_fail: skip the task instead of failing it, for a failing status and for a timeout.
    :raises FirmwareStatusError: the firmware has a failing status.
    :raises InvalidParameterError: there is no such status; nothing is sent.
    :raises NotFoundError: there is no such firmware.
    :raises PollingFailedError: polls have failed for too long.

    Source: https://developer.tuya.com/en/docs/tuya-iot/QueryOTAFirmware?id=Kf0la6l0l8hmm
    """

    template_fields: Sequence[str] = ("firmware_id", "statuses", "failing_statuses", "tuya_ota_conn_id")
    ui_color = "#f2e8ff"
    waits_for = "waits for a status of the firmware"
    succeeded = "has one of the statuses that were waited for"

    def __init__(
        self,
        *,
        firmware_id: str,
        statuses: Sequence[str] | str = ("VERIFIED", "NOT_NEEDED"),
        failing_statuses: Sequence[str] | str = ("FAILED",),
        deferrable: bool = conf.getboolean("operators", "default_deferrable", fallback=False),
        tuya_ota_conn_id: str = DEFAULT_CONNECTION_ID,
        poke_interval: float = 60.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(tuya_ota_conn_id=tuya_ota_conn_id, poke_interval=poke_interval, **kwargs)
        self.firmware_id = firmware_id
        self.statuses = statuses
        self.failing_statuses = failing_statuses
        self.deferrable = deferrable

    def hand_over(self, context: Context) -> None:
        """Poll once, and defer to the triggerer where the condition does not hold yet."""
        from airflow_provider_tuya_ota.runtime.condition import poke_then_defer  # noqa: PLC0415 - a parsed Dag needs no worker code

        poke_then_defer(self, context, self._condition())

    def poke(self, context: Context) -> bool:
        """Poll once."""
        from airflow_provider_tuya_ota.runtime.condition import poke_condition  # noqa: PLC0415 - a parsed Dag needs no worker code

        return poke_condition(self, context, self._condition())

    def execute_complete(self, context: Context, event: dict[str, Any] | None) -> None:  # noqa: ARG002 - Airflow's signature
        """Go on after the triggerer's event."""
        from airflow_provider_tuya_ota.runtime.condition import require_condition_met  # noqa: PLC0415 - a parsed Dag needs no worker code

        require_condition_met(self, event)

    def _condition(self) -> FirmwareCondition:
        from airflow_provider_tuya_ota.core.status.conditions import FirmwareCondition  # noqa: PLC0415 - a parsed Dag needs no protocol
        from airflow_provider_tuya_ota.runtime.arguments import parse_names, require_flag  # noqa: PLC0415 - a parsed Dag needs no worker code

        require_flag("deferrable", self.deferrable)
        statuses = parse_names("statuses", self.statuses)
        failing_statuses = parse_names("failing_statuses", self.failing_statuses)
        if failing_statuses is not None and not failing_statuses:
            # A template that names none would let the sensor wait for a firmware that has failed.
            allowed = "names of statuses, or leave it out for FAILED"
            raise InvalidParameterError(field="failing_statuses", problem="is empty", allowed=allowed)
        return FirmwareCondition(
            firmware_id=self.firmware_id,
            statuses=["VERIFIED", "NOT_NEEDED"] if statuses is None else statuses,
            failing_statuses=["FAILED"] if failing_statuses is None else failing_statuses,
        )
