"""Fetch the state of one job with its device tasks, or of many jobs of a firmware without them.

Source of the states: https://developer.tuya.com/en/docs/tuya-iot/ListOTATaskByJob?id=Kf0lr3sl2jzfs and
QueryOTAFirmware.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from airflow_provider_tuya_ota.core.actions import ListOTAJobByFirmware, QueryOTAFirmware, QueryOTAJob
from airflow_provider_tuya_ota.core.errors import (
    AuthenticationError,
    ProtocolError,
    ThrottledError,
    TransportError,
    TuyaOTAError,
    UnavailableError,
)
from airflow_provider_tuya_ota.core.flows.bounded_poll import run_poll
from airflow_provider_tuya_ota.core.flows.calls import call
from airflow_provider_tuya_ota.core.flows.effects import ReadContext
from airflow_provider_tuya_ota.core.flows.lists import list_jobs_to_poll, list_tasks
from airflow_provider_tuya_ota.core.model.states import JobStatus, JobType
from airflow_provider_tuya_ota.core.model.verdict import Outcome, Verdict, assess_job
from airflow_provider_tuya_ota.core.status.task_snapshot import fetch_tasks

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from airflow_provider_tuya_ota.core.flows.effects import Flow
    from airflow_provider_tuya_ota.core.model.entities import Firmware, Job
    from airflow_provider_tuya_ota.core.settings import Settings
    from airflow_provider_tuya_ota.core.status.task_snapshot import TaskSnapshot

COMMON_ERRORS: Final = (TransportError, UnavailableError, ThrottledError, AuthenticationError)
"""Errors that keep every job of the connection from being polled. Any other error concerns one job or one list."""


FRESH: Final = timedelta(seconds=60)
"""How long polls take job and firmware from an earlier poll. A job that ends shows it in its device tasks; only a job
that contradicts them is noticed so much later."""


@dataclass(frozen=True, slots=True)
class EarlierPoll:
    """What the next poll of a job may take from the one before; it saves requests.

    :param job: as QueryOTAJob gave it.
    :param firmware: as QueryOTAFirmware gave it; None for an upgrade, and before the first poll.
    :param is_large: whether the device tasks do not fit on a page.
    :param read_at: steady time at which job and firmware were requested.
    """

    job: Job
    firmware: Firmware | None
    is_large: bool
    read_at: datetime

    def is_reusable(self, now: datetime) -> bool:
        """Whether a poll that begins now may take job and firmware from here, as long as a device task goes on."""
        # Clocks of two processes may differ: where this was read after now, its age is not known.
        return self.job.status == JobStatus.IN_PROGRESS and timedelta(0) <= now - self.read_at < FRESH


@dataclass(frozen=True, slots=True)
class JobSnapshot:
    """The state of one job at one poll.

    :param verdict: where the job stands.
    :param poll: what the next poll may take from this one.
    :param names: devices of all its tasks; None where only some tasks were read one by one.
    :param is_complete: False where the platform counts more device tasks than it lists.
    :param is_whole: False if no page behind the device tasks that were read was requested.
    :param listed: number of device tasks, where each was read one by one; 0 where they were counted.
    """

    verdict: Verdict
    poll: EarlierPoll
    names: frozenset[str] | None = None
    is_complete: bool = True
    is_whole: bool = True
    listed: int = 0

    @property
    def job(self) -> Job:
        """The job as QueryOTAJob gave it, in this poll or up to a minute before."""
        return self.poll.job


def fetch_verdict(settings: Settings, job_id: str) -> Flow[Verdict]:
    """Fetch firmware, job and device tasks once, and decide where the job stands."""
    return (yield from fetch_job_snapshot(settings, job_id)).verdict


def fetch_job_snapshot(
    settings: Settings,
    job_id: str,
    *,
    earlier: EarlierPoll | None = None,
    expected: int = 0,
    holds_success: bool = False,
    longest: float | None = None,
) -> Flow[JobSnapshot]:
    """Poll once: the device tasks, and the job, and the firmware of a verification.

    A small job costs two requests for an upgrade and three for a verification; up to a hundred device tasks fit on a
    page, more cost eight requests. While device tasks go on, job and firmware are requested once a minute. One more
    request is sent where every device task has ended: only an empty page shows that there are no others.

    :param earlier: the poll before this one; None for the first.
    :param expected: number of devices that were asked for by name. A job of at most so many device tasks succeeds only
        after all of them were read one by one.
    :param holds_success: True if the caller does not conclude from this poll that an upgrade succeeded. Then the one
        more request is left out if every device task has succeeded.
    :param longest: seconds that the poll may take, if that is less than its default bound.
    """
    flow = _fetch_job_snapshot(settings, job_id, earlier, expected=expected, holds_success=holds_success)
    return (yield from run_poll(settings, flow, f"job {job_id}", longest=longest))


def _fetch_job_snapshot(
    settings: Settings, job_id: str, earlier: EarlierPoll | None, *, expected: int, holds_success: bool
) -> Flow[JobSnapshot]:
    now = (yield ReadContext()).steady
    is_large = earlier is not None and earlier.is_large
    if earlier is not None and earlier.is_reusable(now):
        tasks = yield from fetch_tasks(settings, job_id, is_large=is_large, expected=expected, holds_success=True)
        if tasks.goes_on:
            return (yield from _of_running(settings, earlier, tasks))
        is_large = tasks.is_large
    # The job first: only then its end shows that the device tasks, which are read after it, do not change any more.
    job = yield from call(settings, QueryOTAJob(job_id=job_id))
    holds_success = holds_success and job.type == JobType.UPGRADE_FIRMWARE
    tasks = yield from fetch_tasks(settings, job_id, is_large=is_large, expected=expected, holds_success=holds_success)
    firmware: Firmware | None = None
    if job.type != JobType.UPGRADE_FIRMWARE:
        if not job.firmware_id:
            raise ProtocolError(f"QueryOTAJob: the answer for job {job_id} has no FirmwareId")
        # Read last, so that the firmware is never older than the device tasks.
        firmware = yield from _query_firmware(settings, job)
    missing = tasks.missing
    verdict = assess_job(job, tasks.read, firmware, tasks.counts, missing=missing)
    poll = EarlierPoll(job, firmware, tasks.is_large, now)
    total = sum(tasks.counts.values())
    if len(tasks.read) < total:
        if verdict.outcome is not Outcome.SUCCEEDED or total > expected:
            return JobSnapshot(verdict, poll)
        listing = yield from list_tasks(settings, job_id)
        every_task, missing = listing.items, listing.missing
        verdict = assess_job(job, every_task, firmware, missing=missing)
    else:
        every_task = tasks.read
    names = frozenset(task.device_name for task in every_task)
    listed = len(every_task)
    return JobSnapshot(verdict, poll, names, is_complete=not missing, is_whole=tasks.is_whole, listed=listed)


def _of_running(settings: Settings, earlier: EarlierPoll, tasks: TaskSnapshot) -> Flow[JobSnapshot]:
    firmware = earlier.firmware
    if firmware is None and earlier.job.type != JobType.UPGRADE_FIRMWARE:
        firmware = yield from _query_firmware(settings, earlier.job)
    verdict = assess_job(earlier.job, tasks.read, firmware, tasks.counts, missing=tasks.missing)
    poll = replace(earlier, firmware=firmware, is_large=tasks.is_large)
    listed = len(tasks.read) if len(tasks.read) == sum(tasks.counts.values()) else 0
    return JobSnapshot(verdict, poll, is_complete=not tasks.missing, listed=listed)


def _query_firmware(settings: Settings, job: Job) -> Flow[Firmware]:
    return call(settings, QueryOTAFirmware(firmware_id=job.firmware_id))


@dataclass(frozen=True, slots=True)
class JobListing:
    """The states of many jobs, without their device tasks.

    :param jobs: by id, those of the wanted jobs that the platform gave.
    :param pages: number of pages of the firmware's list, as the last read of it found; None where that read failed.
    :param failed: by id, why a job that was queried by itself could not be read.
    """

    jobs: dict[str, Job]
    pages: int | None
    failed: dict[str, TuyaOTAError] = field(default_factory=dict)


def fetch_job_listing(
    settings: Settings, firmware_id: str | None, job_ids: Collection[str], *, pages: int | None = 1
) -> Flow[JobListing]:
    """Fetch the states of jobs of one firmware, without their device tasks.

    One request lists up to 200 jobs of a firmware. Each job is queried by itself where the list has more pages than
    there are jobs to poll, the last read of the list failed, or the firmware is not known.

    :param firmware_id: the firmware; None where it is not known.
    :param job_ids: the jobs to poll.
    :param pages: number of pages of the firmware's list, as the last read of it found; None where that read failed.
    """
    subject = f"the jobs of firmware {firmware_id}" if firmware_id is not None else f"job {next(iter(job_ids))}"
    return (yield from run_poll(settings, _fetch_job_listing(settings, firmware_id, job_ids, pages), subject))


def _fetch_job_listing(
    settings: Settings, firmware_id: str | None, job_ids: Collection[str], pages: int | None
) -> Flow[JobListing]:
    if firmware_id is not None and pages is not None and len(job_ids) >= pages:
        listed = yield from list_jobs_to_poll(settings, firmware_id)
        wanted = set(job_ids)
        found = {job.job_id: job for job in listed if job.job_id in wanted}
        return JobListing(found, 1 + len(listed) // ListOTAJobByFirmware.largest_page)
    jobs: dict[str, Job] = {}
    failed: dict[str, TuyaOTAError] = {}
    for job_id in job_ids:
        try:
            jobs[job_id] = yield from run_poll(settings, call(settings, QueryOTAJob(job_id=job_id)), f"job {job_id}")
        except COMMON_ERRORS:
            raise
        except TuyaOTAError as error:
            failed[job_id] = error
    return JobListing(jobs, pages, failed)
