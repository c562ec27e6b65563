"""Creating a job once, whatever crashes in between.

The platform has no client token. So the intent is written down first, with the ids of what was there before; the
request is sent once; the id is written down before anything else happens. After a crash or a lost answer the jobs of
the package are listed: the one that is new and fits is adopted, none is created anew after the platform has had time
to show it, several stop for a person.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from airflow_provider_tuya_ota.core.actions import QueryOTAJob
from airflow_provider_tuya_ota.core.appearing import wait_to_appear
from airflow_provider_tuya_ota.core.calls import call
from airflow_provider_tuya_ota.core.counting import count_tasks
from airflow_provider_tuya_ota.core.errors import (
    AlreadyUnderWayError,
    AmbiguousOutcomeError,
    NotFoundError,
    ProtocolError,
    TuyaOTAError,
)
from airflow_provider_tuya_ota.core.flow import Flow, Look, Memo, Note, Recall, Remember
from airflow_provider_tuya_ota.core.intents import EVER, Attempt, Intent, OnFailedJob
from airflow_provider_tuya_ota.core.lists import list_jobs
from airflow_provider_tuya_ota.core.looks import look_at_job
from airflow_provider_tuya_ota.core.states import JobStatus, JobType, TaskStatus
from airflow_provider_tuya_ota.core.stopping import drain, stop_job
from airflow_provider_tuya_ota.core.targets import fingerprint_of, fits
from airflow_provider_tuya_ota.core.verdicts import Outcome

if TYPE_CHECKING:
    from airflow_provider_tuya_ota.core.actions import CreateOTAStaticUpgradeJob, CreateOTAVerifyJob
    from airflow_provider_tuya_ota.core.models import Created, Job
    from airflow_provider_tuya_ota.core.settings import Settings

_WORDS: Final = {JobType.VERIFY_FIRMWARE: "verification", JobType.UPGRADE_FIRMWARE: "upgrade"}


@dataclass(frozen=True, slots=True, kw_only=True)
class NewJob:
    """A job that this task created, now or in an earlier try.

    :param request_id: empty where the answer was lost and the job was found in a list.
    :param is_new: True when this try created it.
    """

    job_id: str
    utc_create: str = ""
    request_id: str = ""
    is_new: bool = True


@dataclass(frozen=True, slots=True)
class JobToCreate:
    """A request for a job, with all that is needed to recognise the job.

    :param action: the request.
    :param kind: type of the job.
    """

    settings: Settings
    action: CreateOTAVerifyJob | CreateOTAStaticUpgradeJob
    kind: JobType

    @property
    def words(self) -> str:
        """Name it in a message."""
        return f"{_WORDS[self.kind]} job of package {self.action.firmware_id}"

    def jobs(self) -> Flow[list[Job]]:
        """List the package's jobs of this type, the newest first."""
        jobs = yield from list_jobs(self.settings, self.action.firmware_id)
        return sorted((job for job in jobs if job.type == self.kind), key=lambda job: job.utc_create, reverse=True)

    def could_be_of(self, intent: Intent) -> Flow[list[Job]]:
        """List those that could have come of an intent."""
        found = []
        same_request = intent.fingerprint == fingerprint_of(self.action)
        for job in (yield from self.jobs()):
            if not intent.could_be(job.job_id, job.utc_create):
                continue
            # Of a request that was edited since, nobody knows any more what its job looks like.
            if not same_request or (yield from fits(self.settings, job, self.action)):
                found.append(job)
        return found


def start_job(wanted: JobToCreate, attempt: Attempt) -> Flow[NewJob]:
    """Go on with the job of an earlier try, or create one."""
    job = yield from recover(wanted, attempt)
    if job is None:
        job = yield from create(wanted, attempt)
    return job


def recover(wanted: JobToCreate, attempt: Attempt) -> Flow[NewJob | None]:
    """Find the job that an earlier try created; one from before a clear is waited for until it is done.

    :returns: None where this try has to create one.
    :raises AmbiguousOutcomeError: several jobs could be it.
    :raises WaitTimeoutError: the job from before a clear does not end.
    """
    memo: Memo = yield Recall()
    if memo.value is None:
        return (yield from _recover_without_a_note(wanted, attempt, is_durable=memo.is_durable))
    intent = Intent.from_dict(memo.value)
    job = yield from _created_from(wanted, intent)
    if job is None:
        return None
    cleared = yield from _was_cleared(wanted, attempt, intent, job)
    if not cleared and intent.fingerprint == fingerprint_of(wanted.action):
        return (yield from _go_on_with(wanted, attempt, replace(intent, clear_number=attempt.clear_number), job))
    # A clear asks for a new release, an edited request does not ask to stop the old one.
    yield from _drain(wanted, attempt, job, may_cancel=cleared and attempt.may_cancel)
    yield Remember(None)
    return None


def create(wanted: JobToCreate, attempt: Attempt) -> Flow[NewJob]:
    """Write the intent down, send the request once, and write down what came of it.

    :raises AlreadyUnderWayError: an unfinished job that this task did not create does the same.
    :raises AmbiguousOutcomeError: the answer was lost, and several jobs could be the created one.
    :raises ProtocolError: the platform said yes, but no list shows the job.
    :raises TuyaOTAError: anything else; after an error in doubt no new job was found.
    """
    known = yield from wanted.jobs()
    yield from _require_free(wanted, known)
    intent = Intent(
        fingerprint=fingerprint_of(wanted.action),
        known_ids=tuple(job.job_id for job in known),
        started_at=(yield Look()).now,
        clear_number=attempt.clear_number,
        cleared_after=attempt.cleared_after,
    )
    yield Remember(intent.to_dict())
    try:
        created = yield from call(wanted.settings, wanted.action)
    except TuyaOTAError as error:
        if not error.in_doubt:
            # Refused: whatever shows up from now on is somebody else's.
            yield Remember(None)
            raise
        yield Note(f"{error.sentence} Looking whether the {wanted.words} exists.", warning=True)
        found = yield from _find(wanted, intent)
        if found is None:
            raise
        yield Remember(replace(intent, entity_id=found.job_id).to_dict())
        return NewJob(job_id=found.job_id, utc_create=found.utc_create)
    if created.entity_id is None:
        created = yield from _name(wanted, intent, created)
    job_id = created.entity_id or ""
    yield Remember(replace(intent, entity_id=job_id).to_dict())
    yield from _give_way(wanted, intent, job_id)
    return NewJob(job_id=job_id, utc_create=created.utc_create, request_id=created.request_id)


def _was_cleared(wanted: JobToCreate, attempt: Attempt, intent: Intent, job: Job) -> Flow[bool]:
    """Tell whether this task was cleared since the note was written, or only another one of its run.

    Airflow counts clears by run. The clear of a task that waited or had ended shows in its tries; that of one that ran
    shows in nothing but what became of the job, which being killed stops.
    """
    if intent.clear_number == attempt.clear_number:
        return False
    if attempt.cleared_after is None or intent.cleared_after != attempt.cleared_after:
        return True
    tasks = yield from count_tasks(wanted.settings, job.job_id, [TaskStatus.CANCELED])
    if job.status == JobStatus.CANCELED or tasks[TaskStatus.CANCELED]:
        return True
    yield Note(f"something of this run was cleared, but not this task: it still waits for job {job.job_id}")
    return False


def _recover_without_a_note(wanted: JobToCreate, attempt: Attempt, *, is_durable: bool) -> Flow[NewJob | None]:
    if is_durable or attempt.run_started_at is None:
        # Whoever wrote nothing down has sent nothing.
        return None
    intent = Intent(
        fingerprint=fingerprint_of(wanted.action),
        known_ids=(),
        started_at=attempt.run_started_at,
        clear_number=attempt.clear_number,
    )
    if attempt.is_retry:
        job = yield from _find(wanted, intent)
        if job is None:
            return None
        if attempt.clear_number and not intent.is_older_than(job.utc_create):
            raise AmbiguousOutcomeError(
                f"job {job.job_id} may be from before this task was cleared or from the try before this one; without a"
                " task state store that cannot be told. Look at it in the vendor's console"
            )
        return (yield from _go_on_with(wanted, attempt, intent, job))
    if attempt.clear_number:
        for job in (yield from _under_way(wanted, replace(intent, started_at=EVER))):
            # It is this task's or somebody else's: without a note nobody may cancel it.
            yield from _drain(wanted, attempt, job, may_cancel=False)
    return None


def _go_on_with(wanted: JobToCreate, attempt: Attempt, intent: Intent, job: Job) -> Flow[NewJob | None]:
    if attempt.on_failed_job is OnFailedJob.NEW_JOB:
        verdict = yield from look_at_job(wanted.settings, job.job_id)
        if verdict.outcome is Outcome.FAILED:
            yield Note(f"job {job.job_id} has failed, and on_failed_job is 'new_job'", warning=True)
            yield Remember(None)
            return None
    yield Remember(replace(intent, entity_id=job.job_id).to_dict())
    return NewJob(job_id=job.job_id, utc_create=job.utc_create, is_new=False)


def _drain(wanted: JobToCreate, attempt: Attempt, job: Job, *, may_cancel: bool) -> Flow[None]:
    return drain(
        wanted.settings,
        job.job_id,
        may_cancel=may_cancel,
        deadline=attempt.drained_by,
        poll_interval=attempt.poll_interval,
        here=attempt.drain_here,
    )


def _created_from(wanted: JobToCreate, intent: Intent) -> Flow[Job | None]:
    """Hold a written id against the platform, and search where there is none or it is wrong."""
    if intent.entity_id:
        try:
            job = yield from call(wanted.settings, QueryOTAJob(job_id=intent.entity_id))
        except NotFoundError:
            yield Note(f"job {intent.entity_id}, which was written down, is not on the platform", warning=True)
        else:
            if (
                job.type == wanted.kind
                and job.firmware_id in {wanted.action.firmware_id, ""}
                and job.job_id not in intent.known_ids
            ):
                return job
            yield Note(f"job {intent.entity_id}, which was written down, is not the {wanted.words}", warning=True)
    return (yield from _find(wanted, intent))


def _find(wanted: JobToCreate, intent: Intent) -> Flow[Job | None]:
    def look() -> Flow[Job | None]:
        found = yield from wanted.could_be_of(intent)
        if len(found) > 1:
            raise AmbiguousOutcomeError(
                f"{len(found)} jobs ({', '.join(job.job_id for job in found)}) could be the {wanted.words} that this"
                " task created; which one it is cannot be told. Look at them in the vendor's console"
            )
        return found[0] if found else None

    return wait_to_appear(look)


def _under_way(wanted: JobToCreate, intent: Intent) -> Flow[list[Job]]:
    def look() -> Flow[list[Job] | None]:
        jobs = yield from wanted.could_be_of(intent)
        return [job for job in jobs if not job.status.has_ended] or None

    return (yield from wait_to_appear(look)) or []


def _name(wanted: JobToCreate, intent: Intent, created: Created) -> Flow[Created]:
    yield Note(f"the answer to {wanted.action.name} has no job id; looking for the job", warning=True)
    found = yield from _find(wanted, intent)
    if found is None:
        raise ProtocolError(
            f"{wanted.action.name} succeeded (request id {created.request_id}) but its job is in no list."
            f" Look at package {wanted.action.firmware_id} in the vendor's console before running this again"
        )
    return replace(created, entity_id=found.job_id, utc_create=created.utc_create or found.utc_create)


def _give_way(wanted: JobToCreate, intent: Intent, job_id: str) -> Flow[None]:
    """Take a job back where somebody has created the same at the same moment, and was first.

    Both look, and both come to the same answer. Where one does not see the other yet, the platform fails the devices of
    the later job at once.
    """
    if wanted.kind != JobType.UPGRADE_FIRMWARE:
        return
    try:
        first = yield from _first_of(wanted, intent, job_id)
    except TuyaOTAError as error:
        yield Note(f"{error.sentence} Whether another run has created the same is not known.", warning=True)
        return
    if first is None:
        return
    yield from stop_job(wanted.settings, job_id)
    yield Remember(None)
    raise AlreadyUnderWayError(
        f"job {first.job_id}, created at {first.utc_create or 'a time not told'}, upgrades the same devices to package"
        f" {wanted.action.firmware_id} and was created at the same moment as job {job_id} of this task, which was"
        " stopped for that. Wait for the first one with TuyaOTAJobSensor"
    )


def _first_of(wanted: JobToCreate, intent: Intent, job_id: str) -> Flow[Job | None]:
    jobs = {job.job_id: job for job in (yield from wanted.jobs()) if job.job_id not in intent.known_ids}
    if job_id in jobs:
        ours = _age(jobs[job_id])
        for job in sorted(jobs.values(), key=_age):
            earlier = _age(job) < ours and not job.status.has_ended
            if earlier and (yield from fits(wanted.settings, job, wanted.action)):
                return job
    return None


def _age(job: Job) -> tuple[str, int, str]:
    # Ids count up; as texts the longer one is the later one.
    return job.utc_create, len(job.job_id), job.job_id


def _require_free(wanted: JobToCreate, known: list[Job]) -> Flow[None]:
    """Refuse an upgrade that is under way already; of verifications the platform itself permits one at a time."""
    if wanted.kind != JobType.UPGRADE_FIRMWARE:
        return
    for job in known:
        if not job.status.has_ended and (yield from fits(wanted.settings, job, wanted.action)):
            raise AlreadyUnderWayError(
                f"job {job.job_id}, created at {job.utc_create or 'a time not told'}, is upgrading the same devices to"
                f" package {wanted.action.firmware_id}, and this task did not create it. Nothing was created. Wait for"
                " that job with TuyaOTAJobSensor, or cancel it first"
            )
