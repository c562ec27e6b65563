"""Looks at jobs: at one as a whole, and at many of a firmware at once.

Source of the states: https://developer.tuya.com/en/docs/tuya-iot/ListOTATaskByJob?id=Kf0lr3sl2jzfs and
QueryOTAFirmware.
"""

from __future__ import annotations

from dataclasses import dataclass, field
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
from airflow_provider_tuya_ota.core.flows.bounded_poll import one_poll
from airflow_provider_tuya_ota.core.flows.calls import call
from airflow_provider_tuya_ota.core.flows.lists import list_jobs, list_tasks
from airflow_provider_tuya_ota.core.model.states import JobType
from airflow_provider_tuya_ota.core.model.verdict import Outcome, Verdict, assess_job
from airflow_provider_tuya_ota.core.status.task_snapshot import fetch_tasks

if TYPE_CHECKING:
    from collections.abc import Collection

    from airflow_provider_tuya_ota.core.flows.effects import Flow
    from airflow_provider_tuya_ota.core.model.entities import Firmware, Job
    from airflow_provider_tuya_ota.core.settings import Settings

COMMON_ERRORS: Final = (TransportError, UnavailableError, ThrottledError, AuthenticationError)
"""What keeps one job from being polled, and all others too; any other error is of the one job or list."""


@dataclass(frozen=True, slots=True)
class JobSnapshot:
    """What a look at one job came to.

    :param is_large: whether its tasks do not fit on a page; the next look need not find that out again.
    :param names: devices of all its tasks; None where only some were read.
    """

    job: Job
    verdict: Verdict
    is_large: bool
    names: frozenset[str] | None = None


def fetch_verdict(settings: Settings, job_id: str) -> Flow[Verdict]:
    """Read firmware, job and device tasks once, and decide."""
    return (yield from fetch_job_snapshot(settings, job_id)).verdict


def fetch_job_snapshot(
    settings: Settings,
    job_id: str,
    *,
    is_large: bool = False,
    expected: int = 0,
    longest: float | None = None,
) -> Flow[JobSnapshot]:
    """Look once: two requests for a small upgrade, three for a small verification, up to ten for a large job.

    :param expected: how many devices were asked for by name. A job of so many, or fewer, is said to have succeeded
        only after all its device tasks were read by name.
    :param longest: seconds that the look may take, where that is less than a poll's own bound.
    """
    flow = _fetch_job_snapshot(settings, job_id, is_large=is_large, expected=expected)
    return (yield from one_poll(settings, flow, f"job {job_id}", longest=longest))


def _fetch_job_snapshot(settings: Settings, job_id: str, *, is_large: bool, expected: int) -> Flow[JobSnapshot]:
    job = yield from call(settings, QueryOTAJob(job_id=job_id))
    tasks = yield from fetch_tasks(settings, job_id, is_large=is_large)
    firmware: Firmware | None = None
    if job.type != JobType.UPGRADE_FIRMWARE:
        if not job.firmware_id:
            raise ProtocolError(f"QueryOTAJob: the answer for job {job_id} has no FirmwareId")
        # Read last: the firmware can only be ahead of the tasks, never behind what they already showed.
        firmware = yield from call(settings, QueryOTAFirmware(firmware_id=job.firmware_id))
    verdict = assess_job(job, tasks.read, firmware, tasks.counts)
    total = sum(tasks.counts.values())
    if len(tasks.read) < total:
        if verdict.outcome is not Outcome.SUCCEEDED or total > expected:
            return JobSnapshot(job, verdict, tasks.is_large)
        shown = yield from list_tasks(settings, job_id)
        verdict = assess_job(job, shown, firmware)
    else:
        shown = tasks.read
    return JobSnapshot(job, verdict, tasks.is_large, frozenset(task.device_name for task in shown))


@dataclass(frozen=True, slots=True)
class JobListing:
    """What a glance showed.

    :param jobs: by id, those that were asked for and that the platform showed.
    :param pages: of the firmware's list; 0 where it was not read.
    :param failed: by id, why a job that was asked for by itself could not be read.
    """

    jobs: dict[str, Job]
    pages: int
    failed: dict[str, TuyaOTAError] = field(default_factory=dict)


def fetch_job_listing(
    settings: Settings, firmware_id: str, job_ids: Collection[str], *, pages: int = 1
) -> Flow[JobListing]:
    """Read how many jobs of one firmware stand, without their device tasks.

    The firmware's list tells it of up to 200 jobs with a request; where the list is longer than there are jobs to ask
    for, or the firmware is not known, each job is asked for by itself.

    :param firmware_id: empty where it is not known.
    :param pages: of the list, as the last glance found.
    """
    subject = f"the jobs of firmware {firmware_id}" if firmware_id else f"job {next(iter(job_ids))}"
    return (yield from one_poll(settings, _fetch_job_listing(settings, firmware_id, job_ids, pages), subject))


def _fetch_job_listing(settings: Settings, firmware_id: str, job_ids: Collection[str], pages: int) -> Flow[JobListing]:
    if firmware_id and len(job_ids) >= pages:
        listed = yield from list_jobs(settings, firmware_id)
        wanted = set(job_ids)
        found = {job.job_id: job for job in listed if job.job_id in wanted}
        return JobListing(found, 1 + len(listed) // ListOTAJobByFirmware.largest_page)
    jobs: dict[str, Job] = {}
    failed: dict[str, TuyaOTAError] = {}
    for job_id in job_ids:
        try:
            jobs[job_id] = yield from one_poll(settings, call(settings, QueryOTAJob(job_id=job_id)), f"job {job_id}")
        except COMMON_ERRORS:
            raise
        except TuyaOTAError as error:
            failed[job_id] = error
    return JobListing(jobs, pages, failed)
