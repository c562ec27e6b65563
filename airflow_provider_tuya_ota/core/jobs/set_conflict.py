"""Notice jobs of other programs that were created while a set was, for the same devices."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from airflow_provider_tuya_ota.core.errors import AlreadyUnderWayError, TuyaOTAError
from airflow_provider_tuya_ota.core.flows.lists import list_tasks
from airflow_provider_tuya_ota.core.jobs.conflict import age_of
from airflow_provider_tuya_ota.core.jobs.job_set import JobSet
from airflow_provider_tuya_ota.core.jobs.stop import not_stopped, stop_jobs
from airflow_provider_tuya_ota.core.model.states import JobType

if TYPE_CHECKING:
    from collections.abc import Container, Sequence

    from airflow_provider_tuya_ota.core.flows.effects import Flow
    from airflow_provider_tuya_ota.core.flows.pages import Listing
    from airflow_provider_tuya_ota.core.jobs.job_set_request import JobSetRequest
    from airflow_provider_tuya_ota.core.jobs.tracked_job import TrackedJob
    from airflow_provider_tuya_ota.core.model.entities import Job
    from airflow_provider_tuya_ota.core.settings import Settings


def require_first(
    settings: Settings,
    request: JobSetRequest,
    jobs: Sequence[TrackedJob],
    listing: Listing[Job],
    accounted: Container[str],
) -> Flow[None]:
    """Check that no other program's unfinished job was created before one of the set, for one of its devices.

    It reads the device tasks of every job that the listing shows and that is not accounted for; usually there is none.
    It is repeated by every try until the other job has ended.

    :param jobs: of the set, in the order of their lists.
    :param listing: of the firmware's jobs, later than the last create.
    :param accounted: ids of jobs that are of this set or its release, or existed before the set.
    :raises AlreadyUnderWayError: there is one; the set's later jobs were cancelled, as far as they are the task's own.
    :raises IncompleteListError: a list shows fewer items than its total counts.
    """
    shown = {job.job_id: job for job in listing.items}
    positions = request.positions
    newcomers = [
        job
        for job in listing.items
        if job.type == JobType.UPGRADE_FIRMWARE and not job.status.has_ended and job.job_id not in accounted
    ]
    for other in sorted(newcomers, key=age_of):
        tasks = (yield from list_tasks(settings, other.job_id)).items
        names = {task.device_name for task in tasks if not task.status.has_ended}
        shared = sorted({positions[name] for name in names & positions.keys()})
        later = [
            job
            for job in (jobs[position] for position in shared if position < len(jobs))
            if job.job_id in shown and age_of(other) < age_of(shown[job.job_id])
        ]
        if later:
            yield from _stop_later(settings, request, later, other)
    listing.require_complete()


def _stop_later(settings: Settings, request: JobSetRequest, later: list[TrackedJob], other: Job) -> Flow[NoReturn]:
    own = JobSet.of(*(job.job_id for job in later if job.is_own))
    outcomes = yield from stop_jobs(settings, own)
    # A job that a list showed, and no answer named, may be another program's: this task does not stop it.
    kept = [job.job_id for job in later if not job.is_own]
    said = [
        not_stopped(job_id, outcome) if isinstance(outcome, TuyaOTAError) else f"{outcome.line(job_id)}."
        for job_id, outcome in outcomes.items()
    ]
    said += [f"Job {job_id} was not cancelled, because it may be another program's." for job_id in kept]
    raise AlreadyUnderWayError(
        f"job {other.job_id}, created at {other.utc_create or 'an unknown time'}, upgrades devices of {len(later)} jobs"
        f" of this task to firmware {request.firmware_id} and was created before them. {' '.join(said)} No further job"
        " was created. Wait until that job has ended, and run this task again"
    )
