"""The result of a wait for a set of jobs: of each job, and of all of them together."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, TypeAlias

from airflow_provider_tuya_ota.core.errors import TuyaOTAError
from airflow_provider_tuya_ota.core.model.failure_reasons import sum_reasons
from airflow_provider_tuya_ota.core.model.outcome_errors import JobFailedError, WaitEndedError, WaitTimeoutError
from airflow_provider_tuya_ota.core.model.task_counts import render_counts, sum_counts
from airflow_provider_tuya_ota.core.model.verdict import SAMPLE, Outcome, Verdict
from airflow_provider_tuya_ota.core.texts import LONGEST_TEXT, bounded_line

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow_provider_tuya_ota.core.model.failure_reasons import FailureReasons

JobResult: TypeAlias = Verdict | TuyaOTAError
"""How the wait for one job ended: a verdict that has ended, or the error that a wait for this job alone raises."""


class JobEnd(StrEnum):
    """How the wait for one job of a set ended."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    """The job has ended, or contradicts itself for too long, and not every device runs the firmware."""
    TIMED_OUT = "timed_out"
    """The deadline has passed first; the job goes on unless it was stopped."""
    UNFINISHED = "unfinished"
    """The wait for the set ended first; the job goes on unless it was stopped."""
    UNKNOWN = "unknown"
    """The job could not be polled. It may go on, so it counts neither as ended nor as failed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobSetVerdict:
    """The results of a set of jobs together.

    :param ends: how the wait for each job ended, by job id, in the order of the set.
    :param counts: number of device tasks by status, over the last known verdict of each job. A device task belongs to
        one job, so each is counted once.
    :param failure_reasons: number of failed device tasks by reason, over the same verdicts.
    :param without_counts: jobs without a successful poll: their device tasks are not counted.
    """

    ends: Mapping[str, JobEnd]
    counts: dict[str, int]
    failure_reasons: FailureReasons
    without_counts: tuple[str, ...]

    @property
    def has_succeeded(self) -> bool:
        """Whether there are jobs, and each of them has succeeded."""
        return bool(self.ends) and all(end is JobEnd.SUCCEEDED for end in self.ends.values())

    def jobs(self, end: JobEnd) -> tuple[str, ...]:
        """Give the jobs that ended so."""
        return tuple(job_id for job_id, its_end in self.ends.items() if its_end is end)

    def line(self) -> str:
        """Write it as one line of at most 1,000 characters; all jobs that have not succeeded are named first."""
        parts = []
        for end in JobEnd:
            if jobs := self.jobs(end):
                named = "" if end is JobEnd.SUCCEEDED else f" ({', '.join(jobs)})"
                parts.append(f"{len(jobs)} {end.replace('_', ' ')}{named}")
        line = f"{len(self.ends)} jobs: {', '.join(parts)}. Devices: {render_counts(self.counts, 'none counted')}"
        if self.without_counts:
            line += f"; those of {len(self.without_counts)} jobs are not known"
        reasons = str(self.failure_reasons)
        return bounded_line(f"{line}. Reasons: {reasons}" if reasons else line, LONGEST_TEXT)


def assess_jobs(results: Mapping[str, JobResult]) -> JobSetVerdict:
    """Put the results of a set of jobs together.

    A verdict of another job than its key says, or of a success without any device task, proves nothing: that job is
    ``UNKNOWN``.

    :param results: by job id.
    """
    verdicts = {job_id: _last_verdict(job_id, result) for job_id, result in results.items()}
    known = [verdict for verdict in verdicts.values() if verdict is not None]
    return JobSetVerdict(
        ends={job_id: _end_of(result, verdicts[job_id]) for job_id, result in results.items()},
        counts=sum_counts(verdict.counts for verdict in known),
        failure_reasons=sum_reasons(verdict.failure_reasons for verdict in known),
        without_counts=tuple(job_id for job_id, verdict in verdicts.items() if verdict is None),
    )


def is_failure(result: JobResult) -> bool:
    """Whether the job has ended without success; a job whose state is not known has not."""
    return isinstance(result, JobFailedError) or (isinstance(result, Verdict) and result.outcome is Outcome.FAILED)


def limit_devices(result: JobResult, number: int) -> JobResult:
    """Let a result name fewer devices; counts and reasons stay complete.

    :param number: of devices that its verdict may name. The text of an error is cut after 1,000 characters.
    """
    if isinstance(result, Verdict):
        return replace(result, devices=result.devices[:number])
    if isinstance(result, JobFailedError):
        return JobFailedError(_cut(result), verdict=replace(result.verdict, devices=result.verdict.devices[:number]))
    if isinstance(result, (WaitTimeoutError, WaitEndedError)) and result.verdict is not None:
        verdict = replace(result.verdict, devices=result.verdict.devices[:number])
        return type(result)(_cut(result), verdict=verdict)
    return result


def devices_for_each(jobs: int) -> int:
    """Give how many devices each verdict of so many jobs may name: fifty over all jobs, or one each."""
    return max(1, SAMPLE // jobs)


def _cut(error: TuyaOTAError) -> str:
    return bounded_line(str(error), LONGEST_TEXT)


def _end_of(result: JobResult, verdict: Verdict | None) -> JobEnd:
    if isinstance(result, WaitTimeoutError):
        return JobEnd.TIMED_OUT
    if isinstance(result, WaitEndedError):
        return JobEnd.UNFINISHED
    if verdict is None or (isinstance(result, TuyaOTAError) and not isinstance(result, JobFailedError)):
        return JobEnd.UNKNOWN
    if is_failure(result):
        return JobEnd.FAILED
    if verdict.outcome is not Outcome.SUCCEEDED:
        return JobEnd.UNFINISHED
    return JobEnd.SUCCEEDED if any(verdict.counts.values()) else JobEnd.UNKNOWN


def _last_verdict(job_id: str, result: JobResult) -> Verdict | None:
    verdict = result if isinstance(result, Verdict) else getattr(result, "verdict", None)
    return verdict if isinstance(verdict, Verdict) and verdict.job_id == job_id else None
