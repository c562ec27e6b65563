"""The trigger that waits for a package or devices without holding a worker."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from airflow.triggers.base import BaseTrigger, TriggerEvent

from airflow_provider_tuya_ota.client import LogListener
from airflow_provider_tuya_ota.core.conditions import rebuild_condition, wait_for
from airflow_provider_tuya_ota.core.error_events import describe_error
from airflow_provider_tuya_ota.core.errors import TuyaOTAError
from airflow_provider_tuya_ota.hooks.tuya_ota import TuyaOTAHook
from airflow_provider_tuya_ota.polling.shared import shared_poller

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


class TuyaOTAConditionTrigger(BaseTrigger):
    """Look until a condition holds or the deadline has passed, then fire exactly one event.

    The event is ``{"status": "met"}``, or ``{"status": "error", "error": …}`` with a timeout among the errors. The
    trigger owns the deadline and looks once more after it. It only reads, so a restarted or a second triggerer does no
    harm.

    :param condition: what to wait for, as :func:`~airflow_provider_tuya_ota.core.conditions.describe_condition` gives
        it.
    :param deadline: end of the wait, ISO 8601 with an offset.
    :param poll_interval: seconds between two looks.
    :param tuya_ota_conn_id: id of the connection.
    """

    def __init__(
        self, *, condition: dict[str, Any], deadline: str, poll_interval: float, tuya_ota_conn_id: str
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call] # Airflow's constructor has no annotations
        self.condition = condition
        self.deadline = deadline
        self.poll_interval = poll_interval
        self.tuya_ota_conn_id = tuya_ota_conn_id

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Give what rebuilds this trigger elsewhere; the connection's secrets are not part of it."""
        return (
            f"{type(self).__module__}.{type(self).__qualname__}",
            {
                "condition": self.condition,
                "deadline": self.deadline,
                "poll_interval": self.poll_interval,
                "tuya_ota_conn_id": self.tuya_ota_conn_id,
            },
        )

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Wait, then fire one event."""
        yield TriggerEvent(await self._wait())  # type: ignore[no-untyped-call] # as above

    async def _wait(self) -> dict[str, Any]:
        try:
            settings = await TuyaOTAHook(self.tuya_ota_conn_id).aget_settings()
            async with shared_poller(settings) as poller:
                flow = wait_for(
                    settings,
                    rebuild_condition(self.condition),
                    deadline=datetime.fromisoformat(self.deadline),
                    poll_interval=self.poll_interval,
                )
                await poller.run(flow, listener=LogListener(self.log))
        except TuyaOTAError as error:
            return {"status": "error", "error": describe_error(error)}
        return {"status": "met"}
