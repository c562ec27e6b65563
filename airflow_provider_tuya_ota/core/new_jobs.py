"""Telling a job that was just created from those that were there before.

The platform has no client token: what exists is listed before and, when in doubt, after. One new job is the one, none
is an error that may be retried, several stop for a person.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from airflow_provider_tuya_ota.core.appearing import wait_to_appear
from airflow_provider_tuya_ota.core.calls import call
from airflow_provider_tuya_ota.core.errors import AmbiguousOutcomeError, ProtocolError, TuyaOTAError
from airflow_provider_tuya_ota.core.flow import Flow, Note
from airflow_provider_tuya_ota.core.lists import list_jobs
from airflow_provider_tuya_ota.core.states import JobType

if TYPE_CHECKING:
    from airflow_provider_tuya_ota.core.actions import CreateOTAStaticUpgradeJob, CreateOTAVerifyJob
    from airflow_provider_tuya_ota.core.models import Created, Job
    from airflow_provider_tuya_ota.core.settings import Settings

_WORDS = {JobType.VERIFY_FIRMWARE: "verification", JobType.UPGRADE_FIRMWARE: "upgrade"}


@dataclass(frozen=True, slots=True, kw_only=True)
class NewJob:
    """A job that was created.

    :param request_id: empty where the answer was lost and the job was found in a list.
    """

    job_id: str
    utc_create: str = ""
    request_id: str = ""


def list_jobs_of_type(settings: Settings, firmware_id: str, kind: JobType) -> Flow[list[Job]]:
    """List a package's jobs of one type, the newest first."""
    jobs = yield from list_jobs(settings, firmware_id)
    return sorted((job for job in jobs if job.type == kind), key=lambda job: job.utc_create, reverse=True)


def create_job(
    settings: Settings, action: CreateOTAVerifyJob | CreateOTAStaticUpgradeJob, kind: JobType, known: list[Job]
) -> Flow[NewJob]:
    """Create a job, and find it where the answer was lost or does not name it.

    :param known: jobs of this type that were there before.
    :raises AmbiguousOutcomeError: several jobs could be the created one.
    :raises ProtocolError: the platform said yes, but no list shows the job.
    :raises TuyaOTAError: anything else; after an error in doubt no new job was found.
    """
    try:
        created = yield from call(settings, action)
    except TuyaOTAError as error:
        if not error.in_doubt:
            raise
        yield Note(f"{error.sentence} Looking whether the {_WORDS[kind]} job exists.", warning=True)
        found = yield from _find_new(settings, action.firmware_id, kind, known)
        if found is None:
            raise
        return NewJob(job_id=found.job_id, utc_create=found.utc_create)
    return (yield from _identify(settings, action, kind, created, known))


def _identify(
    settings: Settings,
    action: CreateOTAVerifyJob | CreateOTAStaticUpgradeJob,
    kind: JobType,
    created: Created,
    known: list[Job],
) -> Flow[NewJob]:
    if created.entity_id is not None:
        return NewJob(job_id=created.entity_id, utc_create=created.utc_create, request_id=created.request_id)
    yield Note(f"the answer to {action.name} has no job id; looking for the job", warning=True)
    found = yield from _find_new(settings, action.firmware_id, kind, known)
    if found is None:
        raise ProtocolError(
            f"{action.name} succeeded (request id {created.request_id}) but its job is in no list."
            f" Look at package {action.firmware_id} in the vendor's console before running this again"
        )
    return NewJob(job_id=found.job_id, utc_create=created.utc_create or found.utc_create, request_id=created.request_id)


def _find_new(settings: Settings, firmware_id: str, kind: JobType, known: list[Job]) -> Flow[Job | None]:
    known_ids = {job.job_id for job in known}

    def look() -> Flow[Job | None]:
        jobs = yield from list_jobs_of_type(settings, firmware_id, kind)
        new = [job for job in jobs if job.job_id not in known_ids]
        if len(new) > 1:
            raise AmbiguousOutcomeError(
                f"package {firmware_id} has {len(new)} {_WORDS[kind]} jobs that were not there before"
                f" ({', '.join(job.job_id for job in new)}); which one belongs to this task cannot be told."
                " Look at them in the vendor's console"
            )
        return new[0] if new else None

    return wait_to_appear(look)
