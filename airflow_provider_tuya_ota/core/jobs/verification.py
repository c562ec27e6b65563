"""Start a verification once: follow one that runs, and repeat none that has succeeded."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from airflow_provider_tuya_ota.core.actions import QueryOTAFirmware
from airflow_provider_tuya_ota.core.errors import (
    AlreadyUnderWayError,
    AmbiguousOutcomeError,
    ConflictError,
    OutcomeError,
)
from airflow_provider_tuya_ota.core.flows.calls import call
from airflow_provider_tuya_ota.core.flows.effects import Flow, ReadContext
from airflow_provider_tuya_ota.core.flows.eventually import wait_to_appear
from airflow_provider_tuya_ota.core.jobs import search as job_search
from airflow_provider_tuya_ota.core.jobs.create import create_job
from airflow_provider_tuya_ota.core.jobs.events import start_event
from airflow_provider_tuya_ota.core.jobs.intent import Attempt
from airflow_provider_tuya_ota.core.jobs.job_request import JobRequest
from airflow_provider_tuya_ota.core.jobs.recover import recover_job
from airflow_provider_tuya_ota.core.jobs.target import Match, Target, match_job
from airflow_provider_tuya_ota.core.jobs.tracked_job import JobOrigin
from airflow_provider_tuya_ota.core.model.states import FirmwareStatus, JobType

if TYPE_CHECKING:
    from datetime import datetime

    from airflow_provider_tuya_ota.core.actions import CreateOTAVerifyJob
    from airflow_provider_tuya_ota.core.jobs.tracked_job import TrackedJob
    from airflow_provider_tuya_ota.core.model.entities import Firmware, Job
    from airflow_provider_tuya_ota.core.settings import Settings


class IfVerified(StrEnum):
    """What to do if the firmware is verified already."""

    SUCCEED = "succeed"
    FAIL = "fail"


def start_verification(
    settings: Settings, action: CreateOTAVerifyJob, *, if_verified: IfVerified, attempt: Attempt | None = None
) -> Flow[TrackedJob]:
    """Resume the verification that an earlier try created, follow one that runs, or create one.

    :param if_verified: whether a firmware that is verified, or needs no verification, counts as an error.
    :param attempt: what Airflow knows about this try; the first one by default.
    :raises OutcomeError: the firmware is verified or needs no verification, and ``if_verified`` is ``fail``; or several
        jobs may be the created one.
    :raises AlreadyUnderWayError: a verification of other devices is running.
    :raises TuyaOTAError: anything else. If ``in_doubt`` is set, the jobs were searched and none was found.
    """
    job = yield from _start(JobRequest(settings, action, JobType.VERIFY_FIRMWARE), attempt or Attempt(), if_verified)
    yield start_event(job)
    return job


def _start(request: JobRequest, attempt: Attempt, if_verified: IfVerified) -> Flow[TrackedJob]:
    settings, action = request.settings, request.action
    own = yield from recover_job(request, attempt)
    if own is not None:
        return own
    firmware: Firmware = yield from call(settings, QueryOTAFirmware(firmware_id=action.firmware_id))
    if firmware.status == FirmwareStatus.VERIFIED:
        return (yield from _already_verified(request, firmware, if_verified))
    if firmware.status == FirmwareStatus.VERIFYING:
        return (yield from _follow_running(request))
    try:
        return (yield from create_job(request, attempt))
    except ConflictError as error:
        if "InProgressVerifyJobExisted" in error.code:
            return (yield from _follow_running(request))
        # Undocumented: the platform may refuse to verify a firmware that needs no verification. That is no error.
        if firmware.status != FirmwareStatus.NOT_NEEDED or "VerifyFirmwareFailed" not in error.code:
            raise
        return (yield from _already_verified(request, firmware, if_verified))


def _already_verified(request: JobRequest, firmware: Firmware, if_verified: IfVerified) -> Flow[TrackedJob]:
    known = yield from request.list_jobs()
    is_needed = firmware.status != FirmwareStatus.NOT_NEEDED
    if if_verified is IfVerified.FAIL:
        state = "is verified already" if is_needed else "was created as one that needs no verification"
        raise OutcomeError(
            f"firmware {firmware.firmware_id} ({firmware.version}) {state}, and if_verified is 'fail'."
            " Leave this task out, or set if_verified='succeed'"
        )
    origin = JobOrigin.VERIFIED_BEFORE if is_needed else JobOrigin.NOT_NEEDED
    if not known.items or known.missing:
        # The first job of an incomplete list may be an older one.
        return request.tracked("", origin)
    return request.tracked(known.items[0].job_id, origin, utc_create=known.items[0].utc_create)


def _follow_running(request: JobRequest) -> Flow[TrackedJob]:
    settings, action = request.settings, request.action
    firmware_id = action.firmware_id
    job = yield from wait_to_appear(lambda: _find_running(request))
    if job is None:
        raise AmbiguousOutcomeError(
            f"firmware {firmware_id} is being verified, but none of its verification jobs is running."
            " Look at the firmware in the vendor's console"
        )
    if (yield from _match_when_listed(settings, job, Target.of(action))) is Match.NO:
        raise AlreadyUnderWayError(
            f"job {job.job_id} is verifying firmware {firmware_id} on other devices than were requested, and the"
            " platform permits one verification at a time. Nothing was created. Run this task again when that job has"
            " ended"
        )
    return request.tracked(job.job_id, JobOrigin.FOLLOWED, utc_create=job.utc_create)


def _match_when_listed(settings: Settings, job: Job, target: Target) -> Flow[Match]:
    """Compare a job with a target, and give the platform time to list the job's devices.

    If it lists none, the job is followed anyway: its verdict names the devices that it missed.
    """
    first_seen: list[datetime] = []

    def known() -> Flow[Match | None]:
        match_ = yield from match_job(settings, job, target)
        if match_ is Match.SOME:
            now: datetime = (yield ReadContext()).steady
            first_seen.append(now)
            return Match.NO if now - first_seen[0] >= job_search.LISTED_WITHIN else None
        return None if match_ is Match.UNKNOWN else match_

    return (yield from wait_to_appear(known)) or Match.UNKNOWN


def _find_running(request: JobRequest) -> Flow[Job | None]:
    jobs = (yield from request.list_jobs()).items
    firmware_id = request.action.firmware_id
    running = [job for job in jobs if not job.status.has_ended]
    if len(running) > 1:
        raise AmbiguousOutcomeError(
            f"firmware {firmware_id} has {len(running)} running verification jobs"
            f" ({', '.join(job.job_id for job in running)}); which one to follow is not known."
            " Look at them in the vendor's console"
        )
    return running[0] if running else None
