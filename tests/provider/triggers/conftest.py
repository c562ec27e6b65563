from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from airflow.sdk.execution_time import task_runner

from airflow_provider_tuya_ota.triggers import kill_answer
from airflow_provider_tuya_ota.triggers.job import TuyaOTAJobTrigger
from tests.provider.conftest import FakeStore
from tests.provider.operators.test_create_once import FakeRun, deferred
from tests.provider.operators.test_verify_operator import make_firmware, play, verify
from tests.provider.triggers.fake_triggerer import Line, Log

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.provider.conftest import FakeTask, Service


@pytest.fixture
def context(ti: FakeTask) -> Any:
    return {"ti": ti, "task_state_store": FakeStore(), "dag_run": FakeRun(start_date=datetime.now(UTC))}


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> Log:
    log = Log()
    monkeypatch.setattr(TuyaOTAJobTrigger, "log", log)
    return log


@pytest.fixture
def supervisor(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Line]:
    """Say what the supervisor answers to the question for the task's state."""
    pauses = tuple(pause and pause / 100 for pause in kill_answer.ASK_PAUSES)
    monkeypatch.setattr(kill_answer, "ASK_PAUSES", pauses)

    def answers(*states: Any) -> Line:
        line = Line(*states)
        monkeypatch.setattr(task_runner, "SUPERVISOR_COMMS", line, raising=False)
        return line

    return answers


@pytest.fixture
def watched(service: Service, context: Any, firmware: Path, ti: FakeTask, log: Log) -> TuyaOTAJobTrigger:
    play(service, device_001={"outcome": "silent"}, device_002={"outcome": "silent"})
    trigger = deferred(verify(make_firmware(service, context, firmware), deferrable=True), context)
    assert isinstance(trigger, TuyaOTAJobTrigger)
    trigger.task_instance = ti  # type: ignore[assignment] # all that the trigger asks of it
    return trigger
