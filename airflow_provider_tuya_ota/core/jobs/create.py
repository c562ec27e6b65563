"""Create a job once, whatever crashes in between.

The platform has no client token. So the intent is saved first, the request is sent once, and the job id is saved before
anything else happens. If the answer is lost, the job is searched for.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from airflow_provider_tuya_ota.core.actions import CreateOTAStaticUpgradeJob, QueryOTAJob
from airflow_provider_tuya_ota.core.errors import AlreadyUnderWayError, NotFoundError, ProtocolError, TuyaOTAError
from airflow_provider_tuya_ota.core.flows.calls import call
from airflow_provider_tuya_ota.core.flows.effects import (
    Flow,
    FlowContext,
    LoadState,
    ReadContext,
    SavedState,
    SaveState,
)
from airflow_provider_tuya_ota.core.flows.eventually import wait_to_appear, wait_until_complete
from airflow_provider_tuya_ota.core.flows.lists import list_jobs
from airflow_provider_tuya_ota.core.jobs.conflict import cancel_if_later, require_no_conflict
from airflow_provider_tuya_ota.core.jobs.current_try import require_current_try, save_if_current
from airflow_provider_tuya_ota.core.jobs.events import JobOutcomeUnknown, JobUnnamed
from airflow_provider_tuya_ota.core.jobs.intent import Attempt, Intent, Stage, ids_put_aside, young_ids
from airflow_provider_tuya_ota.core.jobs.job_set import JobSet
from airflow_provider_tuya_ota.core.jobs.search import find_job
from airflow_provider_tuya_ota.core.jobs.target import contradicts, describe_job, list_other_devices
from airflow_provider_tuya_ota.core.jobs.tracked_job import JobOrigin
from airflow_provider_tuya_ota.core.policy.retry import RetryPolicy
from airflow_provider_tuya_ota.core.status.queried_job import QueriedJob

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Sequence
    from datetime import datetime

    from airflow_provider_tuya_ota.core.jobs.job_request import JobRequest
    from airflow_provider_tuya_ota.core.jobs.tracked_job import TrackedJob
    from airflow_provider_tuya_ota.core.model.entities import Created, Job

_NAMES_SHOWN: Final = 5
"""Devices that an error names."""


def create_job(request: JobRequest, attempt: Attempt) -> Flow[TrackedJob]:
    """Save the intent, send the request once, and save its outcome.

    :raises AlreadyUnderWayError: an unfinished job that this task did not create upgrades the same devices.
    :raises AmbiguousOutcomeError: the answer was lost, and several jobs may be the created one.
    :raises IncompleteListError: a list shows fewer items than its total counts; nothing was created.
    :raises ProtocolError: the platform accepted the request, but no list shows the job; or the answer names a job that
        certainly has another target. Nothing was cancelled.
    :raises TuyaOTAError: anything else. If ``in_doubt`` is set, the jobs were searched and none was found.
    """
    settings, action = request.settings, request.action
    saved: SavedState = yield LoadState()
    intent = yield from request.new_intent(attempt, Stage.PREPARING)
    intent = replace(intent, known=ids_put_aside(saved.value))
    yield SaveState(intent.to_dict())
    listed = yield from wait_until_complete(lambda: list_jobs(settings, action.firmware_id))
    before = [job for job in listed.items if job.type == request.kind]
    young = young_ids(before, intent.started_at)
    intent = replace(intent, known=tuple(dict.fromkeys([*intent.known, *young])))
    tracked = yield from request_job(request, intent, before, JobSet.listed(listed.items))
    if isinstance(action, CreateOTAStaticUpgradeJob) and tracked.origin is JobOrigin.CREATED:
        yield from cancel_if_later(settings, action, intent, listed, tracked.job_id)
    return tracked


def request_job(
    request: JobRequest,
    intent: Intent,
    before: list[Job],
    existing: Container[str],
    permit: Callable[[], Flow[None]] | None = None,
) -> Flow[TrackedJob]:
    """Check that no other job upgrades the same devices, send the request once, and save its outcome.

    :param intent: of this request; it is saved already.
    :param before: jobs of this type that were listed before the request and may be on the same devices.
    :param existing: ids of all jobs of the firmware that are known to have existed before the request.
    :param permit: runs right before the request; a TuyaOTAError that it raises ends the flow, and nothing is sent.
    :returns: the created job, or the one that was found after a lost answer; its origin says which.
    :raises TuyaOTAError: as :func:`create_job`.
    """
    settings, action = request.settings, request.action
    if isinstance(action, CreateOTAStaticUpgradeJob):
        try:
            yield from require_no_conflict(settings, action, intent, before)
        except AlreadyUnderWayError:
            yield SaveState(intent.at(Stage.NOTHING).to_dict())
            raise
    asking = intent.at(Stage.ASKING)
    yield SaveState(asking.to_dict())

    def may_send() -> Flow[None]:
        if permit is not None:
            yield from permit()
        yield from require_current_try(settings, asking)

    try:
        created = yield from call(settings, action, permit=may_send)
    except TuyaOTAError as error:
        if not error.in_doubt:
            # The platform refused: a job that appears from now on was created by another program.
            yield from save_if_current(asking, intent.at(Stage.NOTHING))
            raise
        return (yield from _find_after_lost_answer(request, intent.at(Stage.LOST), error))
    if created.entity_id is None or created.entity_id in existing:
        # A job that existed before is not the created one, so the answer names none.
        return (yield from _find_unnamed(request, intent.at(Stage.ACCEPTED), created))
    yield SaveState(intent.at(Stage.CREATED, created.entity_id).to_dict())
    queried = yield from require_target(request, intent, created.entity_id, created.request_id)
    tracked = request.tracked(
        created.entity_id, JobOrigin.CREATED, utc_create=created.utc_create, request_id=created.request_id
    )
    return replace(tracked, queried=queried)


def require_target(request: JobRequest, intent: Intent, job_id: str, request_id: str) -> Flow[QueriedJob | None]:
    """Check that the job that an answer named does not certainly have another target.

    :param request_id: of the answer; empty where an earlier try got it.
    :returns: the job as it was queried; None where the platform does not show it.
    :raises ProtocolError: it certainly has. It is saved as unnamed, so that a retry searches for the requested one.
    """
    action = request.action
    job, read_at = yield from _query_created(request, job_id)
    if other := (yield from _find_other_target(request, intent, job_id, job)):
        yield SaveState(intent.at(Stage.ACCEPTED).to_dict())
        raise ProtocolError(
            f"{action.name} succeeded, but its answer names job {job_id}, which has {other} (request id"
            f" {request_id or 'of an earlier try'}). Nothing was cancelled or created again. Look at that job, and at"
            f" firmware {action.firmware_id}, in the vendor's console. A retry searches for the requested job"
        )
    return QueriedJob.of(job, read_at)


def _query_created(request: JobRequest, job_id: str) -> Flow[tuple[Job | None, datetime]]:
    """Query the job that the answer names. Only this query shows share, group and source versions; a list does not.

    A job that the platform does not show yet is given time to appear, because a wait would end at its first poll.

    :returns: the job, or None where the platform does not show it; and the wall-clock time right before the request.
    """
    context: FlowContext = yield ReadContext()

    def query() -> Flow[Job | None]:
        nonlocal context
        context = yield ReadContext()
        try:
            return (yield from call(request.settings, QueryOTAJob(job_id=job_id), RetryPolicy(attempts=1)))
        except NotFoundError:
            return None

    try:
        job = yield from wait_to_appear(query)
    except TuyaOTAError:
        job = None
    return job, context.now


def _find_other_target(request: JobRequest, intent: Intent, job_id: str, job: Job | None) -> Flow[str]:
    """Check whether the job that the answer names certainly has another target; a kill would stop the wrong job.

    :param job: as its query showed it; None where the platform does not show it.
    :returns: what it has, and what was requested; empty where it may be the requested job.
    """
    if job is None:
        return ""
    if contradicts(job, intent.target):
        return f"another target: {describe_job(job)}; requested was {intent.target.describe()}"
    try:
        others = yield from list_other_devices(request.settings, job_id, intent.target)
    except TuyaOTAError:
        return ""
    requested = request.action.target_device_name or ()
    return f"other devices ({_some(others)}) than the requested ones ({_some(requested)})" if others else ""


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:_NAMES_SHOWN]) + (", …" if len(names) > _NAMES_SHOWN else "")


def _find_after_lost_answer(request: JobRequest, intent: Intent, error: TuyaOTAError) -> Flow[TrackedJob]:
    yield SaveState(intent.to_dict())
    yield JobOutcomeUnknown(request.action.firmware_id, request.kind, error.sentence)
    job = yield from find_job(request.settings, intent)
    if job is None:
        raise error
    return request.tracked(job.job_id, JobOrigin.FOUND, utc_create=job.utc_create)


def _find_unnamed(request: JobRequest, intent: Intent, created: Created) -> Flow[TrackedJob]:
    yield SaveState(intent.to_dict())
    yield JobUnnamed(request.action.name)
    job = yield from find_job(request.settings, intent)
    if job is None:
        raise ProtocolError(
            f"{request.action.name} succeeded (request id {created.request_id}) but its job is in no list. Nothing is"
            " created again. Run the task again to search once more, or look at firmware"
            f" {request.action.firmware_id} in the vendor's console"
        )
    return request.tracked(
        job.job_id,
        JobOrigin.FOUND,
        utc_create=created.utc_create or job.utc_create,
        request_id=created.request_id,
    )
