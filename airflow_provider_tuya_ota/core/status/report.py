"""What people and systems are told about the end of one step of a release: plain values and one ready text."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final, Self

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
from airflow_provider_tuya_ota.core.texts import cut, one_line
from airflow_provider_tuya_ota.core.wire.redaction import redact

if TYPE_CHECKING:
    from airflow_provider_tuya_ota.core.model.verdict import Verdict

LONGEST_ERROR: Final = 500
LONGEST_TEXT: Final = 1000
_LOST: Final = frozenset({"FAILED", "CANCELED"})


class Event(StrEnum):
    """How a step of a release ended."""

    SUCCEEDED = "succeeded"
    """The step has done what was asked; of a job: every device runs the version."""
    UPLOADED = "uploaded"
    """The firmware is there; no device was touched."""
    STARTED = "started"
    """The job exists, and the step was told not to wait for it."""
    WAITING = "waiting"
    """The step waits for its job. Replaced at the end: where it stays, nobody saw the end."""
    FAILED = "failed"
    """It did not work; the error says why."""
    REFUSED = "refused"
    """The input, the connection or the request was not accepted: nothing was started."""
    UNCLEAR = "unclear"
    """Whether something was started cannot be told; a person has to look."""
    TIMEOUT = "timeout"
    """The time was over before the job ended."""
    LOST_SIGHT = "lost_sight"
    """The platform could not be looked at for too long; the job goes on there."""
    STOPPED = "stopped"
    """Somebody ended the step or the run from outside before it was through."""

    @property
    def is_good(self) -> bool:
        """Whether a step that ended so counts as a success."""
        return self in {Event.SUCCEEDED, Event.UPLOADED, Event.STARTED}


_DID: Final = {
    Event.SUCCEEDED: "succeeded",
    Event.UPLOADED: "is uploaded",
    Event.STARTED: "was started, and nobody waits for it",
    Event.WAITING: "is under way",
    Event.FAILED: "failed",
    Event.REFUSED: "was refused, nothing was started",
    Event.UNCLEAR: "has an unclear outcome",
    Event.TIMEOUT: "ran out of time",
    Event.LOST_SIGHT: "is out of sight",
    Event.STOPPED: "was stopped",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseReport:
    """The end of one step, as the ``ota_release`` of notifications and XCom.

    :param event: how it ended.
    :param step: id of the task.
    :param did: what became of it, as the end of a sentence; by default the words for ``event``.
    :param version: that the devices have afterwards; empty where the platform has not told it.
    :param counts: device tasks by status, each task once.
    :param devices: up to 50, those that matter most first.
    :param error: first line of the error, redacted and at most 500 characters; empty where there is none.
    :param on_cancel: what ending the step from outside does to its job, ``stop`` or ``keep``, while it waits for one.
    :param started_at: when the step began, in UTC and ISO 8601.
    :param duration: seconds since then.
    :param link: the job's page in the vendor's console.
    :param run_link: the step's page in Airflow; empty unless ``[api] base_url`` is set.
    """

    event: Event
    step: str = ""
    did: str = ""
    product_key: str = ""
    version: str = ""
    firmware_id: str = ""
    job_id: str = ""
    counts: dict[str, int] = field(default_factory=dict)
    devices: tuple[dict[str, str], ...] = ()
    error: str = ""
    on_cancel: str = ""
    started_at: str = ""
    duration: float = 0.0
    link: str = ""
    run_link: str = ""

    @property
    def failing(self) -> list[dict[str, str]]:
        """Named devices whose task failed or was cancelled."""
        return [device for device in self.devices if device["status"] in _LOST]

    @property
    def text(self) -> str:
        """One line that says it all, at most 1,000 characters."""
        counts = ", ".join(f"{number} {status}" for status, number in self.counts.items())
        did = f"{self._subject} {self.did or _DID[self.event]}"
        return bounded_line(
            f"{did}{f': {counts}' if counts else ''}, {self._seconds:.0f} s. {self.error}", LONGEST_TEXT
        )

    @property
    def _seconds(self) -> float:
        # The text is made of what is stored, so that a report that is read back says the same.
        return round(self.duration, 1)

    @property
    def _subject(self) -> str:
        # What became of the job is not known where only the step has failed.
        is_known = bool(self.counts) or self.event not in {Event.FAILED, Event.REFUSED, Event.UNCLEAR}
        if is_known and self._entity:
            return self._entity
        return f"Step {self.step} ({self._entity})" if self._entity else f"Step {self.step}"

    @property
    def _entity(self) -> str:
        if self.job_id:
            return f"OTA job {self.job_id}" + (f" for firmware {self.firmware_id}" if self.firmware_id else "")
        if not self.firmware_id:
            return ""
        version = f" for version {self.version}" if self.version else ""
        product = f" of product {self.product_key}" if self.product_key and version else ""
        return f"OTA firmware {self.firmware_id}{version}{product}"

    def to_dict(self) -> dict[str, Any]:
        """Give plain JSON values."""
        values = {one.name: getattr(self, one.name) for one in fields(self)}
        return values | {
            "event": self.event.value,
            "text": self.text,
            "counts": dict(self.counts),
            "failing": self.failing,
            "devices": list(self.devices),
            "duration": self._seconds,
        }

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """Rebuild what :meth:`to_dict` gave; names that another version wrote are ignored.

        :raises KeyError: it is no such report.
        :raises ValueError: its event is not known.
        """
        known = {one.name: values[one.name] for one in fields(cls) if one.name in values}
        known["event"] = Event(values["event"])
        known["devices"] = tuple(known.get("devices", ()))
        return cls(**known)


def shown(verdict: Verdict) -> dict[str, Any]:
    """Give what a look at a job adds to a report."""
    state = verdict.to_dict()
    return {name: state[name] for name in ("job_id", "firmware_id", "version", "counts")} | {
        "devices": tuple(state["devices"])
    }


def event_of(error: BaseException, *, has_begun: bool) -> Event:
    """Tell how a step ended that ends with an error.

    :param has_begun: whether it had a job; then nothing can be a refusal any more.
    """
    if isinstance(error, WaitTimeoutError):
        return Event.TIMEOUT
    if isinstance(error, PollingFailedError):
        return Event.LOST_SIGHT
    if isinstance(error, AmbiguousOutcomeError):
        return Event.UNCLEAR
    refused = ConfigurationError, FirmwareVersionTakenError, AlreadyUnderWayError
    is_refusal = isinstance(error, ApiError) and not isinstance(error, UnavailableError) and not error.in_doubt
    if not has_begun and (is_refusal or isinstance(error, refused)):
        return Event.REFUSED
    return Event.FAILED


def first_line(error: BaseException) -> str:
    """Give the first line of an error, fit to be read by anybody.

    Errors of others are named by their kind and redacted; this package's own hold nothing secret.
    """
    said = next((line for line in str(error).splitlines() if line.strip()), "")
    if not isinstance(error, TuyaOTAError):
        said = f"{type(error).__name__}: {redact(said)}" if said else type(error).__name__
    return bounded_line(said, LONGEST_ERROR)


def bounded_line(text: str, longest: int) -> str:
    """Make a text one line of a length that can be encoded."""
    return cut(one_line(text), longest - 1)
