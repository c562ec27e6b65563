"""What a wait has seen so far: the same for a sensor's pokes, a blocking wait and a deferred one."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from airflow_provider_tuya_ota.core.errors import TRANSIENT_ERRORS, AuthenticationError, PollingFailedError

if TYPE_CHECKING:
    from airflow_provider_tuya_ota.core.errors import TuyaOTAError
    from airflow_provider_tuya_ota.core.model.verdict import Verdict

DEFAULT_TOLERANCE: Final = 7200.0
GRACE_PERIOD: Final = 300.0
"""Seconds that refusals are tolerated which waiting does not mend by itself, of what was polled well before."""


class KeyRefusedError(Exception):
    """The AccessKey pair is refused and the wait goes on: whoever can reads the connection again.

    :param pause: seconds until the next poll where the connection is still the same.
    """

    def __init__(self, pause: float) -> None:
        super().__init__(pause)
        self.pause = pause


@dataclass(slots=True)
class _Failures:
    """Failures in a row.

    :param since: when the first of them was.
    :param refused_since: when the first of them was that waiting does not mend by itself.
    """

    since: datetime | None = None
    refused_since: datetime | None = None

    def clear(self) -> None:
        self.since = self.refused_since = None


@dataclass(slots=True, kw_only=True)
class WaitState:
    """What a wait has seen so far.

    A poll reads everything that the verdict needs; a listing only shows that a job has not ended. Listings therefore
    prove nothing about polls that fail.

    :param was_well: whether a poll has ever succeeded.
    :param settling_since: since when everything has ended and does not tell one story.
    :param line: what the last successful poll showed.
    :param verdict: what the last successful poll of a job came to; of this nothing is kept as JSON.
    :param is_key_refused: whether the last poll or listing failed because of the AccessKey pair.
    """

    was_well: bool = False
    settling_since: datetime | None = None
    line: str = ""
    verdict: Verdict | None = None
    is_key_refused: bool = False
    _was_listed: bool = False
    _polls: _Failures = field(default_factory=_Failures)
    _listings: _Failures = field(default_factory=_Failures)

    def record(self) -> None:
        """Note a poll that succeeded."""
        self.was_well = True
        self._polls.clear()
        self.record_listing()

    def record_listing(self) -> None:
        """Note a listing that showed the job."""
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
        """Note a poll or a listing that failed.

        :param now: steady time at which it began.
        :param subject: what is waited for, for the error.
        :param meanwhile: what becomes of it, and what to do, for the error.
        :param tolerance: seconds that failures in a row are tolerated.
        :raises PollingFailedError: they have lasted longer.
        :raises TuyaOTAError: it was the first, and waiting does not mend it.
        """
        passes = isinstance(error, TRANSIENT_ERRORS)
        if not (passes or self.was_well or (is_listing and self._was_listed)):
            raise error
        self.is_key_refused = isinstance(error, AuthenticationError)
        failures = self._listings if is_listing else self._polls
        failures.since = failures.since or now
        if passes:
            since = failures.since
        else:
            # What worked a moment ago is given a moment to work again: a key is being changed, a list catches up.
            tolerance = min(GRACE_PERIOD, tolerance)
            since = failures.refused_since = failures.refused_since or now
        if now - since >= timedelta(seconds=tolerance):
            raise PollingFailedError(
                f"{subject} could not be looked at for {tolerance:g} s; {meanwhile}. Last: {error.sentence}"
            ) from None

    def to_dict(self) -> dict[str, Any]:
        """Give plain JSON values; of listings nothing is kept, because they are part of a wait that keeps running."""
        return {
            "was_well": self.was_well,
            "failing_since": _text(self._polls.since),
            "refused_since": _text(self._polls.refused_since),
            "settling_since": _text(self.settling_since),
            "line": self.line,
        }

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> WaitState:
        """Rebuild what :meth:`to_dict` gave; what is missing has not been seen."""
        return cls(
            was_well=bool(values.get("was_well")),
            settling_since=_moment(values.get("settling_since")),
            line=str(values.get("line", "")),
            _polls=_Failures(_moment(values.get("failing_since")), _moment(values.get("refused_since"))),
        )


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else moment.astimezone(UTC).isoformat()


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
