"""A flow whose requests wait for all others: it reserves one only if hardly any other is reserved ahead of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar

from airflow_provider_tuya_ota.core.errors import TuyaOTAError
from airflow_provider_tuya_ota.core.flows.effects import End, Send, Sleep, advance
from airflow_provider_tuya_ota.core.policy.rate import RateLimitGroup

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from airflow_provider_tuya_ota.core.flows.effects import Flow

T = TypeVar("T")

LONGEST_QUEUE: Final = 0.5
"""Seconds of reserved requests behind which such a flow still reserves one. Requests are never overtaken, so hundreds
of reservations at once would delay every other request by minutes."""


def paced(flow: Flow[T], backlog: Callable[[], float]) -> Flow[T]:
    """Wait before each request until few others are reserved.

    Cancels do not wait: they have a rate limit of their own.

    :param backlog: gives the seconds that a request reserved now would wait.
    """
    answer: Any = None
    failure: TuyaOTAError | None = None
    while not isinstance(effect := advance(flow, answer, failure), End):
        answer = failure = None
        is_call = isinstance(effect, Send) and effect.rate_limit_group is RateLimitGroup.CALLS
        while is_call and (queue := backlog()) > LONGEST_QUEUE:
            yield Sleep(queue)
        try:
            answer = yield effect
        except TuyaOTAError as error:
            failure = error
    return effect.value
