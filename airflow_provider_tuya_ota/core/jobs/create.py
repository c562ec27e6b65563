"""Creating a job once, whatever crashes in between.

The platform has no client token. So the intent is written down first, the request is sent once, and the id is written
down before anything else happens. After a crash or a lost answer the job is searched for; none is created anew while
there may be one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from airflow_provider_tuya_ota.core.actions import CreateOTAStaticUpgradeJob, QueryOTAJob
from airflow_provider_tuya_ota.core.errors import (
    AlreadyUnderWayError,
    AmbiguousOutcomeError,
    JobMissingError,
    NotFoundError,
    ProtocolError,
    TuyaOTAError,
)
from airflow_provider_tuya_ota.core.flows.calls import call
from airflow_provider_tuya_ota.core.flows.effects import Flow, LoadState, ReadContext, SavedState, SaveState
from airflow_provider_tuya_ota.core.flows.eventually import wait_to_appear, wait_until_complete
from airflow_provider_tuya_ota.core.flows.lists import list_jobs
from airflow_provider_tuya_ota.core.jobs.conflict import give_way, require_free
from airflow_provider_tuya_ota.core.jobs.current_try import replace_note, require_in_charge
from airflow_provider_tuya_ota.core.jobs.drain import wait_until_drained
from airflow_provider_tuya_ota.core.jobs.events import (
    FailedJobReplaced,
    IntentMissing,
    JobOutcomeUnknown,
    JobUnnamed,
    MissingJobReplaced,
    OtherTaskCleared,
    start_event,
)
from airflow_provider_tuya_ota.core.jobs.intent import NEVER, Attempt, Intent, OnFailedJob, Stage, young_ids
from airflow_provider_tuya_ota.core.jobs.job_set import JobSet
from airflow_provider_tuya_ota.core.jobs.search import find_job
from airflow_provider_tuya_ota.core.jobs.target import Target, contradicts, fingerprint_of
from airflow_provider_tuya_ota.core.jobs.tracked_job import NAMES, JobOrigin, TrackedJob
from airflow_provider_tuya_ota.core.model.states import JobStatus, TaskStatus
from airflow_provider_tuya_ota.core.policy.retry import RetryPolicy
from airflow_provider_tuya_ota.core.status.task_counts import count_tasks
from airflow_provider_tuya_ota.core.status.wait import WaitOptions, has_failed

if TYPE_CHECKING:
    from airflow_provider_tuya_ota.core.actions import CreateOTAVerifyJob
    from airflow_provider_tuya_ota.core.flows.pages import Listing
    from airflow_provider_tuya_ota.core.model.entities import Created, Job
    from airflow_provider_tuya_ota.core.model.states import JobType
    from airflow_provider_tuya_ota.core.settings import Settings


@dataclass(frozen=True, slots=True)
class JobRequest:
    """A request for a job.

    :param action: the request.
    :param kind: type of the job.
    """

    settings: Settings
    action: CreateOTAVerifyJob | CreateOTAStaticUpgradeJob
    kind: JobType

    @property
    def words(self) -> str:
        """Name it in a message."""
        return f"{NAMES[self.kind]} job of firmware {self.action.firmware_id}"

    def tracked(self, job_id: str, origin: JobOrigin, *, utc_create: str = "", request_id: str = "") -> TrackedJob:
        """Give the job of this request."""
        action = self.action
        selection = action.target_selection if isinstance(action, CreateOTAStaticUpgradeJob) else ""
        return TrackedJob(
            job_id=job_id,
            firmware_id=action.firmware_id,
            kind=self.kind,
            origin=origin,
            utc_create=utc_create,
            request_id=request_id,
            selection=selection,
        )

    def jobs(self) -> Flow[Listing[Job]]:
        """List the firmware's jobs of this type, the newest first."""
        listing = yield from list_jobs(self.settings, self.action.firmware_id)
        jobs = (job for job in listing.items if job.type == self.kind)
        return replace(listing, items=sorted(jobs, key=lambda job: job.utc_create, reverse=True))

    def intent(self, attempt: Attempt, stage: Stage) -> Flow[Intent]:
        """Put into a note what is asked for."""
        return Intent(
            fingerprint=fingerprint_of(self.action),
            target=Target.of(self.action),
            stage=stage,
            started_at=(yield ReadContext()).now,
            clear_number=attempt.clear_number,
            cleared_after=attempt.cleared_after,
        )


def start_job(request: JobRequest, attempt: Attempt) -> Flow[TrackedJob]:
    """Go on with the job of an earlier try, or create one."""
    job = yield from recover(request, attempt)
    if job is None:
        job = yield from create(request, attempt)
    yield start_event(job)
    return job


def recover(request: JobRequest, attempt: Attempt) -> Flow[TrackedJob | None]:
    """Find the job that an earlier try created; one from before a clear is waited for until it is done.

    :returns: None where this try has to create one.
    :raises AmbiguousOutcomeError: which job it is cannot be told.
    :raises JobMissingError: the job that was written down is not on the platform.
    :raises WaitTimeoutError: the job from before a clear does not end.
    """
    memo: SavedState = yield LoadState()
    if memo.value is None:
        return (yield from _recover_without_a_note(request, attempt, is_durable=memo.is_durable))
    intent = Intent.from_dict(memo.value)
    if intent.stage in {Stage.NOTHING, Stage.PREPARING}:
        return None
    found = yield from _job_of(request, attempt, intent)
    if found is None:
        yield SaveState(intent.at(Stage.NOTHING).to_dict())
        return None
    job, intent = found
    cleared = yield from _was_cleared(request, attempt, intent, job)
    if not cleared and intent.fingerprint == fingerprint_of(request.action):
        return (yield from _go_on_with(request, attempt, replace(intent, clear_number=attempt.clear_number), job))
    # A clear asks for a new release, an edited request does not ask to stop the old one.
    may_cancel = cleared and attempt.may_cancel and intent.is_certain
    yield from _drain(request, attempt, job, may_cancel=may_cancel)
    yield SaveState(intent.at(Stage.NOTHING).to_dict())
    return None


def create(request: JobRequest, attempt: Attempt) -> Flow[TrackedJob]:
    """Write the intent down, send the request once, and write down what came of it.

    :raises AlreadyUnderWayError: an unfinished job that this task did not create does the same.
    :raises AmbiguousOutcomeError: the answer was lost, and which job came of it cannot be told.
    :raises IncompleteListError: a list shows fewer items than its total tells; nothing was created.
    :raises ProtocolError: the platform said yes, but no list shows the job.
    :raises TuyaOTAError: anything else; after an error in doubt no new job was found.
    """
    settings, action = request.settings, request.action
    intent = yield from request.intent(attempt, Stage.PREPARING)
    yield SaveState(intent.to_dict())
    listed = yield from wait_until_complete(lambda: list_jobs(settings, action.firmware_id))
    before = [job for job in listed if job.type == request.kind]
    intent = replace(intent, known=young_ids(before, intent.started_at))
    if isinstance(action, CreateOTAStaticUpgradeJob):
        try:
            yield from require_free(settings, action, intent, before)
        except AlreadyUnderWayError:
            yield SaveState(intent.at(Stage.NOTHING).to_dict())
            raise
    asking = intent.at(Stage.ASKING)
    yield SaveState(asking.to_dict())
    try:
        created = yield from call(settings, action, permit=lambda: require_in_charge(settings, asking))
    except TuyaOTAError as error:
        if not error.in_doubt:
            # Refused: whatever shows up from now on is somebody else's.
            yield from replace_note(asking, intent.at(Stage.NOTHING))
            raise
        return (yield from _find_after(request, intent.at(Stage.LOST), error))
    if created.entity_id is None or created.entity_id in JobSet.listed(listed):
        # An id that was there before is another job's: the answer is taken for one that names none.
        return (yield from _name(request, intent.at(Stage.ACCEPTED), created))
    yield SaveState(intent.at(Stage.CREATED, created.entity_id).to_dict())
    if (yield from _is_another_s(request, intent, created.entity_id)):
        return (yield from _name(request, intent.at(Stage.ACCEPTED), created))
    if isinstance(action, CreateOTAStaticUpgradeJob):
        yield from give_way(settings, action, intent, before, created.entity_id)
    return request.tracked(
        created.entity_id, JobOrigin.CREATED, utc_create=created.utc_create, request_id=created.request_id
    )


def _is_another_s(request: JobRequest, intent: Intent, job_id: str) -> Flow[bool]:
    """Whether the job that the answer named is certainly aimed at something else: a kill would stop it.

    A job that the platform does not show yet is given the time to appear, because a wait would end at its first poll.
    """

    def query() -> Flow[Job | None]:
        try:
            return (yield from call(request.settings, QueryOTAJob(job_id=job_id), RetryPolicy(attempts=1)))
        except NotFoundError:
            return None

    try:
        job = yield from wait_to_appear(query)
    except TuyaOTAError:
        return False
    return job is not None and contradicts(job, intent.target)


def _find_after(request: JobRequest, intent: Intent, error: TuyaOTAError) -> Flow[TrackedJob]:
    yield SaveState(intent.to_dict())
    yield JobOutcomeUnknown(request.action.firmware_id, request.kind, error.sentence)
    job = yield from find_job(request.settings, intent)
    if job is None:
        raise error
    return request.tracked(job.job_id, JobOrigin.FOUND, utc_create=job.utc_create)


def _name(request: JobRequest, intent: Intent, created: Created) -> Flow[TrackedJob]:
    yield SaveState(intent.to_dict())
    yield JobUnnamed(request.action.name)
    job = yield from find_job(request.settings, intent)
    if job is None:
        raise ProtocolError(
            f"{request.action.name} succeeded (request id {created.request_id}) but its job is in no list. Nothing is"
            " created again; run the task again to look once more, or look at firmware"
            f" {request.action.firmware_id} in the vendor's console"
        )
    return request.tracked(
        job.job_id,
        JobOrigin.CREATED if intent.found(job.job_id).is_certain else JobOrigin.FOUND,
        utc_create=created.utc_create or job.utc_create,
        request_id=created.request_id,
    )


def _was_cleared(request: JobRequest, attempt: Attempt, intent: Intent, job: Job) -> Flow[bool]:
    """Tell whether this task was cleared since the note was written, or only another one of its run.

    Airflow counts clears by run. The clear of a task that waited or had ended shows in its tries; that of one that ran
    shows in nothing but what became of the job, which being killed stops.
    """
    if intent.clear_number == attempt.clear_number:
        return False
    if _was_surely_cleared(attempt, intent):
        return True
    tasks = yield from count_tasks(request.settings, job.job_id, [TaskStatus.CANCELED])
    if job.status == JobStatus.CANCELED or tasks[TaskStatus.CANCELED]:
        return True
    yield OtherTaskCleared(job.job_id)
    return False


def _was_surely_cleared(attempt: Attempt, intent: Intent) -> bool:
    is_told = attempt.cleared_after is None or intent.cleared_after != attempt.cleared_after
    return intent.clear_number != attempt.clear_number and is_told


def _recover_without_a_note(request: JobRequest, attempt: Attempt, *, is_durable: bool) -> Flow[TrackedJob | None]:
    has_run = attempt.is_retry or bool(attempt.clear_number and attempt.cleared_after != 0)
    if attempt.run_started_at is None or not has_run:
        # A first try has sent nothing, and says so before it does anything: then a note that is missing was removed.
        yield SaveState((yield from request.intent(attempt, Stage.NOTHING)).to_dict())
        return None
    intent = replace((yield from request.intent(attempt, Stage.LOST)), started_at=attempt.run_started_at)
    if is_durable:
        yield IntentMissing(request.action.firmware_id)
    job = yield from find_job(request.settings, intent, has_asked=False, is_cleared=not attempt.is_retry)
    if job is None:
        return None
    if attempt.is_retry and attempt.clear_number and not intent.is_older_than(job.utc_create):
        raise AmbiguousOutcomeError(
            f"job {job.job_id} may be from before this task was cleared or from the try before this one; without a"
            " note that cannot be told. Look at it in the vendor's console"
        )
    if not attempt.is_retry:
        # It is this task's or somebody else's: without a note nobody may cancel it.
        yield from _drain(request, attempt, job, may_cancel=False)
        yield SaveState(intent.at(Stage.NOTHING).to_dict())
        return None
    return (yield from _go_on_with(request, attempt, intent.at(Stage.FOUND, job.job_id), job))


def _go_on_with(request: JobRequest, attempt: Attempt, intent: Intent, job: Job) -> Flow[TrackedJob | None]:
    if attempt.on_failed_job is OnFailedJob.NEW_JOB:
        expected = tuple(request.action.target_device_name or ())
        options = WaitOptions(deadline=NEVER, poll_interval=attempt.poll_interval, expected=expected)
        if (yield from has_failed(request.settings, job.job_id, options)):
            yield FailedJobReplaced(job.job_id)
            yield SaveState(intent.at(Stage.NOTHING).to_dict())
            return None
    yield SaveState(intent.to_dict())
    origin = JobOrigin.RESUMED if intent.is_certain else JobOrigin.FOUND
    return request.tracked(job.job_id, origin, utc_create=job.utc_create)


def _drain(request: JobRequest, attempt: Attempt, job: Job, *, may_cancel: bool) -> Flow[None]:
    return wait_until_drained(
        request.settings,
        job.job_id,
        may_cancel=may_cancel,
        deadline=attempt.drained_by,
        poll_interval=attempt.poll_interval,
        here=attempt.drain_here,
    )


def _job_of(request: JobRequest, attempt: Attempt, intent: Intent) -> Flow[tuple[Job, Intent] | None]:
    """Hold a written id against the platform, and search where there is none."""
    if intent.entity_id:
        job = yield from _written(request, attempt, intent)
        return (job, intent) if job is not None else None
    if intent.stage is Stage.ASKING:
        # The process that sent the request is gone, and its answer with it.
        intent = intent.at(Stage.LOST)
        yield SaveState(intent.to_dict())
    job = yield from find_job(request.settings, intent, is_cleared=_was_surely_cleared(attempt, intent))
    if job is not None:
        return job, intent.found(job.job_id)
    if intent.stage is Stage.ACCEPTED and intent.clear_number == attempt.clear_number:
        raise JobMissingError(
            f"the {request.words} that this task created is in no list, and the platform named no id for it. Nothing"
            f" was created again. {_TO_GO_ON}"
        )
    return None


def _written(request: JobRequest, attempt: Attempt, intent: Intent) -> Flow[Job | None]:
    def query() -> Flow[Job | None]:
        try:
            return (yield from call(request.settings, QueryOTAJob(job_id=intent.entity_id)))
        except NotFoundError:
            return None

    job = yield from wait_to_appear(query)
    problem = ""
    if job is None:
        problem = "is not on the platform"
    elif job.type != intent.target.kind or job.firmware_id not in {intent.target.firmware_id, ""}:
        problem = f"is not the {request.words}"
    if not problem:
        return job
    if intent.clear_number != attempt.clear_number:
        yield MissingJobReplaced(intent.entity_id, problem)
        return None
    raise JobMissingError(
        f"job {intent.entity_id}, which this task has written down, {problem}. Nothing was created. {_TO_GO_ON}"
    )


_TO_GO_ON: Final = "Look at the firmware's jobs in the vendor's console; to create another one, clear this task"
