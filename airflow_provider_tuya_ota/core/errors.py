"""The base of every error that this package raises, split by who must act.

::

    TuyaOTAError
    ├── ConfigurationError            nothing was sent: correct the connection or the argument
    │   └── InvalidParameterError     one parameter of an operation or operator
    ├── TransportError                no usable answer came back; .delivery says whether the request may have arrived
    │   ├── SourceUnavailableError    the file to upload could not be read now
    │   └── StateUnavailableError     Airflow's API did not give or take what the task keeps there
    ├── ProtocolError                 an answer came back that is not one the platform documents
    │   └── UnreadableReplyError      it is no reply at all: cut short, or from something in between
    ├── ApiError                      the platform refused; .action .code .message .request_id .http_status
    │   ├── AuthenticationError       key, signature, timestamp or nonce
    │   ├── PermissionDeniedError     the key may not do this
    │   ├── InvalidRequestError       a parameter the platform does not accept
    │   ├── NotFoundError             product, firmware, job, task or device does not exist
    │   ├── ConflictError             the request contradicts the present state
    │   ├── ThrottledError            too many requests
    │   └── UnavailableError          the platform could not answer now
    ├── OutcomeError                  the platform worked, the release did not
    │   ├── FirmwareVersionTakenError the version exists with other bytes
    │   ├── FirmwareStatusError       the firmware has a status that waiting does not mend
    │   ├── AlreadyUnderWayError      somebody else's unfinished job does the same
    │   ├── AmbiguousOutcomeError     several jobs could be the one that was created
    │   ├── JobMissingError           the job that this task created is not on the platform
    │   ├── JobFailedError            .verdict names the failing devices (core/model/outcome_errors.py)
    │   ├── PollingFailedError            the platform was away for too long, the job goes on
    │   └── WaitTimeoutError          the deadline passed, the job goes on (core/model/outcome_errors.py)
    └── TriggerEventError             the triggerer sent an event that this version does not know
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


class Delivery(StrEnum):
    """Whether a request without an answer may have reached the platform."""

    NEVER_SENT = "never sent"
    UNKNOWN = "unknown"


class TuyaOTAError(Exception):
    """Base of everything this package raises on purpose."""

    in_doubt: bool = False
    """True when the platform may have carried the request out all the same."""

    @property
    def sentence(self) -> str:
        """The message closed by a full stop, for texts that go on behind it."""
        return f"{str(self).removesuffix('.')}."

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.args, self.__dict__)


def _rebuild(kind: type[TuyaOTAError], args: tuple[Any, ...], fields: Mapping[str, Any]) -> TuyaOTAError:
    error = kind.__new__(kind, *args)
    error.__dict__.update(fields)
    return error


class ConfigurationError(TuyaOTAError):
    """The connection or an argument is wrong; nothing was sent."""


class InvalidParameterError(ConfigurationError):
    """One parameter has a value that would be refused; nothing was sent.

    :param field: the argument as the Dag author wrote it, with the wire name where it has one.
    :param problem: what is wrong with the value.
    :param allowed: the values that are accepted.
    """

    def __init__(self, *, field: str, problem: str, allowed: str) -> None:
        super().__init__(f"{field}: {problem}. Allowed: {allowed}.")
        self.field = field
        self.problem = problem
        self.allowed = allowed


class TransportError(TuyaOTAError):
    """No usable answer came back.

    :param reason: what failed, in words without any part of the request.
    :param endpoint: host and port that were addressed.
    :param delivery: whether the request may have arrived.
    """

    def __init__(self, reason: str, *, endpoint: str, delivery: Delivery) -> None:
        arrived = "it was not delivered" if delivery is Delivery.NEVER_SENT else "it may have been carried out"
        super().__init__(f"request to {endpoint} failed ({reason}); {arrived}")
        self.reason = reason
        self.endpoint = endpoint
        self.delivery = delivery
        self.in_doubt = delivery is Delivery.UNKNOWN


class SourceUnavailableError(TransportError):
    """The file that is to be uploaded could not be read now; nothing was sent that counts.

    :param source: the file as it may be shown.
    :param reason: what failed.
    """

    def __init__(self, source: str, reason: str) -> None:
        TuyaOTAError.__init__(self, f"source: {source} could not be read now ({reason}); no firmware was created")
        self.reason = reason
        self.endpoint = source
        self.delivery = Delivery.NEVER_SENT
        self.in_doubt = False


class StateUnavailableError(TransportError):
    """Airflow's API did not give or take what the task keeps there; a retry does it again.

    :param problem: what was not given or taken, as the end of "Airflow's API did not …".
    :param reason: what came instead of an answer.
    :param outcome: what that means for the task's job.
    :param job_id: the task's job, which goes on; empty where none is known.
    :param in_doubt: whether the task may have a job that it does not know.
    """

    def __init__(
        self, problem: str, *, reason: str, outcome: str = "", job_id: str = "", in_doubt: bool = False
    ) -> None:
        said = f"Airflow's API did not {problem}{f'; {outcome}' if outcome else ''}. Last answer: {reason}"
        TuyaOTAError.__init__(self, said)
        self.problem = problem
        self.reason = reason
        self.endpoint = "Airflow's API"
        self.delivery = Delivery.UNKNOWN if in_doubt else Delivery.NEVER_SENT
        self.job_id = job_id
        self.in_doubt = in_doubt


class ProtocolError(TuyaOTAError):
    """The answer has no form that the platform documents, so nothing is concluded from it."""

    in_doubt = True


class UnreadableReplyError(ProtocolError):
    """What came back is no reply at all: cut short on the way, or written by something in between.

    It tells as little as an answer that never came, so what may be repeated after that may be repeated after this.
    """


class ApiError(TuyaOTAError):
    """The platform refused the request.

    :param action: name of the operation on the wire.
    :param code: the platform's code, empty when only the HTTP status speaks.
    :param message: the platform's text, with anything secret removed.
    :param request_id: what the vendor's support asks for.
    :param http_status: status of the HTTP answer.
    :param advice: what to do next, one sentence.
    :param retry_after: seconds that the answer asks to wait before the next request; 0 where it does not.
    """

    def __init__(
        self,
        *,
        action: str,
        code: str,
        message: str,
        request_id: str,
        http_status: int,
        advice: str = "",
        retry_after: float = 0.0,
    ) -> None:
        parts = [f"{action} was refused: {code or f'HTTP {http_status}'}"]
        if message:
            parts.append(f" ({message})")
        parts.append(f"; request id {request_id or 'not given'}")
        if advice:
            parts.append(f". {advice}")
        super().__init__("".join(parts))
        self.action = action
        self.code = code
        self.message = message
        self.request_id = request_id
        self.http_status = http_status
        self.advice = advice
        self.retry_after = retry_after


class AuthenticationError(ApiError):
    """The AccessKey pair, the signature, the timestamp or the nonce was not accepted."""


class PermissionDeniedError(ApiError):
    """The AccessKey may not do this, or the resource belongs to another account."""


class InvalidRequestError(ApiError):
    """The platform does not accept a parameter."""


class NotFoundError(ApiError):
    """What the request names does not exist."""


class ConflictError(ApiError):
    """The request contradicts the present state of a firmware, job, task or device."""


class ThrottledError(ApiError):
    """Too many requests; the request was not carried out."""


class UnavailableError(ApiError):
    """The platform could not answer now; whether it acted is not known."""

    in_doubt = True


class OutcomeError(TuyaOTAError):
    """The platform worked, the release did not."""


class FirmwareVersionTakenError(OutcomeError):
    """The product has a firmware of this version and module already, made from other bytes."""


class FirmwareStatusError(OutcomeError):
    """The firmware has a status at which waiting for another one makes no sense."""


class AlreadyUnderWayError(OutcomeError):
    """An unfinished job that this task did not create does what the task would do; nothing was created."""


class AmbiguousOutcomeError(OutcomeError):
    """A job was created, but several could be it; a person has to look."""


class JobMissingError(OutcomeError):
    """The job that this task has written down is not on the platform, or is another one; nothing was created."""


class PollingFailedError(OutcomeError):
    """The platform could not be looked at for longer than tolerated; the job itself goes on there."""


class TriggerEventError(TuyaOTAError):
    """The triggerer sent an event that this version of the firmware does not know."""


TRANSIENT_ERRORS = (TransportError, UnavailableError, ThrottledError, ProtocolError)
"""After these a look may simply be repeated: they say nothing about the job that was looked at."""
