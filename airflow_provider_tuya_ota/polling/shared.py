"""The shared poller: one for each connection in an event loop, as long as any wait uses it."""

from __future__ import annotations

import asyncio
import logging
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final
from weakref import WeakKeyDictionary

from airflow_provider_tuya_ota.client import AsyncTuyaOTAClient, LogListener
from airflow_provider_tuya_ota.polling.poller import Poller

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop
    from collections.abc import AsyncIterator

    from airflow_provider_tuya_ota.core.settings import Settings


class _Shared:
    """A poller and how many use it."""

    def __init__(self, settings: Settings) -> None:
        listener = LogListener(logging.getLogger(__name__))
        self.poller = Poller(AsyncTuyaOTAClient(settings, listener=listener))
        self.users = 0


_POLLERS: Final[WeakKeyDictionary[AbstractEventLoop, dict[Settings, _Shared]]] = WeakKeyDictionary()


@asynccontextmanager
async def shared_poller(settings: Settings) -> AsyncIterator[Poller]:
    """Use the poller of a connection; the last user closes it.

    A poller that has failed keeps its present users; the next one gets a new poller.

    :raises ConfigurationError: the connection's ``ca_bundle`` cannot be read.
    """
    pollers = _POLLERS.setdefault(asyncio.get_running_loop(), {})
    shared = pollers.get(settings)
    if shared is None or shared.poller.is_broken:
        shared = pollers[settings] = _Shared(settings)
    shared.users += 1
    try:
        yield shared.poller
    finally:
        shared.users -= 1
        if not shared.users:
            if pollers.get(settings) is shared:
                del pollers[settings]
            await shared.poller.close()
