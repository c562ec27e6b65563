"""What a trigger finds around it in a triggerer: a line to the supervisor, and a log."""

from __future__ import annotations

import asyncio
from typing import Any

from airflow.sdk.api.datamodels._generated import TaskStatesResponse
from airflow.sdk.execution_time.comms import CommsDecoder, GetTaskStates, TaskStatesResult

from tests.provider.specs import stands_in_for


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
    """A trigger's log, whose methods come in both kinds."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def info(self, text: str, *values: Any) -> None:
        self.lines.append(text % values if values else text)

    async def ainfo(self, text: str) -> None:
        self.lines.append(text)

    warning = error = info
    awarning = aerror = ainfo
