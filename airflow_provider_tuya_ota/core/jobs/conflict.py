"""Refuse an upgrade whose devices are being upgraded already: a second job would fail on them at once."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, NoReturn

from airflow_provider_tuya_ota.core.actions import ListOTATaskByJob, ListOTAUnfinishedTaskByDevice
from airflow_provider_tuya_ota.core.errors import AlreadyUnderWayError, TuyaOTAError
from airflow_provider_tuya_ota.core.flows.calls import call
from airflow_provider_tuya_ota.core.flows.effects import Flow, OtherIntents, ReadContext, ReadOtherIntents, SaveState
from airflow_provider_tuya_ota.core.flows.lists import list_jobs_again, list_tasks
from airflow_provider_tuya_ota.core.flows.pages import whole_list
from airflow_provider_tuya_ota.core.jobs.events import RivalCheckFailed
from airflow_provider_tuya_ota.core.jobs.intent import (
    CLOCKS_DIFFER,
    OPEN,
    STALE,
    Intent,
    OtherIntent,
    Stage,
    parse_other_intents,
)
from airflow_provider_tuya_ota.core.jobs.job_set import JobSet
from airflow_provider_tuya_ota.core.jobs.search import wait_for_rivals
from airflow_provider_tuya_ota.core.jobs.stop import stop_job
from airflow_provider_tuya_ota.core.jobs.stopped import NotCounted
from airflow_provider_tuya_ota.core.jobs.target import Match, digest_of, match_job

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from airflow_provider_tuya_ota.core.actions import CreateOTAStaticUpgradeJob
    from airflow_provider_tuya_ota.core.flows.pages import Listing
    from airflow_provider_tuya_ota.core.model.entities import DeviceTask, Job
    from airflow_provider_tuya_ota.core.settings import Settings

_NAMES_AT_ONCE = 50
"""Device names that one request may ask a job for."""
_LISTS_LAG = CLOCKS_DIFFER + timedelta(minutes=5)
"""How old the intent of a job may be that no list shows yet: clocks of workers differ, and creates may be throttled."""


def require_no_conflict(
    settings: Settings, action: CreateOTAStaticUpgradeJob, intent: Intent, known: list[Job]
) -> Flow[None]:
    """Check that no other job upgrades the same devices.

    For tasks of this Airflow it reads their stored intents, which costs no request. For all other programs it queries
    the firmware's unfinished jobs. A job whose devices the platform does not show yet blocks no task.

    :param intent: of this task; it is saved already, so that other tasks see it.
    :param known: the firmware's jobs of this type.
    :raises AlreadyUnderWayError: names the job, or the task that is about to create one.
    """
    unfinished = [job for job in known if not job.status.has_ended]
    listed = {job.job_id: job for job in known}
    now: datetime = (yield ReadContext()).now

    def clashes(other: OtherIntent) -> bool:
        theirs = other.intent
        if not theirs.target.is_the_same_as(intent.target):
            return False
        if theirs.stage in OPEN:
            return now - theirs.started_at < STALE
        job = listed.get(theirs.entity_id)
        is_young = now - theirs.started_at < _LISTS_LAG
        return bool(theirs.entity_id) and (is_young if job is None else not job.status.has_ended)

    rival = yield from wait_for_rivals(intent, clashes, intent.target.mask)
    if rival is not None:
        raise AlreadyUnderWayError(_describe_rival(rival, intent))
    # The oldest first: a job that this task has cancelled may still flash devices, and is not the one to name.
    foreign = sorted((yield from _not_elsewhere(intent, unfinished)), key=age_of)
    job = yield from _first_on_the_same_devices(settings, action, intent, foreign)
    if job is not None:
        raise AlreadyUnderWayError(
            f"job {job.job_id}, created at {job.utc_create or 'an unknown time'}, is upgrading the same devices to"
            f" firmware {action.firmware_id}, and this try did not create it. Nothing was created. Wait for that job"
            " with TuyaOTAJobSensor, or cancel it first"
        )


def cancel_if_later(
    settings: Settings, action: CreateOTAStaticUpgradeJob, intent: Intent, before: Listing[Job], job_id: str
) -> Flow[None]:
    """Cancel a new job if another program created the same one at the same time and was first.

    Both programs compare the jobs and come to the same answer. If one does not see the other's job yet, the platform
    fails the devices of the later job at once.

    :param before: jobs that were listed before the request.
    :param job_id: the job that this task has certainly created.
    :raises AlreadyUnderWayError: the other job was first; says whether this task's job was stopped.
    """
    try:
        first = yield from _earlier(settings, action, intent, before, job_id)
    except TuyaOTAError as error:
        yield RivalCheckFailed(job_id, error.sentence)
        return
    if first is None:
        return
    # Saved before the job is stopped, so that no retry resumes it.
    later = replace(intent.at(Stage.CREATED, job_id), earlier_job=first.job_id)
    yield SaveState(later.to_dict())
    yield from stop_later(
        settings, later, earlier=f"job {first.job_id}, created at {first.utc_create or 'an unknown time'},"
    )


def stop_later(settings: Settings, intent: Intent, *, earlier: str) -> Flow[NoReturn]:
    """Stop the job of this task, because another program created the same one first.

    :param intent: with the job to stop. It stays saved while the job may still begin, so that a retry stops it again.
    :param earlier: names the other job, as the subject of a sentence.
    :raises AlreadyUnderWayError: always; says whether this task's job was stopped.
    """
    job_id, firmware = intent.entity_id, f"firmware {intent.target.firmware_id}"
    try:
        stopped = yield from stop_job(settings, job_id)
    except TuyaOTAError as error:
        raise AlreadyUnderWayError(
            f"job {job_id} of this task was not stopped, although {earlier} upgrades the same devices to {firmware} and"
            f" was created at the same time. {error.sentence} A retry stops job {job_id} and creates nothing. Or cancel"
            " its device tasks in the vendor's console, and wait for the first one with TuyaOTAJobSensor"
        ) from error
    if isinstance(stopped, NotCounted) or not stopped.may_begin:
        yield SaveState(intent.put_aside().to_dict())
    raise AlreadyUnderWayError(
        f"{earlier} upgrades the same devices to {firmware} and was created at the same time as job {job_id} of this"
        f" task, which was cancelled for that ({stopped.line(job_id)}). Wait for the first one with TuyaOTAJobSensor"
    )


def _earlier(
    settings: Settings, action: CreateOTAStaticUpgradeJob, intent: Intent, before: Listing[Job], job_id: str
) -> Flow[Job | None]:
    listing = yield from list_jobs_again(settings, action.firmware_id, before)
    jobs = JobSet.listed(before.items).exclude_from(listing.items)
    first: Job | None = None
    if ours := next((job for job in jobs if job.job_id == job_id), None):
        earlier = [job for job in sorted(jobs, key=age_of) if age_of(job) < age_of(ours) and not job.status.has_ended]
        earlier = yield from _not_elsewhere(intent, earlier)
        first = yield from _first_on_the_same_devices(settings, action, intent, earlier)
    if first is None:
        listing.require_complete()
    return first


def age_of(job: Job) -> tuple[str, int, str]:
    """Give what sorts jobs by age, the oldest first."""
    # Ids count up; as texts the longer one is the later one.
    return job.utc_create, len(job.job_id), job.job_id


def _not_elsewhere(intent: Intent, jobs: list[Job]) -> Flow[list[Job]]:
    """Leave out the jobs of other tasks of this Airflow that certainly have other devices.

    It reads all intents, also those whose masks share no device with this one: each saves requests to the platform.
    """
    if not jobs:
        return []
    other_intents: OtherIntents = yield ReadOtherIntents()
    elsewhere = JobSet.of(
        *(
            other.intent.entity_id
            for other in parse_other_intents(other_intents.intents)
            if other.intent.target.selection == intent.target.selection
            and not other.intent.target.overlaps(intent.target)
        )
    )
    return elsewhere.exclude_from(jobs)


def _first_on_the_same_devices(
    settings: Settings, action: CreateOTAStaticUpgradeJob, intent: Intent, jobs: Sequence[Job]
) -> Flow[Job | None]:
    """Query jobs in turn for the first that certainly has an unfinished task of one of the devices."""
    names = action.target_device_name
    fitting = [job for job in jobs if job.type == intent.target.kind and (names or _may_select(job, intent))]
    if not names:
        for job in fitting:
            if (yield from match_job(settings, job, intent.target)) is Match.YES:
                return job
        return None
    if len(names) < len(fitting):
        busy = yield from _busy_by_device(settings, action, names)
        return next((job for job in fitting if job.job_id in busy), None)
    for job in fitting:
        if (yield from _is_on_one_of(settings, job.job_id, names)):
            return job
    return None


def _may_select(job: Job, intent: Intent) -> bool:
    return job.target_selection in {intent.target.selection, ""} and job.product_key in {intent.target.product_key, ""}


def _busy_by_device(settings: Settings, action: CreateOTAStaticUpgradeJob, names: Sequence[str]) -> Flow[set[str]]:
    """Query each device for the jobs of its unfinished tasks: fewer requests than one for each of many jobs."""
    busy = set()
    for name in names:
        tasks = yield from call(
            settings, ListOTAUnfinishedTaskByDevice(product_key=action.product_key, device_name=name)
        )
        busy |= {task.job_id for task in tasks if task.job_id and not task.status.has_ended}
    return busy


def _is_on_one_of(settings: Settings, job_id: str, names: Sequence[str]) -> Flow[bool]:
    requested = {digest_of(name) for name in names}

    def is_busy(tasks: Sequence[DeviceTask]) -> bool:
        return any(digest_of(task.device_name) in requested and not task.status.has_ended for task in tasks)

    size = ListOTATaskByJob.largest_page
    for begin in range(0, len(names), _NAMES_AT_ONCE):
        some = names[begin : begin + _NAMES_AT_ONCE]
        first = ListOTATaskByJob(job_id=job_id, current_page=1, page_size=size, device_names=some)
        page = yield from call(settings, first)
        if is_busy(page.items):
            return True
        if {digest_of(name) for name in some} <= {digest_of(task.device_name) for task in page.items}:
            continue
        listing = yield from whole_list(settings, first, first_page=page)
        if is_busy(listing.items):
            return True
        if listing.missing or any(digest_of(task.device_name) not in requested for task in listing.items):
            # The platform ignores the filter, or its total does: then there is more to read.
            everything = yield from list_tasks(settings, job_id)
            return is_busy(everything.items) or is_busy(everything.require_complete())
    return False


def _describe_rival(rival: OtherIntent, intent: Intent) -> str:
    firmware = f"firmware {intent.target.firmware_id}"
    if rival.intent.entity_id:
        return (
            f"job {rival.intent.entity_id} of {rival.task} is upgrading the same devices to {firmware}. Nothing was"
            " created. Wait for that job with TuyaOTAJobSensor, or cancel it first"
        )
    return (
        f"{rival.task} is creating the same upgrade to {firmware} now, or crashed while it did. Nothing was"
        " created here. Run this task again when that one has ended"
    )
