"""The effect of killing a task that waits in a worker, with and without a person who asked for it."""

from __future__ import annotations

import logging
import os
import signal
import threading
from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from unittest.mock import create_autospec

import pytest
from airflow.sdk.exceptions import AirflowTaskTimeout
from airflow.sdk.execution_time.task_runner import RuntimeTaskInstance

from airflow_provider_tuya_ota.client import TuyaOTAClient
from airflow_provider_tuya_ota.core.jobs import stop as stopping
from airflow_provider_tuya_ota.runtime import kill as killing
from airflow_provider_tuya_ota.transports.limiter import limiter_of
from tests.provider.conftest import FakeStore
from tests.provider.operators.test_create_once import FakeRun
from tests.provider.operators.test_verify_operator import make_firmware, play, verify

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.provider.conftest import FakeTask, Service


@pytest.fixture
def context(ti: FakeTask) -> Any:
    return {"ti": ti, "task_state_store": FakeStore(), "dag_run": FakeRun(start_date=datetime.now(UTC))}


@pytest.fixture
def firmware_id(service: Service, context: Any, firmware: Path) -> str:
    return make_firmware(service, context, firmware)


@pytest.fixture
def supervisor(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Any], None]]:
    """Say what the supervisor answers to the question for the task's state."""
    is_over = threading.Event()

    def answers(states: Any) -> None:
        def get_task_states(**_: Any) -> dict[str, Any]:
            if states == "silence":
                is_over.wait()
            if isinstance(states, Exception):
                raise states
            return {"run": states if isinstance(states, dict) else {"task": states}}

        asked = create_autospec(RuntimeTaskInstance.get_task_states, side_effect=get_task_states)
        monkeypatch.setattr(RuntimeTaskInstance, "get_task_states", staticmethod(asked))
        monkeypatch.setattr(killing, "PROBE_SECONDS", 0.05 if states == "silence" else 5)

    yield answers
    is_over.set()


@pytest.fixture
def stalled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let this process have stood still a moment ago."""
    stall_detector = killing.stall_detector()
    monkeypatch.setattr(stall_detector, "recently_stalled", lambda: True)


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Collect the warnings and errors of the task."""
    lines: list[str] = []
    for level in ("warning", "error"):
        monkeypatch.setattr(logging.Logger, level, lambda _, text, *values, **__: lines.append(text % values))
    return lines


@pytest.fixture
def waiting(service: Service, context: Any, firmware: Path) -> Any:
    """Give an operator that waits in a worker for a device that never says anything."""
    play(service, device_001={"outcome": "silent"}, device_002={"outcome": "silent"})
    operator = verify(make_firmware(service, context, firmware), wait_for_completion=False)
    operator.execute(context)
    return operator


def states(service: Service) -> set[str]:
    (job,) = service.emulator.world.engine.jobs.values()
    return {task.status for task in job.tasks}


def kill(operator: Any) -> None:
    killing.answer_kill(operator.running, logging.getLogger("test"))


def run_out(operator: Any) -> None:
    """End the task as Airflow does when its execution_timeout is over."""
    try:
        raise AirflowTaskTimeout  # noqa: TRY301 - Airflow calls on_kill while it handles this
    except AirflowTaskTimeout:
        operator.on_kill()


@pytest.mark.parametrize("state", ["failed", "success", "skipped", "removed", "restarting"])
def test_a_worker_s_task_that_a_person_killed_stops_its_job(
    service: Service, waiting: Any, supervisor: Callable[[Any], None], state: str
) -> None:
    supervisor(state)

    waiting.on_kill()

    assert states(service) == {"CANCELED"}


@pytest.mark.parametrize("state", ["running", "up_for_retry", "queued", "scheduled", "deferred", None, ""])
def test_a_worker_that_is_asked_to_end_while_its_task_goes_on_stops_nothing(
    service: Service, waiting: Any, supervisor: Callable[[Any], None], state: Any
) -> None:
    supervisor(state)

    waiting.on_kill()

    assert "CancelOTATaskByJob" not in service.actions


@pytest.mark.parametrize("answer", ["silence", RuntimeError("no line"), {}])
def test_a_supervisor_that_does_not_give_the_state_stops_nothing(
    service: Service, waiting: Any, supervisor: Callable[[Any], None], said: list[str], answer: Any
) -> None:
    supervisor(answer)

    kill(waiting)

    assert "CancelOTATaskByJob" not in service.actions
    assert "Airflow did not give the state of its task" in said[-1]


@pytest.mark.usefixtures("stalled")
@pytest.mark.parametrize("state", ["failed", "up_for_retry", "running", "success"])
def test_a_worker_that_was_frozen_and_wakes_up_stops_nothing(
    service: Service, waiting: Any, supervisor: Callable[[Any], None], said: list[str], state: str
) -> None:
    supervisor(state)

    kill(waiting)
    run_out(waiting)

    assert "CancelOTATaskByJob" not in service.actions
    assert "this worker stood still" in said[0]


@pytest.mark.parametrize("state", ["failed", "success"])
def test_a_worker_whose_airflow_was_silent_stops_nothing(
    service: Service,
    waiting: Any,
    supervisor: Callable[[Any], None],
    said: list[str],
    monkeypatch: pytest.MonkeyPatch,
    state: str,
) -> None:
    supervisor(state)
    monkeypatch.setattr(killing, "_airflow_watch", lambda _: SimpleNamespace(was_silent=lambda: True))

    kill(waiting)

    assert "CancelOTATaskByJob" not in service.actions
    assert "Airflow did not answer for a while" in said[0]


@pytest.mark.parametrize(("map_index", "stops"), [(0, True), (1, False)])
def test_a_mapped_task_goes_by_its_own_state(
    service: Service, firmware: Path, supervisor: Callable[[Any], None], ti: FakeTask, context: Any, map_index: int,
    stops: bool,
) -> None:  # fmt: skip
    play(service, device_001={"outcome": "silent"}, device_002={"outcome": "silent"})
    ti.map_index = map_index
    operator = verify(make_firmware(service, context, firmware), wait_for_completion=False)
    operator.execute(context)
    supervisor({"task_0": "failed", "task_1": "running"})

    operator.on_kill()

    assert ("CancelOTATaskByJob" in service.actions) == stops


def test_killing_a_task_that_only_follows_a_job_never_stops_it(
    service: Service, waiting: Any, supervisor: Callable[[Any], None], said: list[str], ti: FakeTask
) -> None:
    supervisor("failed")
    other_context: Any = {"ti": ti, "task_state_store": FakeStore(), "dag_run": FakeRun(start_date=datetime.now(UTC))}
    follower = verify(waiting.firmware_id, wait_for_completion=False)
    job_id = follower.execute(other_context)

    kill(follower)
    run_out(follower)

    assert [job_id] == list(service.emulator.world.engine.jobs)
    assert "CancelOTATaskByJob" not in service.actions
    assert "it is not certain that its task created it" in said[-1]


def test_the_execution_timeout_stops_the_job_though_the_task_still_runs(
    service: Service, waiting: Any, supervisor: Callable[[Any], None]
) -> None:
    supervisor("running")

    run_out(waiting)

    assert states(service) == {"CANCELED"}


def test_a_platform_that_is_away_when_a_task_is_killed_is_said(
    service: Service, waiting: Any, supervisor: Callable[[Any], None], said: list[str]
) -> None:
    supervisor("failed")
    service.emulator.faults.add({"action": "*", "kind": "redirect"})

    kill(waiting)

    assert "is not known; look at its device tasks in the vendor's console" in said[-1]


def test_a_platform_that_does_not_answer_in_time_is_said(
    service: Service,
    waiting: Any,
    supervisor: Callable[[Any], None],
    said: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    supervisor("failed")
    monkeypatch.setattr(killing, "KILLED_SECONDS", 0.2)
    service.emulator.faults.add({"action": "CancelOTATaskByJob", "kind": "delay", "seconds": 1})

    kill(waiting)

    assert said[-1].startswith(f"Whether job {waiting.running.jobs[0].job_id} was stopped is not known after 0.2 s")


def test_a_cancel_that_was_confirmed_is_reported_although_nobody_has_counted_yet(
    service: Service,
    waiting: Any,
    supervisor: Callable[[Any], None],
    said: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    supervisor("failed")
    monkeypatch.setattr(killing, "KILLED_SECONDS", 1)
    service.emulator.faults.add({"action": "ListOTATaskByJob", "kind": "delay", "seconds": 3})

    kill(waiting)

    assert states(service) == {"CANCELED"}
    assert said[-1].endswith("its cancel was sent, its effect was not counted; devices that are flashing go on")


def test_a_job_that_goes_on_because_it_has_no_device_tasks_yet_is_not_reported_as_cancelled(
    service: Service,
    waiting: Any,
    supervisor: Callable[[Any], None],
    said: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    supervisor("failed")
    monkeypatch.setattr(killing, "KILLED_SECONDS", 1)
    monkeypatch.setattr(stopping, "CANCEL_AGAIN_AFTER", (1.5,))
    (job,) = service.emulator.world.engine.jobs.values()
    monkeypatch.setattr(job, "tasks", [])
    monkeypatch.setattr(job, "status", "PLANNED")
    world = service.emulator.world
    monkeypatch.setattr(world, "quirks", replace(world.quirks, planned_cancel="nothing"))

    kill(waiting)

    assert said[-1].startswith(f"job {waiting.running.jobs[0].job_id} may still begin")
    # It goes on as long as the process lives, which is no task that dies here.
    for thread in threading.enumerate():
        if thread.name == "tuya-ota-kill":
            thread.join()


def test_a_signal_that_arrives_while_the_budget_is_taken_from_stops_the_job(
    service: Service, waiting: Any, supervisor: Callable[[Any], None]
) -> None:
    supervisor("failed")
    handler = signal.signal(signal.SIGUSR1, lambda *_: waiting.on_kill())
    try:
        # What the interrupted main thread holds is held until the handler has returned.
        with limiter_of(waiting.running.settings)._lock:
            os.kill(os.getpid(), signal.SIGUSR1)
            assert states(service) == {"CANCELED"}
    finally:
        signal.signal(signal.SIGUSR1, handler)


def test_keep_keeps(
    service: Service, context: Any, firmware_id: str, supervisor: Callable[[Any], None], said: list[str]
) -> None:
    supervisor("failed")
    operator = verify(firmware_id, wait_for_completion=False, on_cancel="keep")
    operator.execute(context)

    kill(operator)

    assert "CancelOTATaskByJob" not in service.actions
    assert "on_cancel is 'keep'" in said[-1]


def test_a_task_that_is_killed_while_it_creates_its_job_says_where_to_look(
    service: Service, context: Any, firmware_id: str, monkeypatch: pytest.MonkeyPatch, said: list[str]
) -> None:
    task = verify(firmware_id)

    def killed_here(*_: Any, **__: Any) -> None:
        kill(task)
        raise KeyboardInterrupt

    monkeypatch.setattr(TuyaOTAClient, "run", killed_here)
    with pytest.raises(KeyboardInterrupt):
        task.execute(context)

    assert f"Firmware {firmware_id} may have a new job that was not cancelled" in said[-1]
    assert service.actions == []


def test_a_task_that_is_killed_before_it_has_a_job_stops_nothing(service: Service, firmware_id: str) -> None:
    verify(firmware_id).on_kill()

    assert service.actions == []
