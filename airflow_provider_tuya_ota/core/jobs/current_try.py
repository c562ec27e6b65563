"""Check that this try is still the current try of its task.

If a process or its machine is frozen for minutes, Airflow takes it for dead and starts another try. When the frozen try
continues, the platform would still accept its signed request: a signature is valid for fifteen minutes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from airflow_provider_tuya_ota.core.errors import Delivery, TransportError
from airflow_provider_tuya_ota.core.flows.effects import Flow, LoadState, SavedState, SaveState

if TYPE_CHECKING:
    from airflow_provider_tuya_ota.core.jobs.intent import Intent
    from airflow_provider_tuya_ota.core.settings import Settings


def require_current_try(settings: Settings, saved: Intent) -> Flow[None]:
    """Compare what this try has saved with what is stored now.

    :raises TransportError: another try has saved since; nothing was sent.
    """
    if not (yield from _check_current(saved)):
        raise TransportError(
            "another try of this task has begun meanwhile",
            endpoint=urlsplit(settings.base_url).netloc,
            delivery=Delivery.NEVER_SENT,
        )


def save_if_current(saved: Intent, value: Intent) -> Flow[None]:
    """Save the outcome of an intent, unless another try has saved since.

    :param saved: what this try saved last.
    """
    if (yield from _check_current(saved)):
        yield SaveState(value.to_dict())


def _check_current(saved: Intent) -> Flow[bool]:
    stored: SavedState = yield LoadState()
    return not stored.is_durable or bool(stored.value == saved.to_dict())
