"""Wait for a set of jobs with one deadline; one job is a set of one."""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from airflow_provider_tuya_ota.core.errors import AuthenticationError, InvalidParameterError, TuyaOTAError
from airflow_provider_tuya_ota.core.flows.effects import Flow, ReadContext, Sleep
from airflow_provider_tuya_ota.core.model.job_results import JobResult, assess_jobs, devices_for_each, limit_devices
from airflow_provider_tuya_ota.core.model.outcome_errors import WaitEndedError
from airflow_provider_tuya_ota.core.model.verdict import Verdict
from airflow_provider_tuya_ota.core.status.end_rule import every_end
from airflow_provider_tuya_ota.core.status.poll_events import JobSetEnded, JobWaitEnded, PollFailed
from airflow_provider_tuya_ota.core.status.queried_job import QueriedJob
from airflow_provider_tuya_ota.core.status.wait import LAST_POLL, JobWait, poll_once, require_success
from airflow_provider_tuya_ota.core.status.wait_state import WaitState

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from airflow_provider_tuya_ota.core.flows.effects import FlowContext
    from airflow_provider_tuya_ota.core.flows.events import FlowEvent
    from airflow_provider_tuya_ota.core.settings import Settings
    from airflow_provider_tuya_ota.core.status.end_rule import EndRule
    from airflow_provider_tuya_ota.core.status.job_snapshot import EarlierPoll
    from airflow_provider_tuya_ota.core.status.wait import WaitOptions


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitedJob:
    """A job that a task waits for.

    :param job_id: never empty.
    :param firmware_id: firmware of the job, for which one request lists many jobs; where it is empty, the first poll
        finds it out.
    :param expected: devices that were asked for by name, up to 200: the job succeeds only with exactly these. Empty
        where the platform chose the devices.
    :param on_cancel: ``stop`` or ``keep``: what a kill of the task, or the end of its time, does to the job. ``keep``
        by default, because only a job that certainly is the task's own may be stopped.
    :param is_known: whether another request for the job has succeeded over the same connection. Then a new wait
        tolerates a refusal of its first poll for as long as one of a later poll.
    :param queried: the job as it was queried shortly before the wait; None where the first poll queries it.
    """

    job_id: str
    firmware_id: str = ""
    expected: tuple[str, ...] = ()
    on_cancel: str = "keep"
    is_known: bool = False
    queried: QueriedJob | None = None

    def to_dict(self) -> dict[str, Any]:
        """Give plain JSON values."""
        return {
            "job_id": self.job_id,
            "firmware_id": self.firmware_id,
            "expected": list(self.expected),
            "on_cancel": self.on_cancel,
            "is_known": self.is_known,
            "queried": None if self.queried is None else self.queried.to_dict(),
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> WaitedJob:
        """Rebuild what :meth:`to_dict` gave; names that a newer version added are ignored."""
        known = {name: values[name] for name in cls.__slots__ if name in values}
        queried = QueriedJob.from_dict(known.get("queried"))
        return cls(**known | {"expected": tuple(known.get("expected", ())), "queried": queried})


class JobSetWait:
    """The decisions of one wait for a set of jobs; the caller polls.

    A job whose wait has ended has a result and is polled no more; the wait for it is never begun again. A wait stops
    nothing at the platform.

    :param jobs: at least one, none twice.
    :param options: how to wait; ``expected`` comes from each job.
    :param ends: when the wait ends before every job has ended; never by default.
    :param states: what earlier polls of this wait have shown, by job id; they are updated. A new wait by default.
    :raises InvalidParameterError: there is no job, or one has no id or is given twice.
    """

    def __init__(
        self,
        jobs: Iterable[WaitedJob],
        options: WaitOptions,
        *,
        ends: EndRule = every_end,
        states: Mapping[str, WaitState] | None = None,
    ) -> None:
        self.jobs = tuple(jobs)
        self._ends = ends
        self._results: dict[str, JobResult] = {}
        self._waits: dict[str, JobWait] = {}
        self._queried = {job.job_id: job for job in self.jobs if job.queried is not None}
        for job in self.jobs:
            state = (states or {}).get(job.job_id) or WaitState(has_polled=job.is_known)
            self._waits[job.job_id] = JobWait(job.job_id, replace(options, expected=job.expected), state)
        if not self.jobs or not all(self._waits) or len(self._waits) < len(self.jobs):
            raise InvalidParameterError(
                field="jobs",
                problem="a wait needs at least one job, each with an id, and none twice",
                allowed="the ids of one or more jobs",
            )

    @property
    def results(self) -> dict[str, JobResult]:
        """The results so far, by job id, in the order of the set.

        Several jobs name at most fifty devices together, or one each.
        """
        return {job_id: self._results[job_id] for job_id in self._waits if job_id in self._results}

    @property
    def unfinished(self) -> list[JobWait]:
        """The waits that have no result yet."""
        return [wait for job_id, wait in self._waits.items() if job_id not in self._results]

    @property
    def is_failing(self) -> bool:
        """Whether the last poll of a job failed that has no result yet."""
        return any(wait.state.is_failing for wait in self.unfinished)

    @property
    def may_go_on(self) -> tuple[WaitedJob, ...]:
        """The jobs that are not known to have ended, whatever their result is."""
        return tuple(job for job in self.jobs if not isinstance(self._results.get(job.job_id), Verdict))

    @property
    def subject(self) -> str:
        """What is waited for, for logs."""
        return f"{'job' if len(self.jobs) == 1 else f'{len(self.jobs)} jobs:'} {', '.join(self._waits)}"

    def take_queried(self, job_id: str, context: FlowContext) -> EarlierPoll | None:
        """Give what the first poll of a job, which begins now, may take from its query before the wait; only once.

        A wait that goes on over another connection, or after polls have failed, takes nothing from it.
        """
        job = self._queried.pop(job_id, None)
        if job is None or job.queried is None:
            return None
        return job.queried.as_poll(job_id, job.firmware_id, context)

    def pause(self, now: datetime) -> float:
        """Give the seconds from now until the next polls: all jobs share interval and deadline.

        A success that is held at the deadline extends it for its own job.

        :raises ValueError: every job has a result.
        """
        return min(wait.pause(now) for wait in self.unfinished)

    def change_options(self, **changes: Any) -> None:
        """Change how the jobs are waited for that have no result yet.

        :param changes: fields of :class:`WaitOptions`.
        """
        for wait in self.unfinished:
            wait.options = replace(wait.options, **changes)

    def settle(self, job_id: str, result: JobResult) -> list[FlowEvent]:
        """Take the result of one job.

        :param result: a verdict that has ended, or an error.
        :returns: the events for the listener; none for a set of one, whose error is raised.
        """
        if len(self.jobs) == 1:
            self._results[job_id] = result
            return []
        result = self._results[job_id] = limit_devices(result, devices_for_each(len(self.jobs)))
        events: list[FlowEvent] = []
        if isinstance(result, TuyaOTAError):
            events.append(JobWaitEnded(job_id, result.sentence))
        if not self.unfinished:
            events.append(JobSetEnded(assess_jobs(self.results)))
        return events

    def end_early(self) -> list[FlowEvent]:
        """Ask the rule whether the wait is to end; if so, each job that goes on gets that as its result.

        :returns: the events for the listener.
        """
        if not (unfinished := self.unfinished) or not (reason := self._ends(self._known())):
            return []
        events: list[FlowEvent] = []
        for wait in unfinished:
            state = wait.state.verdict.line() if wait.state.verdict else "no poll of it succeeded"
            error = WaitEndedError(
                f"the wait for job {wait.job_id} ended before the job did, because {reason}. The job goes on at the"
                f" platform. Last state: {state}",
                verdict=wait.state.verdict,
            )
            events += self.settle(wait.job_id, error)
        return events

    def give_up(self, error: TuyaOTAError) -> list[FlowEvent]:
        """Take an error of the connection, which ends the wait for each job that has no result yet.

        A refused AccessKey pair ends it only for the jobs that were never polled: the others tolerate it for a while.

        :returns: the events for the listener.
        """
        ended = self.unfinished
        if isinstance(error, AuthenticationError):
            ended = [wait for wait in ended if not wait.state.has_polled] or ended
        events: list[FlowEvent] = []
        for wait in ended:
            events += self.settle(wait.job_id, copy(error))
        return events

    def pause_after(self, error: TuyaOTAError, now: datetime) -> tuple[list[FlowEvent], float]:
        """Take an error that let no poll begin; it counts as a poll of each job that failed.

        An error that waiting does not solve ends the wait for the jobs that were never polled.

        :returns: the events for the listener, and the seconds until the next attempt; 0 where every job has a result.
        """
        events: list[FlowEvent] = []
        for wait in self.unfinished:
            try:
                wait.pause_after(error, now)
            except TuyaOTAError as end:
                events += self.settle(wait.job_id, end)
        if not self.unfinished:
            return events, 0.0
        return [PollFailed(self.subject, error.sentence), *events], self.pause(now)

    def _known(self) -> dict[str, JobResult]:
        known: dict[str, JobResult] = {}
        for job_id, wait in self._waits.items():
            result = self._results.get(job_id, wait.state.verdict)
            if result is not None:
                known[job_id] = result
        return known


def wait_for_jobs(settings: Settings, wait: JobSetWait) -> Flow[None]:
    """Poll the jobs in turn until each has a result; the last polls begin after the deadline.

    Where the last poll of one job takes long, further jobs get none, so that the wait still ends a minute after its
    deadline; their state is the one of their poll before, and they count as timed out.

    After an error the same wait goes on where it stopped.

    :param wait: receives the results; jobs that have one are not polled.
    :raises AuthenticationError: the AccessKey pair was refused before a job was ever polled.
    """
    context: FlowContext = yield ReadContext()
    first = {one.job_id: wait.take_queried(one.job_id, context) for one in wait.unfinished}
    earlier = {job_id: poll for job_id, poll in first.items() if poll is not None}
    while wait.unfinished:
        for number, job_wait in enumerate(wait.unfinished):
            now = (yield ReadContext()).steady
            if number and job_wait.is_past(now, LAST_POLL / 2):
                result: JobResult | None = job_wait.timeout()
            else:
                result = yield from _poll(settings, job_wait, earlier)
                if result is None and job_wait.is_last(now):
                    result = job_wait.timeout()
            events = wait.settle(job_wait.job_id, result) if result is not None else []
            yield from (*events, *wait.end_early())
            if not wait.unfinished:
                return
        # Counted from the end of the polls: they may have taken the rest of the time.
        yield Sleep(wait.pause((yield ReadContext()).steady))


def _poll(settings: Settings, job_wait: JobWait, earlier: dict[str, EarlierPoll]) -> Flow[JobResult | None]:
    try:
        snapshot = yield from poll_once(settings, job_wait, earlier=earlier.pop(job_wait.job_id, None))
    except AuthenticationError:
        raise
    except TuyaOTAError as error:
        return error
    if snapshot is None:
        return None
    earlier[job_wait.job_id] = snapshot.poll
    return snapshot.verdict if snapshot.verdict.outcome.has_ended else None


def require_only_success(results: Mapping[str, JobResult]) -> Verdict:
    """Give the verdict of a set of one, or raise its error.

    :raises JobFailedError: the job ended, and not every device runs the firmware.
    :raises TuyaOTAError: the wait ended with this error.
    """
    (result,) = results.values()
    if isinstance(result, TuyaOTAError):
        raise result
    require_success(result)
    return result
