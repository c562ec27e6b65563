"""Wait until devices have a state, for example are online before a release begins."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import conf

from airflow_provider_tuya_ota.hooks.connection_id import DEFAULT_CONNECTION_ID
from airflow_provider_tuya_ota.sensors.base import TuyaOTASensor

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk import Context

    from airflow_provider_tuya_ota.core.status.conditions import DevicesCondition


class TuyaOTADeviceStateSensor(TuyaOTASensor):
    """Wait until enough of the named devices have a state, for example are online.

    Reads only, fifty devices a request. The log names the devices that are missing. In the mode ``reschedule`` no
    worker is held.

    A poll without a usable answer counts as "not yet", for at most two hours in a row. A refusal after a poll that
    succeeded is tolerated for five minutes, because a key may be being replaced. All modes decide alike; in the mode
    ``reschedule`` the state of the wait is kept in Airflow's task state store between two polls.

    :param product_key: product of the devices.
    :param device_names: a list, or text with one name per line.
    :param state: ``ONLINE`` (default), ``OFFLINE``, ``UNACTIVE`` or ``DISABLE``.
    :param at_least: how many of the devices; all of them by default.
    :param deferrable: wait in the triggerer instead of a worker; Airflow's ``[operators] default_deferrable`` by
        default. The first poll is made in a worker.
    :param tuya_ota_conn_id: id of the connection.
    :param poke_interval: seconds between two polls; 60 by default.
    :param timeout: seconds to wait; Airflow's default of 7 days.
    :raises InvalidParameterError: before anything is sent.
    :raises NotFoundError: a device or the product does not exist.
    :raises PollingFailedError: polls have failed for too long.

    Source: https://developer.tuya.com/cn/docs/tuya-iot/BatchGetDeviceState?id=Kdxqcv3n9dr8s
    """

    template_fields: Sequence[str] = ("product_key", "device_names", "state", "at_least", "tuya_ota_conn_id")
    ui_color = "#f2e8ff"
    waits_for = "waits for devices"
    succeeded = "has seen enough devices in the state that was waited for"

    def __init__(
        self,
        *,
        product_key: str,
        device_names: Sequence[str] | str,
        state: str = "ONLINE",
        at_least: int | str | None = None,
        deferrable: bool = conf.getboolean("operators", "default_deferrable", fallback=False),
        tuya_ota_conn_id: str = DEFAULT_CONNECTION_ID,
        poke_interval: float = 60.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(tuya_ota_conn_id=tuya_ota_conn_id, poke_interval=poke_interval, **kwargs)
        self.product_key = product_key
        self.device_names = device_names
        self.state = state
        self.at_least = at_least
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

    def _condition(self) -> DevicesCondition:
        from airflow_provider_tuya_ota.core.model.states import DeviceStatus  # noqa: PLC0415 - a parsed Dag needs no protocol
        from airflow_provider_tuya_ota.core.status.conditions import DevicesCondition  # noqa: PLC0415 - a parsed Dag needs no protocol
        from airflow_provider_tuya_ota.runtime.arguments import (  # noqa: PLC0415 - a parsed Dag needs no worker code
            named_as,
            parse_choice,
            parse_int,
            parse_names,
            require_flag,
        )

        require_flag("deferrable", self.deferrable)
        with named_as(device_name="device_names"):
            return DevicesCondition(
                product_key=self.product_key,
                device_names=parse_names("device_names", self.device_names) or [],
                state=parse_choice("state", self.state, tuple(DeviceStatus), default=DeviceStatus.ONLINE),
                at_least=parse_int("at_least", self.at_least),
            )
