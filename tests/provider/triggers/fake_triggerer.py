"""The surroundings of a trigger in a triggerer: a connection to the supervisor, and a log."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from airflow.sdk.api.datamodels._generated import TaskStatesResponse
from airflow.sdk.execution_time.comms import CommsDecoder, GetTaskStates, TaskStatesResult

from tests.provider.specs import stands_in_for

if TYPE_CHECKING:
    from airflow_provider_tuya_ota.triggers.job import TuyaOTAJobTrigger
    from tests.provider.conftest import Service


@stands_in_for(CommsDecoder)
class Line:
    """The triggerer's line to its supervisor, as far as a question for states goes."""

    def __init__(self, *answers: Any) -> None:
        self._answers = list(answers)
        self.asked: list[GetTaskStates] = []

    async def asend(self, msg: Any) -> TaskStatesResult:
        assert isinstance(msg, GetTaskStates)
        self.asked.append(msg)
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if answer == "silence":
            await asyncio.sleep(30)
        if isinstance(answer, Exception):
            raise answer
        states = answer if isinstance(answer, dict) else {"task": answer}
        return TaskStatesResult.from_api_response(TaskStatesResponse(task_states={"run": states}))


class Log:
    """A trigger's log, whose methods come in both kinds.

    :param lines: all of them.
    :param quiet: those of them that ask for nobody's attention.
    """

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.quiet: list[str] = []

    def warning(self, text: str, *values: Any) -> None:
        self.lines.append(text % values if values else text)

    async def awarning(self, text: str) -> None:
        self.warning(text)

    def info(self, text: str, *values: Any) -> None:
        self.quiet.append(text % values if values else text)
        self.lines.append(self.quiet[-1])

    async def ainfo(self, text: str) -> None:
        self.info(text)

    error = warning
    aerror = awarning


def states(service: Service) -> set[str]:
    (job,) = service.emulator.world.engine.jobs.values()
    return {task.status for task in job.tasks}


async def kill_as_airflow_does(trigger: TuyaOTAJobTrigger, *, limit: float = 30.0, again: float = 0.1) -> None:
    """Run ``on_kill`` and ``cleanup`` as the triggerer of Airflow 3.3.2 does, which cancels again and again."""

    async def run_trigger() -> None:
        try:
            with suppress(TimeoutError, asyncio.CancelledError):
                await asyncio.wait_for(trigger.on_kill(), timeout=limit)
        finally:
            await trigger.cleanup()

    running = asyncio.create_task(run_trigger())
    while not running.done():
        await asyncio.sleep(again)
        running.cancel()
    await asyncio.gather(running, return_exceptions=True)
