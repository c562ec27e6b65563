"""Waiting for a job: how a wait reads each poll, and the loop of a wait that polls by itself."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from airflow_provider_tuya_ota.core.errors import TuyaOTAError
from airflow_provider_tuya_ota.core.flows.effects import Flow, ReadContext, Report, Sleep
from airflow_provider_tuya_ota.core.model.coverage import require_coverage
from airflow_provider_tuya_ota.core.model.outcome_errors import JobFailedError, WaitTimeoutError
from airflow_provider_tuya_ota.core.model.states import JobStatus, JobType, TaskStatus
from airflow_provider_tuya_ota.core.model.verdict import Outcome, Verdict
from airflow_provider_tuya_ota.core.status.job_snapshot import fetch_job_snapshot
from airflow_provider_tuya_ota.core.status.poll_events import JobFailureObserved, PollFailed
from airflow_provider_tuya_ota.core.status.wait_state import DEFAULT_TOLERANCE, WaitState

if TYPE_CHECKING:
    from airflow_provider_tuya_ota.core.settings import Settings
    from airflow_provider_tuya_ota.core.status.job_snapshot import EarlierPoll, JobSnapshot

LAST_POLL: Final = 60.0
"""Seconds after its deadline in which a wait ends, its last poll included. While the platform is unreachable, a poll
may take minutes, and others rely on the deadline."""

LISTED_LATE: Final = 60.0
"""Seconds after the end of a job in which the platform may list further device tasks. Where the platform chose the
devices, nothing else shows that one is missing."""
LATE_POLLS: Final = 4
"""Polls that are enough instead: with the default interval they take that minute."""
_CHOSEN_BY_PLATFORM: Final = "the platform chose its devices, and some may be listed later"


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitOptions:
    """How to wait for a job.

    :param deadline: when to stop waiting; wall-clock time, because it outlives the process that set it.
    :param poll_interval: seconds between two polls; 15 by default.
    :param poll_error_tolerance: seconds for which polls may fail before the wait gives up; two hours by default,
        because an outage of the platform stops no device.
    :param settle_time: seconds for which firmware, job and device tasks may contradict each other after everything has
        ended; five minutes by default.
    :param expected: devices that were asked for by name, up to 200: the job succeeds only with exactly these. Empty
        where the platform chose the devices.
    """

    deadline: datetime
    poll_interval: float = 15.0
    poll_error_tolerance: float = DEFAULT_TOLERANCE
    settle_time: float = 300.0
    expected: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Give plain JSON values."""
        return {
            "deadline": self.deadline.astimezone(UTC).isoformat(),
            "poll_interval": self.poll_interval,
            "poll_error_tolerance": self.poll_error_tolerance,
            "settle_time": self.settle_time,
            "expected": list(self.expected),
        }

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> WaitOptions:
        """Rebuild what :meth:`to_dict` gave; names that a newer version added are ignored."""
        known = {name: values[name] for name in cls.__slots__ if name in values}
        deadline = datetime.fromisoformat(known["deadline"])
        return cls(**known | {"deadline": deadline, "expected": tuple(known.get("expected", ()))})


class JobWait:
    """The decisions of one wait for a job; the caller polls.

    :param job_id: the job.
    :param options: how to wait for it.
    :param state: what earlier polls of this wait have shown; it is updated. A new wait by default.
    """

    def __init__(self, job_id: str, options: WaitOptions, state: WaitState | None = None) -> None:
        self.job_id = job_id
        self.options = options
        self.state = state or WaitState()

    def is_last(self, now: datetime) -> bool:
        """Whether a poll that begins now is the last one."""
        return self._left(now) <= 0

    def is_past(self, now: datetime, seconds: float) -> bool:
        """Whether the deadline, or the extended one, has passed for so many seconds."""
        return self._left(now) <= -seconds

    def pause(self, now: datetime) -> float:
        """Give the seconds from now until the next poll."""
        return min(self.options.poll_interval, max(0.0, self._left(now)))

    def longest(self, now: datetime) -> float:
        """Give the seconds that a poll beginning now may take.

        The wait ends at most ``LAST_POLL`` after its deadline, with a poll that began after the deadline. So a poll
        that is running at the deadline has to leave half of that time. A success that is held at the deadline extends
        it by the rest of that time, at most ``LISTED_LATE``.
        """
        left = self._left(now)
        return left + LAST_POLL / 2 if left > 0 else max(LAST_POLL / 2, left + LAST_POLL)

    def _left(self, now: datetime) -> float:
        deadline = self.options.deadline
        if (since := self.state.successful_since) is not None:
            # The job has ended in time. Only late device tasks could show that it has not succeeded.
            deadline = max(deadline, since + self._hold())
        return (deadline - now).total_seconds()

    def _hold(self) -> timedelta:
        return timedelta(seconds=min(LISTED_LATE, LATE_POLLS * self.options.poll_interval, self.options.settle_time))

    def assess(self, snapshot: JobSnapshot, now: datetime) -> Verdict:
        """Compare the result of a poll with the devices that this wait expects.

        :param now: steady time at which the poll began.
        :returns: the verdict of the poll; ``SETTLING`` instead of ``SUCCEEDED`` while other devices may be missing.
        """
        verdict = require_coverage(snapshot.verdict, snapshot.names, self.options.expected)
        most = self.state.most_listed = max(self.state.most_listed, snapshot.listed)
        if self.options.expected or verdict.outcome is not Outcome.SUCCEEDED:
            return verdict
        if verdict.job_type != JobType.UPGRADE_FIRMWARE:
            return verdict
        if snapshot.is_whole and (left := sum(verdict.counts.values())) < most:
            why = f"{most} device tasks were listed before, and {left} are now"
            return replace(verdict, outcome=Outcome.SETTLING, why=why)
        if snapshot.is_whole and not self.holds_success(now):
            return verdict
        return replace(verdict, outcome=Outcome.SETTLING, why=_CHOSEN_BY_PLATFORM)

    def holds_success(self, now: datetime) -> bool:
        """Whether an upgrade is polled again even if a poll that begins now shows success.

        Where the platform chose the devices, some may be listed later.
        """
        return not self.options.expected and now - (self.state.successful_since or now) < self._hold()

    def record(self, verdict: Verdict, now: datetime) -> bool:
        """Record the verdict of a poll that succeeded.

        :param now: steady time at which the poll began.
        :returns: whether the job has ended.
        :raises JobFailedError: the platform has contradicted itself, or the request, for longer than the settle time.
        """
        self.state.verdict = verdict
        self.state.record()
        self.state.line = verdict.line()
        is_settling = verdict.outcome is Outcome.SETTLING
        is_held = is_settling and verdict.why == _CHOSEN_BY_PLATFORM
        self.state.successful_since = (self.state.successful_since or now) if is_held else None
        since = self.state.settling_since = (self.state.settling_since or now) if is_settling else None
        if since and not is_held and now - since >= timedelta(seconds=self.options.settle_time):
            raise JobFailedError(_contradiction(verdict, self.options), verdict=verdict)
        return verdict.outcome.has_ended

    def record_failure(self, error: TuyaOTAError, now: datetime, *, is_listing: bool = False) -> PollFailed:
        """Record a poll or a listing that failed.

        :param now: steady time at which it began.
        :returns: the event for the listener.
        :raises PollingFailedError: polls or listings have failed for longer than tolerated.
        :raises TuyaOTAError: the first poll failed with an error that waiting does not solve.
        """
        self.state.record_failure(
            error,
            now,
            subject=f"job {self.job_id}",
            meanwhile=f"{'it has ended' if _has_ended(self.state.verdict) else 'it goes on'} at the platform."
            " Run the task again to resume the wait for this job",
            tolerance=self.options.poll_error_tolerance,
            is_listing=is_listing,
        )
        return PollFailed(f"job {self.job_id}", error.sentence)

    def pause_after(self, error: TuyaOTAError, now: datetime) -> tuple[PollFailed, float]:
        """Take an error that let no poll begin; it counts as a poll that failed.

        :returns: the event to hand to a listener, and the seconds until the next attempt.
        :raises WaitTimeoutError: the deadline has passed.
        :raises TuyaOTAError: as :meth:`record_failure`.
        """
        event = self.record_failure(error, now)
        if self.is_last(now):
            raise self.timeout()
        return event, self.pause(now)

    def timeout(self) -> WaitTimeoutError:
        """Build the error for a deadline that has passed."""
        verdict, failing = self.state.verdict, ""
        if self.state.last_error:
            failing = f" The last poll failed: {self.state.last_error.removesuffix('.')}."
        advice = (
            "To wait longer, run the task again or use TuyaOTAJobSensor with this job id; to stop what has not begun,"
            " cancel the job's tasks"
        )
        if not _has_ended(verdict):
            advice = f"It goes on at the platform. {advice}"
        said = describe_timeout(self.job_id, verdict, self.state.line)
        return WaitTimeoutError(f"{said}{failing} {advice}", verdict=verdict)


def poll_once(settings: Settings, job_wait: JobWait, *, earlier: EarlierPoll | None = None) -> Flow[JobSnapshot | None]:
    """Poll once, as a sensor does.

    :param earlier: the poll of the same wait before this one, where it succeeded. The last poll takes nothing from it.
    :returns: the snapshot; None where the poll failed and the failure is tolerated.
    :raises JobFailedError: the platform has contradicted itself, or the request, for longer than the settle time.
    :raises PollingFailedError: polls have failed for longer than tolerated; the job goes on.
    :raises TuyaOTAError: the first poll failed with an error that waiting does not solve.
    """
    now = (yield ReadContext()).steady
    expected = len(job_wait.options.expected)
    try:
        snapshot = yield from fetch_job_snapshot(
            settings,
            job_wait.job_id,
            earlier=None if job_wait.is_last(now) else earlier,
            expected=expected,
            holds_success=job_wait.holds_success(now),
            longest=job_wait.longest(now),
        )
    except TuyaOTAError as error:
        yield job_wait.record_failure(error, now)
        return None
    verdict = job_wait.assess(snapshot, now)
    yield Report(verdict)
    job_wait.record(verdict, now)
    return replace(snapshot, verdict=verdict)


def has_failed(settings: Settings, job_id: str, options: WaitOptions) -> Flow[bool]:
    """Decide as a wait would whether a job has failed.

    Where everything has ended and the platform contradicts itself, the job is polled for the settle time.

    :returns: False where any part of the job may still go on.
    :raises TuyaOTAError: the job could not be polled.
    """
    job_wait = JobWait(job_id, options)
    while True:
        snapshot = yield from fetch_job_snapshot(settings, job_id, expected=len(options.expected))
        verdict = require_coverage(snapshot.verdict, snapshot.names, options.expected)
        may_go_on = not (snapshot.job.status.has_ended and snapshot.is_complete) or any(
            not TaskStatus(name).has_ended for name in verdict.counts
        )
        if verdict.outcome is not Outcome.SETTLING or may_go_on:
            return verdict.outcome is Outcome.FAILED
        now = (yield ReadContext()).steady
        try:
            job_wait.record(verdict, now)
        except JobFailedError:
            return True
        yield JobFailureObserved(job_id, verdict.failure_text())
        yield Sleep(job_wait.pause(now))


def require_success(verdict: Verdict) -> None:
    """Raise the error for a job that ended without success.

    :raises JobFailedError: unless the job succeeded on every device.
    """
    if verdict.outcome is not Outcome.SUCCEEDED:
        raise JobFailedError(verdict.failure_text(), verdict=verdict)


def _contradiction(verdict: Verdict, options: WaitOptions) -> str:
    return (
        f"{verdict.failure_text()}. The platform has reported this for {options.settle_time:g} s, so the release does"
        " not count as a success. Check firmware and job in the vendor's console"
    )


def describe_timeout(job_id: str, verdict: Verdict | None, line: str = "") -> str:
    """Say that a job had not ended in time, or had ended without a certain result, and its last known state.

    :param line: that state in words, where the verdict is not known any more.
    """
    line = verdict.line() if verdict else line
    state = f"Last state: {line}." if line else "No poll of it succeeded."
    if verdict is not None and _has_ended(verdict):
        return f"job {job_id} had no certain result when the time to wait was over: {verdict.why}. {state}"
    return f"job {job_id} had not ended when the time to wait was over. {state}"


def _has_ended(verdict: Verdict | None) -> bool:
    """Whether the platform shows job and device tasks as ended, although it may contradict itself."""
    if verdict is None or not JobStatus(verdict.job_status).has_ended:
        return False
    return all(TaskStatus(status).has_ended for status in verdict.counts)
