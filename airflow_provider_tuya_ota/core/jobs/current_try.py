"""Whether a try of a task still acts for it.

One that stood still for minutes, with its machine or by itself, is given up and followed by another one. When it then
goes on, the platform still takes the request that it had signed, for fifteen minutes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from airflow_provider_tuya_ota.core.errors import Delivery, TransportError
from airflow_provider_tuya_ota.core.flows.effects import Flow, LoadState, SavedState, SaveState

if TYPE_CHECKING:
    from airflow_provider_tuya_ota.core.jobs.intent import Intent
    from airflow_provider_tuya_ota.core.settings import Settings


def require_in_charge(settings: Settings, noted: Intent) -> Flow[None]:
    """Hold what this try has written down against what is written now.

    :raises TransportError: another try has written since; nothing was sent.
    """
    if not (yield from _is_in_charge(noted)):
        raise TransportError(
            "another try of this task has begun meanwhile",
            endpoint=urlsplit(settings.base_url).netloc,
            delivery=Delivery.NEVER_SENT,
        )


def replace_note(noted: Intent, value: Intent) -> Flow[None]:
    """Write down what came of an intent, unless another try has written since."""
    if (yield from _is_in_charge(noted)):
        yield SaveState(value.to_dict())


def _is_in_charge(noted: Intent) -> Flow[bool]:
    memo: SavedState = yield LoadState()
    return not memo.is_durable or bool(memo.value == noted.to_dict())
