"""Finding the job of a request whose answer was lost, and telling it from those of everybody else.

A job is taken only where it is aimed at exactly what was asked for, no other task of this Airflow has it or had it, and
none may have created it. What the platform has not told yet is waited for.
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
from airflow_provider_tuya_ota.core.jobs.cancel import UNFINISHED
from airflow_provider_tuya_ota.core.jobs.intent import OPEN, STALE, Intent, OtherIntent, Stage, parse_other_intents
from airflow_provider_tuya_ota.core.jobs.job_set import JobSet
from airflow_provider_tuya_ota.core.jobs.target import Match, match_job
from airflow_provider_tuya_ota.core.status.task_counts import count_tasks

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from airflow_provider_tuya_ota.core.model.entities import Job
    from airflow_provider_tuya_ota.core.settings import Settings

_SENT: Final = OPEN - {Stage.PREPARING}
TOLD_WITHIN: Final = timedelta(seconds=60)
"""How long after a job its device tasks, and other jobs of the same moment, may appear in lists."""
SETTLE_TIMES: Final = (1.0, 2.0, 4.0, 8.0, 15.0)
"""Seconds granted, one after the other, to another task that wants the same."""


@dataclass(frozen=True, slots=True)
class _Findings:
    """What one reading of the lists came to.

    :param past: jobs that fit, and may have ended before this task began.
    :param missing: how many more jobs the platform tells than it lists.
    """

    fitting: list[Job]
    unknown: list[Job]
    past: list[Job]
    rivals: list[OtherIntent]
    missing: int

    @property
    def all(self) -> list[Job]:
        """Each of which it may be."""
        return [*self.fitting, *self.unknown, *self.past]

    @property
    def job(self) -> Job | None:
        """The one that it must be."""
        is_clear = len(self.all) == len(self.fitting) == 1 and not self.rivals and not self.missing
        return self.fitting[0] if is_clear else None

    def explain(self, intent: Intent) -> str:
        """Say why it cannot be told, and what to look at."""
        jobs = [job.job_id for job in self.all]
        found = f"Job {jobs[0]}" if len(jobs) == 1 else f"{len(jobs)} jobs ({', '.join(jobs[:10])})"
        parts = [f"{found} of firmware {intent.target.firmware_id} could be the one that this task asked for"]
        if self.unknown:
            told = ", ".join(job.job_id for job in self.unknown)
            parts.append(f"the platform may not list all of the devices yet for {told}")
        if self.past:
            told = ", ".join(job.job_id for job in self.past)
            parts.append(f"without a note cannot be told whether {told} had ended before this task's run began")
        if self.rivals:
            parts.append(f"{self.rivals[0].task} asked for the same and does not know its job either")
        if self.missing:
            parts.append(f"the platform tells {self.missing} more jobs of the firmware than it lists")
        if not self.missing and all(job.status.has_ended for job in self.all):
            advice = "All has ended, so a retry learns hardly more: look at it in the vendor's console, and"
        else:
            advice = "Look at this in the vendor's console. A retry looks once more; when all has ended there,"
        return f"{'; '.join(parts)}. Nothing was created or stopped. {advice} clear this task to create a new job"


def find_job(
    settings: Settings, intent: Intent, *, has_asked: bool = True, is_cleared: bool = False
) -> Flow[Job | None]:
    """Look for the job of an intent, until the lists have had time to show it.

    :param has_asked: whether a request for it was sent; where that is not known, everybody who has sent one goes first.
    :param is_cleared: whether a person has cleared the task since. A job that has ended, and of which cannot be told
        whose it is, then counts as none: nothing of it is left to wait for. A retry never creates after such a job,
        because it may be the task's own that a person has stopped.
    :returns: the job, which is noted as found; None where there is none.
    :raises AmbiguousOutcomeError: which job it is, or whether one is, cannot be told.
    """
    first_seen: dict[str, datetime] = {}
    was_prolonged = False
    pauses = [0.0, *appearing.SHOW_TIMES]
    while pauses:
        if seconds := pauses.pop(0):
            yield Sleep(seconds)
        found = yield from _poll_job(settings, intent, first_seen, has_asked=has_asked)
        if found.job is not None and (yield from _claim(intent, found.job, has_asked=has_asked)):
            return found.job
        if not pauses and found.unknown and not was_prolonged:
            # What was listed late has had no time yet to show all of its devices.
            pauses, was_prolonged = [TOLD_WITHIN.total_seconds()], True
    for job in found.all:
        if not is_cleared or (yield from _may_go_on(settings, job)):
            raise AmbiguousOutcomeError(found.explain(intent))
    if found.missing:
        raise AmbiguousOutcomeError(
            f"whether firmware {intent.target.firmware_id} has the job that this task asked for cannot be told: the"
            f" platform tells {found.missing} more jobs than it lists. Nothing was created or stopped. Run this task"
            " again, and look at the firmware's jobs in the vendor's console"
        )
    return None


def _may_go_on(settings: Settings, job: Job) -> Flow[bool]:
    if not job.status.has_ended:
        return True
    left = yield from count_tasks(settings, job.job_id, UNFINISHED)
    return any(left.values())


def _poll_job(
    settings: Settings, intent: Intent, first_seen: dict[str, datetime], *, has_asked: bool
) -> Flow[_Findings]:
    # The list comes first: whoever created a job that is in it had written that down before.
    listing = yield from list_jobs(settings, intent.target.firmware_id)
    other_intents: OtherIntents = yield ReadOtherIntents()
    others = parse_other_intents(other_intents.intents)
    taken = JobSet.of(*(job_id for other in others for job_id in other.jobs))
    ambient: FlowContext = yield ReadContext()
    now = ambient.now
    fitting: list[Job] = []
    unknown: list[Job] = []
    past: list[Job] = []
    for job in taken.exclude_from(listing.items):
        if not intent.could_be(job):
            continue
        match (yield from match_job(settings, job, intent.target)):
            case Match.YES if not has_asked and _may_be_past(job, intent):
                past.append(job)
            case Match.YES:
                # Of a job with more devices a list may show first those that were asked for, and of two jobs that ask
                # for the same share, everybody or a group, first the one that is not this task's.
                age = ambient.steady - first_seen.setdefault(job.job_id, ambient.steady)
                (fitting if age >= TOLD_WITHIN else unknown).append(job)
            case Match.UNKNOWN:
                unknown.append(job)
    rivals = [
        other
        for other in others
        if other.intent.stage in _SENT
        and now - other.intent.started_at < STALE
        and other.intent.target.may_share_a_job_with(intent.target)
        and (not has_asked or other.intent.stage is Stage.ASKING or other.precedes(intent, other_intents.key))
    ]
    return _Findings(fitting, unknown, past, rivals, listing.missing)


def _may_be_past(job: Job, intent: Intent) -> bool:
    # When it ended is told nowhere, and whose clock is late neither.
    return job.status.has_ended and not (job.utc_create and intent.is_older_than(job.utc_create))


def _claim(intent: Intent, job: Job, *, has_asked: bool) -> Flow[bool]:
    """Write down that a job is this task's, unless another one has done so."""
    found = intent.found(job.job_id)
    yield SaveState(found.to_dict())
    rival = yield from yield_to_rivals(
        found, lambda other: other.intent.entity_id == job.job_id, goes_last=not has_asked
    )
    if rival is None:
        return True
    yield SaveState(intent.to_dict())
    return False


def yield_to_rivals(
    intent: Intent, clashes: Callable[[OtherIntent], bool], mask: str | None = None, *, goes_last: bool = False
) -> Flow[OtherIntent | None]:
    """Let one of several tasks go on that want the same at the same moment.

    Each has written its note before it reads those of the others, so of two at least one sees the other. The one that
    comes first waits for the other to step back; the other one steps back at once.

    :param clashes: whether another task wants the same.
    :param mask: reads only the notes of those that may.
    :param goes_last: step back for every other task at once.
    :returns: the other task that this one has to step back for; None where it may go on.
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
            has_its_job = other.intent.is_certain or (other.intent.entity_id and intent.stage is Stage.PREPARING)
            if goes_last or has_its_job or other.precedes(intent, other_intents.key):
                return other
    return rival
