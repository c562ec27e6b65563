"""Read how far an earlier try of a task came with its set of jobs."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from airflow_provider_tuya_ota.core.actions import QueryOTAJob
from airflow_provider_tuya_ota.core.errors import (
    AmbiguousOutcomeError,
    JobMissingError,
    JobSetChangedError,
    NotFoundError,
)
from airflow_provider_tuya_ota.core.flows.calls import call
from airflow_provider_tuya_ota.core.flows.effects import Flow, LoadState, OtherIntents, ReadOtherIntents, SavedState
from airflow_provider_tuya_ota.core.flows.eventually import wait_to_appear
from airflow_provider_tuya_ota.core.flows.lists import list_jobs, list_tasks
from airflow_provider_tuya_ota.core.flows.pages import Listing
from airflow_provider_tuya_ota.core.jobs.create import require_target
from airflow_provider_tuya_ota.core.jobs.events import IntentMissing
from airflow_provider_tuya_ota.core.jobs.intent import OPEN, Attempt, Intent, Stage, parse_other_intents
from airflow_provider_tuya_ota.core.jobs.job_set import JobSet
from airflow_provider_tuya_ota.core.jobs.job_set_request import JobSetRequest, place
from airflow_provider_tuya_ota.core.jobs.recover import query_stored, search_stored
from airflow_provider_tuya_ota.core.jobs.set_note import SetNote
from airflow_provider_tuya_ota.core.jobs.tracked_job import JobOrigin
from airflow_provider_tuya_ota.core.model.states import JobType

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow_provider_tuya_ota.core.jobs.job_request import JobRequest
    from airflow_provider_tuya_ota.core.jobs.tracked_job import TrackedJob
    from airflow_provider_tuya_ota.core.model.entities import Job
    from airflow_provider_tuya_ota.core.settings import Settings


def load_set(settings: Settings, request: JobSetRequest, attempt: Attempt) -> Flow[tuple[SetNote, Intent] | None]:
    """Load the task's note about this set.

    :returns: None where there is none.
    :raises AmbiguousOutcomeError: an earlier try has run, its note is missing, and jobs exist that it may have created.
    :raises JobSetChangedError: the note is about a single job, or about other devices or options.
    :raises OutcomeError: the note cannot be read.
    """
    saved: SavedState = yield LoadState()
    if saved.value is None:
        yield from _require_no_trace(settings, request, attempt, is_durable=saved.is_durable)
        return None
    note, intent = SetNote.stored_in(saved.value), Intent.from_dict(saved.value)
    if note is None:
        raise JobSetChangedError(
            "the stored note of this task is about a single job, not about a set of jobs. Nothing was created. Look at"
            f" the jobs of firmware {intent.target.firmware_id} in the vendor's console"
        )
    if change := _find_change(note, request):
        if _is_over(note, intent, request.earlier):
            return None
        raise JobSetChangedError(
            f"{change} the set of jobs that this task began with, of which {_count(note, intent)} exist or may exist."
            " Nothing was created. Give the lists and options that it began with; another set may begin when this one"
            " is complete and its jobs are given as earlier ones"
        )
    return note, intent


def own_jobs(value: Any) -> JobSet:
    """Give the jobs of a stored set that answers have named, in order: those that a kill of the task may stop.

    :param value: what the task has stored; jobs that a list showed are left out.
    :raises OutcomeError: the note cannot be read.
    """
    note = SetNote.stored_in(value)
    if note is None:
        return JobSet.of()
    intent = Intent.from_dict(value)
    earlier = (job_id for position, job_id in enumerate(note.jobs) if position not in note.found)
    return JobSet.of(*earlier, intent.entity_id if intent.is_own else "")


def require_shown(
    settings: Settings, request: JobSetRequest, position: int, job_id: str, shown: dict[str, Job]
) -> Flow[str]:
    """Check that the platform still has a job of the set, without a request where the listing shows it.

    :param position: of its list, from 0.
    :param shown: the jobs of a listing.
    :returns: when the platform created it; empty if unknown.
    :raises JobMissingError: the platform does not have it.
    """

    def query() -> Flow[Job | None]:
        try:
            return (yield from call(settings, QueryOTAJob(job_id=job_id)))
        except NotFoundError:
            return None

    job = shown.get(job_id) or (yield from wait_to_appear(query))
    if job is None:
        raise JobMissingError(
            f"job {job_id}, which this task stored as {place(position, request)}, is not on the platform. Nothing was"
            f" created. Look at the jobs of firmware {request.firmware_id} in the vendor's console"
        )
    return job.utc_create


def recover_current(request: JobRequest, attempt: Attempt, intent: Intent) -> Flow[TrackedJob | None]:
    """Find the job that an earlier try was about to create when it ended.

    :returns: None if this try has to create it.
    :raises AmbiguousOutcomeError: several jobs may be the one, or it is not known whether one is.
    :raises JobMissingError: the stored job is not on the platform, or one was accepted and no list shows it.
    :raises ProtocolError: the job that the answer named has another target.
    """
    if intent.stage in {Stage.NOTHING, Stage.PREPARING}:
        return None
    if not intent.entity_id:
        job = yield from search_stored(request, attempt, intent)
        return None if job is None else request.tracked(job.job_id, JobOrigin.FOUND, utc_create=job.utc_create)
    job = yield from query_stored(request, attempt, intent)
    if job is None:
        return None
    if intent.is_own:
        # The try may have ended between the answer and this check.
        yield from require_target(request, intent, job.job_id, "")
    origin = JobOrigin.RESUMED if intent.is_own else JobOrigin.FOUND
    return request.tracked(job.job_id, origin, utc_create=job.utc_create)


def _find_change(note: SetNote, request: JobSetRequest) -> str:
    """Say what differs between the stored set and the requested one; empty where nothing does."""
    if note.options != request.options:
        return "firmware, product or options differ from those of"
    pairs = zip(note.lists, request.list_digests, strict=False)
    changed = next((number for number, (stored, given) in enumerate(pairs, start=1) if stored != given), 0)
    if changed:
        return f"list {changed} has other devices than in"
    if len(note.lists) != len(request.device_lists):
        return f"{len(request.device_lists)} lists are given, and there were {len(note.lists)} in"
    return ""


def _is_over(note: SetNote, intent: Intent, earlier: JobSet) -> bool:
    """Whether another set may replace a stored one: the caller knows each of its jobs, and none is open."""
    jobs = {*note.jobs, intent.entity_id} - {""}
    is_complete = bool(intent.entity_id) and len(note.jobs) + 1 == len(note.lists)
    return (is_complete or not jobs) and intent.stage not in OPEN - {Stage.PREPARING} and jobs <= set(earlier)


def _count(note: SetNote, intent: Intent) -> str:
    is_open = bool(intent.entity_id) or intent.stage in OPEN - {Stage.PREPARING}
    return f"{len(note.jobs) + is_open} of {len(note.lists)}"


def _require_no_trace(settings: Settings, request: JobSetRequest, attempt: Attempt, *, is_durable: bool) -> Flow[None]:
    """Check that no job may be one that an earlier try without a note has created.

    None is adopted: without a note it is not known whether this task created it.
    """
    has_run = attempt.is_retry or bool(attempt.clear_number and attempt.cleared_after != 0)
    if attempt.run_started_at is None or not has_run:
        return
    if is_durable:
        yield IntentMissing(request.firmware_id)
    first = yield from request.job(settings, 0).new_intent(attempt, Stage.LOST)
    first = replace(first, started_at=attempt.run_started_at)
    listing: Listing[Job] = Listing("", [])

    def find() -> Flow[Job | None]:
        nonlocal listing
        listing = yield from list_jobs(settings, request.firmware_id)
        others: OtherIntents = yield ReadOtherIntents()
        taken = JobSet.of(*request.earlier, *(job for one in parse_other_intents(others.intents) for job in one.jobs))
        jobs = [job for job in taken.exclude_from(listing.items) if first.could_be(job)]
        return (yield from _first_trace(settings, request, jobs, is_cleared=not attempt.is_retry))

    trace = yield from wait_to_appear(find)
    if trace is not None:
        raise AmbiguousOutcomeError(
            f"job {trace.job_id} may be one that an earlier try of this task created, but the task's note about it is"
            f" missing. Nothing was created. Look at the device tasks of that job and of firmware {request.firmware_id}"
            "'s other jobs in the vendor's console. When all of them have ended, clear this task to create new jobs"
        )
    listing.require_complete()


def _first_trace(
    settings: Settings, request: JobSetRequest, jobs: Sequence[Job], *, is_cleared: bool
) -> Flow[Job | None]:
    """Query jobs in turn for the first with a device of the set, or without any that is shown.

    :param is_cleared: leave out jobs that have ended, because a person has decided to go on.
    """
    positions = request.positions
    for job in jobs:
        if job.type != JobType.UPGRADE_FIRMWARE:
            continue
        tasks = (yield from list_tasks(settings, job.job_id)).items
        is_over = job.status.has_ended and all(task.status.has_ended for task in tasks)
        is_on_ours = not tasks or any(task.device_name in positions for task in tasks)
        if is_on_ours and not (is_cleared and is_over):
            return job
    return None
