"""One poll: bounded in time, and whatever goes wrong in it is a poll that failed."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, TypeVar

from airflow_provider_tuya_ota.core.errors import ProtocolError, TuyaOTAError
from airflow_provider_tuya_ota.core.flow import Flow, Look, Send

if TYPE_CHECKING:
    from datetime import datetime

T = TypeVar("T")

LONGEST_POLL: Final = 600.0
"""Seconds that one poll may take: enough to read the tasks of a hundred thousand devices one by one."""


def one_poll(flow: Flow[T], subject: str) -> Flow[T]:
    """Carry out a poll.

    :param flow: what the poll asks and concludes.
    :param subject: what it is about, for the error.
    :raises ProtocolError: it took too long, or an answer broke the code that reads it: one odd answer ends no wait.
    :raises TuyaOTAError: as the flow itself.
    """
    begun: datetime = (yield Look()).steady
    answer: Any = None
    failure: TuyaOTAError | None = None
    while True:
        try:
            effect = flow.send(answer) if failure is None else flow.throw(failure)
        except StopIteration as end:
            value: T = end.value
            return value
        except TuyaOTAError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, the job or package that was asked for is not at fault
            raise odd_answer(subject, error) from None
        if isinstance(effect, Send) and (yield Look()).steady - begun >= timedelta(seconds=LONGEST_POLL):
            flow.close()
            raise endless(subject)
        answer = failure = None
        try:
            answer = yield effect
        except TuyaOTAError as error:
            failure = error


def odd_answer(subject: str, error: Exception) -> ProtocolError:
    """Build the error for an exception that nobody thought of; its text may hold what must not be shown."""
    return ProtocolError(f"{subject} could not be polled: an answer could not be processed ({type(error).__name__})")


def endless(subject: str) -> ProtocolError:
    """Build the error for a poll that does not end."""
    return ProtocolError(f"{subject} could not be polled within {LONGEST_POLL:g} s: the answers do not end")
