"""A flow that leaves most of the rate limit to others: it sends no faster than a pace that several flows share."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from airflow_provider_tuya_ota.core.errors import TuyaOTAError
from airflow_provider_tuya_ota.core.flows.effects import End, Send, Sleep, advance
from airflow_provider_tuya_ota.core.policy.rate import RateLimitGroup

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from airflow_provider_tuya_ota.core.flows.effects import Flow
    from airflow_provider_tuya_ota.core.policy.rate import TokenBucket

T = TypeVar("T")


def paced(flow: Flow[T], pace: TokenBucket, clock: Callable[[], float]) -> Flow[T]:
    """Wait for the shared pace before each request; only then does the request reserve its moment in the rate limit.

    Cancels do not wait: they have a rate limit of their own.

    :param clock: seconds on the clock of ``pace``.
    """
    answer: Any = None
    failure: TuyaOTAError | None = None
    while not isinstance(effect := advance(flow, answer, failure), End):
        answer = failure = None
        is_call = isinstance(effect, Send) and effect.rate_limit_group is RateLimitGroup.CALLS
        if is_call and (pause := pace.reserve(clock())) > 0:
            yield Sleep(pause)
        try:
            answer = yield effect
        except TuyaOTAError as error:
            failure = error
    return effect.value
