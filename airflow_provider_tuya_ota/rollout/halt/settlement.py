"""The decisions of a halt: what is cancelled again, what is known of each device, and when it is over."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from airflow_provider_tuya_ota.core.durations import require_seconds
from airflow_provider_tuya_ota.core.status.wait import LISTED_LATE
from airflow_provider_tuya_ota.rollout.halt.known import ENDED, Known, after, known_of, worst_of

if TYPE_CHECKING:
    from datetime import datetime

    from airflow_provider_tuya_ota.core.model.entities import DeviceTask
    from airflow_provider_tuya_ota.rollout.halt.reading import JobReading
    from airflow_provider_tuya_ota.rollout.halt.scope import HaltScope

CLEAN_ROUNDS: Final = 2
"""Rounds in a row that have to show nothing that can be cancelled."""
SWEEP_PAUSES: Final = (3.0, 6.0, 12.0, 15.0, 30.0, 60.0)
"""Seconds between two rounds while something can be cancelled; the last one repeats."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HaltOptions:
    """How long a halt watches devices that cannot be cancelled.

    :param silent_after: seconds without any change after which a device counts as silent. There is no default: it has
        to be longer than the slowest step of an update, and than lists lag.
    :param longest: seconds from the beginning of the halt to its deadline; a day by default, because the longest
        timeout of a job is a day.
    :param poll_interval: seconds between two rounds once nothing can be cancelled; 60 by default.
    """

    silent_after: float
    longest: float = 86_400.0
    poll_interval: float = 60.0

    def __post_init__(self) -> None:
        for name in self.__slots__:
            require_seconds(name, getattr(self, name))


@dataclass(slots=True, kw_only=True)
class Settlement:
    """One halt from its beginning to its receipt.

    A round cancels the jobs of :meth:`to_cancel`, reads those of :meth:`to_read`, hands each reading to :meth:`take`
    and ends with :meth:`end_round`.

    :param scope: its jobs and devices.
    :param reason: why the release is halted.
    :param begun_at: when it began.
    :param deadline: when it is over, whatever is known then.
    :param letters: what is known of each device of each job, see :mod:`.known`.
    :param settled_at: when it was over; None before. Then nothing changes any more.
    :param may_begin: whether in the last round something could still begin, or could not be read.
    :param quiet_since: the last change of a device that has not ended, and a digest of those devices, as an earlier
        process has stored them.
    :param tasks: the device task that each letter was read from, by job and device.
    """

    scope: HaltScope
    reason: str
    begun_at: datetime
    deadline: datetime
    letters: dict[str, dict[str, str]]
    settled_at: datetime | None = None
    may_begin: bool = True
    quiet_since: tuple[datetime, str] | None = None
    tasks: dict[tuple[str, str], DeviceTask] = field(default_factory=dict)
    _unread: set[str] = field(default_factory=set)
    _clean: int = 0
    _rounds: int = 0
    _needs_cancel: dict[str, bool] = field(default_factory=dict)
    _is_clean: dict[str, bool] = field(default_factory=dict)
    _clean_of: dict[str, int] = field(default_factory=dict)
    _ended_since: dict[str, datetime] = field(default_factory=dict)
    _closed: set[str] = field(default_factory=set)
    _changes: dict[tuple[str, str], tuple[str, datetime]] = field(default_factory=dict)

    @classmethod
    def begin(cls, scope: HaltScope, reason: str, options: HaltOptions, now: datetime) -> Settlement:
        """Begin a halt."""
        return cls(
            scope=scope,
            reason=reason,
            begun_at=now,
            deadline=now + timedelta(seconds=options.longest),
            letters={job_id: dict.fromkeys(names or (), Known.NOTHING.value) for job_id, names in scope.jobs.items()},
        )

    @property
    def unread(self) -> int:
        """How many jobs could not be read in the last round."""
        return len(self._unread)

    def to_cancel(self) -> list[str]:
        """Name the jobs whose cancel is sent in the next round: those that are not known to have nothing left."""
        return [job_id for job_id in self.to_read() if self._needs_cancel.get(job_id, True)]

    def to_read(self) -> list[str]:
        """Name the jobs that are listed in the next round: those in which anything may still change."""
        return [
            job_id
            for job_id, letters in self.letters.items()
            if self._clean_of.get(job_id, 0) < CLEAN_ROUNDS
            or not self._has_ended(job_id)
            or any(letter.lower() not in ENDED for letter in letters.values())
        ]

    def take(self, job_id: str, reading: JobReading | None, now: datetime) -> None:
        """Take in what a job shows.

        :param reading: None where it could not be read.
        """
        self._is_clean[job_id] = reading is not None and reading.is_clean
        self._clean_of[job_id] = self._clean_of.get(job_id, 0) + 1 if self._is_clean[job_id] else 0
        self._needs_cancel[job_id] = reading is None or not (reading.is_clean and reading.is_all)
        if reading is None:
            self._unread.add(job_id)
            return
        self._unread.discard(job_id)
        found: dict[str, list[DeviceTask]] = {}
        for task in reading.tasks:
            found.setdefault(task.device_name, []).append(task)
        letters = self.letters[job_id]
        for name, tasks in found.items():
            seen = worst_of(known_of(task.status) for task in tasks)
            letters[name] = after(letters.get(name, Known.NOTHING.value), seen)
            self._keep(job_id, name, seen, next(task for task in tasks if known_of(task.status) is seen))
        self._note_end(job_id, reading, now)
        self._note_changes(job_id, now)

    def end_round(self, options: HaltOptions, now: datetime) -> None:
        """Count a round, and end the halt where it is over."""
        self._rounds += 1
        self._clean = self._clean + 1 if all(self._is_clean.values()) else 0
        self._resume_quiet()
        is_clean = self._clean >= CLEAN_ROUNDS
        self.may_begin = not is_clean or self.count(Known.NOTHING, Known.WAITING) > 0
        if (is_clean and self._is_quiet(options, now)) or now >= self.deadline:
            self.settled_at = now

    def pause(self, options: HaltOptions, now: datetime) -> float:
        """Give the seconds until the next round."""
        seconds = SWEEP_PAUSES[min(self._rounds, len(SWEEP_PAUSES)) - 1]
        if self._clean >= CLEAN_ROUNDS:
            silent = self._last_change(now) + timedelta(seconds=options.silent_after)
            seconds = min(options.poll_interval, max(1.0, (silent - now).total_seconds()))
        return max(0.0, min(seconds, (self.deadline - now).total_seconds()))

    def count(self, *wanted: Known) -> int:
        """Count the devices of all jobs of which this is known."""
        return sum(letter.lower() in wanted for letters in self.letters.values() for letter in letters.values())

    def quiet(self, now: datetime) -> tuple[datetime, str]:
        """Give the last change of a device that has not ended, and a digest of those devices, for the stored state."""
        return self.quiet_since or (self._last_change(now), self._digest())

    def keep_reasons(self, job_id: str, reading: JobReading) -> None:
        """Take the reasons of ends from a list, and nothing else: the halt has settled."""
        for task in reading.tasks:
            self._keep(job_id, task.device_name, known_of(task.status), task)
            self.letters[job_id].setdefault(task.device_name, known_of(task.status).value)

    def _has_ended(self, job_id: str) -> bool:
        # The platform may add devices to a job for which it chose them, until the job has ended.
        return self.scope.jobs[job_id] is not None or job_id in self._closed

    def _keep(self, job_id: str, name: str, seen: Known, task: DeviceTask) -> None:
        if self.letters[job_id].get(name, seen).lower() == seen:
            self.tasks[job_id, name] = task

    def _note_end(self, job_id: str, reading: JobReading, now: datetime) -> None:
        """Conclude from an ended job that devices without a task get none; lists lag, so only after a while."""
        if not (reading.has_ended and reading.is_whole):
            self._ended_since.pop(job_id, None)
            self._closed.discard(job_id)
            return
        since = self._ended_since.setdefault(job_id, now)
        if (now - since).total_seconds() >= LISTED_LATE:
            self._closed.add(job_id)
            for name, letter in self.letters[job_id].items():
                if letter == Known.NOTHING:
                    self.letters[job_id][name] = Known.NEVER.value

    def _note_changes(self, job_id: str, now: datetime) -> None:
        # A job of the platform may begin tasks of devices that nobody can name.
        unnamed = {} if self._has_ended(job_id) else {"": Known.NOTHING.value}
        if not unnamed:
            self._changes.pop((job_id, ""), None)
        for name, letter in (self.letters[job_id] | unnamed).items():
            if letter.lower() in ENDED:
                self._changes.pop((job_id, name), None)
                continue
            task = self.tasks.get((job_id, name))
            shown = "" if task is None else f"{task.status.value} {task.progress}"
            if self._changes.get((job_id, name), ("?", now))[0] != shown:
                self._changes[job_id, name] = shown, now

    def _resume_quiet(self) -> None:
        """Go on with the time of the last change that an earlier process stored, where nothing has changed since."""
        if self.quiet_since is None or self.unread:
            return
        (since, digest), self.quiet_since = self.quiet_since, None
        if digest == self._digest():
            self._changes = {key: (shown, since) for key, (shown, _) in self._changes.items()}

    def _is_quiet(self, options: HaltOptions, now: datetime) -> bool:
        return not self._changes or (now - self._last_change(now)).total_seconds() >= options.silent_after

    def _last_change(self, now: datetime) -> datetime:
        return max((at for _, at in self._changes.values()), default=now)

    def _digest(self) -> str:
        shown = sorted((*key, shown) for key, (shown, _) in self._changes.items())
        return hashlib.sha256(repr(shown).encode()).hexdigest()
