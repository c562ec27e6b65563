"""What a task is about to create, written down before it asks for it.

The platform has no client token: after a crash nothing but such a note tells a job that was asked for from all others.
The notes of all tasks of an Airflow are visible to each other, so that no two take the same job for theirs.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final, Self

from airflow_provider_tuya_ota.core.errors import OutcomeError
from airflow_provider_tuya_ota.core.jobs.job_set import JobSet
from airflow_provider_tuya_ota.core.jobs.target import Target, digest_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from airflow_provider_tuya_ota.core.flows.effects import StoredIntent
    from airflow_provider_tuya_ota.core.model.entities import Job

FORM: Final = 2
"""Version of the note; a note of another version is not guessed at."""
CLOCKS_DIFFER: Final = timedelta(minutes=15)
"""How much earlier than the note a job may be dated: further apart, the platform refuses every request."""
STALE: Final = timedelta(minutes=30)
"""Age from which a note without a job holds nobody up any more: whatever came of it has been in
every list for long, however far the clocks of two workers are apart."""
NEVER: Final = datetime.max.replace(tzinfo=UTC)
_DIGEST: Final = 10


class OnFailedJob(StrEnum):
    """What a retry does whose job has failed."""

    FAIL = "fail"
    NEW_JOB = "new_job"


class Stage(StrEnum):
    """How far a task has come with its job."""

    NOTHING = "nothing"
    """No job is outstanding: none was asked for, or what was asked for is over."""
    PREPARING = "preparing"
    """About to ask; nothing was sent."""
    ASKING = "asking"
    """The request is on its way, or the process that sent it is gone."""
    LOST = "lost"
    """The request was sent and its answer was lost: there may be a job."""
    ACCEPTED = "accepted"
    """The platform said yes and named no job: there is one."""
    CREATED = "created"
    """The platform named the job: it is certainly this task's."""
    FOUND = "found"
    """A list showed a job that fits: it is taken for this task's."""


OPEN: Final = frozenset({Stage.PREPARING, Stage.ASKING, Stage.LOST, Stage.ACCEPTED})
"""Stages in which it is not known yet which job is the task's."""


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
    :param target: what the job is aimed at.
    :param stage: how far it has come.
    :param known: digests of the ids that existed before and are young enough to be mistaken for it.
    :param started_at: when it was written.
    :param clear_number: of the try that wrote it.
    :param cleared_after: likewise.
    :param entity_id: the job; empty until it is known.
    """

    fingerprint: str
    target: Target
    stage: Stage
    started_at: datetime
    known: tuple[str, ...] = ()
    clear_number: int = 0
    cleared_after: int | None = None
    entity_id: str = ""
    form: int = field(default=FORM)

    def to_dict(self) -> dict[str, Any]:
        """Give plain JSON values."""
        return {name: getattr(self, name) for name in self.__slots__} | {
            "target": self.target.to_dict(),
            "stage": self.stage.value,
            "known": "".join(self.known),
            "started_at": self.started_at.isoformat(),
        }

    @classmethod
    def from_dict(cls, values: Any) -> Self:
        """Rebuild what :meth:`to_dict` gave.

        :raises OutcomeError: it is no such note; whether something was created cannot be told from it.
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
            )
        except (KeyError, TypeError, ValueError, OverflowError):
            raise OutcomeError(
                "The task's note of the job that it was about to create cannot be read, so whether there is one cannot"
                " be told. Look at the firmware's jobs in the vendor's console; to go on, delete the entry"
                " 'tuya_ota.job' of the task state store: then a retry goes on with a job that fits, and a clear waits"
                " for it before it creates another one"
            ) from None

    @property
    def is_own(self) -> bool:
        """Whether the job is certainly this task's: only then may the task stop it."""
        return self.stage is Stage.CREATED

    def at(self, stage: Stage, entity_id: str = "") -> Self:
        """Give the same intent, further on."""
        return replace(self, stage=stage, entity_id=entity_id)

    def put_aside(self) -> Self:
        """Give the intent of a task that is done with its job, which a list may show late and is not the next one."""
        return replace(self.at(Stage.NOTHING), known=(digest_of(self.entity_id),))

    def found(self, job_id: str) -> Self:
        """Give the same intent with the job that a list showed.

        Where the platform has said that there is a job, and the one that was found has exactly the devices, it is it.
        """
        is_it = self.stage is Stage.ACCEPTED and bool(self.target.devices)
        return self.at(Stage.CREATED if is_it else Stage.FOUND, job_id)

    def could_be(self, job: Job) -> bool:
        """Whether a job that the platform lists could be what was asked for, by its id and age."""
        return digest_of(job.job_id) not in self.known and _is_later(job.utc_create, self.started_at - CLOCKS_DIFFER)

    def is_older_than(self, utc_create: str) -> bool:
        """Whether something was created after this was written, if the platform's clock and ours agree."""
        return _is_later(utc_create, self.started_at)


def ids_put_aside(stored: Any) -> tuple[str, ...]:
    """Give the digests of jobs that a task without a job is done with.

    :param stored: what the task has stored, if anything.
    """
    intent = None if stored is None else Intent.from_dict(stored)
    return intent.known if intent is not None and intent.stage in {Stage.NOTHING, Stage.PREPARING} else ()


def young_ids(jobs: Iterable[Job], now: datetime) -> tuple[str, ...]:
    """Digest the ids of jobs that could be mistaken for one that is created now; older ones are told by their date."""
    return tuple(digest_of(job.job_id) for job in jobs if _is_later(job.utc_create, now - CLOCKS_DIFFER))


@dataclass(frozen=True, slots=True)
class OtherIntent:
    """The intent of another task of this Airflow.

    :param task: the task, as messages name it.
    :param key: differs for each task.
    :param past_jobs: jobs that the task created before and is done with.
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
    # Who knows that there is a job goes before those who only may have one.
    return intent.stage is not Stage.ACCEPTED, intent.started_at, key


def parse_other_intents(stored: Iterable[StoredIntent]) -> list[OtherIntent]:
    """Parse what other tasks have stored, and leave out what cannot be parsed."""
    found = []
    for one in stored:
        try:
            found.append(OtherIntent(one.task, one.key, Intent.from_dict(one.value), one.past_jobs))
        except OutcomeError:
            continue
    return found


def _is_later(utc_create: str, moment: datetime) -> bool:
    try:
        created_at = datetime.fromisoformat(utc_create)
    except ValueError:
        return True
    return created_at.tzinfo is None or created_at >= moment
