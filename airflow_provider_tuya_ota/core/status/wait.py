"""Waiting for a job: what a wait makes of what is seen, and the loop of one that looks by itself."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from airflow_provider_tuya_ota.core.errors import TuyaOTAError
from airflow_provider_tuya_ota.core.flows.effects import Flow, Look, Note, Report, Sleep
from airflow_provider_tuya_ota.core.model.coverage import require_coverage
from airflow_provider_tuya_ota.core.model.outcome_errors import JobFailedError, WaitTimeoutError
from airflow_provider_tuya_ota.core.model.states import JobType, TaskStatus
from airflow_provider_tuya_ota.core.model.verdict import Outcome, Verdict
from airflow_provider_tuya_ota.core.status.job_snapshot import see_job
from airflow_provider_tuya_ota.core.status.wait_state import TOLERANCE, WaitState

if TYPE_CHECKING:
    from airflow_provider_tuya_ota.core.settings import Settings
    from airflow_provider_tuya_ota.core.status.job_snapshot import Sight

LAST_LOOK: Final = 60.0
"""Seconds after its deadline in which a wait ends, its last look included. While the platform is away a look may take
minutes, and a deadline has passed that others rely on."""

LISTED_LATE: Final = 60.0
"""Seconds in which device tasks may be listed later than their job has ended. Where the platform chose the devices,
nothing else tells that one is missing."""
LATE_POLLS: Final = 4
"""Polls that are as good: with the default interval they take that minute."""
_CHOSEN_BY_PLATFORM: Final = "the platform chose its devices, and some may be listed later"


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How to wait for a job.

    :param deadline: when to stop waiting; wall-clock, because it outlives the process that set it.
    :param poll_interval: seconds between two looks.
    :param poll_error_tolerance: seconds that looks may keep failing before the wait gives up; two hours by default,
        because an outage of the platform stops no device and a lost look is no lost
        job.
    :param settle_time: seconds that package, job and tasks may contradict each other after everything has ended.
    :param expected: devices that were asked for by name, up to 200: success covers exactly these. Empty: the platform
        chose the devices.
    """

    deadline: datetime
    poll_interval: float = 15.0
    poll_error_tolerance: float = TOLERANCE
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
    def from_dict(cls, values: dict[str, Any]) -> Patience:
        """Rebuild what :meth:`to_dict` gave; names that a later version added are ignored."""
        known = {name: values[name] for name in cls.__slots__ if name in values}
        deadline = datetime.fromisoformat(known["deadline"])
        return cls(**known | {"deadline": deadline, "expected": tuple(known.get("expected", ()))})


class Watch:
    """What one wait makes of the polls of its job, whoever polls.

    :param job_id: the job.
    :param patience: how to wait for it.
    :param state: what was seen before, and from now on; nothing by default.
    """

    def __init__(self, job_id: str, patience: Patience, state: WaitState | None = None) -> None:
        self.job_id = job_id
        self.patience = patience
        self.state = state or WaitState()

    def is_last(self, now: datetime) -> bool:
        """Whether a look that begins now is the last one."""
        return now >= self.patience.deadline

    def pause(self, now: datetime) -> float:
        """Give the seconds from now until the next look."""
        return min(self.patience.poll_interval, max(0.0, self._left(now)))

    def longest(self, now: datetime) -> float:
        """Give the seconds that a look beginning now may take.

        The wait ends at most ``LAST_LOOK`` after its deadline, and with a look that began after it: one that is under
        way at the deadline leaves half of the time.
        """
        left = self._left(now)
        return left + LAST_LOOK / 2 if left > 0 else max(LAST_LOOK / 2, left + LAST_LOOK)

    def _left(self, now: datetime) -> float:
        return (self.patience.deadline - now).total_seconds()

    def judge(self, sight: Sight, now: datetime) -> Verdict:
        """Hold what a poll showed against what this wait expects.

        :param now: steady time at which the poll began.
        """
        verdict = require_coverage(sight.verdict, sight.names, self.patience.expected)
        if self.patience.expected or verdict.outcome is not Outcome.SUCCEEDED:
            return verdict
        since = self.state.settling_since or now
        longest = min(LISTED_LATE, LATE_POLLS * self.patience.poll_interval, self.patience.settle_time)
        if verdict.job_type != JobType.UPGRADE_FIRMWARE or now - since >= timedelta(seconds=longest):
            return verdict
        return replace(verdict, outcome=Outcome.SETTLING, why=_CHOSEN_BY_PLATFORM)

    def saw(self, verdict: Verdict, now: datetime) -> bool:
        """Take the verdict of a poll.

        :returns: whether the job has ended.
        :raises JobFailedError: the platform has contradicted itself, or what was asked for, for too long.
        """
        self.state.verdict = verdict
        self.state.record()
        self.state.line = verdict.line()
        since = (self.state.settling_since or now) if verdict.outcome is Outcome.SETTLING else None
        self.state.settling_since = since
        if since and now - since >= timedelta(seconds=self.patience.settle_time):
            raise JobFailedError(_contradiction(verdict, self.patience), verdict=verdict)
        return verdict.outcome.has_ended

    def missed(self, error: TuyaOTAError, now: datetime, *, is_listing: bool = False) -> Note:
        """Take a poll or a listing that failed.

        :returns: what to tell the person who reads the log.
        :raises LostSightError: polls or listings have failed for longer than tolerated.
        :raises TuyaOTAError: the first poll failed, and waiting does not mend it.
        """
        self.state.record_failure(
            error,
            now,
            subject=f"job {self.job_id}",
            meanwhile="it goes on at the platform. To wait on, run the task again: it goes on with this job",
            tolerance=self.patience.poll_error_tolerance,
            is_listing=is_listing,
        )
        return Note(f"{error.sentence} Job {self.job_id} goes on; looking again.", warning=True)

    def timeout(self) -> WaitTimeoutError:
        """Build the error for a deadline that has passed."""
        verdict = self.state.verdict
        return WaitTimeoutError(_timeout(self.job_id, verdict), verdict=verdict)


def poll_job(settings: Settings, watch: Watch, *, is_large: bool = False) -> Flow[Sight | None]:
    """Poll once, as a sensor does: what was seen, or None where the poll failed and that is tolerated.

    :raises JobFailedError: the platform has contradicted itself, or what was asked for, for too long.
    :raises LostSightError: polls have failed for longer than tolerated, the job goes on.
    :raises TuyaOTAError: the first poll failed in a way that waiting does not mend.
    """
    now = (yield Look()).steady
    expected = len(watch.patience.expected)
    try:
        sight = yield from see_job(
            settings, watch.job_id, is_large=is_large, expected=expected, longest=watch.longest(now)
        )
    except TuyaOTAError as error:
        yield watch.missed(error, now)
        return None
    verdict = watch.judge(sight, now)
    yield Report(verdict)
    watch.saw(verdict, now)
    return replace(sight, verdict=verdict)


def watch_job(settings: Settings, job_id: str, patience: Patience, state: WaitState | None = None) -> Flow[Verdict]:
    """Look until the job has ended or the deadline has passed; the last look comes after the deadline.

    :param state: what was seen before, and from now on; nothing by default.
    :returns: a verdict whose outcome is SUCCEEDED or FAILED.
    :raises WaitTimeoutError: the deadline passed, the job goes on.
    :raises JobFailedError: the platform has contradicted itself, or what was asked for, for too long.
    :raises LostSightError: polls kept failing for longer than tolerated, the job goes on.
    :raises TuyaOTAError: the first poll failed in a way that waiting does not mend.
    """
    watch = Watch(job_id, patience, state)
    is_large = False
    while True:
        now = (yield Look()).steady
        sight = yield from poll_job(settings, watch, is_large=is_large)
        if sight is not None:
            is_large = sight.is_large
            if sight.verdict.outcome.has_ended:
                return sight.verdict
        if watch.is_last(now):
            raise watch.timeout()
        # Not from when the look began: it may have taken the rest of the time.
        yield Sleep(watch.pause((yield Look()).steady))


def has_failed(settings: Settings, job_id: str, patience: Patience) -> Flow[bool]:
    """Whether a job has failed as its wait would say.

    What contradicts itself after everything has ended is looked at for the settle time.

    :returns: False for a job of which anything may go on still.
    :raises TuyaOTAError: it could not be looked at.
    """
    watch = Watch(job_id, patience)
    while True:
        sight = yield from see_job(settings, job_id, expected=len(patience.expected))
        verdict = require_coverage(sight.verdict, sight.names, patience.expected)
        may_go_on = not sight.job.status.has_ended or any(not TaskStatus(name).has_ended for name in verdict.counts)
        if verdict.outcome is not Outcome.SETTLING or may_go_on:
            return verdict.outcome is Outcome.FAILED
        now = (yield Look()).steady
        try:
            watch.saw(verdict, now)
        except JobFailedError:
            return True
        yield Note(f"{verdict.failure_text()}. Looking whether that stays so", warning=True)
        yield Sleep(watch.pause(now))


def require_success(verdict: Verdict) -> None:
    """Turn an ended verdict into nothing or into the one error that stands for it.

    :raises JobFailedError: unless the job succeeded on every device.
    """
    if verdict.outcome is not Outcome.SUCCEEDED:
        raise JobFailedError(verdict.failure_text(), verdict=verdict)


def _contradiction(verdict: Verdict, patience: Patience) -> str:
    return (
        f"{verdict.failure_text()}. The platform has told this for {patience.settle_time:g} s, so the release is not"
        " taken for good; look at package and job in the vendor's console"
    )


def _timeout(job_id: str, verdict: Verdict | None) -> str:
    return (
        f"{late(job_id, verdict)} It goes on at the platform. To wait on, run the task again or use TuyaOTAJobSensor"
        " with this job id; to stop what has not begun, cancel the job's tasks"
    )


def late(job_id: str, verdict: Verdict | None) -> str:
    """Say that a job had not ended in time, and how it was seen last."""
    state = f"Last seen: {verdict.line()}." if verdict else "No look at it succeeded."
    return f"job {job_id} had not ended when the time to wait was over. {state}"
