"""The trigger that waits for a job without holding a worker."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from airflow.triggers.base import BaseTrigger, TriggerEvent
from asgiref.sync import sync_to_async

from airflow_provider_tuya_ota.client import LogListener
from airflow_provider_tuya_ota.core.agenda import interval_alone
from airflow_provider_tuya_ota.core.error_events import describe_error
from airflow_provider_tuya_ota.core.errors import JobFailedError, TuyaOTAError, WaitTimeoutError
from airflow_provider_tuya_ota.core.stopping import not_stopped, stop_job
from airflow_provider_tuya_ota.core.verdicts import Outcome, Verdict
from airflow_provider_tuya_ota.core.watching import Patience, watch_job
from airflow_provider_tuya_ota.hooks.tuya_ota import TuyaOTAHook
from airflow_provider_tuya_ota.polling.poller import PollerBrokenError
from airflow_provider_tuya_ota.polling.pulse import feel_pulse
from airflow_provider_tuya_ota.polling.shared import shared_poller
from airflow_provider_tuya_ota.transports.driver import World

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from airflow_provider_tuya_ota.polling.pulse import Pulse

LONGEST_STOP: Final = 120.0
"""Seconds that stopping a job may take where many are stopped at once."""


class TuyaOTAJobTrigger(BaseTrigger):
    """Look at a job until it has ended or the deadline has passed, then fire exactly one event.

    The event is ``{"status": success | failure | timeout | error, "verdict": …, "message": …, "job_id": …, "on_cancel":
    …, "carry": …}``. The trigger owns the deadline and looks once more after it. A restarted triggerer goes on where
    the last one stopped, and stops nothing at the platform.

    Where a person kills the task (marks it or its run failed or successful, or clears it) and ``on_cancel`` is
    ``stop``, the job's device tasks that have not begun are cancelled. Airflow calls a trigger killed also when it was
    given to another triggerer, so the task's state is read first: unless the task is certainly waited for no longer,
    nothing is cancelled and the log says so.

    :param job_id: job to wait for.
    :param tuya_ota_conn_id: id of the connection.
    :param patience: deadline and intervals, as :meth:`Patience.to_dict` gives them.
    :param on_cancel: ``stop`` or ``keep``; ``keep`` by default, because a trigger that was stored before this argument
        existed promised to stop nothing.
    :param firmware_id: package of the job, for which many jobs can be looked at with one request; empty, as in older
        stored triggers: the first look finds it out.
    :param carry: what the operator wants back with the event; ``Dag.test()`` drops what is given to ``defer`` instead.
    """

    def __init__(
        self,
        *,
        job_id: str,
        tuya_ota_conn_id: str,
        patience: dict[str, Any],
        on_cancel: str = "keep",
        firmware_id: str = "",
        carry: dict[str, str] | None = None,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call] # Airflow's constructor has no annotations
        self.job_id = job_id
        self.tuya_ota_conn_id = tuya_ota_conn_id
        self.patience = patience
        self.on_cancel = on_cancel
        self.firmware_id = firmware_id
        self.carry = carry or {}
        self._pulse: Pulse | None = None

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Give what rebuilds this trigger elsewhere; the connection's secrets are not part of it."""
        return (
            f"{type(self).__module__}.{type(self).__qualname__}",
            {
                "job_id": self.job_id,
                "tuya_ota_conn_id": self.tuya_ota_conn_id,
                "patience": self.patience,
                "on_cancel": self.on_cancel,
                "firmware_id": self.firmware_id,
                "carry": self.carry,
            },
        )

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Wait, then fire one event."""
        event = {"job_id": self.job_id, "on_cancel": self.on_cancel, "carry": self.carry}
        yield TriggerEvent(await self._wait() | event)  # type: ignore[no-untyped-call] # as above

    async def on_kill(self) -> None:
        """Stop what the job has not begun, if a person killed the task."""
        # Airflow cancels a killed trigger again every second, which would break off what has just begun.
        answering = asyncio.create_task(self._answer_kill())
        while not answering.done():
            with suppress(asyncio.CancelledError):
                await asyncio.shield(answering)

    async def _answer_kill(self) -> None:
        if self.on_cancel != "stop":
            await self.log.ainfo(f"Job {self.job_id} goes on (on_cancel is {self.on_cancel!r})")
            return
        if doubt := await self._doubt():
            await self.log.awarning(f"Job {self.job_id} is not stopped: {doubt}")
            return
        await self.log.awarning(f"Stopping job {self.job_id}, because its task was killed")
        try:
            async with (
                asyncio.timeout(LONGEST_STOP),
                await TuyaOTAHook(self.tuya_ota_conn_id).aget_conn(self.log) as client,
            ):
                await client.run(stop_job(client.settings, self.job_id))
        except Exception as error:  # noqa: BLE001 - nobody else would say that the job goes on
            sentence = error.sentence if isinstance(error, TuyaOTAError) else f"{type(error).__name__}."
            await self.log.aerror(f"{sentence} {not_stopped(self.job_id)}")

    async def _doubt(self) -> str:
        """Say why it is not certain that a person killed the task; empty where it is."""
        if self._pulse is not None and self._pulse.stood_still():
            return "this triggerer stood still for a while, and another one may have taken the wait over"
        try:
            state = await self._state_of_the_task()
        except Exception as error:  # noqa: BLE001 - whatever went wrong, the state is not known
            return f"the state of its task could not be read ({type(error).__name__})"
        return (
            "its task still waits for it, so another triggerer has taken the wait over" if state == "deferred" else ""
        )

    async def _state_of_the_task(self) -> str:
        from airflow.sdk.execution_time.task_runner import (  # noqa: PLC0415 - exists in a running triggerer only
            RuntimeTaskInstance,
        )

        ti = self.task_instance
        if ti is None:
            raise LookupError("the trigger has no task instance")
        states = await sync_to_async(RuntimeTaskInstance.get_task_states)(
            dag_id=ti.dag_id, task_ids=[ti.task_id], run_ids=[ti.run_id], map_index=ti.map_index
        )
        return next((str(state or "") for state in states.get(ti.run_id, {}).values()), "")

    async def _wait(self) -> dict[str, Any]:
        try:
            verdict = await self._watch()
        except WaitTimeoutError as error:
            return _event("timeout", error.verdict, str(error))
        except JobFailedError as error:
            return _event("failure", error.verdict, str(error))
        except TuyaOTAError as error:
            return _event("error", None, str(error)) | {"error": describe_error(error)}
        if verdict.outcome is Outcome.SUCCEEDED:
            return _event("success", verdict, "")
        return _event("failure", verdict, verdict.failure_text())

    async def _watch(self) -> Verdict:
        hook = TuyaOTAHook(self.tuya_ota_conn_id)
        patience = Patience.from_dict(self.patience)
        listener = LogListener(self.log)
        async with feel_pulse() as self._pulse:
            try:
                async with shared_poller(await hook.aget_settings()) as poller:
                    return await poller.watch(
                        self.job_id, patience, firmware_id=self.firmware_id, listener=listener, world=World()
                    )
            except PollerBrokenError as error:
                waits = error.waits
                await self.log.awarning(f"Looking at many jobs at once has failed ({error}); looking at this one alone")
            async with await hook.aget_conn(self.log) as client:
                rate = client.settings.requests_per_second
                alone = interval_alone(patience.poll_interval, waits=waits, rate=rate)
                return await client.run(watch_job(client.settings, self.job_id, replace(patience, poll_interval=alone)))


def _event(status: str, verdict: Verdict | None, message: str) -> dict[str, Any]:
    return {"status": status, "verdict": verdict.to_dict() if verdict else None, "message": message}
