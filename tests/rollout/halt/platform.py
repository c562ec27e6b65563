"""A platform that shows given statuses at given times, for halts without the emulator."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, TypeAlias, TypeVar

from airflow_provider_tuya_ota.core.flows.effects import Send, Sleep
from airflow_provider_tuya_ota.rollout.halt.halt import halt_jobs
from airflow_provider_tuya_ota.rollout.halt.scope import HaltScope
from airflow_provider_tuya_ota.rollout.halt.settlement import HaltOptions
from tests.core.script import NOW, SETTINGS, Script, job, ok, task

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow_provider_tuya_ota.core.flows.effects import Flow
    from airflow_provider_tuya_ota.rollout.halt.settled import SettledHalt
    from tests.core.script import Answer, Sent

T = TypeVar("T")
Statuses: TypeAlias = dict[str, str]


@dataclass
class Platform:
    """What each job shows from which second on.

    :param tasks: status of each listed device, by job; ``IN_PROGRESS 40`` has a progress.
    :param jobs: status of each job; IN_PROGRESS by default.
    :param errors: answered before all others, by operation and job.
    """

    tasks: Mapping[str, Mapping[float, Statuses]]
    jobs: Mapping[str, Mapping[float, str]] = field(default_factory=dict)
    errors: dict[tuple[str, str], list[Answer]] = field(default_factory=dict)
    saved: object = None
    begun_at: datetime = NOW
    script: Script = field(init=False)

    def __post_init__(self) -> None:
        self.script = Script(self._answer, now=self.begun_at, saved=self.saved)

    def run(self, flow: Flow[SettledHalt]) -> SettledHalt:
        return self.script.run(flow)

    def run_until(self, flow: Flow[SettledHalt], *, seconds: float = 1e9, requests: int = 10**9) -> None:
        """Run until a moment, or before a request, and lose the process there."""
        answer: object = None
        while True:
            effect = flow.throw(answer) if isinstance(answer, Exception) else flow.send(answer)
            if isinstance(effect, Sleep) and self.seconds + effect.seconds > seconds:
                return
            if isinstance(effect, Send) and len(self.script.sent) + 1 == requests:
                return
            answer = self.script._answer(effect)

    def go_on(self, seconds: float = 0.0) -> None:
        """Let another process begin, some seconds later."""
        self.script = Script(self._answer, now=self.script.now + timedelta(seconds=seconds), saved=self.script.saved)

    @property
    def seconds(self) -> float:
        return (self.script.now - self.begun_at).total_seconds()

    def requests(self, action: str) -> list[str]:
        """The jobs of the requests of one operation."""
        return [sent.parameters["JobId"] for sent in self.script.sent if sent.action == action]

    def _answer(self, sent: Sent) -> Answer:
        job_id = sent.parameters["JobId"]
        errors = self.errors.get((sent.action, job_id), [])
        if errors:
            return errors.pop(0)
        if sent.action == "CancelOTATaskByJob":
            return ok()
        if sent.action == "QueryOTAJob":
            return ok(data=job(job_id, self._now(self.jobs.get(job_id, {0.0: "IN_PROGRESS"}))))
        shown = self._now(self.tasks[job_id]) if sent.parameters["CurrentPage"] == "1" else {}
        rows = []
        for name, text in shown.items():
            status, _, progress = text.partition(" ")
            rows.append(task(name, status, progress=progress) if progress else task(name, status))
        return ok(data=rows, total=len(self._now(self.tasks[job_id])))

    def _now(self, course: Mapping[float, T]) -> T:
        return course[max(moment for moment in course if moment <= self.seconds)]


OPTIONS = HaltOptions(silent_after=600.0, longest=3600.0, poll_interval=60.0)
SCOPE = HaltScope(
    jobs={"1": ("a", "b"), "2": ("c", "d")}, planned=("a", "b", "c", "d", "e", "f"), before={"b": "flash"}, rounds=3
)
DONE = {"1": {0.0: {"a": "CANCELED", "b": "FAILED"}}, "2": {0.0: {"c": "SUCCEEDED", "d": "FAILED"}}}
CANCEL, LIST = "CancelOTATaskByJob", "ListOTATaskByJob"


def flow(scope: HaltScope = SCOPE) -> Flow[SettledHalt]:
    return halt_jobs(SETTINGS, scope, OPTIONS, reason="ceiling 5 %")
