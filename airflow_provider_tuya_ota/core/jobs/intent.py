"""The intent of a task: what it is about to create, saved before the request is sent.

The platform has no client token, so after a crash only the saved intent shows which job this task requested. All tasks
of an Airflow can read each other's intents, so that no two adopt the same job.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final, Self

from airflow_provider_tuya_ota.core.errors import OutcomeError
from airflow_provider_tuya_ota.core.jobs.job_set import JobSet
from airflow_provider_tuya_ota.core.jobs.set_note import jobs_in_set
from airflow_provider_tuya_ota.core.jobs.target import Target, digest_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from airflow_provider_tuya_ota.core.flows.effects import StoredIntent
    from airflow_provider_tuya_ota.core.model.entities import Job

FORM: Final = 2
"""Version of the stored form; an intent of another version is not read."""
CLOCKS_DIFFER: Final = timedelta(minutes=15)
"""How much older than its intent a job may appear: with clocks further apart the platform refuses every request."""
STALE: Final = timedelta(minutes=30)
"""Age from which an intent without a job blocks no other task: a job that came of it has been in every list for long,
however far the clocks of two workers are apart."""
NEVER: Final = datetime.max.replace(tzinfo=UTC)
_DIGEST: Final = 10
_PUT_ASIDE: Final = 50
"""Jobs that a task remembers to be done with: more than it can create before a list shows the first of them."""


class OnFailedJob(StrEnum):
    """What a retry does if its job has failed."""

    FAIL = "fail"
    NEW_JOB = "new_job"


class Stage(StrEnum):
    """How far a task has come with its job."""

    NOTHING = "nothing"
    """No job is outstanding: none was requested, or the requested one has ended."""
    PREPARING = "preparing"
    """The request is being prepared; nothing was sent."""
    ASKING = "asking"
    """The request is being sent, or the process that sent it has ended."""
    LOST = "lost"
    """The request was sent and its answer was lost: there may be a job."""
    ACCEPTED = "accepted"
    """The platform accepted the request and named no job: there is one."""
    CREATED = "created"
    """The platform named the job: it certainly belongs to this task."""
    FOUND = "found"
    """A list showed a job that fits; the task has adopted it."""


OPEN: Final = frozenset({Stage.PREPARING, Stage.ASKING, Stage.LOST, Stage.ACCEPTED})
"""Stages in which the task's job is not known yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """What Airflow knows about this try of a task.

    :param clear_number: how often any task of the run was cleared. A clear asks for another release.
    :param cleared_after: number of tries of this task that had ended at its last clear, unless it ran then; None if
        Airflow does not show it.
    :param is_retry: whether an earlier try may have created something.
    :param run_started_at: no job of this run is older.
    :param on_failed_job: what a retry does if its job has failed.
    :param may_cancel: whether clearing the task cancels what its job has not begun.
    :param drained_by: when to give up waiting for the job from before a clear.
    :param drain_here: wait for that job in this flow. Without it the flow raises StillDrainingError, so that the caller
        can wait by other means and run the flow again.
    :param poll_interval: seconds between two polls of that job.
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
    """One intent to create a job.

    :param fingerprint: equal for equal requests.
    :param target: which devices the job is for.
    :param stage: how far the task has come.
    :param known: digests of the ids of jobs that existed before and are young enough to be mistaken for the new one.
    :param started_at: when it was first saved.
    :param clear_number: of the try that saved it first.
    :param cleared_after: of the same try.
    :param entity_id: id of the job; empty until it is known.
    :param earlier_job: id of another program's job for the same devices that was created first, so that this task's job
        is to be stopped.
    """

    fingerprint: str
    target: Target
    stage: Stage
    started_at: datetime
    known: tuple[str, ...] = ()
    clear_number: int = 0
    cleared_after: int | None = None
    entity_id: str = ""
    earlier_job: str = ""
    form: int = field(default=FORM)

    def to_dict(self) -> dict[str, Any]:
        """Build plain JSON values."""
        return {name: getattr(self, name) for name in self.__slots__} | {
            "target": self.target.to_dict(),
            "stage": self.stage.value,
            "known": "".join(self.known),
            "started_at": self.started_at.isoformat(),
        }

    @classmethod
    def from_dict(cls, values: Any) -> Self:
        """Rebuild what :meth:`to_dict` gave.

        :raises OutcomeError: it is no intent of this version, so whether a job was created is not known.
        """
        try:
            if values["form"] != FORM:
                raise ValueError(values["form"])  # noqa: TRY301 - the same answer as for any other damage
            known = str(values["known"])
            return cls(
                fingerprint=str(values["fingerprint"]),
                target=Target.from_dict(values["target"]),
                stage=Stage(values["stage"]),
                known=tuple(known[at : at + _DIGEST] for at in range(0, len(known), _DIGEST)),
                started_at=datetime.fromisoformat(values["started_at"]).astimezone(UTC),
                clear_number=int(values["clear_number"]),
                cleared_after=values["cleared_after"],
                entity_id=str(values["entity_id"]),
                earlier_job=str(values.get("earlier_job", "")),
            )
        except (KeyError, TypeError, ValueError, OverflowError):
            raise OutcomeError(
                "The stored intent of this task cannot be read, so whether it has created a job is not known. Look at"
                " the firmware's jobs in the vendor's console. To go on, delete the entry 'tuya_ota.job' of the task"
                " state store: then a retry resumes a job that fits, and a clear waits for it before it creates another"
                " one"
            ) from None

    @property
    def is_own(self) -> bool:
        """Whether the platform named the job in answer to this task's request. A task stops only such a job."""
        return self.stage is Stage.CREATED

    def at(self, stage: Stage, entity_id: str = "") -> Self:
        """Copy it with another stage."""
        return replace(self, stage=stage, entity_id=entity_id, earlier_job="")

    def put_aside(self) -> Self:
        """Give the intent of a task that is done with its job, or has none.

        A list may show that job, and those that were put aside before it, late: none of them is the next one.
        """
        own = [digest_of(self.entity_id)] if self.entity_id else []
        known = dict.fromkeys([*own, *self.known])
        return replace(self.at(Stage.NOTHING), known=tuple(known)[:_PUT_ASIDE])

    def found(self, job_id: str) -> Self:
        """Copy it with the job that a list showed; another program may have created that one."""
        return self.at(Stage.FOUND, job_id)

    def could_be(self, job: Job) -> bool:
        """Whether a listed job may be the requested one, by its id and age."""
        return digest_of(job.job_id) not in self.known and _is_later(job.utc_create, self.started_at - CLOCKS_DIFFER)

    def is_too_old_for(self, job: Job) -> bool:
        """Whether a job was created when this task's request could no longer arrive.

        The platform takes a signed request for a quarter of an hour.
        """
        created_at = _parse_time(job.utc_create)
        return created_at is not None and created_at >= self.started_at + STALE

    def is_older_than(self, utc_create: str) -> bool:
        """Whether a job was created after this was saved, if the platform's clock and ours agree."""
        return _is_later(utc_create, self.started_at)


def ids_put_aside(stored: Any) -> tuple[str, ...]:
    """Give the digests of jobs that a task without a job is done with.

    :param stored: what the task has stored, if anything.
    """
    intent = None if stored is None else Intent.from_dict(stored)
    return intent.known if intent is not None and intent.stage in {Stage.NOTHING, Stage.PREPARING} else ()


def young_ids(jobs: Iterable[Job], now: datetime) -> tuple[str, ...]:
    """Digest the ids of jobs that may be mistaken for one created now; the date excludes older ones."""
    return tuple(digest_of(job.job_id) for job in jobs if _is_later(job.utc_create, now - CLOCKS_DIFFER))


@dataclass(frozen=True, slots=True)
class OtherIntent:
    """The intent of another task of this Airflow.

    :param task: the task, as messages name it.
    :param key: differs for each task.
    :param past_jobs: jobs that the task created before: it is done with them, or they are of the same set.
    """

    task: str
    key: str
    intent: Intent
    past_jobs: tuple[str, ...] = ()

    @property
    def jobs(self) -> JobSet:
        """All jobs that belong or belonged to the task; no other task adopts them."""
        return JobSet.of(self.intent.entity_id, *self.past_jobs)

    def precedes(self, intent: Intent, key: str) -> bool:
        """Whether the other task goes first where both want the same; both sides come to the same answer."""
        return _place(self.intent, self.key) < _place(intent, key)


def _place(intent: Intent, key: str) -> tuple[bool, datetime, str]:
    # A task that certainly has a job goes before those that only may have one.
    return intent.stage is not Stage.ACCEPTED, intent.started_at, key


def parse_other_intents(stored: Iterable[StoredIntent]) -> list[OtherIntent]:
    """Parse what other tasks have stored, and leave out what cannot be parsed."""
    found = []
    for one in stored:
        try:
            past_jobs = *one.past_jobs, *jobs_in_set(one.value)
            found.append(OtherIntent(one.task, one.key, Intent.from_dict(one.value), past_jobs))
        except OutcomeError:
            continue
    return found


def _is_later(utc_create: str, time: datetime) -> bool:
    created_at = _parse_time(utc_create)
    return created_at is None or created_at >= time


def _parse_time(utc_create: str) -> datetime | None:
    try:
        created_at = datetime.fromisoformat(utc_create)
    except ValueError:
        return None
    return created_at if created_at.tzinfo is not None else None
