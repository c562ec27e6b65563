"""The trigger that waits for a job without holding a worker."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from airflow.triggers.base import BaseTrigger, TriggerEvent

from airflow_provider_tuya_ota.client import LogListener
from airflow_provider_tuya_ota.core.errors import StateUnavailableError, TuyaOTAError
from airflow_provider_tuya_ota.core.model.error_event import describe_error
from airflow_provider_tuya_ota.core.model.outcome_errors import JobFailedError, WaitTimeoutError
from airflow_provider_tuya_ota.core.model.verdict import Outcome, Verdict
from airflow_provider_tuya_ota.core.status.wait import JobWait, WaitOptions, wait_for_job
from airflow_provider_tuya_ota.core.status.wait_state import WaitState
from airflow_provider_tuya_ota.hooks.shared_settings import keep_connected, shared_settings
from airflow_provider_tuya_ota.polling.fallback import wait_with_fallback
from airflow_provider_tuya_ota.polling.stall_detector import detect_stalls
from airflow_provider_tuya_ota.polling.stopper import shared_stopper
from airflow_provider_tuya_ota.transports.runtime import Runtime
from airflow_provider_tuya_ota.triggers.kill_answer import KillAnswer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from airflow_provider_tuya_ota.core.settings import Settings
    from airflow_provider_tuya_ota.polling.stall_detector import LoopStallDetector

LONGEST_STOP: Final = 300.0
"""Seconds that stopping a job may take whose time is over; Airflow gives the trigger up ten minutes after that."""
DRAINED_BY: Final = "drained_by"
"""Name in ``resume_state`` that says that the wait is for a job from before a clear, and when that is given up."""


class TuyaOTAJobTrigger(BaseTrigger):
    """Poll a job until it has ended or the deadline has passed, then fire exactly one event.

    The event is ``{"status": success | failure | timeout | error, "verdict": …, "message": …, "job_id": …, "on_cancel":
    …, "resume_state": …}``, with ``"stopped": …`` where the time was over and the trigger has stopped what had not
    begun.
    The trigger owns the deadline and polls once more after it. A restarted triggerer goes on where the last one
    stopped, and stops nothing at the platform.

    Where a person kills the task (marks it or its run failed or successful, or clears it) and ``on_cancel`` is
    ``stop``, the job's device tasks that have not begun are cancelled. Airflow calls a trigger killed also when it was
    given to another triggerer, so the task's state is read first: unless the task is certainly waited for no longer,
    nothing is cancelled and the log says so.

    :param job_id: job to wait for.
    :param tuya_ota_conn_id: id of the connection.
    :param options: deadline and intervals, as :meth:`WaitOptions.to_dict` gives them.
    :param on_cancel: ``stop`` or ``keep``; ``keep`` by default, because a trigger that was stored before this argument
        existed promised to stop nothing.
    :param firmware_id: firmware of the job, for which one request lists many jobs; empty, as in older
        stored triggers: the first poll finds it out.
    :param resume_state: what the operator wants back with the event; ``Dag.test()`` drops what is given to ``defer``
        instead.
    """

    def __init__(
        self,
        *,
        job_id: str,
        tuya_ota_conn_id: str,
        options: dict[str, Any],
        on_cancel: str = "keep",
        firmware_id: str = "",
        resume_state: dict[str, str] | None = None,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call] # Airflow's constructor has no annotations
        self.job_id = job_id
        self.tuya_ota_conn_id = tuya_ota_conn_id
        self.options = options
        self.on_cancel = on_cancel
        self.firmware_id = firmware_id
        self.resume_state = resume_state or {}
        self._stall_detector: LoopStallDetector | None = None
        self._settings: Settings | None = None
        self._kill: KillAnswer | None = None

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Give what rebuilds this trigger elsewhere; the connection's secrets are not part of it."""
        return (
            f"{type(self).__module__}.{type(self).__qualname__}",
            {
                "job_id": self.job_id,
                "tuya_ota_conn_id": self.tuya_ota_conn_id,
                "options": self.options,
                "on_cancel": self.on_cancel,
                "firmware_id": self.firmware_id,
                "resume_state": self.resume_state,
            },
        )

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Wait, then fire one event."""
        event = {"job_id": self.job_id, "on_cancel": self.on_cancel, "resume_state": self.resume_state}
        yield TriggerEvent(await self._wait() | event)  # type: ignore[no-untyped-call] # Airflow's constructor has no annotations

    async def on_kill(self) -> None:
        """Stop what the job has not begun, if a person killed the task."""
        self._kill = KillAnswer(
            job_id=self.job_id,
            ti=self.task_instance,
            on_cancel=self.on_cancel,
            kept="it is from before its task was cleared, which has stopped what it may" if self._is_draining else "",
            has_stalled=self._has_stalled(),
            settings=self._read_settings,
            log=self.log,
        )
        await self._kill.wait()

    async def cleanup(self) -> None:
        """Let :meth:`on_kill` end what it has begun; nothing else."""
        if self._kill is not None:
            await self._kill.linger()

    @property
    def _is_draining(self) -> bool:
        return DRAINED_BY in self.resume_state

    def _has_stalled(self) -> bool:
        return self._stall_detector is not None and self._stall_detector.recently_stalled()

    async def _read_settings(self) -> Settings:
        # Many that are killed at once would stand in one line to read the same connection again.
        if self._settings is None:
            self._settings = await shared_settings(self.tuya_ota_conn_id)
        return self._settings

    async def _wait(self) -> dict[str, Any]:
        try:
            verdict = await self._watch()
        except WaitTimeoutError as error:
            return _event("timeout", error.verdict, str(error)) | await self._stop_late()
        except JobFailedError as error:
            return _event("failure", error.verdict, str(error))
        except TuyaOTAError as error:
            return _event("error", None, str(error)) | {"error": describe_error(error)}
        if verdict.outcome is Outcome.SUCCEEDED:
            return _event("success", verdict, "")
        return _event("failure", verdict, verdict.failure_text())

    async def _stop_late(self) -> dict[str, str]:
        """Stop what the job has not begun, now that the time is over: a worker may begin hours later.

        :returns: what came of it; nothing where a worker has to do it.
        """
        # After a stall another triggerer may wait for the job, and a later try may have more time.
        if self.on_cancel != "stop" or self._has_stalled():
            return {}
        try:
            async with asyncio.timeout(LONGEST_STOP), shared_stopper(await self._read_settings()) as stopper:
                await self.log.awarning(f"Stopping job {self.job_id}, because the time to wait is over")
                stopped = await stopper.stop(self.job_id, listener=LogListener(self.log))
        except Exception as error:  # noqa: BLE001 - whatever it is, the worker tries again and reports
            sentence = error.sentence if isinstance(error, TuyaOTAError) else f"{type(error).__name__}."
            await self.log.awarning(f"{sentence} Job {self.job_id} is not stopped yet; a worker tries again")
            return {}
        return {"stopped": stopped.line(self.job_id)}

    async def _watch(self) -> Verdict:
        options = WaitOptions.from_dict(self.options)
        listener, runtime, state = LogListener(self.log), Runtime(), WaitState()

        async def wait(settings: Settings) -> Verdict:
            self._settings = settings
            return await wait_with_fallback(
                settings,
                shared=lambda poller: poller.wait_for_job(
                    self.job_id,
                    options,
                    firmware_id=self.firmware_id,
                    listener=listener,
                    runtime=runtime,
                    state=state,
                ),
                separate=lambda interval: wait_for_job(
                    settings, self.job_id, replace(options, poll_interval=interval), state
                ),
                subject=f"job {self.job_id}",
                poll_interval=options.poll_interval,
                listener=listener,
                runtime=runtime,
                log=self.log,
            )

        def pause_after(error: StateUnavailableError) -> float:
            event, pause = JobWait(self.job_id, options, state).pause_after(error, runtime.context().steady)
            listener.event(event)
            return pause

        async with detect_stalls() as self._stall_detector:
            return await keep_connected(self.tuya_ota_conn_id, wait, pause_after=pause_after)


def _event(status: str, verdict: Verdict | None, message: str) -> dict[str, Any]:
    return {"status": status, "verdict": verdict.to_dict() if verdict else None, "message": message}
