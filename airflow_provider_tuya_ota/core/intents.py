"""What a task is about to create, written down before it asks for it.

The platform has no client token: after a crash nothing but such a note tells a job that was asked for from all others.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, Final, Self

from airflow_provider_tuya_ota.core.errors import OutcomeError

FORM: Final = 1
"""Version of the note; a note of another version is not guessed at."""
CLOCKS_DIFFER: Final = timedelta(minutes=15)
"""How much earlier than the note a job may be dated: further apart, the platform refuses every request."""
NEVER: Final = datetime.max.replace(tzinfo=UTC)
EVER: Final = datetime(1970, 1, 1, tzinfo=UTC)


class OnFailedJob(StrEnum):
    """What a retry does whose job has failed."""

    FAIL = "fail"
    NEW_JOB = "new_job"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """What the scheduler knows of this try of a task.

    :param clear_number: how often anything of the run was cleared; clearing means to release once more.
    :param cleared_after: how many tries of this task were over when it was last cleared, unless it ran then; None where
        Airflow does not tell.
    :param is_retry: an earlier try may have got as far as creating something.
    :param run_started_at: nothing of this run is older.
    :param on_failed_job: what a retry does whose job has failed.
    :param may_cancel: whether clearing the task stops what the job has not begun.
    :param drained_by: when to give up waiting for the job of before a clear.
    :param drain_here: wait for that job in the flow; without it the flow ends in StillDrainingError, so that whoever
        runs it can wait elsewhere and run it again.
    :param poll_interval: seconds between two looks at that job.
    """

    clear_number: int = 0
    cleared_after: int | None = None
    is_retry: bool = False
    run_started_at: datetime | None = None
    on_failed_job: OnFailedJob = OnFailedJob.FAIL
    may_cancel: bool = True
    drained_by: datetime = NEVER
    drain_here: bool = True
    poll_interval: float = 15.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """One intent to create something.

    :param fingerprint: what is asked for; the same request has the same one.
    :param known_ids: what existed before, and is therefore not it.
    :param started_at: when it was written.
    :param clear_number: of the try that wrote it.
    :param cleared_after: likewise.
    :param entity_id: what was created; empty until the platform has said.
    """

    fingerprint: str
    known_ids: tuple[str, ...]
    started_at: datetime
    clear_number: int = 0
    cleared_after: int | None = None
    entity_id: str = ""
    form: int = field(default=FORM)

    def to_dict(self) -> dict[str, Any]:
        """Give plain JSON values."""
        return asdict(self) | {"known_ids": list(self.known_ids), "started_at": self.started_at.isoformat()}

    @classmethod
    def from_dict(cls, values: Any) -> Self:
        """Rebuild what :meth:`to_dict` gave.

        :raises OutcomeError: it is no such note; whether something was created cannot be told from it.
        """
        try:
            if values["form"] != FORM:
                raise ValueError(values["form"])  # noqa: TRY301 - the same answer as for any other damage
            return cls(
                fingerprint=str(values["fingerprint"]),
                known_ids=tuple(map(str, values["known_ids"])),
                started_at=datetime.fromisoformat(values["started_at"]).astimezone(UTC),
                clear_number=int(values["clear_number"]),
                cleared_after=values.get("cleared_after"),
                entity_id=str(values["entity_id"]),
            )
        except (KeyError, TypeError, ValueError):
            raise OutcomeError(
                "the note in the task state store that says what this task was about to create cannot be read, so"
                " whether it was created cannot be told. Look at the package's jobs in the vendor's console; to go on,"
                " delete the entry"
            ) from None

    def could_be(self, entity_id: str, utc_create: str) -> bool:
        """Whether something that the platform lists could be what was asked for."""
        return entity_id not in self.known_ids and _is_later(utc_create, self.started_at - CLOCKS_DIFFER)

    def is_older_than(self, utc_create: str) -> bool:
        """Whether something was created after this was written, if the platform's clock and ours agree."""
        return _is_later(utc_create, self.started_at)


def _is_later(utc_create: str, moment: datetime) -> bool:
    try:
        created_at = datetime.fromisoformat(utc_create)
    except ValueError:
        return True
    return created_at.tzinfo is None or created_at >= moment
