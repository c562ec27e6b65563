"""Waiting for devices to be there before a release begins."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseSensorOperator

from airflow_provider_tuya_ota.hooks.tuya_ota import TuyaOTAHook

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk import Context


class TuyaOTADeviceStateSensor(BaseSensorOperator):
    """Wait until enough of the named devices have a state, for example are online.

    Reads only, fifty devices a request. A look that fails in transit counts as "not yet". The log names the devices
    that are missing. In the mode ``reschedule`` no worker is held.

    :param product_key: product of the devices.
    :param device_names: a list, or text with one name per line.
    :param state: ``ONLINE`` (default), ``OFFLINE``, ``UNACTIVE`` or ``DISABLE``.
    :param at_least: how many of the devices; all of them by default.
    :param tuya_ota_conn_id: id of the connection.
    :param poke_interval: seconds between two looks; 60 by default.
    :param timeout: seconds to wait; Airflow's default of 7 days.
    :raises InvalidParameterError: before anything is sent.
    :raises NotFoundError: a device or the product does not exist.

    Source: https://developer.tuya.com/cn/docs/tuya-iot/BatchGetDeviceState?id=Kdxqcv3n9dr8s
    """

    template_fields: Sequence[str] = ("product_key", "device_names", "state", "at_least", "tuya_ota_conn_id")
    ui_color = "#f2e8ff"

    def __init__(
        self,
        *,
        product_key: str,
        device_names: Sequence[str] | str,
        state: str = "ONLINE",
        at_least: int | str | None = None,
        tuya_ota_conn_id: str = TuyaOTAHook.default_conn_name,
        poke_interval: float = 60.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(poke_interval=poke_interval, **kwargs)
        self.product_key = product_key
        self.device_names = device_names
        self.state = state
        self.at_least = at_least
        self.tuya_ota_conn_id = tuya_ota_conn_id

    def poke(self, context: Context) -> bool:  # noqa: ARG002 - Airflow's signature
        """Look once."""
        from airflow_provider_tuya_ota.sensors.states import devices_have  # noqa: PLC0415 - parsing needs no protocol

        return devices_have(self)
