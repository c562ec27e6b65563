"""Wait through the shared poller; if the poller has failed, the wait polls separately."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from airflow_provider_tuya_ota.client import AsyncTuyaOTAClient
from airflow_provider_tuya_ota.core.status.poll_scheduler import interval_of_single_polls
from airflow_provider_tuya_ota.polling.poller import PollerBrokenError
from airflow_provider_tuya_ota.polling.shared import shared_poller

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from airflow_provider_tuya_ota.core.flows.effects import Flow
    from airflow_provider_tuya_ota.core.settings import Settings
    from airflow_provider_tuya_ota.polling.poller import Poller
    from airflow_provider_tuya_ota.transports.interfaces import Listener
    from airflow_provider_tuya_ota.transports.runtime import Runtime

T = TypeVar("T")


async def wait_with_fallback(
    settings: Settings,
    *,
    shared: Callable[[Poller], Awaitable[T]],
    separate: Callable[[float], Flow[T]],
    subject: str,
    poll_interval: float,
    listener: Listener,
    runtime: Runtime,
    log: Any,
) -> T:
    """Wait through the shared poller, or separately.

    :param shared: waits, given the poller.
    :param separate: the same wait as a flow that polls by itself, given its poll interval in seconds.
    :param subject: what is waited for, for the log.
    :param poll_interval: seconds between two polls. With many waits that poll separately it is longer, so that all
        together stay within the rate limit.
    """
    try:
        async with shared_poller(settings) as poller:
            return await shared(poller)
    except PollerBrokenError as error:
        interval = interval_of_single_polls(poll_interval, waits=error.waits, rate=settings.requests_per_second)
        await log.awarning(f"The shared poller has failed ({error}); polling {subject} separately")
    async with AsyncTuyaOTAClient(settings, listener=listener, runtime=runtime) as client:
        return await client.run(separate(interval))
