"""The answer of a killed trigger, which continues in the background if Airflow does not let it finish.

Airflow 3.3.2 waits for ``on_kill`` for ``[triggerer] on_kill_timeout`` seconds, but meanwhile cancels the trigger again
each second, which ends that wait at once. Then it calls ``cleanup``; after that the trigger's lines go to the
triggerer's own log. So ``on_kill`` starts the answer as a separate asyncio task, and ``cleanup`` waits for it in the
rest of the time that Airflow gives.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakKeyDictionary

from airflow.providers.common.compat.sdk import conf

from airflow_provider_tuya_ota.client import LogListener
from airflow_provider_tuya_ota.core.jobs.kill_decision import (
    Kill,
    KillDecision,
    KilledProcess,
    TaskState,
    assess_kill,
    parse_task_state,
)
from airflow_provider_tuya_ota.core.jobs.stop import not_stopped
from airflow_provider_tuya_ota.core.jobs.stopped import NotCounted
from airflow_provider_tuya_ota.hooks.shared_settings import send_twice_if_refused
from airflow_provider_tuya_ota.polling.stopper import shared_stopper

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop
    from collections.abc import Awaitable, Callable, Sequence

    from airflow_provider_tuya_ota.core.settings import Settings
    from airflow_provider_tuya_ota.core.status.job_set_wait import WaitedJob

ASK_SECONDS: Final = 10.0
"""For one request for a task's state; it takes milliseconds, but all triggers of a triggerer share one connection."""
ASK_PAUSES: Final = (1.0, 3.0, 6.0, None)
"""Seconds after a request without an answer; None after the last one."""
ASK_AT_ONCE: Final = 8

_ANSWERS: Final[set[asyncio.Task[None]]] = set()
"""An event loop holds its tasks only weakly."""
_LINES: Final[WeakKeyDictionary[AbstractEventLoop, asyncio.Semaphore]] = WeakKeyDictionary()


class KillAnswer:
    """One answer to one kill.

    :param jobs: jobs that the trigger waited for and that are not known to have ended.
    :param ti: the trigger's task instance, or None.
    :param kept: why the jobs continue in any case; empty if the state of the task decides.
    :param has_stalled: whether this triggerer was stalled within the last minute.
    :param conn_id: id of the connection.
    :param settings: gives its settings as the trigger knows them.
    :param log: of the trigger.
    """

    def __init__(
        self,
        *,
        jobs: Sequence[WaitedJob],
        ti: Any,
        kept: str,
        has_stalled: bool,
        conn_id: str,
        settings: Callable[[], Awaitable[Settings]],
        log: Any,
    ) -> None:
        self._jobs = jobs
        self._ti = ti
        self._kept = kept
        self._has_stalled = has_stalled
        self._conn_id = conn_id
        self._settings = settings
        self._log = log
        self._explain: Callable[[str], str] = lambda _: "its task's state or its connection is still being read"
        # In the order of the jobs: those whose fate is not known yet, and those that are not known to be cancelled.
        self._open = dict.fromkeys(job.job_id for job in jobs)
        self._uncancelled = dict(self._open)
        loop = asyncio.get_running_loop()
        self._until = loop.time() + conf.getfloat("triggerer", "on_kill_timeout")
        self._task = loop.create_task(self._answer())
        _ANSWERS.add(self._task)
        self._task.add_done_callback(_ANSWERS.discard)

    async def wait(self) -> None:
        """Wait for the end; a cancellation of this wait does not cancel the answer."""
        await asyncio.shield(self._task)

    async def linger(self) -> None:
        """Wait for the end as long as Airflow allows, even if it cancels this wait repeatedly."""
        loop = asyncio.get_running_loop()
        while not self._task.done() and (left := self._until - loop.time()) > 0:
            # Airflow cancels a killed trigger once more, or the triggerer ends, and then the answer is cancelled too.
            with suppress(asyncio.CancelledError):
                await asyncio.wait([self._task], timeout=left)
        for job_id in self._uncancelled if not self._task.done() else ():
            self._log.warning(
                f"Job {job_id} is not stopped yet, because {self._explain(job_id)}. This triggerer continues, and its"
                " own log will have the result"
            )

    async def _answer(self) -> None:
        try:
            await self._stop_if_asked()
        except asyncio.CancelledError:
            for job_id in self._open:
                self._log.error(
                    f"This triggerer has ended before it was known whether job {job_id} was stopped; look at its"
                    " device tasks in the vendor's console"
                )
            raise
        except Exception as error:  # noqa: BLE001 - only this logs that the jobs go on
            for job_id in self._open:
                await self._say_not_stopped(job_id, error)

    async def _stop_if_asked(self) -> None:
        kill = None if self._kept else await self._kill()
        reasons: dict[str, str] = {}
        for job in self._jobs:
            decision = KillDecision(stop=False, reason=self._kept)
            if kill is not None:
                decision = assess_kill(replace(kill, on_cancel=job.on_cancel))
            if decision.stop:
                reasons[job.job_id] = decision.reason
                continue
            # With on_cancel "keep" nobody expects a stop, so this is no warning.
            say = self._log.awarning if job.on_cancel == "stop" else self._log.ainfo
            await say(f"Job {job.job_id} goes on at the platform, because {decision.reason}")
            self._settle(job.job_id)
        if reasons:
            settings = await self._settings()
            await asyncio.gather(*(self._stop(settings, job_id, reason) for job_id, reason in reasons.items()))

    async def _stop(self, settings: Settings, job_id: str, reason: str) -> None:
        try:
            await self._log.awarning(f"Stopping job {job_id}, because {reason}")
            await send_twice_if_refused(self._conn_id, settings, partial(self._cancel, job_id))
        except Exception as error:  # noqa: BLE001 - the other jobs must still be stopped
            await self._say_not_stopped(job_id, error)
        self._settle(job_id)

    async def _cancel(self, job_id: str, settings: Settings) -> None:
        listener = LogListener(self._log)
        async with shared_stopper(settings) as stopper:
            self._explain = stopper.explain
            is_cancelled = await stopper.cancel(job_id, listener=listener)
            self._uncancelled.pop(job_id, None)
            stopped = await stopper.count(job_id, is_cancelled=is_cancelled, listener=listener)
            if isinstance(stopped, NotCounted):
                await stopper.poll_stopped(job_id, listener=listener)

    async def _say_not_stopped(self, job_id: str, error: Exception) -> None:
        await self._log.aerror(not_stopped(job_id, error))

    def _settle(self, job_id: str) -> None:
        self._open.pop(job_id)
        self._uncancelled.pop(job_id, None)

    async def _kill(self) -> Kill:
        # The state is requested only if it can lead to a stop.
        may_stop = any(job.on_cancel == "stop" for job in self._jobs) and not self._has_stalled
        return Kill(
            process=KilledProcess.TRIGGERER,
            state=await self._state() if may_stop else None,
            has_stalled=self._has_stalled,
        )

    async def _state(self) -> TaskState | None:
        """Request the task's state, repeatedly if there is no answer; None if none came."""
        if self._ti is None:
            return None
        for pause in ASK_PAUSES:
            try:
                return await _ask(self._ti)
            except Exception:  # noqa: BLE001 - whatever went wrong, it is no answer
                if pause is not None:
                    await asyncio.sleep(pause)
        return None


async def _ask(ti: Any) -> TaskState | None:
    from airflow.sdk.execution_time import task_runner  # noqa: PLC0415 - its connection exists in a running triggerer only
    from airflow.sdk.execution_time.comms import GetTaskStates  # noqa: PLC0415 - its connection exists in a running triggerer only

    loop = asyncio.get_running_loop()
    if loop not in _LINES:
        _LINES[loop] = asyncio.Semaphore(ASK_AT_ONCE)
    question = GetTaskStates(dag_id=ti.dag_id, task_ids=[ti.task_id], run_ids=[ti.run_id], map_index=ti.map_index)
    async with _LINES[loop], asyncio.timeout(ASK_SECONDS):
        answer: Any = await task_runner.SUPERVISOR_COMMS.asend(question)
    return parse_task_state(answer.task_states, run_id=ti.run_id, task_id=ti.task_id, map_index=ti.map_index)
