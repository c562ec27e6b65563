"""Waiting for a job: what a wait makes of what is seen, and the loop of one that looks by itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from airflow_provider_tuya_ota.core.errors import (
    PASSING,
    JobFailedError,
    LostSightError,
    TuyaOTAError,
    WaitTimeoutError,
)
from airflow_provider_tuya_ota.core.flow import Flow, Look, Note, Report, Sleep
from airflow_provider_tuya_ota.core.looks import see_job
from airflow_provider_tuya_ota.core.verdicts import Outcome, Verdict

if TYPE_CHECKING:
    from airflow_provider_tuya_ota.core.settings import Settings


TOLERANCE: Final = 7200.0
MOMENT: Final = 300.0
"""Seconds that refusals are tolerated which waiting does not mend by itself, of a job that was seen before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How to wait for a job.

    :param deadline: when to stop waiting; wall-clock, because it outlives the process that set it.
    :param poll_interval: seconds between two looks.
    :param poll_error_tolerance: seconds that looks may keep failing before the wait gives up; two hours by default,
        because an outage of the platform stops no device and a lost look is no lost
        job.
    :param settle_time: seconds that package, job and tasks may contradict each other after everything has ended.
    """

    deadline: datetime
    poll_interval: float = 15.0
    poll_error_tolerance: float = TOLERANCE
    settle_time: float = 300.0

    def to_dict(self) -> dict[str, Any]:
        """Give plain JSON values."""
        return {
            "deadline": self.deadline.astimezone(UTC).isoformat(),
            "poll_interval": self.poll_interval,
            "poll_error_tolerance": self.poll_error_tolerance,
            "settle_time": self.settle_time,
        }

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Patience:
        """Rebuild what :meth:`to_dict` gave; names that a later version added are ignored."""
        known = {name: values[name] for name in cls.__slots__ if name in values}
        return cls(**known | {"deadline": datetime.fromisoformat(known["deadline"])})


class Watch:
    """What one wait makes of the looks at its job, whoever looks.

    :param job_id: the job.
    :param patience: how to wait for it.
    """

    def __init__(self, job_id: str, patience: Patience) -> None:
        self._job_id = job_id
        self._patience = patience
        self._verdict: Verdict | None = None
        self._was_well = False
        self._failing_since: datetime | None = None
        self._settling_since: datetime | None = None

    def is_last(self, now: datetime) -> bool:
        """Whether a look that begins now is the last one."""
        return now >= self._patience.deadline

    def pause(self, now: datetime) -> float:
        """Give the seconds until the next look, after one that began at ``now``."""
        left = (self._patience.deadline - now).total_seconds()
        return min(self._patience.poll_interval, max(0.0, left))

    def saw(self, verdict: Verdict, now: datetime) -> bool:
        """Take a look that told something.

        :returns: whether the job has ended.
        :raises JobFailedError: the platform has contradicted itself for too long.
        """
        self._verdict = verdict
        self.saw_no_change()
        self._settling_since = (self._settling_since or now) if verdict.outcome is Outcome.SETTLING else None
        if self._settling_since and now - self._settling_since >= timedelta(seconds=self._patience.settle_time):
            raise JobFailedError(_contradiction(verdict, self._patience), verdict=verdict)
        return verdict.outcome in {Outcome.SUCCEEDED, Outcome.FAILED}

    def saw_no_change(self) -> None:
        """Take a look that told that the job has not ended, and nothing more."""
        self._was_well = True
        self._failing_since = None

    def missed(self, error: TuyaOTAError, now: datetime) -> Note:
        """Take a look that failed.

        :returns: what to tell the person who reads the log.
        :raises LostSightError: looks have failed for longer than tolerated.
        :raises TuyaOTAError: the first look failed, and waiting does not mend it.
        """
        passes = isinstance(error, PASSING)
        if not (passes or self._was_well):
            raise error
        self._failing_since = self._failing_since or now
        # What worked a moment ago is given a moment to work again: a key is being changed, a list catches up.
        tolerance = self._patience.poll_error_tolerance
        if not passes:
            tolerance = min(MOMENT, tolerance)
        if now - self._failing_since >= timedelta(seconds=tolerance):
            raise LostSightError(_out_of_sight(self._job_id, error, tolerance)) from None
        return Note(f"{error.sentence} Job {self._job_id} goes on; looking again.", warning=True)

    def timeout(self) -> WaitTimeoutError:
        """Build the error for a deadline that has passed."""
        return WaitTimeoutError(_timeout(self._job_id, self._verdict), verdict=self._verdict)


def watch_job(settings: Settings, job_id: str, patience: Patience) -> Flow[Verdict]:
    """Look until the job has ended or the deadline has passed; the last look comes after the deadline.

    :returns: a verdict whose outcome is SUCCEEDED or FAILED.
    :raises WaitTimeoutError: the deadline passed, the job goes on.
    :raises LostSightError: looks kept failing for longer than tolerated, the job goes on.
    :raises TuyaOTAError: the first look failed in a way that waiting does not mend.
    """
    watch = Watch(job_id, patience)
    is_large = False
    while True:
        now = (yield Look()).steady
        try:
            sight = yield from see_job(settings, job_id, is_large=is_large)
        except TuyaOTAError as error:
            yield watch.missed(error, now)
        else:
            is_large = sight.is_large
            yield Report(sight.verdict)
            if watch.saw(sight.verdict, now):
                return sight.verdict
        if watch.is_last(now):
            raise watch.timeout()
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


def _out_of_sight(job_id: str, error: TuyaOTAError, tolerance: float) -> str:
    return (
        f"job {job_id} could not be looked at for {tolerance:g} s; it goes on at the platform."
        f" Last: {error.sentence} To wait on, run the task again: it goes on with this job"
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
