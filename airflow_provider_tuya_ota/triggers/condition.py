"""The trigger that waits for a firmware or devices without holding a worker."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from airflow.triggers.base import BaseTrigger, TriggerEvent

from airflow_provider_tuya_ota.client import LogListener
from airflow_provider_tuya_ota.core.errors import TuyaOTAError
from airflow_provider_tuya_ota.core.model.error_event import describe_error
from airflow_provider_tuya_ota.core.status.condition_wait import ConditionWait, wait_for_condition
from airflow_provider_tuya_ota.core.status.conditions import rebuild_condition
from airflow_provider_tuya_ota.core.status.wait_state import WaitState
from airflow_provider_tuya_ota.hooks.shared_settings import keep_connected
from airflow_provider_tuya_ota.polling.fallback import wait_with_fallback
from airflow_provider_tuya_ota.transports.runtime import Runtime
from airflow_provider_tuya_ota.triggers.first_event import FirstEvent

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from airflow_provider_tuya_ota.core.settings import Settings


class TuyaOTAConditionTrigger(BaseTrigger):
    """Poll until a condition holds or the deadline has passed, then fire exactly one event.

    The event is ``{"status": "met"}``, or ``{"status": "error", "error": …}`` with a timeout among the errors. The
    trigger owns the deadline and polls once more after it. All waits for one condition share their polls. The trigger
    only reads, so a restarted or a second triggerer does no harm.

    :param condition: what to wait for, as
        :func:`~airflow_provider_tuya_ota.core.status.conditions.describe_condition` gives it.
    :param deadline: end of the wait, ISO 8601 with an offset.
    :param poll_interval: seconds between two polls.
    :param tuya_ota_conn_id: id of the connection.
    :param state: what the worker saw before it deferred, as
        :meth:`~airflow_provider_tuya_ota.core.status.wait_state.WaitState.to_dict` gives it; empty, as in older stored
        triggers: nothing.
    """

    def __init__(
        self,
        *,
        condition: dict[str, Any],
        deadline: str,
        poll_interval: float,
        tuya_ota_conn_id: str,
        state: dict[str, Any] | None = None,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call] # Airflow's constructor has no annotations
        self.condition = condition
        self.deadline = deadline
        self.poll_interval = poll_interval
        self.tuya_ota_conn_id = tuya_ota_conn_id
        self.state = state or {}

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Give what rebuilds this trigger elsewhere; the connection's secrets are not part of it."""
        return (
            f"{type(self).__module__}.{type(self).__qualname__}",
            {
                "condition": self.condition,
                "deadline": self.deadline,
                "poll_interval": self.poll_interval,
                "tuya_ota_conn_id": self.tuya_ota_conn_id,
                "state": self.state,
            },
        )

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Wait, then fire one event."""
        first_event = FirstEvent()
        payload = await self._wait()
        await first_event.wait()
        yield TriggerEvent(payload)  # type: ignore[no-untyped-call] # Airflow's constructor has no annotations

    async def _wait(self) -> dict[str, Any]:
        condition, deadline = rebuild_condition(self.condition), datetime.fromisoformat(self.deadline)
        state, runtime, listener = WaitState.from_dict(self.state), Runtime(), LogListener(self.log)
        wait = ConditionWait(condition, deadline=deadline, poll_interval=self.poll_interval, state=state)

        async def poll(settings: Settings) -> None:
            await wait_with_fallback(
                settings,
                shared=lambda poller: poller.wait_for_condition(wait, listener=listener, runtime=runtime),
                separate=lambda interval: wait_for_condition(settings, wait.polling_every(interval)),
                subject=condition.subject,
                poll_interval=self.poll_interval,
                listener=listener,
                runtime=runtime,
                log=self.log,
            )

        def pause_after(error: TuyaOTAError) -> float:
            event, pause = wait.pause_after(error, runtime.context().steady)
            listener.event(event)
            return pause

        try:
            await keep_connected(
                self.tuya_ota_conn_id, poll, is_failing=lambda: state.is_failing, pause_after=pause_after
            )
        except TuyaOTAError as error:
            return {"status": "error", "error": describe_error(error)}
        return {"status": "met"}
