"""Stop jobs: cancel what has not begun, and count what is left. A device that is flashing cannot be stopped."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from airflow_provider_tuya_ota.core.errors import TuyaOTAError
from airflow_provider_tuya_ota.core.flows.effects import Flow, Sleep
from airflow_provider_tuya_ota.core.jobs.cancel import cancel_jobs, check_may_begin, count_after_cancel
from airflow_provider_tuya_ota.core.jobs.job_set import JobSet
from airflow_provider_tuya_ota.core.jobs.stop_events import CancelNotRepeated, CancelRepeated, JobStopped
from airflow_provider_tuya_ota.core.jobs.stopped import NotCounted, Stopped

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from airflow_provider_tuya_ota.core.jobs.stopped import StopResult
    from airflow_provider_tuya_ota.core.settings import Settings

CANCEL_AGAIN_AFTER: Final = (3.0, 6.0, 12.0)
"""Seconds before each further cancel of a job that may still begin; together less than the minute that Airflow leaves a
task that it kills."""


def stop_jobs(settings: Settings, jobs: JobSet) -> Flow[dict[str, StopResult | TuyaOTAError]]:
    """Cancel every device task of some jobs that waits for confirmation, for the device or for its first report.

    All cancels are sent before anything is counted, because the process that stops jobs may have seconds left, and one
    for each job before any is repeated. Stopping a job twice does no more than once. A job that cannot be stopped keeps
    no other from being stopped.

    :returns: what became of each job, or the error that kept it from being stopped, by job id.
    """
    cancels = yield from cancel_jobs(settings, jobs)
    cancelled = {job_id: outcome for job_id, outcome in cancels.items() if isinstance(outcome, bool)}
    outcomes = yield from count_stopped_jobs(settings, cancelled)
    failed = {job_id: outcome for job_id, outcome in cancels.items() if not isinstance(outcome, bool)}
    return {job_id: failed.get(job_id) or outcomes[job_id] for job_id in jobs}


def stop_job(settings: Settings, job_id: str) -> Flow[StopResult]:
    """Stop one job, as :func:`stop_jobs` does.

    :raises TuyaOTAError: no cancel was accepted, and one failed or the device tasks could not be counted.
    """
    outcomes = yield from stop_jobs(settings, JobSet.of(job_id))
    return _require_result(outcomes[job_id])


def count_stopped(settings: Settings, job_id: str, *, is_cancelled: bool) -> Flow[StopResult]:
    """Count the effect of one job's cancel, as :func:`count_stopped_jobs` does.

    :param is_cancelled: what :func:`~airflow_provider_tuya_ota.core.jobs.cancel.cancel_job` returned.
    :raises TuyaOTAError: no cancel was accepted, and a further one failed or the device tasks could not be counted.
    """
    outcomes = yield from count_stopped_jobs(settings, {job_id: is_cancelled})
    return _require_result(outcomes[job_id])


def count_stopped_jobs(
    settings: Settings, cancelled: Mapping[str, bool], *, again_after: Sequence[float] | None = None
) -> Flow[dict[str, StopResult | TuyaOTAError]]:
    """Count the effect of some cancels, and cancel again the jobs that may still begin.

    The vendor does not say what happens to a job that is cancelled before its device tasks are planned, or while they
    are; so such a job is cancelled again a few times. A further cancel that fails changes nothing about one that was
    accepted: its effect may come seconds later.

    :param cancelled: by job id, what the first cancel of each job returned.
    :param again_after: seconds before each further cancel; by default 3, 6 and 12.
    :returns: by job id: ``NotCounted`` if counting failed after an accepted cancel; an error
        if no cancel was accepted, and a further one failed or the device tasks could not be counted.
    """
    outcomes = yield from _count_each(settings, cancelled)
    for pause in CANCEL_AGAIN_AFTER if again_after is None else again_after:
        unsettled = {
            job_id: outcome
            for job_id, outcome in outcomes.items()
            if isinstance(outcome, Stopped) and outcome.may_change
        }
        if not unsettled:
            break
        for job_id, counted in unsettled.items():
            yield CancelRepeated(job_id, counted.waiting, pause)
        yield Sleep(pause)
        again: dict[str, bool] = {}
        for job_id, cancel in (yield from cancel_jobs(settings, unsettled)).items():
            if isinstance(cancel, bool):
                again[job_id] = cancel or cancelled[job_id]
            elif cancelled[job_id]:
                yield CancelNotRepeated(job_id, cancel.sentence)
                again[job_id] = True
            else:
                outcomes[job_id] = cancel
        cancelled = {**cancelled, **again}
        outcomes |= yield from _count_each(settings, again)
    for job_id, outcome in outcomes.items():
        if not isinstance(outcome, TuyaOTAError):
            yield JobStopped(job_id, outcome)
    return outcomes


def poll_after_cancel(settings: Settings, job_id: str) -> Flow[StopResult]:
    """Check after an accepted cancel whether the job may still begin, and cancel it again if it may.

    That costs two requests at most where it may not, and a count costs at least six.
    """
    try:
        may_begin = yield from check_may_begin(settings, job_id)
    except TuyaOTAError:
        may_begin = False
    if not may_begin:
        return NotCounted()
    # Cancelled before it is counted: a count takes several requests, and device tasks may begin meanwhile.
    yield CancelRepeated(job_id)
    again = (yield from cancel_jobs(settings, JobSet.of(job_id)))[job_id]
    if isinstance(again, TuyaOTAError):
        yield CancelNotRepeated(job_id, again.sentence)
    return (yield from count_stopped(settings, job_id, is_cancelled=True))


def not_stopped(job_id: str, error: Exception) -> str:
    """Say that a job was not stopped, or may not be, and what a person has to do.

    :param error: why not; after one that left a cancel in doubt, or that nothing is known of, the job may be stopped.
    """
    if isinstance(error, TuyaOTAError) and not error.in_doubt:
        return f"Job {job_id} was not stopped; cancel its device tasks in the vendor's console. {error.sentence}"
    cause = error.sentence if isinstance(error, TuyaOTAError) else f"{type(error).__name__}."
    return f"Whether job {job_id} was stopped is not known; look at its device tasks in the vendor's console. {cause}"


def _count_each(settings: Settings, cancelled: Mapping[str, bool]) -> Flow[dict[str, StopResult | TuyaOTAError]]:
    outcomes: dict[str, StopResult | TuyaOTAError] = {}
    for job_id, is_cancelled in cancelled.items():
        try:
            outcomes[job_id] = yield from count_after_cancel(settings, job_id, is_cancelled=is_cancelled)
        except TuyaOTAError as error:
            outcomes[job_id] = error
    return outcomes


def _require_result(outcome: StopResult | TuyaOTAError) -> StopResult:
    if isinstance(outcome, TuyaOTAError):
        raise outcome
    return outcome
