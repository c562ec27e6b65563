"""Create an ordered set of upgrade jobs as one intent, each job exactly once.

The rules are those of a single job, see :mod:`.create`, :mod:`.recover` and :mod:`.search`: each job of the set has an
intent of its own, and the note around it keeps what concerns the set. What one listing shows serves all of its jobs, so
that each job costs the same number of requests however many exist already.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from airflow_provider_tuya_ota.core.errors import (
    AlreadyUnderWayError,
    Delivery,
    JobSetTooLargeError,
    TransportError,
    TuyaOTAError,
)
from airflow_provider_tuya_ota.core.flows.effects import Flow, ReadContext, SaveState
from airflow_provider_tuya_ota.core.flows.eventually import wait_until_complete
from airflow_provider_tuya_ota.core.flows.lists import list_jobs, list_jobs_again
from airflow_provider_tuya_ota.core.jobs.carried_note import carry
from airflow_provider_tuya_ota.core.jobs.create import request_job
from airflow_provider_tuya_ota.core.jobs.events import RivalCheckFailed, start_event
from airflow_provider_tuya_ota.core.jobs.intent import STALE, Attempt, Intent, Stage, young_ids
from airflow_provider_tuya_ota.core.jobs.job_set_request import place
from airflow_provider_tuya_ota.core.jobs.recover_set import load_set, recover_current, require_shown
from airflow_provider_tuya_ota.core.jobs.set_conflict import require_first
from airflow_provider_tuya_ota.core.jobs.set_events import JobSetInterrupted, JobSetResumed
from airflow_provider_tuya_ota.core.jobs.set_note import ID_DIGEST, LARGEST_NOTE, SetNote
from airflow_provider_tuya_ota.core.jobs.set_rivals import require_only_set
from airflow_provider_tuya_ota.core.jobs.target import digest_of
from airflow_provider_tuya_ota.core.jobs.tracked_job import JobOrigin
from airflow_provider_tuya_ota.core.model.states import JobType

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from airflow_provider_tuya_ota.core.flows.pages import Listing
    from airflow_provider_tuya_ota.core.jobs.job_request import JobRequest
    from airflow_provider_tuya_ota.core.jobs.job_set_request import JobSetRequest
    from airflow_provider_tuya_ota.core.jobs.tracked_job import TrackedJob
    from airflow_provider_tuya_ota.core.model.entities import Job
    from airflow_provider_tuya_ota.core.settings import Settings

_LISTED_FOR: Final = timedelta(minutes=5)
"""How long a listing, and what other tasks have stored, serves before it is read again: creates may be throttled."""
_LONGEST_ID: Final = 300
"""Bytes that one more job id may take in the note."""
_USUAL_ID: Final = 28
"""Bytes that a job id takes in the note; the platform's have 19 digits."""


def create_job_set(
    settings: Settings,
    request: JobSetRequest,
    attempt: Attempt,
    *,
    permit: Callable[[], Flow[None]] | None = None,
) -> Flow[tuple[TrackedJob, ...]]:
    """Create the jobs of a set in order; adopt or find those that an earlier try created.

    A retry and a clear of the task both go on with the jobs that exist. A job costs three requests: the create, a query
    of the job, and a page of its devices. The set costs a listing at its beginning, and one whenever the number of its
    jobs has doubled. Each unfinished job of the firmware that is neither of the set nor an earlier one costs up to four
    requests more for each job, and a lost answer about forty.

    :param permit: runs right before each create, as a check that the release may still start devices. A TuyaOTAError
        that it raises ends the flow before that create; the jobs before it go on, and a later try continues.
    :returns: a job for each list, in their order.
    :raises AlreadyUnderWayError: another task creates a set of the firmware's jobs, or an unfinished job that this task
        did not create upgrades one of the devices.
    :raises AmbiguousOutcomeError: it is not known whether a job exists, or which job is the one.
    :raises IncompleteListError: a list shows fewer items than its total counts.
    :raises JobMissingError: a stored job is not on the platform.
    :raises JobSetChangedError: devices or options are not those that the task began with.
    :raises JobSetTooLargeError: the note would be too large.
    :raises TuyaOTAError: anything else, as :func:`.create_job`. The jobs that exist go on, and a retry continues.
    """
    began_at = (yield ReadContext()).now
    note = SetNote(options=request.options, lists=request.list_digests, began_at=began_at)
    creation = _Creation(settings, request, attempt, note, permit)
    loaded = yield from load_set(settings, request, attempt)
    if loaded is None:
        yield from creation.begin()
    elif not loaded[0].jobs and loaded[1].stage in {Stage.NOTHING, Stage.PREPARING}:
        yield from creation.begin(loaded[0].known)
    else:
        yield from creation.resume(*loaded)
    while creation.position < len(request.device_lists):
        try:
            yield from creation.create_next()
        except TuyaOTAError:
            if creation.position < len(request.device_lists):
                yield JobSetInterrupted(request.firmware_id, creation.position, len(request.device_lists))
            raise
    return tuple(creation.jobs)


@dataclass(slots=True)
class _Creation:
    """How far a try has come.

    :param jobs: that exist, in the order of their lists.
    :param listing: of the firmware's jobs, read last.
    :param listed_at: when that was, by the steady clock.
    :param known: digests of the ids of all jobs that cannot be the next one.
    :param accounted: ids of all jobs that cannot be a rival of this set.
    :param alone_at: when no other task created a set of the firmware's jobs, by the steady clock.
    :param active_at: when the last job was requested, by the wall clock.
    """

    settings: Settings
    request: JobSetRequest
    attempt: Attempt
    note: SetNote
    permit: Callable[[], Flow[None]] | None
    jobs: list[TrackedJob] = field(default_factory=list)
    listing: Listing[Job] = field(init=False)
    listed_at: datetime = field(init=False)
    known: dict[str, None] = field(default_factory=dict)
    accounted: set[str] = field(default_factory=set)
    alone_at: datetime | None = None
    active_at: datetime | None = None

    @property
    def position(self) -> int:
        """Position of the list of the next job, from 0."""
        return len(self.jobs)

    def begin(self, known: tuple[str, ...] = ()) -> Flow[None]:
        """Begin a set of which no job is outstanding.

        :param known: digests of the ids of jobs that an earlier try knew not to be of the set.
        """
        self.note = replace(self.note, known=known)
        intent = yield from self._intent(Stage.NOTHING)
        # A note that is missing later was removed.
        yield SaveState(self.note.stored_with(intent.to_dict()))
        yield from self._list()
        before = self._foreign()
        known = tuple(dict.fromkeys((*known, *young_ids(before, self.note.began_at))))
        self.note = replace(self.note, known=known)
        self.accounted = {*self.request.earlier, *(job.job_id for job in before)}
        self.known = dict.fromkeys((*self.note.known, *map(digest_of, self.request.earlier)))
        self._require_room(intent, len(self.request.device_lists) * _USUAL_ID)

    def resume(self, note: SetNote, intent: Intent) -> Flow[None]:
        """Go on with a set of which something was requested.

        :param note: as it is stored.
        :param intent: of the job that was requested last.
        """
        self.note = note
        self.active_at = intent.started_at
        yield from self._list()
        shown = {job.job_id: job for job in self.listing.items}
        for position, job_id in enumerate(note.jobs):
            created_at = yield from require_shown(self.settings, self.request, position, job_id, shown)
            origin = JobOrigin.FOUND if position in note.found else JobOrigin.RESUMED
            self._add(self._request().tracked(job_id, origin, utc_create=created_at))
        before = [job.job_id for job in self._foreign() if self._was_before(job)]
        self.accounted |= {*self.request.earlier, *before}
        self.known |= dict.fromkeys((*note.known, *map(digest_of, self.request.earlier)))
        yield JobSetResumed(self.request.firmware_id, len(note.jobs), len(note.lists))
        intent = replace(intent, known=tuple(self.known))
        current = yield from carry(recover_current(self._request(), self.attempt, intent), note, intent.known)
        if current is not None:
            self._add(current)
            yield start_event(current)
        elif intent.entity_id:
            # A job that is missing may appear again, and is not the next one.
            self.note = replace(note, known=(*note.known, digest_of(intent.entity_id)))
            self.known[digest_of(intent.entity_id)] = None
        if self.jobs:
            yield from self._check_rivals(self.listing)

    def create_next(self) -> Flow[None]:
        """Create the job of the next list."""
        if (yield ReadContext()).steady - self.listed_at >= _LISTED_FOR:
            yield from self._list()
        found = tuple(position for position, job in enumerate(self.jobs) if not job.is_own)
        self.note = replace(self.note, jobs=tuple(job.job_id for job in self.jobs), found=found)
        intent = yield from self._intent(Stage.PREPARING)
        self._require_room(intent, _LONGEST_ID)
        yield SaveState(self.note.stored_with(intent.to_dict()))
        yield from self._require_only_set(intent)
        existing = self.accounted | {job.job_id for job in self.listing.items}
        flow = request_job(self._request(), intent, self._foreign(), existing, lambda: self._may_send(intent))
        job = yield from carry(flow, self.note, intent.known)
        self._add(job)
        self.active_at = intent.started_at
        yield start_event(job)
        # Whenever the number of jobs has doubled: together that is less than one listing for each job.
        if self.position == len(self.request.device_lists) or not self.position & (self.position - 1):
            yield from self._check_rivals()

    def _request(self) -> JobRequest:
        return self.request.job(self.settings, self.position)

    def _intent(self, stage: Stage) -> Flow[Intent]:
        intent = yield from self._request().new_intent(self.attempt, stage)
        return replace(intent, known=tuple(self.known))

    def _add(self, job: TrackedJob) -> None:
        self.jobs.append(job)
        self.accounted.add(job.job_id)
        self.known[digest_of(job.job_id)] = None

    def _list(self) -> Flow[None]:
        self.listing = yield from wait_until_complete(lambda: list_jobs(self.settings, self.request.firmware_id))
        self.listed_at = (yield ReadContext()).steady

    def _foreign(self) -> list[Job]:
        """Give the upgrade jobs of the listing that are neither of the set nor of its release."""
        ours = {*self.request.earlier, *(job.job_id for job in self.jobs)}
        jobs = self.listing.items
        return [job for job in jobs if job.type == JobType.UPGRADE_FIRMWARE and job.job_id not in ours]

    def _was_before(self, job: Job) -> bool:
        """Whether a job was listed before the set began, or is older than what could be confused with it."""
        return digest_of(job.job_id) in self.note.known or not young_ids([job], self.note.began_at)

    def _require_only_set(self, intent: Intent) -> Flow[None]:
        now = (yield ReadContext()).steady
        if self.alone_at is not None and now - self.alone_at < _LISTED_FOR:
            return
        try:
            yield from require_only_set(self.request.firmware_id, self.note, self.request.earlier)
        except AlreadyUnderWayError:
            # As old as before, so that two tasks that give up do not block each other for ever.
            given_up = replace(intent.at(Stage.NOTHING), started_at=self.active_at or intent.started_at)
            yield SaveState(self.note.stored_with(given_up.to_dict()))
            raise
        self.alone_at = now

    def _may_send(self, intent: Intent) -> Flow[None]:
        """Check right before a request that no other set may have begun since this task compared itself with others.

        :raises TransportError: this process stood still; nothing was sent.
        """
        if (yield ReadContext()).now - intent.started_at >= STALE / 2:
            raise TransportError(
                "this process stood still for minutes before it",
                endpoint=urlsplit(self.settings.base_url).netloc,
                delivery=Delivery.NEVER_SENT,
            )
        if self.permit is not None:
            yield from self.permit()

    def _check_rivals(self, listing: Listing[Job] | None = None) -> Flow[None]:
        """Check whether another program has created jobs for the same devices meanwhile.

        :param listing: of the firmware's jobs, where they were just listed.
        """
        request = self.request
        try:
            if listing is None:
                listing = yield from list_jobs_again(self.settings, request.firmware_id, self.listing)
            yield from require_first(self.settings, request, self.jobs, listing, self.accounted)
        except AlreadyUnderWayError:
            raise
        except TuyaOTAError as error:
            yield RivalCheckFailed(self.jobs[-1].job_id, error.sentence)
            return
        self.listing = listing
        self.listed_at = (yield ReadContext()).steady

    def _require_room(self, intent: Intent, more: int) -> None:
        """Check that the note can take more bytes.

        :raises JobSetTooLargeError: it cannot.
        """
        size = self.note.size(intent.to_dict())
        if size + more > LARGEST_NOTE:
            raise JobSetTooLargeError(
                f"the note of {place(self.position, self.request)} would have more than {LARGEST_NOTE:,} bytes"
                f" ({size:,} now, of which {len(self.note.known)} young jobs of other programs take"
                f" {ID_DIGEST * len(self.note.known):,}). No further job was created. Create fewer jobs in one set, or"
                " give the jobs of the same release as earlier ones"
            )
