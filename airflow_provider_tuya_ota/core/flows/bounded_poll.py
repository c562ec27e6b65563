"""Run one poll with a time limit, and turn every error in it into a failed poll."""

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
"""Seconds that one poll may take: enough to list the tasks of a hundred thousand devices."""


def poll_time_limit(settings: Settings) -> float:
    """Compute the seconds that one poll may take; more if the rate limit of the connection needs more."""
    return max(LONGEST_POLL, MOST_REQUESTS / settings.requests_per_second)


def run_poll(settings: Settings, flow: Flow[T], subject: str, *, longest: float | None = None) -> Flow[T]:
    """Run a poll.

    :param flow: what the poll queries and concludes.
    :param subject: what is polled, for the error.
    :param longest: seconds that this poll may take if that is less than :func:`poll_time_limit`.
    :raises ProtocolError: it took too long, or parsing an answer raised an unexpected exception: one such answer must
        not end a wait.
    :raises TuyaOTAError: as the flow itself.
    """
    begun: datetime = (yield ReadContext()).steady
    seconds = poll_time_limit(settings) if longest is None else min(longest, poll_time_limit(settings))
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
                raise endless_poll_error(subject, seconds)
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
        odd = unexpected_error(subject, error)
    # Raised outside the handler: text and locals of the first error may hold secrets.
    raise odd


def unexpected_error(subject: str, error: Exception) -> ProtocolError:
    """Build the error for an unexpected exception; its text is left out, because it may hold secrets."""
    return ProtocolError(f"{subject} could not be polled: an answer could not be processed ({type(error).__name__})")


def endless_poll_error(subject: str, seconds: float) -> ProtocolError:
    """Build the error for a poll that took too long."""
    return ProtocolError(f"{subject} could not be polled within {seconds:g} s: the answers do not end")
