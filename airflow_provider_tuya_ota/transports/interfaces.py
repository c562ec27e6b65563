"""What a driver needs: something that sends, something that listens, something that stores."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Protocol

from airflow_provider_tuya_ota.core.flows.effects import OtherIntents, SavedState

if TYPE_CHECKING:
    from airflow_provider_tuya_ota.core.flows.events import FlowEvent
    from airflow_provider_tuya_ota.core.model.verdict import Verdict
    from airflow_provider_tuya_ota.core.wire.http import Request, Response


class Transport(Protocol):
    """Sends one request; blocking."""

    def send(self, request: Request) -> Response:
        """Exchange, or raise TransportError or ProtocolError."""

    def close(self) -> None:
        """Release connections."""


class AsyncTransport(Protocol):
    """Sends one request; in an event loop."""

    async def send(self, request: Request) -> Response:
        """Exchange, or raise TransportError or ProtocolError."""

    async def close(self) -> None:
        """Release connections."""


class Listener(Protocol):
    """Receives what a flow reports while it runs."""

    def event(self, event: FlowEvent) -> None:
        """Receive what has happened."""

    def report(self, verdict: Verdict) -> None:
        """Receive the state of a job, each time it was read."""


class StateStore(Protocol):
    """Stores the state of a task, so that it survives the process."""

    def load_state(self) -> SavedState:
        """Return what was saved last."""

    def save_state(self, value: Any) -> None:
        """Save durably; an exception raised here ends the flow before its next step."""

    def other_intents(self, mask: str | None) -> OtherIntents:
        """Return what other tasks have saved about the same firmware."""


class NullStore:
    """Stores nothing."""

    def load_state(self) -> SavedState:
        """Return an empty state."""
        return SavedState()

    def save_state(self, value: Any) -> None:
        """Save nothing."""

    def other_intents(self, mask: str | None) -> OtherIntents:  # noqa: ARG002 - the protocol's signature
        """Return no intents."""
        return OtherIntents()


NULL_STORE: Final = NullStore()
