"""Cancel the device tasks that have not begun when the time of a wait is over."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from airflow_provider_tuya_ota.core.errors import TuyaOTAError
from airflow_provider_tuya_ota.core.jobs.job_set import JobSet
from airflow_provider_tuya_ota.core.jobs.stop import stop_jobs
from airflow_provider_tuya_ota.core.model.outcome_errors import WaitTimeoutError
from airflow_provider_tuya_ota.core.status.job_snapshot import fetch_verdict
from airflow_provider_tuya_ota.core.status.wait import describe_timeout
from airflow_provider_tuya_ota.hooks.tuya_ota import TuyaOTAHook
from airflow_provider_tuya_ota.runtime.alarm import AlarmGuard
from airflow_provider_tuya_ota.runtime.kill import TIMED_OUT_SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from airflow_provider_tuya_ota.client import TuyaOTAClient
    from airflow_provider_tuya_ota.core.model.job_results import JobResult
    from airflow_provider_tuya_ota.core.status.job_set_wait import WaitedJob


@dataclass(frozen=True, slots=True)
class LateStop:
    """Stops the task's own jobs that have not ended in time.

    :param conn_id: id of the connection.
    :param jobs: the jobs of the wait; only those whose ``on_cancel`` is ``stop`` are stopped.
    :param stopped: what the triggerer has cancelled, as a sentence, by job id.
    """

    conn_id: str
    jobs: Sequence[WaitedJob]
    stopped: Mapping[str, str] = field(default_factory=dict)

    def wait(
        self,
        wait: Callable[[], dict[str, JobResult]],
        poll_once: Callable[[], dict[str, JobResult]],
        log: Any,
    ) -> dict[str, JobResult]:
        """Wait, and stop late jobs; finish cleanly even if Airflow's alarm for the ``execution_timeout`` interrupts it.

        :param wait: returns the result of each job, by job id.
        :param poll_once: what to do after the alarm.
        :returns: the results, where the error of each stopped job says what was cancelled.
        """
        with AlarmGuard(TIMED_OUT_SECONDS, log) as guard:
            results = guard.run(wait, poll_once)
            own = {job.job_id for job in self.jobs if job.on_cancel == "stop"}
            late = {
                job_id: result
                for job_id, result in results.items()
                if job_id in own and isinstance(result, WaitTimeoutError)
            }
            if late:
                stop = partial(self._stop, late, log)
                results |= guard.run(stop, stop)
            return results

    def _stop(self, late: Mapping[str, WaitTimeoutError], log: Any) -> dict[str, JobResult]:
        """Stop each job that the triggerer has not stopped.

        :returns: the errors, which say what was stopped.
        """
        outcomes: dict[str, str | TuyaOTAError] = {job_id: self.stopped.get(job_id, "") for job_id in late}
        verdicts = {job_id: error.verdict for job_id, error in late.items()}
        try:
            with TuyaOTAHook(self.conn_id).get_conn(log) as client:
                outcomes |= _stop_each(client, JobSet.of(*(job_id for job_id, line in outcomes.items() if not line)))
                for job_id, outcome in outcomes.items():
                    if not isinstance(outcome, TuyaOTAError):
                        with suppress(TuyaOTAError):
                            verdicts[job_id] = client.run(fetch_verdict(client.settings, job_id))
        except TuyaOTAError as failure:
            outcomes = {job_id: outcome or failure for job_id, outcome in outcomes.items()}
        errors: dict[str, JobResult] = {}
        for job_id, error in late.items():
            outcome = outcomes[job_id]
            if isinstance(outcome, TuyaOTAError):
                said = f"{error.sentence} Stopping it did not work either: {outcome.sentence}"
                errors[job_id] = WaitTimeoutError(said, verdict=error.verdict)
                continue
            summary = f"What had not begun was stopped (on_cancel is 'stop'): {outcome}"
            said = f"{describe_timeout(job_id, error.verdict)} {summary}"
            errors[job_id] = WaitTimeoutError(said, verdict=verdicts[job_id])
        return errors


def _stop_each(client: TuyaOTAClient, jobs: JobSet) -> dict[str, str | TuyaOTAError]:
    outcomes = client.run(stop_jobs(client.settings, jobs))
    return {
        job_id: outcome if isinstance(outcome, TuyaOTAError) else outcome.line(job_id)
        for job_id, outcome in outcomes.items()
    }
