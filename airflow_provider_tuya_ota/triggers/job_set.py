"""The trigger that waits for a set of jobs without holding a worker."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from airflow.triggers.base import BaseTrigger, TriggerEvent

from airflow_provider_tuya_ota.client import LogListener
from airflow_provider_tuya_ota.core.errors import TuyaOTAError
from airflow_provider_tuya_ota.core.jobs.stopped import NotCounted
from airflow_provider_tuya_ota.core.model.outcome_errors import WaitTimeoutError
from airflow_provider_tuya_ota.core.model.result_event import describe_result
from airflow_provider_tuya_ota.core.status import job_set_wait
from airflow_provider_tuya_ota.core.status.end_rule import find_end_rule
from airflow_provider_tuya_ota.core.status.job_set_wait import JobSetWait, WaitedJob
from airflow_provider_tuya_ota.core.status.wait import WaitOptions
from airflow_provider_tuya_ota.hooks.shared_settings import (
    changed_settings,
    keep_connected,
    send_twice_if_refused,
    shared_settings,
)
from airflow_provider_tuya_ota.polling.fallback import wait_with_fallback
from airflow_provider_tuya_ota.polling.job_set_wait import wait_for_jobs
from airflow_provider_tuya_ota.polling.stall_detector import detect_stalls
from airflow_provider_tuya_ota.polling.stopper import shared_stopper
from airflow_provider_tuya_ota.transports.runtime import Runtime
from airflow_provider_tuya_ota.triggers.first_event import FirstEvent
from airflow_provider_tuya_ota.triggers.kill_answer import KillAnswer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence

    from airflow_provider_tuya_ota.core.flows.effects import Flow
    from airflow_provider_tuya_ota.core.jobs.stopped import StopResult
    from airflow_provider_tuya_ota.core.settings import Settings
    from airflow_provider_tuya_ota.polling.stall_detector import LoopStallDetector

LONGEST_STOP: Final = 300.0
"""Seconds that stopping jobs may take whose time is over; Airflow gives the trigger up ten minutes after that."""
KILL_PATIENCE: Final = 3.0
"""Seconds for which a stop waits for the connection to be read again."""
DRAINED_BY: Final = "drained_by"
"""Name in ``resume_state`` that says that the wait is for a job from before a clear, and when that is given up."""


class TuyaOTAJobSetTrigger(BaseTrigger):
    """Poll a set of jobs until each has ended, a rule ends the wait or the deadline has passed, then fire one event.

    The event is ``{"jobs": […], "resume_state": …}`` with ``{"status": success | failure | timeout | unfinished |
    error, "verdict": …, "message": …, "job_id": …, "on_cancel": …}`` for each job, and ``"stopped": …`` where the time
    was over and the trigger has stopped what the job had not begun. Several jobs name at most fifty devices together,
    or one each.

    The trigger owns the deadline and polls once more after it. A restarted triggerer continues the wait, and
    cancels nothing at the platform.

    If a person kills the task (marks it or its run failed or successful, or clears it), the trigger cancels the device
    tasks that have not begun, of each job whose ``on_cancel`` is ``stop`` and that is not known to have ended. Airflow
    also kills a trigger that was given to another triggerer, so the trigger reads the task's state first. Unless the
    task has certainly stopped waiting, nothing is cancelled and the log says so.

    :param jobs: the jobs, each as :meth:`WaitedJob.to_dict` gives it; at least one, none twice.
    :param tuya_ota_conn_id: id of the connection.
    :param options: deadline and intervals, as :meth:`WaitOptions.to_dict` gives them.
    :param ends: ``every_end`` or ``first_failure``: when the wait ends.
    :param resume_state: what the operator wants back with the event; ``Dag.test()`` drops what is given to ``defer``
        instead.
    :raises InvalidParameterError: there is no job, one has no id or is given twice, or the rule is not known.
    """

    def __init__(
        self,
        *,
        jobs: Sequence[Mapping[str, Any]],
        tuya_ota_conn_id: str,
        options: dict[str, Any],
        ends: str = "every_end",
        resume_state: dict[str, str] | None = None,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call] # Airflow's constructor has no annotations
        self.tuya_ota_conn_id = tuya_ota_conn_id
        self.options = options
        self.ends = ends
        self.resume_state = resume_state or {}
        self._wait = JobSetWait(
            map(WaitedJob.from_dict, jobs),
            WaitOptions.from_dict(options),
            ends=find_end_rule(ends),
        )
        self._stall_detector: LoopStallDetector | None = None
        self._settings: Settings | None = None
        self._kill: KillAnswer | None = None

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Give what rebuilds this trigger in another process, without the connection's secrets."""
        return (
            f"{type(self).__module__}.{type(self).__qualname__}",
            {
                "jobs": [job.to_dict() for job in self._wait.jobs],
                "tuya_ota_conn_id": self.tuya_ota_conn_id,
                "options": self.options,
                "ends": self.ends,
                "resume_state": self.resume_state,
            },
        )

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Wait, then fire one event."""
        first_event = FirstEvent()
        await self._watch()
        stopped = await self._stop_late()
        await first_event.wait()
        results = self._wait.results
        events = [
            describe_result(results[job.job_id])
            | ({"stopped": stopped[job.job_id]} if job.job_id in stopped else {})
            | {"job_id": job.job_id, "on_cancel": job.on_cancel}
            for job in self._wait.jobs
        ]
        yield TriggerEvent(self.payload(events) | {"resume_state": self.resume_state})  # type: ignore[no-untyped-call] # Airflow's constructor has no annotations

    def payload(self, events: list[dict[str, Any]]) -> dict[str, Any]:
        """Put the events of the jobs into one."""
        return {"jobs": events}

    async def on_kill(self) -> None:
        """Cancel the device tasks that have not begun, if a person killed the task."""
        self._kill = KillAnswer(
            jobs=self._wait.may_go_on,
            ti=self.task_instance,
            kept="it is from before its task was cleared, which has stopped what it may" if self._is_draining else "",
            has_stalled=self._has_stalled(),
            conn_id=self.tuya_ota_conn_id,
            settings=self._read_settings,
            log=self.log,
        )
        await self._kill.wait()

    async def cleanup(self) -> None:
        """Let :meth:`on_kill` finish; nothing else."""
        if self._kill is not None:
            await self._kill.linger()

    @property
    def _is_draining(self) -> bool:
        return DRAINED_BY in self.resume_state

    def _has_stalled(self) -> bool:
        return self._stall_detector is not None and self._stall_detector.recently_stalled()

    async def _read_settings(self) -> Settings:
        # Many triggers that are killed at once would queue up to read the same connection again.
        if self._settings is None:
            self._settings = await shared_settings(self.tuya_ota_conn_id)
        elif self._wait.is_failing:
            # A cancel whose key is refused is sent again with the changed connection, so this may take no time.
            self._settings = await changed_settings(
                self.tuya_ota_conn_id, self._settings, refused=self._settings, patience=KILL_PATIENCE
            )
        return self._settings

    async def _stop_late(self) -> dict[str, str]:
        """Stop the jobs whose time is over: a worker may begin hours later.

        :returns: what was cancelled, by job id; empty for jobs that a worker has to stop.
        """
        results = self._wait.results
        late = [
            job.job_id
            for job in self._wait.jobs
            if job.on_cancel == "stop" and isinstance(results[job.job_id], WaitTimeoutError)
        ]
        # After a stall another triggerer may wait for the jobs, and a later try may have more time.
        if self._has_stalled():
            return {}
        stopped = await asyncio.gather(*map(self._stop_one, late))
        return {job_id: line for job_id, line in zip(late, stopped, strict=True) if line}

    async def _stop_one(self, job_id: str) -> str:
        cancelled: list[str] = []
        try:
            async with asyncio.timeout(LONGEST_STOP):
                settings = await self._read_settings()
                await self.log.awarning(f"Stopping job {job_id}, because the time to wait is over")
                stopped = await send_twice_if_refused(
                    self.tuya_ota_conn_id, settings, partial(self._cancel, job_id, cancelled)
                )
        except Exception as error:  # noqa: BLE001 - after any error the worker tries again and reports
            sentence = error.sentence if isinstance(error, TuyaOTAError) else f"{type(error).__name__}."
            state = f"The effect of the cancel of job {job_id} was not counted"
            if not cancelled:
                state = f"Job {job_id} is not stopped yet"
            await self.log.awarning(f"{sentence} {state}; a worker tries again")
            return ""
        return stopped.line(job_id)

    async def _cancel(self, job_id: str, cancelled: list[str], settings: Settings) -> StopResult:
        listener = LogListener(self.log)
        async with shared_stopper(settings) as stopper:
            is_cancelled = await stopper.cancel(job_id, listener=listener)
            if is_cancelled:
                cancelled.append(job_id)
            stopped = await stopper.count(job_id, is_cancelled=is_cancelled, listener=listener)
            if isinstance(stopped, NotCounted):
                stopped = await stopper.poll_stopped(job_id, listener=listener)
        return stopped

    async def _watch(self) -> None:
        """Wait until each job has a result."""
        wait, listener, runtime = self._wait, LogListener(self.log), Runtime()

        def separate(settings: Settings, interval: float) -> Flow[None]:
            wait.change_options(poll_interval=interval)
            return job_set_wait.wait_for_jobs(settings, wait)

        async def go_on(settings: Settings) -> None:
            self._settings = settings
            await wait_with_fallback(
                settings,
                shared=lambda poller: wait_for_jobs(poller, wait, listener=listener, runtime=runtime),
                separate=lambda interval: separate(settings, interval),
                subject=wait.subject,
                poll_interval=WaitOptions.from_dict(self.options).poll_interval,
                listener=listener,
                runtime=runtime,
                log=self.log,
            )

        def pause_after(error: TuyaOTAError) -> float:
            events, pause = wait.pause_after(error, runtime.context().steady)
            for event in events:
                listener.event(event)
            if not wait.unfinished:
                raise error
            return pause

        async with detect_stalls() as self._stall_detector:
            while wait.unfinished:
                try:
                    await keep_connected(
                        self.tuya_ota_conn_id, go_on, is_failing=lambda: wait.is_failing, pause_after=pause_after
                    )
                except TuyaOTAError as error:
                    for event in wait.give_up(error):
                        listener.event(event)
