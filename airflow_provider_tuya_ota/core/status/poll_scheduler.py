"""What to poll next, for all waits on one connection: a pure plan on a given clock.

Few jobs are polled one by one, with their device tasks. A thousand such polls need thousands of requests, so
many jobs are listed by firmware instead: one request shows the status of hundreds. A job that a listing shows as ended
is then polled at once, and the others are still polled in turn, because a list may lag.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from airflow_provider_tuya_ota.core.model.verdict import Outcome
from airflow_provider_tuya_ota.core.status.condition_schedule import ConditionSchedule, PollCondition, is_large
from airflow_provider_tuya_ota.core.status.due_queue import DueQueue

if TYPE_CHECKING:
    from airflow_provider_tuya_ota.core.status.conditions import Condition
    from airflow_provider_tuya_ota.core.status.job_snapshot import EarlierPoll, JobListing, JobSnapshot

QUIET_SHARE: Final = 0.1
"""Poll an idle job after 10 % of its idle time, so a change is noticed at most 10 % late."""
FASTEST: Final = 1 / 3
"""Share of the poll interval after which a job is polled that is about to end, and a firmware listed whose jobs end."""
SLOWEST: Final = 4.0
"""Times the poll interval after which the most idle job is polled."""
BRIEFEST: Final = 1.0
"""Seconds between two polls of a job; a shorter interval has to be asked for."""
FIRST_POLL: Final = 3.0
"""Seconds after which a job is first polled that was queried right before: its devices need some to begin, and
its device tasks may be listed later than the job."""
SMALL, LARGE = 3, 10
"""Requests of one poll of a small and of a large job."""
CROWDED: Final = 0.5
"""Share of the rate limit that polls may need before listings replace them."""
IN_TURN: Final = 0.25
"""Share of the rate limit that polls have then."""
IN_A_ROW: Final = 4
"""Urgent polls after which another poll that is due comes first."""


@dataclass(frozen=True, slots=True)
class PollJob:
    """Poll one job: its device tasks, and the job and its firmware where they are not taken from the poll before.

    :param earlier: the poll before, where it succeeded; None for a poll that requests everything.
    """

    job_id: str
    earlier: EarlierPoll | None = None


@dataclass(frozen=True, slots=True)
class ListJobs:
    """List the jobs of one firmware.

    :param firmware_id: None where it is not known; then there is one job.
    :param pages: number of pages of its list; None where the last read of the list failed.
    """

    firmware_id: str | None
    job_ids: tuple[str, ...]
    pages: int | None


@dataclass(frozen=True, slots=True)
class _Alone:
    """The key of a job that is in no list that can be read."""

    job_id: str


@dataclass(slots=True)
class _Subject:
    key: str | _Alone
    changed_at: float
    wanted: list[float] = field(default_factory=list)
    line: str = ""
    earlier: EarlierPoll | None = None
    ends_soon: bool = False
    is_settling: bool = False
    is_listed_as_ended: bool = False

    @property
    def poll_interval(self) -> float:
        return min(self.wanted)

    def interval(self, quiet: float, *, is_quick: bool) -> float:
        fastest = min(self.poll_interval, max(BRIEFEST, self.poll_interval * FASTEST))
        shortest = fastest if is_quick else self.poll_interval
        return max(shortest, min(self.poll_interval * SLOWEST, quiet * QUIET_SHARE))

    @property
    def is_large(self) -> bool:
        return self.earlier is not None and self.earlier.is_large

    @property
    def demand(self) -> float:
        return SMALL / self.poll_interval if self.wanted else 0.0


@dataclass(slots=True)
class _Firmware:
    changed_at: float
    job_ids: dict[str, None] = field(default_factory=dict)
    pages: int | None = 1


def interval_of_single_polls(poll_interval: float, *, waits: int, rate: float) -> float:
    """Return the poll interval at which many waits that poll separately stay within the rate limit.

    :param poll_interval: that each wants.
    :param waits: how many there are.
    :param rate: requests a second that they share.
    """
    return max(poll_interval, waits * SMALL / (CROWDED * rate))


class PollScheduler:
    """Decides what to poll next.

    :param rate: requests a second that polls may use.
    """

    def __init__(self, rate: float) -> None:
        self._rate = rate
        self._subjects: dict[str, _Subject] = {}
        self._firmwares: dict[str | _Alone, _Firmware] = {}
        self._unlisted: set[str] = set()
        self._urgent: DueQueue[str | Condition] = DueQueue()
        self._polls: DueQueue[str] = DueQueue()
        self._listings: DueQueue[str | _Alone] = DueQueue()
        self._conditions = ConditionSchedule()
        self._demand = 0.0
        self._urgent_in_a_row = 0
        self._polls_resume_at = float("-inf")

    def add(
        self,
        job_id: str,
        *,
        firmware_id: str | None,
        poll_interval: float,
        now: float,
        earlier: EarlierPoll | None = None,
    ) -> None:
        """Poll a job for one more wait, now and then at the shortest interval of its waits.

        A job that was queried right before its first wait is first polled :data:`FIRST_POLL` seconds from now.

        :param firmware_id: its firmware; None where it is not known yet.
        :param earlier: the query before its first wait, for the first poll; None otherwise.
        """
        subject = self._subjects.get(job_id)
        first_poll = now
        if subject is None:
            subject = self._subjects[job_id] = _Subject(_Alone(job_id), now, earlier=earlier)
            self._file(job_id, firmware_id, now)
            if earlier is not None:
                first_poll += min(poll_interval, FIRST_POLL)
        # A wait that joins later has no snapshot yet either.
        self._polls.set(job_id, first_poll)
        self._demand -= subject.demand
        subject.wanted.append(poll_interval)
        self._demand += subject.demand

    def remove(self, job_id: str, poll_interval: float) -> None:
        """Poll a job for one wait less; without any wait it is not polled any more.

        :param poll_interval: of that wait.
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

    def add_condition(self, condition: Condition, *, poll_interval: float, now: float) -> None:
        """Poll a condition for one more wait, now and then at the shortest interval of its waits."""
        self._conditions.add(condition, poll_interval=poll_interval, now=now)

    def remove_condition(self, condition: Condition, poll_interval: float) -> None:
        """Poll a condition for one wait less; without any wait it is not polled any more.

        :param poll_interval: of that wait.
        """
        if self._conditions.remove(condition, poll_interval=poll_interval):
            self._urgent.drop(condition)

    def prioritize(self, subject: str | Condition, now: float) -> None:
        """Poll a job, given by its id, or a condition before everything that is not urgent.

        A condition whose poll is large comes before other conditions only.
        """
        if isinstance(subject, str) or not is_large(subject):
            self._urgent.set(subject, now)
        else:
            self._conditions.prioritize(subject)

    def due(self) -> float:
        """Return when the next poll or listing is due."""
        return min(self._urgent.due(), self._conditions.due(), *self._jobs_due())

    def next(
        self, now: float, *, may_list: bool = True, may_poll_large: bool = True
    ) -> PollJob | ListJobs | PollCondition | float:
        """Return what is due now, or when to ask again; it becomes due again once its end is reported.

        :param may_list: False while enough listings are under way.
        :param may_poll_large: False while enough large polls of conditions are under way.
        """
        polls, listings = self._jobs_due()
        jobs = min(polls, listings if may_list else float("inf"))
        conditions = self._conditions.due(may_poll_large=may_poll_large)
        others_are_due = min(jobs, conditions) <= now
        if self._urgent.due() <= now and not (others_are_due and self._urgent_in_a_row >= IN_A_ROW):
            self._urgent_in_a_row += 1
            subject = self._urgent.pop()
            if not isinstance(subject, str):
                return self._conditions.take(subject)
            # A last poll, or one after a listing that contradicts the poll before, takes nothing from earlier ones.
            return replace(self._poll_job(subject), earlier=None)
        if not others_are_due:
            return min(self._urgent.due(), jobs, conditions)
        self._urgent_in_a_row = 0
        if conditions <= now and not (jobs <= now and self._conditions.yields_to_jobs()):
            return self._conditions.pop(may_poll_large=may_poll_large)
        return self._next_poll(now) if polls <= now else self._next_listing()

    def condition_polled(self, condition: Condition, now: float) -> None:
        """Note that a poll of a condition has ended."""
        self._conditions.polled(condition, now)

    def job_polled(self, poll: PollJob, snapshot: JobSnapshot | None, now: float) -> None:
        """Note how a poll of a job ended.

        :param snapshot: None where it failed.
        """
        subject = self._subjects.get(poll.job_id)
        if subject is None:
            return
        subject.earlier = snapshot.poll if snapshot else None
        if snapshot is not None:
            self._file(poll.job_id, snapshot.job.firmware_id or None, now)
            subject.ends_soon = snapshot.verdict.ends_soon
            if (line := snapshot.verdict.line()) != subject.line:
                subject.line, subject.changed_at = line, now
            # A job that has ended and is still waited for contradicts what its waits expect.
            subject.is_settling = snapshot.verdict.outcome is not Outcome.RUNNING
        if subject.is_settling or subject.is_listed_as_ended:
            self._urgent.set(poll.job_id, now + subject.poll_interval)
        interval = subject.interval(now - subject.changed_at, is_quick=subject.ends_soon)
        self._polls.set(poll.job_id, now + interval)

    def jobs_listed(self, at: ListJobs, listing: JobListing | None, now: float) -> list[str]:
        """Note how a listing ended.

        :param listing: None where it failed.
        :returns: jobs that it shows as going on.
        """
        jobs = {job_id: job for job_id, job in listing.jobs.items() if job_id in self._subjects} if listing else {}
        ended = {job_id: job for job_id, job in jobs.items() if job.status.has_ended}
        for job_id in jobs:
            subject = self._subjects[job_id]
            # Once is enough: where the poll contradicts the listing, the next poll comes after the poll interval.
            if job_id in ended and not (subject.is_settling or subject.is_listed_as_ended):
                self._urgent.set(job_id, now)
            subject.is_listed_as_ended = job_id in ended
        key = at.firmware_id or _Alone(at.job_ids[0])
        if firmware := self._firmwares.get(key):
            # After a list that fails, its jobs are polled one by one once; then the list is tried again.
            firmware.pages = (listing.pages or 1) if listing else None
            # Jobs of one firmware are of one release, and where one has ended, others will.
            firmware.changed_at = now if ended else firmware.changed_at
            self._listings.set(key, now + self._interval(firmware, now))
        return [job_id for job_id in jobs if job_id not in ended]

    def poll_singly(self, firmware_id: str, now: float) -> None:
        """Poll the jobs of a firmware one by one from now on, because the platform does not list them."""
        self._unlisted.add(firmware_id)
        for job_id in tuple(self._firmwares[firmware_id].job_ids if firmware_id in self._firmwares else ()):
            self._unfile(job_id)
            self._file(job_id, None, now)

    def _jobs_due(self) -> tuple[float, float]:
        if not self._is_crowded:
            return self._polls.due(), float("inf")
        return max(self._polls.due(), self._polls_resume_at), self._listings.due()

    @property
    def _is_crowded(self) -> bool:
        return self._demand > CROWDED * self._rate

    def _interval(self, firmware: _Firmware, now: float) -> float:
        subjects = [self._subjects[job_id] for job_id in firmware.job_ids]
        # A listing shows hundreds of jobs with one request.
        return min(one.interval(now - max(one.changed_at, firmware.changed_at), is_quick=True) for one in subjects)

    def _next_poll(self, now: float) -> PollJob:
        job_id = self._polls.pop()
        requests = LARGE if self._subjects[job_id].is_large else SMALL
        self._polls_resume_at = now + requests / (IN_TURN * self._rate)
        self._conditions.job_requests(requests)
        return self._poll_job(job_id)

    def _next_listing(self) -> ListJobs:
        key = self._listings.pop()
        firmware = self._firmwares[key]
        most = len(firmware.job_ids)
        self._conditions.job_requests(most if firmware.pages is None else min(firmware.pages, most))
        return ListJobs(None if isinstance(key, _Alone) else key, tuple(firmware.job_ids), firmware.pages)

    def _poll_job(self, job_id: str) -> PollJob:
        subject = self._subjects[job_id]
        self._polls.drop(job_id)
        self._urgent.drop(job_id)
        return PollJob(job_id, subject.earlier)

    def _file(self, job_id: str, firmware_id: str | None, now: float) -> None:
        key = _Alone(job_id) if firmware_id is None or firmware_id in self._unlisted else firmware_id
        if job_id in self._firmwares.get(key, _Firmware(now)).job_ids:
            return
        self._unfile(job_id)
        if key not in self._firmwares:
            self._firmwares[key] = _Firmware(now)
            self._listings.set(key, now)
        self._firmwares[key].job_ids[job_id] = None
        self._subjects[job_id].key = key

    def _unfile(self, job_id: str) -> None:
        key = self._subjects[job_id].key
        firmware = self._firmwares.get(key)
        if firmware is None or job_id not in firmware.job_ids:
            return
        del firmware.job_ids[job_id]
        if not firmware.job_ids:
            del self._firmwares[key]
            self._listings.drop(key)
