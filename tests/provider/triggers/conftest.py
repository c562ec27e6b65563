from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from airflow.sdk.execution_time import task_runner

from airflow_provider_tuya_ota.core.status.job_set_wait import WaitedJob
from airflow_provider_tuya_ota.triggers import kill_answer
from airflow_provider_tuya_ota.triggers.job import TuyaOTAJobTrigger
from airflow_provider_tuya_ota.triggers.job_set import TuyaOTAJobSetTrigger
from tests.emulator.plain_client import PlainClient, over_socket
from tests.provider.conftest import FakeStore
from tests.provider.operators.test_create_once import FakeRun, deferred
from tests.provider.operators.test_verify_operator import make_firmware, play, verify
from tests.provider.triggers.fake_triggerer import Line, Log

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.provider.conftest import FakeTask, Service

DEVICES = ("device-001", "device-002", "device-003")


@pytest.fixture
def context(ti: FakeTask) -> Any:
    return {"ti": ti, "task_state_store": FakeStore(), "dag_run": FakeRun(start_date=datetime.now(UTC))}


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> Log:
    log = Log()
    monkeypatch.setattr(TuyaOTAJobSetTrigger, "log", log)
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


@pytest.fixture
def upgraded(service: Service) -> Callable[..., list[WaitedJob]]:
    """Start one upgrade job for each device, whose outcome is given."""

    def upgraded(*outcomes: str, kept: tuple[int, ...] = ()) -> list[WaitedJob]:
        devices: dict[str, Any] = {
            name: {"outcome": outcome} for name, outcome in zip(DEVICES, outcomes, strict=False) if outcome
        }
        play(service, **devices)
        plain_client = PlainClient(over_socket(service.url))
        firmware_id = plain_client.create_firmware(NeedToVerify="false")
        return [
            WaitedJob(
                job_id=plain_client.upgrade(firmware_id, name),
                firmware_id=firmware_id,
                expected=(name,),
                on_cancel="keep" if number in kept else "stop",
            )
            for number, name in enumerate(DEVICES[: len(outcomes)])
        ]

    return upgraded
