"""A retry policy for tasks that talk to the platform."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from airflow.sdk import ExceptionRetryPolicy, RetryAction, RetryRule

_ERRORS: Final = "airflow_provider_tuya_ota.core.errors"


def tuya_ota_retry_policy(
    *, throttled: timedelta = timedelta(minutes=1), away: timedelta = timedelta(minutes=2)
) -> ExceptionRetryPolicy:
    """Fail at once where trying again cannot help, and give the platform time where it can.

    Wrong keys, missing permissions, bad input, things that do not exist, states that contradict the request, failed
    releases and doubts that a person must settle fail at once. Throttling and outages are tried again after a while, as
    often as the task's ``retries`` say; everything else follows the task's own settings.

    :param throttled: pause after too many requests; a minute by default.
    :param away: pause after an outage or a lost answer; two minutes by default.
    """
    return ExceptionRetryPolicy(
        [
            _fails("ConfigurationError", "the connection or an argument must be corrected first"),
            _fails("AuthenticationError", "the platform does not accept the key"),
            _fails("PermissionDeniedError", "the key may not do this"),
            _fails("InvalidRequestError", "the platform does not accept the request"),
            _fails("NotFoundError", "what the task needs does not exist"),
            _fails("ConflictError", "the request contradicts the present state"),
            _waits("ThrottledError", throttled, "the platform asks for fewer requests"),
            _waits("UnavailableError", away, "the platform is away"),
            _waits("SourceUnavailableError", away, "the storage of the file is away"),
            _waits("StateUnavailableError", away, "Airflow's API is away"),
            _waits("TransportError", away, "no answer came"),
            _waits("ProtocolError", away, "something else than the platform answered"),
            _waits("PollingFailedError", away, "the platform is away, and the job goes on"),
            _fails("OutcomeError", "the release itself has failed, or needs a person"),
        ]
    )


def _fails(name: str, reason: str) -> RetryRule:
    return RetryRule(exception=f"{_ERRORS}.{name}", action=RetryAction.FAIL, reason=reason)


def _waits(name: str, delay: timedelta, reason: str) -> RetryRule:
    return RetryRule(exception=f"{_ERRORS}.{name}", action=RetryAction.RETRY, retry_delay=delay, reason=reason)
