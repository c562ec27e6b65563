"""The intents of all tasks of an Airflow. Each task stores its own in an Airflow variable, the note, for all to read.

Airflow's variables have no compare-and-set, so each task writes only its own. A task that needs to know what others are
about to create lists the variables by prefix. The name of a variable shows whether it can concern the same devices.
"""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from airflow.sdk import Variable

from airflow_provider_tuya_ota.core.errors import StateUnavailableError
from airflow_provider_tuya_ota.core.flows.effects import OtherIntents, StoredIntent
from airflow_provider_tuya_ota.core.jobs.intent import Stage
from airflow_provider_tuya_ota.core.jobs.set_note import jobs_in_set
from airflow_provider_tuya_ota.core.jobs.target import Target, may_overlap
from airflow_provider_tuya_ota.hooks.airflow_api import NoAnswerError, repeat

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk import Context

    from airflow_provider_tuya_ota.core.settings import Settings

PREFIX: Final = "tuya_ota.intent"
DESCRIPTION: Final = "Which OTA job a task creates; may be deleted when no release of its firmware is under way."
KEPT: Final = timedelta(days=7)
"""How long a note is kept after its last write: retries come sooner, and every list shows a job of that age."""
SWEPT_AT_ONCE: Final = 5
"""Notes of other firmwares whose age a task checks when it has created a job."""


@dataclass(slots=True)
class Ledger:
    """The notes about one firmware of one service instance.

    The names of this task's own notes are listed once, because only its tries write them. A note that another try wrote
    meanwhile stays, and other tasks read both: a note too many makes them wait, one too few could give a job two tasks.

    :param firmware: digest of firmware and service instance.
    :param task: digest of this task.
    :param who: this task, for messages.
    """

    firmware: str
    task: str
    who: str
    _own_keys: list[str] | None = field(default=None, init=False)

    @classmethod
    def of(cls, context: Context, settings: Settings, firmware_id: str) -> Ledger | None:
        """Open the ledger; None outside of a task that Airflow runs."""
        try:
            from airflow.sdk.execution_time.task_runner import SUPERVISOR_COMMS  # noqa: F401, PLC0415 - exists in a running task only
        except ImportError:
            return None
        ti = context["ti"]
        # Without the AccessKey: all keys of an account, also replaced ones, concern the same firmwares.
        firmware = _digest(settings.host.lower().rstrip("."), str(settings.port), firmware_id)
        mapped = "" if ti.map_index is None or ti.map_index < 0 else f" [{ti.map_index}]"
        who = f"task {ti.task_id}{mapped} of run {ti.run_id} of Dag {ti.dag_id}"
        # A run that is deleted and triggered again under its id is another run. A clear changes the start of a run, but
        # never this moment.
        run = ti.run_id, str(getattr(context.get("dag_run"), "run_after", ""))
        return cls(firmware, _digest(ti.dag_id, *run, ti.task_id, str(ti.map_index)), who)

    def read(self) -> Any:
        """Read this task's own note; None if there is none, or if no job is outstanding."""
        for key in self._own():
            if (entry := _entry(key)) is not None and not _is_over(entry["note"]):
                return entry["note"]
        return None

    def write(self, note: dict[str, Any]) -> None:
        """Write this task's own note, in place of the one before.

        Jobs that the task is done with stay in the note, so that no similar task adopts one. An empty note is deleted.
        """
        own = self._own()
        now = datetime.now(UTC).isoformat()
        had = _had([entry for key in own if (entry := _entry(key)) is not None], note, now)
        mask = Target.from_dict(note["target"]).mask
        new = f"{PREFIX}.{self.firmware}.{mask}.{self.task}" if had or not _is_over(note) else None
        if new is not None:
            entry = {"who": self.who, "at": now, "note": note, "had": had}
            _set(new, json.dumps(entry))
        for key in own:
            if key != new:
                _delete(key)
        self._own_keys = [] if new is None else [new]

    def other_intents(self, mask: str | None) -> OtherIntents:
        """Read the notes of other tasks, without those that certainly concern other devices."""
        notes = []
        for key in self._keys():
            _, _, theirs, task = key.rsplit(".", 3)
            if task == self.task or (mask is not None and not may_overlap(theirs, mask)):
                continue
            if (entry := _entry(key)) is not None:
                who = str(entry.get("who", "another task"))[:500]
                notes.append(StoredIntent(who, task, entry["note"], tuple(_marks(entry))))
        return OtherIntents(self.task, tuple(notes))

    def sweep(self) -> None:
        """Delete a few old notes of other firmwares. If Airflow's API fails, a later task deletes them."""
        with suppress(StateUnavailableError):
            others = [key for key in _listed(f"{PREFIX}.") if not key.startswith(f"{PREFIX}.{self.firmware}.")]
            # Each task starts at another place, so that all notes are checked in time.
            start = int(self.task, 16) % max(1, len(others))
            for key in (others[start:] + others[:start])[:SWEPT_AT_ONCE]:
                # A note that the API did not give may belong to a running release.
                if (text := _read(key)) is not None and _is_old((_parse(text) or {}).get("at")):
                    _delete(key)

    def _own(self) -> list[str]:
        if self._own_keys is None:
            self._own_keys = [key for key in self._keys() if key.endswith(f".{self.task}")]
        return self._own_keys

    def _keys(self) -> list[str]:
        prefix = f"{PREFIX}.{self.firmware}."
        return [key for key in _listed(prefix) if key.count(".") == prefix.count(".") + 1]


def _listed(prefix: str) -> Sequence[str]:
    return repeat(lambda: list(Variable.keys(prefix=prefix)), "list the tasks' notes")


def _entry(key: str) -> dict[str, Any] | None:
    """Read a note that was listed; None where it was deleted meanwhile, or is no note.

    :raises StateUnavailableError: it exists, but the API did not give it.
    """
    text = _read(key)
    return None if text is None else _parse(text)


def _read(key: str) -> str | None:
    """Read a variable that was listed; None where it was deleted meanwhile.

    ``Variable.get`` also gives its default when Airflow's API fails, so a missing variable is listed once more.
    """

    def read() -> str | None:
        text: str | None = Variable.get(key, default=None)
        if text is None and key in list(Variable.keys(prefix=key)):
            raise NoAnswerError("it is listed and was not given; if that lasts, delete it under Admin, Variables")
        return text

    return repeat(read, f"give the note {key}")


def _set(key: str, text: str) -> None:
    repeat(lambda: Variable.set(key, text, description=DESCRIPTION), "take the task's note")


def _delete(key: str) -> None:
    """Delete a variable; one that is gone is no error."""

    def delete() -> None:
        try:
            Variable.delete(key)
        except Exception:
            if key in list(Variable.keys(prefix=key)):
                raise

    repeat(delete, f"delete the task's old note {key}")


def _parse(text: str) -> dict[str, Any] | None:
    try:
        entry = json.loads(text)
    except ValueError:
        return None
    return entry if isinstance(entry, dict) and "note" in entry else None


def _had(entries: list[dict[str, Any]], note: dict[str, Any], now: str) -> dict[str, str]:
    """Give the jobs that a task is done with when it writes a note, those of its earlier intents, each with the time.

    A job that the same intent found in a list and then left to another task is not among them.
    """
    had: dict[str, str] = {}
    for entry in entries:
        had |= {job_id: at for job_id, at in _marks(entry).items() if not _is_old(at)}
        old = entry["note"] if isinstance(entry["note"], dict) else {}
        is_done = _is_over(note) or old.get("started_at") != note["started_at"]
        # The note of a set names its earlier jobs itself.
        if is_done and old.get("entity_id") and old["entity_id"] not in jobs_in_set(note):
            had.setdefault(str(old["entity_id"]), now)
    return had


def _marks(entry: dict[str, Any]) -> dict[str, str]:
    marks = entry.get("had")
    return {str(job_id): str(at) for job_id, at in marks.items()} if isinstance(marks, dict) else {}


def _is_over(note: Any) -> bool:
    return isinstance(note, dict) and note.get("stage") == Stage.NOTHING and not jobs_in_set(note)


def _is_old(at: Any) -> bool:
    try:
        return datetime.now(UTC) - datetime.fromisoformat(at) > KEPT
    except (TypeError, ValueError):
        return True


def _digest(*parts: str) -> str:
    return hashlib.blake2s("\n".join(parts).encode(), digest_size=8).hexdigest()
