"""Which job to look at next, for all who wait on one connection: a pure plan on a given clock.

While there are few waits, each job is looked at as a whole, firmware and device tasks included. A thousand such looks
are thousands of requests; then each firmware is glanced at instead, which tells of hundreds of jobs with one, and whole
looks are for jobs that a glance shows to have ended. The others are still looked at in turn, because a list may lag.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Final

from airflow_provider_tuya_ota.core.model.verdict import Outcome

if TYPE_CHECKING:
    from airflow_provider_tuya_ota.core.status.job_snapshot import JobListing, JobSnapshot

QUIET_SHARE: Final = 0.1
"""A job in which nothing has happened for some time is looked at after a tenth of that time: what is learnt late is
late by a tenth."""
FASTEST: Final = 1 / 3
"""Of the poll interval, where something has just happened."""
SLOWEST: Final = 4.0
"""Times the poll interval, where nothing happens any more."""
BRIEFEST: Final = 1.0
"""Seconds; more often than this nobody looks unless asked to."""
SMALL, LARGE = 3, 10
"""Requests of a whole look at a small and at a large job."""
CROWDED: Final = 0.5
"""Share of the budget that whole looks may need before glances take their place."""
IN_TURN: Final = 0.25
"""Share of the budget that whole looks have then."""
UNREADABLE: Final = 1_000_000_000
"""Pages of a list that could not be read: more than there are jobs to ask for."""
IN_A_ROW: Final = 4
"""Urgent looks after which something else has its turn."""


@dataclass(frozen=True, slots=True)
class PollJob:
    """Look at one job as a whole."""

    job_id: str
    is_large: bool


@dataclass(frozen=True, slots=True)
class ListJobs:
    """Glance at a firmware's jobs."""

    firmware_id: str
    job_ids: tuple[str, ...]
    pages: int


@dataclass(slots=True)
class _Subject:
    firmware: str
    changed_at: float
    wanted: list[float] = field(default_factory=list)
    line: str = ""
    is_large: bool = False
    is_settling: bool = False
    is_listed_as_ended: bool = False

    @property
    def poll_interval(self) -> float:
        return min(self.wanted)

    def interval(self, quiet: float) -> float:
        fastest = min(self.poll_interval, max(BRIEFEST, self.poll_interval * FASTEST))
        return max(fastest, min(self.poll_interval * SLOWEST, quiet * QUIET_SHARE))

    @property
    def demand(self) -> float:
        return SMALL / self.poll_interval if self.wanted else 0.0


@dataclass(slots=True)
class _Firmware:
    changed_at: float
    job_ids: dict[str, None] = field(default_factory=dict)
    pages: int = 1


class _Queue:
    """Keys by when they are due; setting one again replaces it."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, str]] = []
        self._numbers: dict[str, int] = {}
        self._count = count()

    def set(self, key: str, due: float) -> None:
        self._numbers[key] = number = next(self._count)
        heapq.heappush(self._heap, (due, number, key))
        if len(self._heap) > 2 * len(self._numbers) + 8:
            # What was replaced is thrown away before it is more than what is left.
            self._heap = [entry for entry in self._heap if self._numbers.get(entry[2]) == entry[1]]
            heapq.heapify(self._heap)

    def drop(self, key: str) -> None:
        self._numbers.pop(key, None)

    def due(self) -> float:
        while self._heap and self._numbers.get(self._heap[0][2]) != self._heap[0][1]:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else float("inf")

    def pop(self) -> str:
        _, _, key = heapq.heappop(self._heap)
        del self._numbers[key]
        return key


def interval_of_single_polls(poll_interval: float, *, waits: int, rate: float) -> float:
    """Say how often each of many waits may poll where each polls by itself, so that all keep within the budget.

    :param waits: how many they are.
    :param rate: requests a second that they share.
    """
    return max(poll_interval, waits * SMALL / (CROWDED * rate))


class PollScheduler:
    """Say what to look at next.

    :param rate: requests a second that there are for looking.
    """

    def __init__(self, rate: float) -> None:
        self._rate = rate
        self._subjects: dict[str, _Subject] = {}
        self._firmwares: dict[str, _Firmware] = {}
        self._unlisted: set[str] = set()
        self._urgent, self._polls, self._listings = _Queue(), _Queue(), _Queue()
        self._demand = 0.0
        self._urgent_in_a_row = 0
        self._polls_resume_at = float("-inf")

    def add(self, job_id: str, *, firmware_id: str, poll_interval: float, now: float) -> None:
        """Poll a job for one more wait, as often as the least patient of its waits wants.

        :param firmware_id: its firmware; empty where that is not known yet.
        """
        subject = self._subjects.get(job_id)
        if subject is None:
            subject = self._subjects[job_id] = _Subject(_alone(job_id), now)
            self._file(job_id, firmware_id, now)
        # Whoever comes later has seen nothing yet either.
        self._polls.set(job_id, now)
        self._demand -= subject.demand
        subject.wanted.append(poll_interval)
        self._demand += subject.demand

    def remove(self, job_id: str, poll_interval: float) -> None:
        """Poll a job for one wait less; without any it is polled no more.

        :param poll_interval: what that wait joined with.
        """
        subject = self._subjects[job_id]
        self._demand -= subject.demand
        subject.wanted.remove(poll_interval)
        self._demand += subject.demand
        if not subject.wanted:
            self._unfile(job_id)
            del self._subjects[job_id]
            self._urgent.drop(job_id)
            self._polls.drop(job_id)

    def prioritize(self, job_id: str, now: float) -> None:
        """Look at a job before all that is not urgent."""
        self._urgent.set(job_id, now)

    def due(self) -> float:
        """Say when something is to be done."""
        return min(self._urgent.due(), *self._due())

    def next(self, now: float, *, may_list: bool = True) -> PollJob | ListJobs | float:
        """Take what is to be done now, or say when to ask again; it is due again once its end is told.

        :param may_list: False while enough glances are under way.
        """
        looks, glances = self._due()
        if not may_list:
            glances = float("inf")
        others_are_due = min(looks, glances) <= now
        if self._urgent.due() <= now and not (others_are_due and self._urgent_in_a_row >= IN_A_ROW):
            self._urgent_in_a_row += 1
            return self._poll_job(self._urgent.pop())
        if not others_are_due:
            return min(self._urgent.due(), looks, glances)
        self._urgent_in_a_row = 0
        if looks <= now:
            job_id = self._polls.pop()
            cost = LARGE if self._subjects[job_id].is_large else SMALL
            self._polls_resume_at = now + cost / (IN_TURN * self._rate)
            return self._poll_job(job_id)
        firmware_id = self._listings.pop()
        firmware = self._firmwares[firmware_id]
        return ListJobs(_named(firmware_id), tuple(firmware.job_ids), firmware.pages)

    def job_polled(self, look: PollJob, snapshot: JobSnapshot | None, now: float) -> None:
        """Note how a look ended.

        :param snapshot: None where it failed.
        """
        subject = self._subjects.get(look.job_id)
        if subject is None:
            return
        if snapshot is not None:
            subject.is_large = snapshot.is_large
            self._file(look.job_id, snapshot.job.firmware_id, now)
            if (line := snapshot.verdict.line()) != subject.line:
                subject.line, subject.changed_at = line, now
            # A job that has ended and is still waited for contradicts what somebody asked for.
            subject.is_settling = snapshot.verdict.outcome is not Outcome.RUNNING
        if subject.is_settling or subject.is_listed_as_ended:
            self._urgent.set(look.job_id, now + subject.poll_interval)
        self._polls.set(look.job_id, now + subject.interval(now - subject.changed_at))

    def jobs_listed(self, at: ListJobs, listing: JobListing | None, now: float) -> list[str]:
        """Note how a glance ended.

        :param listing: None where it failed.
        :returns: jobs that go on, as it showed.
        """
        jobs = {job_id: job for job_id, job in listing.jobs.items() if job_id in self._subjects} if listing else {}
        ended = {job_id: job for job_id, job in jobs.items() if job.status.has_ended}
        for job_id in jobs:
            subject = self._subjects[job_id]
            # Once is enough: where the look shows something else, the next one comes after the poll interval.
            if job_id in ended and not (subject.is_settling or subject.is_listed_as_ended):
                self._urgent.set(job_id, now)
            subject.is_listed_as_ended = job_id in ended
        key = at.firmware_id or _alone(at.job_ids[0])
        if firmware := self._firmwares.get(key):
            # A list that fails is passed over once: the jobs are asked for by themselves, and then it has another try.
            firmware.pages = _readable(listing) if listing else UNREADABLE
            # Jobs of one firmware are of one release, and where one has ended, others will.
            firmware.changed_at = now if ended else firmware.changed_at
            self._listings.set(key, now + self._interval(firmware, now))
        return [job_id for job_id in jobs if job_id not in ended]

    def poll_singly(self, at: ListJobs, now: float) -> None:
        """Ask for the jobs of a firmware one by one from now on: the platform does not list them."""
        self._unlisted.add(at.firmware_id)
        for job_id in tuple(self._firmwares[at.firmware_id].job_ids if at.firmware_id in self._firmwares else ()):
            self._unfile(job_id)
            self._file(job_id, "", now)

    def _due(self) -> tuple[float, float]:
        if not self._is_crowded:
            return self._polls.due(), float("inf")
        return max(self._polls.due(), self._polls_resume_at), self._listings.due()

    @property
    def _is_crowded(self) -> bool:
        return self._demand > CROWDED * self._rate

    def _interval(self, firmware: _Firmware, now: float) -> float:
        subjects = [self._subjects[job_id] for job_id in firmware.job_ids]
        return min(one.interval(now - max(one.changed_at, firmware.changed_at)) for one in subjects)

    def _poll_job(self, job_id: str) -> PollJob:
        subject = self._subjects[job_id]
        self._polls.drop(job_id)
        self._urgent.drop(job_id)
        return PollJob(job_id, subject.is_large)

    def _file(self, job_id: str, firmware_id: str, now: float) -> None:
        key = firmware_id if firmware_id and firmware_id not in self._unlisted else _alone(job_id)
        if job_id in self._firmwares.get(key, _Firmware(now)).job_ids:
            return
        self._unfile(job_id)
        if key not in self._firmwares:
            self._firmwares[key] = _Firmware(now)
            self._listings.set(key, now)
        self._firmwares[key].job_ids[job_id] = None
        self._subjects[job_id].firmware = key

    def _unfile(self, job_id: str) -> None:
        key = self._subjects[job_id].firmware
        firmware = self._firmwares.get(key)
        if firmware is None or job_id not in firmware.job_ids:
            return
        del firmware.job_ids[job_id]
        if not firmware.job_ids:
            del self._firmwares[key]
            self._listings.drop(key)


def _readable(listing: JobListing) -> int:
    return 1 if listing.pages == UNREADABLE else listing.pages


def _alone(job_id: str) -> str:
    # No id begins with a blank, so a job whose firmware is not known shares its key with no firmware.
    return f" {job_id}"


def _named(key: str) -> str:
    return "" if key.startswith(" ") else key
