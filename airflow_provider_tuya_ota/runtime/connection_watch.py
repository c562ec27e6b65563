"""Read the connection again while the polls of a wait in a worker fail, as :func:`.keep_connected` does elsewhere."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from airflow_provider_tuya_ota.core.status.poll_events import PollFailed
from airflow_provider_tuya_ota.hooks.shared_settings import FRESH, JUST_READ

if TYPE_CHECKING:
    from airflow_provider_tuya_ota.core.flows.events import FlowEvent
    from airflow_provider_tuya_ota.core.model.verdict import Verdict
    from airflow_provider_tuya_ota.core.settings import Settings
    from airflow_provider_tuya_ota.core.status.job_set_wait import JobSetWait
    from airflow_provider_tuya_ota.hooks.tuya_ota import TuyaOTAHook
    from airflow_provider_tuya_ota.transports.interfaces import Listener
    from airflow_provider_tuya_ota.transports.runtime import Runtime


class ConnectionChangedError(Exception):
    """The connection has changed: continue the wait over the new one.

    :param settings: of the new connection.
    """

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self.settings = settings


class ConnectionWatch:
    """A listener that ends the flow if the connection has changed while polls fail.

    :param hook: reads the connection.
    :param settings: of the connection in use, which was read just now.
    :param wait: whose polls they are.
    :param listener: receives everything.
    :param runtime: clock of the wait.
    """

    def __init__(
        self, hook: TuyaOTAHook, settings: Settings, *, wait: JobSetWait, listener: Listener, runtime: Runtime
    ) -> None:
        self._hook = hook
        self._settings = settings
        self._wait = wait
        self._listener = listener
        self._runtime = runtime
        self._read_at = runtime.context().steady

    def event(self, event: FlowEvent) -> None:
        """Hand on an event; after a failed poll, read the connection again.

        :raises ConnectionChangedError: it is another one.
        """
        self._listener.event(event)
        if isinstance(event, PollFailed) and self._is_due() and (settings := self._read()) != self._settings:
            raise ConnectionChangedError(settings)

    def report(self, verdict: Verdict) -> None:
        """Hand on the state of a job."""
        self._listener.report(verdict)

    def _is_due(self) -> bool:
        is_refused = any(one.state.is_key_refused for one in self._wait.unfinished)
        age = self._runtime.context().steady - self._read_at
        return age >= timedelta(seconds=JUST_READ if is_refused else FRESH)

    def _read(self) -> Settings:
        self._read_at = self._runtime.context().steady
        try:
            return self._hook.get_settings()
        except Exception:  # noqa: BLE001 - Airflow is unavailable or the connection is being changed, and the wait tolerates that
            return self._settings
