"""The note of a job set: what a task stores about all jobs of a set, beside the intent of the job that it creates now.

The note is the stored form of that one intent with the entry ``set`` added. So every flow for a single job, and every
other task that reads the note, understands it. Device names are not in it; the caller gives the frozen lists again.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, Self

from airflow_provider_tuya_ota.core.errors import OutcomeError

if TYPE_CHECKING:
    from collections.abc import Mapping

LARGEST_NOTE: Final = 32_000
"""Bytes of a note as JSON; Airflow's databases may hold no more than twice as many, and encryption adds a third."""
_ENTRY: Final = "set"
_FORM: Final = 1
ID_DIGEST: Final = 10
"""Characters that stand for a job id."""
_LIST_DIGEST: Final = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class SetNote:
    """The part of a note that concerns the whole set.

    :param options: digest of firmware and options.
    :param lists: digest of each list of devices.
    :param began_at: when the task first saved it.
    :param known: digests of the ids of other programs' jobs that existed before the set and are young enough to be
        mistaken for one of it.
    :param jobs: ids of the jobs before the one that the intent beside this is for, in the order of their lists.
    :param found: positions of those of them that a list showed, and no answer named. The task never stops them.
    """

    options: str
    lists: tuple[str, ...]
    began_at: datetime
    known: tuple[str, ...] = ()
    jobs: tuple[str, ...] = ()
    found: tuple[int, ...] = ()

    @classmethod
    def stored_in(cls, value: Any) -> Self | None:
        """Read the part from a note; None where the note is about a single job.

        :raises OutcomeError: it cannot be read, so which jobs were created is not known.
        """
        if not isinstance(value, dict) or _ENTRY not in value:
            return None
        entry = value[_ENTRY]
        try:
            if entry["form"] != _FORM:
                raise ValueError(entry["form"])  # noqa: TRY301 - the same answer as for any other damage
            return cls(
                options=str(entry["options"]),
                lists=_split(str(entry["lists"]), _LIST_DIGEST),
                began_at=datetime.fromisoformat(entry["began_at"]).astimezone(UTC),
                known=_split(str(entry["known"]), ID_DIGEST),
                jobs=tuple(str(job_id) for job_id in entry["jobs"]),
                found=tuple(int(position) for position in entry["found"]),
            )
        except (KeyError, TypeError, ValueError, OverflowError):
            raise OutcomeError(
                "The stored note of this task's jobs cannot be read, so which of them exist is not known. Look at the"
                " firmware's jobs in the vendor's console. Nothing was created"
            ) from None

    def stored_with(self, intent: Mapping[str, Any]) -> dict[str, Any]:
        """Build the note: plain JSON values.

        :param intent: stored form of the intent of the current job. What it knows of other jobs is left out, because
            this part and the caller's lists give it again.
        """
        entry = {
            "form": _FORM,
            "options": self.options,
            "lists": "".join(self.lists),
            "began_at": self.began_at.isoformat(),
            "known": "".join(self.known),
            "jobs": list(self.jobs),
            "found": list(self.found),
        }
        return {**intent, "known": "", _ENTRY: entry}

    def size(self, intent: Mapping[str, Any]) -> int:
        """Count the bytes of the note."""
        return len(json.dumps(self.stored_with(intent)).encode())


def without_set(note: Mapping[str, Any]) -> dict[str, Any]:
    """Give the intent of the current job as a note stores it."""
    return {name: value for name, value in note.items() if name != _ENTRY}


def jobs_in_set(value: Any) -> tuple[str, ...]:
    """Give the ids of the earlier jobs of a set from its note; none where it is no such note or cannot be read."""
    try:
        note = SetNote.stored_in(value)
    except OutcomeError:
        return ()
    return () if note is None else note.jobs


def _split(text: str, step: int) -> tuple[str, ...]:
    return tuple(text[at : at + step] for at in range(0, len(text), step))
