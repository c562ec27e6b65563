"""Search for the job of a request whose answer was lost.

A job is adopted only if its target is exactly the requested one, if it belongs and belonged to no other task of this
Airflow, and if no other task may have created it. What the platform does not show yet is waited for.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from airflow_provider_tuya_ota.core.errors import AmbiguousOutcomeError
from airflow_provider_tuya_ota.core.flows import eventually as appearing
from airflow_provider_tuya_ota.core.flows.effects import (
    Flow,
    FlowContext,
    OtherIntents,
    ReadContext,
    ReadOtherIntents,
    SaveState,
    Sleep,
)
from airflow_provider_tuya_ota.core.flows.lists import list_jobs
from airflow_provider_tuya_ota.core.jobs.intent import OPEN, STALE, Intent, OtherIntent, Stage, parse_other_intents
from airflow_provider_tuya_ota.core.jobs.job_set import JobSet
from airflow_provider_tuya_ota.core.jobs.target import Match, match_job
from airflow_provider_tuya_ota.core.model.states import UNFINISHED
from airflow_provider_tuya_ota.core.status.task_counts import count_tasks

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from airflow_provider_tuya_ota.core.model.entities import Job
    from airflow_provider_tuya_ota.core.settings import Settings

_SENT: Final = OPEN - {Stage.PREPARING}
LISTED_WITHIN: Final = timedelta(seconds=60)
"""How long after a job its device tasks, and other jobs created at the same time, may appear in lists."""
SETTLE_TIMES: Final = (1.0, 2.0, 4.0, 8.0, 15.0)
"""Seconds between two reads of what another task has stored that requests the same."""


@dataclass(frozen=True, slots=True)
class _Candidates:
    """The jobs of one listing that may be the searched one.

    :param fitting: jobs with the requested target, listed long enough to be sure of it.
    :param unknown: jobs about which the platform does not show enough yet.
    :param partial: jobs on some of the devices, for which no other device was listed in a minute.
    :param past: jobs that fit, and may have ended before this task began.
    :param rivals: other tasks that may have created one of them.
    :param missing: how many more jobs the platform counts than it lists.
    """

    fitting: list[Job]
    unknown: list[Job]
    partial: list[Job]
    past: list[Job]
    rivals: list[OtherIntent]
    missing: int

    @property
    def all(self) -> list[Job]:
        """Every job that may be the searched one."""
        return [*self.fitting, *self.unknown, *self.partial, *self.past]

    @property
    def job(self) -> Job | None:
        """The job that must be the searched one, or None."""
        is_clear = len(self.all) == len(self.fitting) == 1 and not self.rivals and not self.missing
        return self.fitting[0] if is_clear else None

    def explain(self, intent: Intent) -> str:
        """Say why it is not known which job it is, and what to check."""
        jobs = [job.job_id for job in self.all]
        found = f"Job {jobs[0]}" if len(jobs) == 1 else f"{len(jobs)} jobs ({', '.join(jobs[:10])})"
        parts = [f"{found} of firmware {intent.target.firmware_id} could be the one that this task requested"]
        if self.unknown:
            parts.append(f"the platform may not list all of the devices yet for {_list_ids(self.unknown)}")
        if self.partial:
            partial = f"{_list_ids(self.partial)} has some of the devices and no other"
            parts.append(f"{partial}: the platform leaves out devices that run the version already")
        if self.past:
            past = f"{_list_ids(self.past)} had ended before this task's run began"
            parts.append(f"without a stored intent it is not known whether {past}")
        if self.rivals:
            parts.append(f"{self.rivals[0].task} requested the same and does not know its job either")
        if self.missing:
            parts.append(f"the platform counts {self.missing} more jobs of the firmware than it lists")
        if not self.missing and all(job.status.has_ended for job in self.all):
            advice = "All of them have ended, so a retry will learn little: look at them in the vendor's console, and"
        else:
            advice = "Look at them in the vendor's console. A retry searches again; when all of them have ended,"
        return f"{'; '.join(parts)}. Nothing was created or stopped. {advice} clear this task to create a new job"


def _list_ids(jobs: list[Job]) -> str:
    return ", ".join(job.job_id for job in jobs)


def find_job(
    settings: Settings, intent: Intent, *, was_sent: bool = True, is_cleared: bool = False
) -> Flow[Job | None]:
    """Search the firmware's jobs for that of an intent, until the grace period of the lists is over.

    :param was_sent: whether a request for it was certainly sent. If that is not known, every other task that has sent
        one goes first.
    :param is_cleared: whether a person has cleared the task since. Then a job of an unknown owner that has ended counts
        as no match, because nothing of it is left to wait for. A retry never creates a job after such a job, because it
        may be the task's own, stopped by a person.
    :returns: the job, which is saved as found; None if nothing matches.
    :raises AmbiguousOutcomeError: several jobs may be the one, or it is not known whether one is.
    """
    first_seen: dict[tuple[str, Match], datetime] = {}
    was_prolonged = False
    pauses = [0.0, *appearing.GRACE_PAUSES]
    while pauses:
        if seconds := pauses.pop(0):
            yield Sleep(seconds)
        found = yield from _list_candidates(settings, intent, first_seen, was_sent=was_sent)
        if found.job is not None and (yield from _claim(intent, found.job, was_sent=was_sent)):
            return found.job
        if not pauses and found.unknown and not was_prolonged:
            # A job that was listed late has had no time yet to show all of its devices.
            pauses, was_prolonged = [LISTED_WITHIN.total_seconds()], True
    for job in found.all:
        if not is_cleared or (yield from _may_go_on(settings, job)):
            raise AmbiguousOutcomeError(found.explain(intent))
    if found.missing:
        raise AmbiguousOutcomeError(
            f"whether firmware {intent.target.firmware_id} has the job that this task requested is not known: the"
            f" platform counts {found.missing} more jobs than it lists. Nothing was created or stopped. Run this task"
            " again, and look at the firmware's jobs in the vendor's console"
        )
    return None


def _may_go_on(settings: Settings, job: Job) -> Flow[bool]:
    if not job.status.has_ended:
        return True
    left = yield from count_tasks(settings, job.job_id, UNFINISHED)
    return any(left.values())


def _list_candidates(
    settings: Settings, intent: Intent, first_seen: dict[tuple[str, Match], datetime], *, was_sent: bool
) -> Flow[_Candidates]:
    # List the jobs first: a task saves its intent before it creates a job, so every listed one has an intent to read.
    listing = yield from list_jobs(settings, intent.target.firmware_id)
    other_intents: OtherIntents = yield ReadOtherIntents()
    others = parse_other_intents(other_intents.intents)
    taken = JobSet.of(*(job_id for other in others for job_id in other.jobs))
    context: FlowContext = yield ReadContext()
    now = context.now
    fitting: list[Job] = []
    unknown: list[Job] = []
    partial: list[Job] = []
    past: list[Job] = []
    for job in taken.exclude_from(listing.items):
        if not intent.could_be(job):
            continue
        match = yield from match_job(settings, job, intent.target)
        age = context.steady - first_seen.setdefault((job.job_id, match), context.steady)
        match match:
            case Match.YES if not was_sent and _may_be_past(job, intent):
                past.append(job)
            case Match.YES:
                # A list may first show the requested devices of a job that has more. Of two jobs for the same share,
                # group or for all devices it may first show the one that is not this task's.
                (fitting if age >= LISTED_WITHIN else unknown).append(job)
            case Match.SOME if age < LISTED_WITHIN:
                unknown.append(job)
            case Match.SOME if not (was_sent and intent.is_too_old_for(job)):
                # The platform leaves out devices that run the version already, so it may be this task's. When a request
                # was sent of which nothing is stored is not known.
                partial.append(job)
            case Match.UNKNOWN:
                unknown.append(job)
    rivals = [
        other
        for other in others
        if other.intent.stage in _SENT
        and now - other.intent.started_at < STALE
        and other.intent.target.may_share_a_job_with(intent.target)
        and (not was_sent or other.intent.stage is Stage.ASKING or other.precedes(intent, other_intents.key))
    ]
    if fitting and intent.stage is not Stage.ACCEPTED:
        # A job with all of the devices is the task's rather than one with some of them. Where the task certainly has a
        # job, that one may have some, and another program's all of them.
        partial = []
    return _Candidates(fitting, unknown, partial, past, rivals, listing.missing)


def _may_be_past(job: Job, intent: Intent) -> bool:
    # The platform shows neither when a job ended nor how far its clock is off.
    return job.status.has_ended and not (job.utc_create and intent.is_older_than(job.utc_create))


def _claim(intent: Intent, job: Job, *, was_sent: bool) -> Flow[bool]:
    """Save that a job is this task's, unless another task has saved that too.

    :returns: whether the job is this task's.
    """
    found = intent.found(job.job_id)
    yield SaveState(found.to_dict())
    rival = yield from wait_for_rivals(
        found, lambda other: other.intent.entity_id == job.job_id, goes_last=not was_sent
    )
    if rival is None:
        return True
    yield SaveState(intent.to_dict())
    return False


def wait_for_rivals(
    intent: Intent, clashes: Callable[[OtherIntent], bool], mask: str | None = None, *, goes_last: bool = False
) -> Flow[OtherIntent | None]:
    """Let only one of several tasks go on that request the same at the same time.

    Each task saves its intent before it reads those of the others, so of two tasks at least one sees the other. The one
    that goes first waits until the other has given up, half a minute at most; the other gives up at once.

    :param clashes: whether another task requests the same.
    :param mask: read only intents that may share a device with it.
    :param goes_last: give up at once for every other task.
    :returns: the task for which this one has to give up; None if it may go on.
    """
    rival: OtherIntent | None = None
    for seconds in (0.0, *SETTLE_TIMES):
        if seconds:
            yield Sleep(seconds)
        other_intents: OtherIntents = yield ReadOtherIntents(mask)
        rivals = [other for other in parse_other_intents(other_intents.intents) if clashes(other)]
        if not rivals:
            return None
        rival = rivals[0]
        for other in rivals:
            has_job = other.intent.is_own or (other.intent.entity_id and intent.stage is Stage.PREPARING)
            if goes_last or has_job or other.precedes(intent, other_intents.key):
                return other
    return rival
