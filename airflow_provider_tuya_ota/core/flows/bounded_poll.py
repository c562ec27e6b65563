"""One poll: bounded in time, and whatever goes wrong in it is a poll that failed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, TypeVar

from airflow_provider_tuya_ota.core.errors import ProtocolError, TuyaOTAError
from airflow_provider_tuya_ota.core.flows.effects import Effect, End, Flow, ReadContext, Send, Sleep, advance
from airflow_provider_tuya_ota.core.flows.pages import MOST_REQUESTS

if TYPE_CHECKING:
    from datetime import datetime

    from airflow_provider_tuya_ota.core.settings import Settings

T = TypeVar("T")

LONGEST_POLL: Final = 600.0
"""Seconds that one poll may take: enough to read the tasks of a hundred thousand devices one by one."""


def longest_poll(settings: Settings) -> float:
    """Say how many seconds one poll may take; more where the pace of the connection needs more."""
    return max(LONGEST_POLL, MOST_REQUESTS / settings.requests_per_second)


def one_poll(settings: Settings, flow: Flow[T], subject: str, *, longest: float | None = None) -> Flow[T]:
    """Carry out a poll.

    :param flow: what the poll asks and concludes.
    :param subject: what it is about, for the error.
    :param longest: seconds that this poll may take, where that is less than :func:`longest_poll`.
    :raises ProtocolError: it took too long, or an answer broke the code that reads it: one odd answer ends no wait.
    :raises TuyaOTAError: as the flow itself.
    """
    begun: datetime = (yield ReadContext()).steady
    seconds = longest_poll(settings) if longest is None else min(longest, longest_poll(settings))
    answer: Any = None
    failure: TuyaOTAError | None = None
    while True:
        effect = _advance(flow, answer, failure, subject)
        if isinstance(effect, End):
            return effect.value
        if isinstance(effect, Send | Sleep):
            left = seconds - ((yield ReadContext()).steady - begun).total_seconds()
            if left <= (effect.seconds if isinstance(effect, Sleep) else 0.0):
                flow.close()
                raise endless(subject, seconds)
            if isinstance(effect, Send):
                effect = replace(effect, request=replace(effect.request, longest=left))
        answer = failure = None
        try:
            answer = yield effect
        except TuyaOTAError as error:
            failure = error


def _advance(flow: Flow[T], answer: Any, failure: TuyaOTAError | None, subject: str) -> Effect | End[T]:
    try:
        return advance(flow, answer, failure)
    except TuyaOTAError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever it is, the job or firmware that was asked for is not at fault
        odd = odd_answer(subject, error)
    # Raised outside the handler: the original's text and locals may hold what must not be shown.
    raise odd


def odd_answer(subject: str, error: Exception) -> ProtocolError:
    """Build the error for an exception that nobody thought of; its text may hold what must not be shown."""
    return ProtocolError(f"{subject} could not be polled: an answer could not be processed ({type(error).__name__})")


def endless(subject: str, seconds: float) -> ProtocolError:
    """Build the error for a poll that does not end."""
    return ProtocolError(f"{subject} could not be polled within {seconds:g} s: the answers do not end")
