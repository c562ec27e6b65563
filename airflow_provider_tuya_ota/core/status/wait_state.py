"""What the polls of one wait have shown so far, for sensors, blocking waits and deferred waits alike."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from airflow_provider_tuya_ota.core.errors import TRANSIENT_ERRORS, AuthenticationError, PollingFailedError
from airflow_provider_tuya_ota.core.texts import LONGEST_TEXT, cut

if TYPE_CHECKING:
    from airflow_provider_tuya_ota.core.errors import TuyaOTAError
    from airflow_provider_tuya_ota.core.model.verdict import Verdict

DEFAULT_TOLERANCE: Final = 7200.0
"""Seconds for which transient errors are tolerated."""
GRACE_PERIOD: Final = 300.0
"""Seconds for which errors that waiting does not solve are tolerated, once a poll has succeeded: a key is being
changed, a list catches up."""


class KeyRefusedError(Exception):
    """The platform refuses the AccessKey pair, and the wait goes on once the connection was read again.

    :param pause: seconds until the next poll where the connection is still the same.
    """

    def __init__(self, pause: float) -> None:
        super().__init__(pause)
        self.pause = pause


@dataclass(slots=True)
class _Failures:
    """Failures in a row.

    :param since: when the first of them occurred.
    :param refused_since: when the first of them occurred that waiting does not solve.
    """

    since: datetime | None = None
    refused_since: datetime | None = None

    def clear(self) -> None:
        self.since = self.refused_since = None


@dataclass(slots=True, kw_only=True)
class WaitState:
    """What the polls of one wait have shown so far.

    A poll reads everything that a verdict needs. A listing shows only that a job has not ended, so a listing that
    succeeds says nothing about polls that fail.

    :param has_polled: whether a poll, or another request for the same job, has ever succeeded.
    :param settling_since: since when everything has ended while the platform contradicts itself; None otherwise.
    :param successful_since: since when polls have shown success that is not concluded yet, because the platform chose
        the devices and may list some later; None otherwise.
    :param most_listed: most device tasks that a poll read one by one.
    :param line: the state in the last successful poll, in words; empty before it.
    :param last_error: the error of the last poll, as a sentence; empty where that poll succeeded.
    :param verdict: the verdict of the last successful poll of a job; it is not part of the JSON values.
    :param is_key_refused: whether the last poll or listing failed because of the AccessKey pair.
    """

    has_polled: bool = False
    settling_since: datetime | None = None
    successful_since: datetime | None = None
    most_listed: int = 0
    line: str = ""
    last_error: str = ""
    verdict: Verdict | None = None
    is_key_refused: bool = False
    _was_listed: bool = False
    _polls: _Failures = field(default_factory=_Failures)
    _listings: _Failures = field(default_factory=_Failures)

    @property
    def is_failing(self) -> bool:
        """Whether the last poll or the last listing failed."""
        return bool(self._polls.since or self._listings.since)

    def record(self) -> None:
        """Record a poll that succeeded."""
        self.has_polled = True
        self.last_error = ""
        self._polls.clear()
        self.record_listing()

    def record_listing(self) -> None:
        """Record a listing that contained the job."""
        self._was_listed = True
        self.is_key_refused = False
        self._listings.clear()

    def record_failure(
        self,
        error: TuyaOTAError,
        now: datetime,
        *,
        subject: str,
        meanwhile: str,
        tolerance: float,
        is_listing: bool = False,
    ) -> None:
        """Record a poll or a listing that failed.

        :param now: steady time at which it began.
        :param subject: what is polled, for the error.
        :param meanwhile: what it does meanwhile and what the reader can do, for the error.
        :param tolerance: seconds for which failures in a row are tolerated.
        :raises PollingFailedError: they have lasted longer.
        :raises TuyaOTAError: no poll has succeeded before, and waiting does not solve this error.
        """
        is_transient = isinstance(error, TRANSIENT_ERRORS)
        if not (is_transient or self.has_polled or (is_listing and self._was_listed)):
            raise error
        self.is_key_refused = isinstance(error, AuthenticationError)
        if not is_listing:
            self.last_error = cut(error.sentence, LONGEST_TEXT)
        failures = self._listings if is_listing else self._polls
        failures.since = failures.since or now
        if is_transient:
            since = failures.since
        else:
            tolerance = min(GRACE_PERIOD, tolerance)
            since = failures.refused_since = failures.refused_since or now
        if now - since >= timedelta(seconds=tolerance):
            raise PollingFailedError(
                f"{subject} could not be polled for {tolerance:g} s; {meanwhile}. Last: {error.sentence}"
            ) from None

    def to_dict(self) -> dict[str, Any]:
        """Give plain JSON values, without listings: a wait that is stored and resumed begins with a poll."""
        return {
            "has_polled": self.has_polled,
            "failing_since": _render_time(self._polls.since),
            "refused_since": _render_time(self._polls.refused_since),
            "settling_since": _render_time(self.settling_since),
            "successful_since": _render_time(self.successful_since),
            "most_listed": self.most_listed,
            "line": self.line,
            "last_error": self.last_error,
        }

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> WaitState:
        """Rebuild what :meth:`to_dict` gave; values that are missing have their defaults."""
        return cls(
            has_polled=bool(values.get("has_polled")),
            settling_since=_parse_time(values.get("settling_since")),
            successful_since=_parse_time(values.get("successful_since")),
            most_listed=int(values.get("most_listed") or 0),
            line=str(values.get("line", "")),
            last_error=str(values.get("last_error", "")),
            _polls=_Failures(_parse_time(values.get("failing_since")), _parse_time(values.get("refused_since"))),
        )


def _render_time(time: datetime | None) -> str | None:
    return None if time is None else time.astimezone(UTC).isoformat()


def _parse_time(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
