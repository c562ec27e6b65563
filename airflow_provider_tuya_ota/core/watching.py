"""Waiting for a job: the one loop behind sensor, blocking operator and trigger.

Source of the states: https://developer.tuya.com/en/docs/tuya-iot/ListOTATaskByJob?id=Kf0lr3sl2jzfs and
QueryOTAFirmware.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from airflow_provider_tuya_ota.core.actions import QueryOTAFirmware, QueryOTAJob
from airflow_provider_tuya_ota.core.calls import call
from airflow_provider_tuya_ota.core.errors import (
    PASSING,
    JobFailedError,
    LostSightError,
    ProtocolError,
    TuyaOTAError,
    WaitTimeoutError,
)
from airflow_provider_tuya_ota.core.flow import Flow, Look, Note, Report, Sleep
from airflow_provider_tuya_ota.core.snapshots import read_tasks
from airflow_provider_tuya_ota.core.states import JobType
from airflow_provider_tuya_ota.core.verdicts import Outcome, Verdict, assess_job

if TYPE_CHECKING:
    from airflow_provider_tuya_ota.core.models import Firmware
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


def look_at_job(settings: Settings, job_id: str) -> Flow[Verdict]:
    """Read package, job and device tasks once, and decide."""
    verdict, _ = yield from _look(settings, job_id, is_large=False)
    return verdict


def _look(settings: Settings, job_id: str, *, is_large: bool) -> Flow[tuple[Verdict, bool]]:
    job = yield from call(settings, QueryOTAJob(job_id=job_id))
    tasks = yield from read_tasks(settings, job_id, is_large=is_large)
    firmware: Firmware | None = None
    if job.type != JobType.UPGRADE_FIRMWARE:
        if not job.firmware_id:
            raise ProtocolError(f"QueryOTAJob: the answer for job {job_id} has no FirmwareId")
        # Read last: the package can only be ahead of the tasks, never behind what they already showed.
        firmware = yield from call(settings, QueryOTAFirmware(firmware_id=job.firmware_id))
    return assess_job(job, tasks.shown, firmware, tasks.counts), tasks.is_large


def watch_job(settings: Settings, job_id: str, patience: Patience) -> Flow[Verdict]:
    """Look until the job has ended or the deadline has passed; the last look comes after the deadline.

    :returns: a verdict whose outcome is SUCCEEDED or FAILED.
    :raises WaitTimeoutError: the deadline passed, the job goes on.
    :raises LostSightError: looks kept failing for longer than tolerated, the job goes on.
    :raises TuyaOTAError: the first look failed in a way that waiting does not mend.
    """
    verdict: Verdict | None = None
    is_large = False
    failing_since: datetime | None = None
    settling_since: datetime | None = None
    while True:
        now = (yield Look()).now
        last_look = now >= patience.deadline
        try:
            verdict, is_large = yield from _look(settings, job_id, is_large=is_large)
        except TuyaOTAError as error:
            passes = isinstance(error, PASSING)
            if verdict is None and not passes:
                raise
            failing_since = failing_since or now
            # What worked a moment ago is given a moment to work again: a key is being changed, a list catches up.
            tolerance = patience.poll_error_tolerance if passes else min(MOMENT, patience.poll_error_tolerance)
            if now - failing_since >= timedelta(seconds=tolerance):
                raise LostSightError(_out_of_sight(job_id, error, tolerance)) from None
            yield Note(f"{error.sentence} Job {job_id} goes on; looking again.", warning=True)
        else:
            failing_since = None
            yield Report(verdict)
            settling_since = (settling_since or now) if verdict.outcome is Outcome.SETTLING else None
            if verdict.outcome in {Outcome.SUCCEEDED, Outcome.FAILED}:
                return verdict
            if settling_since and now - settling_since >= timedelta(seconds=patience.settle_time):
                raise JobFailedError(_contradiction(verdict, patience), verdict=verdict)
        if last_look:
            raise WaitTimeoutError(_timeout(job_id, verdict), verdict=verdict)
        pause = min(patience.poll_interval, max(0.0, (patience.deadline - now).total_seconds()))
        yield Sleep(pause)


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
