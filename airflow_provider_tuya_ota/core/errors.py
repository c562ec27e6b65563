"""The base of every error that this package raises, split by who must act.

::

    TuyaOTAError
    ├── ConfigurationError            nothing was sent: correct the connection or the argument
    │   ├── ControlNoteUnreadableError the control note of a release is missing or cannot be read
    │   ├── InvalidParameterError     one parameter of an operation or operator is invalid
    │   └── RecordUnreadableError     a release record, or the key for one, cannot be read
    ├── TransportError                no usable answer arrived; .delivery says whether the request may have arrived
    │   ├── SourceUnavailableError    the file to upload could not be read now
    │   └── StateUnavailableError     Airflow's API could not read or store the state of the task
    ├── ProtocolError                 an answer arrived that the platform does not document
    │   ├── IncompleteListError       a list has fewer items than its Total says
    │   └── UnreadableReplyError      it is no reply of the platform: cut short, or written by a proxy
    ├── ApiError                      the platform refused; .action .code .message .request_id .http_status
    │   ├── AuthenticationError       key, signature or timestamp
    │   ├── PermissionDeniedError     the key is not allowed to do this
    │   ├── InvalidRequestError       the platform does not accept a parameter
    │   ├── NotFoundError             product, firmware, job, device task or device does not exist
    │   ├── ConflictError             the request does not fit the current state
    │   ├── ThrottledError            too many requests
    │   └── UnavailableError          the platform could not answer now
    ├── OutcomeError                  the platform worked, the release did not
    │   ├── FirmwareVersionTakenError the version exists with other bytes
    │   ├── FirmwareStatusError       the firmware has a status that waiting does not change
    │   ├── AlreadyUnderWayError      another unfinished job does the same
    │   ├── ControlRefusedError       the release does not take this change of its control note
    │   ├── AmbiguousOutcomeError     several jobs may be the one that was created
    │   ├── JobMissingError           the job of this task does not exist on the platform
    │   ├── JobSetChangedError        the devices or options of a set of jobs are not those it began with
    │   ├── JobSetTooLargeError       what has to be stored about a set of jobs is too large
    │   ├── JobFailedError            the job ended without success; .verdict names devices and reasons
    │   ├── LandedVersionError        devices reported success and do not run the version
    │   ├── PollingFailedError        the platform was unreachable for too long; the job goes on
    │   ├── WaitEndedError            the wait for a set of jobs ended before this job did; the job goes on
    │   └── WaitTimeoutError          the deadline has passed; the job goes on
    └── TriggerEventError             the triggerer sent an event that this version does not know
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


class Delivery(StrEnum):
    """Whether a request without a usable answer may have reached the platform."""

    NEVER_SENT = "never sent"
    UNKNOWN = "unknown"


class TuyaOTAError(Exception):
    """Base of every error that this package raises."""

    in_doubt: bool = False
    """True where the platform may have carried out the request although it failed."""

    @property
    def sentence(self) -> str:
        """The message with a full stop at its end, for a text in which another sentence follows."""
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
    """One parameter has an invalid value; nothing was sent.

    :param field: name of the argument in Python, with its name on the wire where it has one.
    :param problem: what is wrong with the value.
    :param allowed: the values that are accepted.
    """

    def __init__(self, *, field: str, problem: str, allowed: str) -> None:
        super().__init__(f"{field}: {problem}. Allowed: {allowed}.")
        self.field = field
        self.problem = problem
        self.allowed = allowed


class TransportError(TuyaOTAError):
    """No usable answer arrived.

    :param reason: what failed; contains no part of the request.
    :param endpoint: host and port that the request was sent to.
    :param delivery: whether the platform may have received the request.
    """

    def __init__(self, reason: str, *, endpoint: str, delivery: Delivery) -> None:
        arrived = "it was not delivered" if delivery is Delivery.NEVER_SENT else "it may have been carried out"
        super().__init__(f"request to {endpoint} failed ({reason}); {arrived}")
        self.reason = reason
        self.endpoint = endpoint
        self.delivery = delivery
        self.in_doubt = delivery is Delivery.UNKNOWN


class SourceUnavailableError(TransportError):
    """The file to upload could not be read now; no firmware was created.

    :param source: path or URL of the file, without secrets.
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
    """The platform does not document such an answer, so nothing is concluded from it."""

    in_doubt = True


class IncompleteListError(ProtocolError):
    """A list has fewer items than its ``Total`` says, and a decision needs all of them."""

    in_doubt = False


class UnreadableReplyError(ProtocolError):
    """The answer is no reply of the platform: it was cut short, or a proxy or another server wrote it.

    It says as little as a missing answer. So requests that may be repeated after a lost answer are repeated after this.
    """


class ApiError(TuyaOTAError):
    """The platform refused the request.

    :param action: name of the operation on the wire.
    :param code: the platform's code; empty where the answer has only an HTTP status.
    :param message: the platform's text, without secrets.
    :param request_id: id of the request, which the vendor's support asks for; empty where the answer has none.
    :param http_status: status of the HTTP answer.
    :param advice: what to do next, in one sentence.
    :param retry_after: seconds to wait before the next request, as the answer asks for; 0 where it does not.
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
    """The platform does not accept the AccessKey pair, the signature or the timestamp."""


class PermissionDeniedError(ApiError):
    """The AccessKey is not allowed to do this, or the resource belongs to another account."""


class InvalidRequestError(ApiError):
    """The platform does not accept a parameter."""


class NotFoundError(ApiError):
    """A product, firmware, job, device task or device in the request does not exist."""


class ConflictError(ApiError):
    """The request does not fit the current state of a firmware, job, device task or device."""


class ThrottledError(ApiError):
    """There were too many requests; this one was not carried out."""


class UnavailableError(ApiError):
    """The platform could not answer now, or a proxy sent the request twice; it may have been carried out."""

    in_doubt = True


class OutcomeError(TuyaOTAError):
    """The platform worked, the release did not."""


class FirmwareVersionTakenError(OutcomeError):
    """The version and module exist with other bytes or a digest that is not shown; nothing was created."""


class FirmwareStatusError(OutcomeError):
    """The firmware has a status that waiting does not change into the wanted one."""


class AlreadyUnderWayError(OutcomeError):
    """An unfinished job that this task did not create does the same; nothing was created."""


class AmbiguousOutcomeError(OutcomeError):
    """Several jobs may be the one that this task created; a person has to check them."""


class JobMissingError(OutcomeError):
    """The job that this task has stored does not exist on the platform, or is another one; nothing was created."""


class LandedVersionError(OutcomeError):
    """Devices reported success, and report another version than that of the release, or none."""


class JobSetChangedError(OutcomeError):
    """The devices or options of a set of jobs are not those that the task began with; nothing was created."""


class JobSetTooLargeError(OutcomeError):
    """What has to be stored about a set of jobs is too large; the jobs that exist go on, and no other was created."""


class PollingFailedError(OutcomeError):
    """Polls have failed for longer than tolerated; the job goes on at the platform."""


class TriggerEventError(TuyaOTAError):
    """The triggerer sent an event that this version of the package does not know."""


TRANSIENT_ERRORS = (TransportError, UnavailableError, ThrottledError, ProtocolError)
"""Errors after which the same poll may succeed: they say nothing about the job that is polled."""
