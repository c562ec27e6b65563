"""What killing a task does to its job: when a person asked, and when nobody did."""

from __future__ import annotations

import asyncio
import logging
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
import structlog
from airflow.sdk.exceptions import AirflowTaskTimeout
from airflow.sdk.execution_time.task_runner import RuntimeTaskInstance

from airflow_provider_tuya_ota import killing
from airflow_provider_tuya_ota.client import TuyaOTAClient
from airflow_provider_tuya_ota.polling import pulse
from airflow_provider_tuya_ota.transports.clock import steady_seconds
from airflow_provider_tuya_ota.triggers import job as triggering
from airflow_provider_tuya_ota.triggers.job import TuyaOTAJobTrigger
from tests.provider.conftest import FakeStore
from tests.provider.test_create_once import FakeRun, deferred
from tests.provider.test_verify_operator import make_package, play, verify

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.provider.conftest import FakeTask, Service


@pytest.fixture
def context(ti: FakeTask) -> Any:
    return {"ti": ti, "task_state_store": FakeStore(), "dag_run": FakeRun(start_date=datetime.now(UTC))}


@pytest.fixture
def package(service: Service, context: Any, firmware: Path) -> str:
    return make_package(service, context, firmware)


@pytest.fixture
def supervisor(monkeypatch: pytest.MonkeyPatch) -> Callable[[Any], None]:
    """Say what the supervisor answers to the question for the task's state."""

    def answers(state: Any) -> None:
        def get_task_states(**_: Any) -> dict[str, Any]:
            if state == "silence":
                time.sleep(30)
            if isinstance(state, Exception):
                raise state
            return {"run": {"task": state}}

        monkeypatch.setattr(RuntimeTaskInstance, "get_task_states", staticmethod(get_task_states))
        monkeypatch.setattr(killing, "PROBE_SECONDS", 0.05)

    return answers


@pytest.fixture
def waiting(service: Service, context: Any, firmware: Path) -> Any:
    """Give an operator that waits in a worker for a device that never says anything."""
    play(service, device_001={"outcome": "silent"}, device_002={"outcome": "silent"})
    operator = verify(make_package(service, context, firmware), wait_for_completion=False)
    operator.execute(context)
    return operator


def states(service: Service) -> set[str]:
    (job,) = service.emulator.world.engine.jobs.values()
    return {task.status for task in job.tasks}


@pytest.mark.parametrize("state", ["failed", "success", "skipped", "", None, "queued"])
def test_a_worker_s_task_that_a_person_killed_stops_its_job(
    service: Service, waiting: Any, supervisor: Callable[[Any], None], state: Any
) -> None:
    supervisor(state)

    waiting.on_kill()

    assert states(service) == {"CANCELED"}


def test_a_supervisor_that_kills_does_not_answer_and_the_api_server_does(
    service: Service, waiting: Any, supervisor: Callable[[Any], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    supervisor("silence")
    monkeypatch.setenv("AIRFLOW__CORE__EXECUTION_API_SERVER_URL", f"{service.url}/execution/")

    waiting.on_kill()

    assert states(service) == {"CANCELED"}


@pytest.mark.parametrize("state", ["silence", RuntimeError("no line")])
def test_when_the_api_server_is_away_nobody_knows_and_nothing_is_stopped(
    service: Service, waiting: Any, supervisor: Callable[[Any], None], monkeypatch: pytest.MonkeyPatch, state: Any
) -> None:
    supervisor(state)
    monkeypatch.setenv("AIRFLOW__CORE__EXECUTION_API_SERVER_URL", "http://127.0.0.1:1/execution/")

    waiting.on_kill()

    assert "CANCELED" not in states(service)


def test_a_worker_that_is_shut_down_stops_nothing(
    service: Service, waiting: Any, supervisor: Callable[[Any], None]
) -> None:
    supervisor("running")

    waiting.on_kill()

    assert "CANCELED" not in states(service)


def test_the_execution_timeout_stops_the_job_though_the_task_still_runs(
    service: Service, waiting: Any, supervisor: Callable[[Any], None]
) -> None:
    supervisor("running")

    def run_out() -> None:
        raise AirflowTaskTimeout

    try:
        run_out()
    except AirflowTaskTimeout:
        waiting.on_kill()

    assert states(service) == {"CANCELED"}


def test_a_platform_that_is_away_when_a_task_is_killed_is_said(
    service: Service, waiting: Any, supervisor: Callable[[Any], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    supervisor("failed")
    said: list[str] = []
    monkeypatch.setattr(logging.Logger, "error", lambda _, text, *values, **__: said.append(text % values))
    service.emulator.faults.add({"action": "*", "kind": "redirect"})

    killing.stop_killed(waiting.running, logging.getLogger("test"))

    assert "cancel its device tasks in the vendor's console" in said[-1]


def test_keep_keeps(service: Service, context: Any, package: str, supervisor: Callable[[Any], None]) -> None:
    supervisor("failed")
    operator = verify(package, wait_for_completion=False, on_cancel="keep")
    operator.execute(context)

    operator.on_kill()

    assert "CancelOTATaskByJob" not in service.actions


def test_a_task_that_is_killed_while_it_creates_its_job_says_where_to_look(
    service: Service, context: Any, package: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    task = verify(package)

    def killed_here(*_: Any, **__: Any) -> None:
        task.on_kill()
        raise KeyboardInterrupt

    monkeypatch.setattr(TuyaOTAClient, "run", killed_here)
    with pytest.raises(KeyboardInterrupt):
        task.execute(context)

    assert f"package {package} may have a new one" in capsys.readouterr().out


def test_a_task_that_is_killed_before_it_has_a_job_stops_nothing(service: Service, package: str) -> None:
    verify(package).on_kill()

    assert service.actions == []


# --- killed in the triggerer ---


def kill(trigger: TuyaOTAJobTrigger, ti: FakeTask) -> None:
    trigger.task_instance = ti  # type: ignore[assignment] # all that the trigger asks of it
    asyncio.run(trigger.on_kill())


@pytest.fixture
def watched(service: Service, context: Any, firmware: Path) -> TuyaOTAJobTrigger:
    play(service, device_001={"outcome": "silent"}, device_002={"outcome": "silent"})
    trigger = deferred(verify(make_package(service, context, firmware), deferrable=True), context)
    assert isinstance(trigger, TuyaOTAJobTrigger)
    return trigger


@pytest.mark.parametrize("state", ["failed", "success", "skipped", "running", None])
def test_a_deferred_task_that_a_person_killed_stops_its_job(
    service: Service, watched: TuyaOTAJobTrigger, ti: FakeTask, supervisor: Callable[[Any], None], state: Any
) -> None:
    supervisor(state)

    kill(watched, ti)

    assert states(service) == {"CANCELED"}


@pytest.mark.parametrize("state", ["deferred", RuntimeError("no line")])
def test_a_trigger_that_was_handed_over_or_does_not_know_stops_nothing(
    service: Service, watched: TuyaOTAJobTrigger, ti: FakeTask, supervisor: Callable[[Any], None], state: Any
) -> None:
    supervisor(state)

    kill(watched, ti)

    assert "CANCELED" not in states(service)


def test_a_triggerer_that_stood_still_stops_nothing_for_a_while(
    service: Service,
    watched: TuyaOTAJobTrigger,
    ti: FakeTask,
    supervisor: Callable[[Any], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    supervisor("failed")
    watched.task_instance = ti  # type: ignore[assignment] # all that the trigger asks of it
    now = [steady_seconds()]

    async def freeze_and_kill() -> None:
        waiting = asyncio.ensure_future(anext(aiter(watched.run())))
        await asyncio.sleep(0.1)
        monkeypatch.setattr(pulse, "steady_seconds", lambda: now[0])
        now[0] += pulse.STOOD_STILL + pulse.BEAT
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        await watched.on_kill()

    asyncio.run(freeze_and_kill())
    assert "CANCELED" not in states(service)
    now[0] += pulse.DOUBT + 1
    kill(watched, ti)

    assert states(service) == {"CANCELED"}


def test_being_cancelled_again_does_not_break_off_the_stopping(
    service: Service, watched: TuyaOTAJobTrigger, ti: FakeTask, supervisor: Callable[[Any], None]
) -> None:
    supervisor("failed")
    watched.task_instance = ti  # type: ignore[assignment] # all that the trigger asks of it
    service.emulator.faults.add({"action": "*", "kind": "delay", "seconds": 0.3})

    async def kill_again_and_again() -> None:
        killing_it = asyncio.create_task(watched.on_kill())
        while not killing_it.done():
            await asyncio.sleep(0.05)
            killing_it.cancel()
        await killing_it

    asyncio.run(kill_again_and_again())

    assert states(service) == {"CANCELED"}


@pytest.mark.parametrize("fault", [{"action": "CancelOTATaskByJob", "kind": "redirect"}, None])
def test_a_job_that_could_not_be_stopped_is_left_to_a_person_by_name(
    service: Service,
    watched: TuyaOTAJobTrigger,
    ti: FakeTask,
    supervisor: Callable[[Any], None],
    monkeypatch: pytest.MonkeyPatch,
    fault: dict[str, Any] | None,
) -> None:
    supervisor("failed")
    told: list[str] = []

    async def aerror(text: str) -> None:
        told.append(text)

    log = structlog.get_logger()
    monkeypatch.setattr(TuyaOTAJobTrigger, "log", log)
    monkeypatch.setattr(log, "aerror", aerror, raising=False)
    if fault:
        service.emulator.faults.add(fault)
    else:
        monkeypatch.setattr(triggering, "stop_job", lambda *_: 1 / 0)

    kill(watched, ti)

    assert told[0].endswith(f"Job {watched.job_id} was not stopped; cancel its device tasks in the vendor's console")


def test_a_trigger_without_a_task_stops_nothing(service: Service, watched: TuyaOTAJobTrigger) -> None:
    asyncio.run(watched.on_kill())

    assert "CANCELED" not in states(service)


def test_a_job_that_may_not_be_stopped_is_kept_by_its_trigger(
    service: Service, context: Any, ti: FakeTask, package: str, supervisor: Callable[[Any], None]
) -> None:
    supervisor("failed")

    kill(deferred(verify(package, deferrable=True, on_cancel="keep"), context), ti)

    assert "CancelOTATaskByJob" not in service.actions
