"""How one step of a release ended, and which error means which end."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from airflow_provider_tuya_ota.core.errors import (
    AlreadyUnderWayError,
    AmbiguousOutcomeError,
    ApiError,
    ConfigurationError,
    FirmwareVersionTakenError,
    PollingFailedError,
    TuyaOTAError,
    UnavailableError,
)
from airflow_provider_tuya_ota.core.model.outcome_errors import WaitTimeoutError
from airflow_provider_tuya_ota.core.texts import bounded_line
from airflow_provider_tuya_ota.core.wire.redaction import redact

LONGEST_ERROR: Final = 500
"""Characters of an error in a report."""


class Event(StrEnum):
    """How a step of a release ended."""

    SUCCEEDED = "succeeded"
    """The step has done what it was asked for. If that was a job, every device runs the version."""
    UPLOADED = "uploaded"
    """The firmware exists; no device was touched."""
    STARTED = "started"
    """The job was created, and the step does not wait for it."""
    WAITING = "waiting"
    """The step waits for its job. The end replaces this; where it stays, the step was ended from outside."""
    FAILED = "failed"
    """It did not work; the error says why."""
    REFUSED = "refused"
    """The input, the connection or the request was not accepted; nothing was started."""
    UNCLEAR = "unclear"
    """The step may have started something; a person has to check."""
    TIMEOUT = "timeout"
    """The time to wait was over before the job ended."""
    UNREACHABLE = "unreachable"
    """The platform could not be polled for longer than tolerated; the job goes on there."""
    STOPPED = "stopped"
    """The step or the run ended before it was done: a person ended it, its process or its last report was lost."""

    @property
    def is_good(self) -> bool:
        """Whether a step that ended so counts as a success."""
        return self in {Event.SUCCEEDED, Event.UPLOADED, Event.STARTED}


def event_of(error: BaseException, *, has_begun: bool) -> Event:
    """Give the event for a step that ends with an error.

    :param has_begun: whether the step had started a job; then its end is never ``refused``, which says that nothing was
        started.
    """
    if isinstance(error, WaitTimeoutError):
        return Event.TIMEOUT
    if isinstance(error, PollingFailedError):
        return Event.UNREACHABLE
    if isinstance(error, AmbiguousOutcomeError):
        return Event.UNCLEAR
    refused = ConfigurationError, FirmwareVersionTakenError, AlreadyUnderWayError
    is_refusal = isinstance(error, ApiError) and not isinstance(error, UnavailableError) and not error.in_doubt
    if not has_begun and (is_refusal or isinstance(error, refused)):
        return Event.REFUSED
    return Event.FAILED


def first_line(error: BaseException) -> str:
    """Give the first line of an error without secrets, at most 500 characters.

    Errors of other libraries are redacted and begin with their class; errors of this package contain no secret.
    """
    line = next((line for line in str(error).splitlines() if line.strip()), "")
    if not isinstance(error, TuyaOTAError):
        line = f"{type(error).__name__}: {redact(line)}" if line else type(error).__name__
    return bounded_line(line, LONGEST_ERROR)
