"""What killing a task that waits in the triggerer does to its job, and how a triggerer ends that is killed itself."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from airflow.sdk.execution_time import task_runner

from airflow_provider_tuya_ota.client import AsyncTuyaOTAClient
from airflow_provider_tuya_ota.polling import stall_detector
from airflow_provider_tuya_ota.polling import stopper as stopping
from airflow_provider_tuya_ota.transports.clock import steady_seconds
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
    monkeypatch.setattr(kill_answer, "ASK_PAUSES", (0.01, 0.01, None))

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


def kill(trigger: TuyaOTAJobTrigger) -> None:
    asyncio.run(trigger.on_kill())


@pytest.mark.parametrize("state", ["failed", "success", "skipped", "removed", None])
def test_a_deferred_task_that_a_person_killed_stops_its_job(
    service: Service, watched: TuyaOTAJobTrigger, supervisor: Callable[..., Line], log: Log, state: Any
) -> None:
    line = supervisor(state)

    kill(watched)

    assert states(service) == {"CANCELED"}
    assert len(line.asked) == 1
    assert log.lines[-1] == f"job {watched.job.job_id}: 2 device tasks cancelled, 0 are flashing and cannot be stopped"


@pytest.mark.parametrize("state", ["deferred", "scheduled", "queued", "running", "up_for_retry"])
def test_a_wait_that_goes_on_elsewhere_stops_nothing(
    service: Service, watched: TuyaOTAJobTrigger, supervisor: Callable[..., Line], log: Log, state: str
) -> None:
    supervisor(state)

    kill(watched)

    assert "CancelOTATaskByJob" not in service.actions
    assert log.lines[-1].startswith(f"Job {watched.job.job_id} goes on at the platform, because its task is {state}")


@pytest.mark.parametrize(("map_index", "stops"), [(0, True), (1, False), (2, False)])
def test_a_mapped_task_goes_by_its_own_state(
    service: Service,
    watched: TuyaOTAJobTrigger,
    supervisor: Callable[..., Line],
    ti: FakeTask,
    map_index: int,
    stops: bool,
) -> None:
    line = supervisor({"task_0": "failed", "task_1": "deferred"})
    ti.map_index = map_index

    kill(watched)

    assert ("CancelOTATaskByJob" in service.actions) == stops
    (asked,) = line.asked
    assert (asked.dag_id, asked.run_ids, asked.task_ids, asked.map_index) == ("dag", ["run"], ["task"], map_index)


def test_a_question_that_is_not_answered_is_asked_again(
    service: Service, watched: TuyaOTAJobTrigger, supervisor: Callable[..., Line], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kill_answer, "ASK_SECONDS", 0.05)
    line = supervisor("silence", RuntimeError("no line"), "failed")

    kill(watched)

    assert states(service) == {"CANCELED"}
    assert len(line.asked) == 3


@pytest.mark.parametrize("answer", ["silence", RuntimeError("no line"), {}])
def test_a_state_that_airflow_does_not_give_stops_nothing(
    service: Service,
    watched: TuyaOTAJobTrigger,
    supervisor: Callable[..., Line],
    monkeypatch: pytest.MonkeyPatch,
    log: Log,
    answer: Any,
) -> None:
    monkeypatch.setattr(kill_answer, "ASK_SECONDS", 0.05)
    supervisor(answer)

    kill(watched)

    assert "CancelOTATaskByJob" not in service.actions
    assert "Airflow did not tell the state of its task" in log.lines[-1]


def test_a_triggerer_that_stood_still_stops_nothing_for_a_while(
    service: Service, watched: TuyaOTAJobTrigger, supervisor: Callable[..., Line], monkeypatch: pytest.MonkeyPatch
) -> None:
    supervisor("failed")
    now = [steady_seconds()]

    async def freeze_and_kill() -> None:
        waiting = asyncio.ensure_future(anext(aiter(watched.run())))
        await asyncio.sleep(0.1)
        monkeypatch.setattr(stall_detector, "steady_seconds", lambda: now[0])
        now[0] += stall_detector.STOOD_STILL + stall_detector.BEAT
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        await watched.on_kill()

    asyncio.run(freeze_and_kill())
    assert "CANCELED" not in states(service)
    now[0] += stall_detector.DOUBT + 1
    kill(watched)

    assert states(service) == {"CANCELED"}


def test_being_cancelled_again_does_not_break_off_the_stopping(
    service: Service, watched: TuyaOTAJobTrigger, supervisor: Callable[..., Line], log: Log
) -> None:
    supervisor("failed")
    service.emulator.faults.add({"action": "*", "kind": "delay", "seconds": 0.3})

    asyncio.run(kill_as_airflow_does(watched))

    assert states(service) == {"CANCELED"}
    assert "2 device tasks cancelled" in log.lines[-1]


def test_what_airflow_does_not_wait_for_goes_on_and_is_reported(
    service: Service,
    watched: TuyaOTAJobTrigger,
    supervisor: Callable[..., Line],
    monkeypatch: pytest.MonkeyPatch,
    log: Log,
) -> None:
    supervisor("failed")
    monkeypatch.setenv("AIRFLOW__TRIGGERER__ON_KILL_TIMEOUT", "1")
    service.emulator.faults.add({"action": "CancelOTATaskByJob", "kind": "delay", "seconds": 2})

    async def kill_and_wait() -> None:
        before = time.monotonic()
        await kill_as_airflow_does(watched, limit=1)
        assert time.monotonic() - before < 2
        assert "is not stopped yet" in log.lines[-1]
        await asyncio.gather(*kill_answer._ANSWERS)

    asyncio.run(kill_and_wait())

    assert states(service) == {"CANCELED"}
    assert "2 device tasks cancelled" in log.lines[-1]


def test_a_triggerer_that_ends_meanwhile_leaves_no_kill_unsaid(
    service: Service, watched: TuyaOTAJobTrigger, supervisor: Callable[..., Line], log: Log
) -> None:
    supervisor("failed")
    service.emulator.faults.add({"action": "CancelOTATaskByJob", "kind": "delay", "seconds": 5})

    async def kill_and_end() -> None:
        # Whatever still runs when this ends is cancelled, as when a triggerer ends.
        ending = asyncio.create_task(kill_as_airflow_does(watched, again=10))
        await asyncio.sleep(0.3)
        assert not ending.done()

    asyncio.run(kill_and_end())

    assert log.lines[-1].startswith(f"This triggerer has ended before it was known whether job {watched.job.job_id}")


@pytest.mark.parametrize("is_our_fault", [False, True])
def test_a_job_that_could_not_be_stopped_is_left_to_a_person_by_name(
    service: Service,
    watched: TuyaOTAJobTrigger,
    supervisor: Callable[..., Line],
    monkeypatch: pytest.MonkeyPatch,
    log: Log,
    is_our_fault: bool,
) -> None:
    supervisor("failed")
    if is_our_fault:
        monkeypatch.setattr(stopping, "cancel_job", lambda *_: 1 / 0)
    else:
        monkeypatch.setattr(stopping, "PAUSE", 0.0)
        monkeypatch.setattr(stopping, "RETRY_SECONDS", 0.1)
        service.emulator.faults.add({"action": "CancelOTATaskByJob", "kind": "redirect"})

    kill(watched)

    assert log.lines[-1].endswith(
        f"Job {watched.job.job_id} was not stopped; cancel its device tasks in the vendor's console"
    )


def test_a_trigger_without_a_task_stops_nothing(service: Service, watched: TuyaOTAJobTrigger) -> None:
    watched.task_instance = None

    kill(watched)

    assert "CancelOTATaskByJob" not in service.actions


def test_a_job_that_may_not_be_stopped_is_kept_by_its_trigger(
    service: Service, watched: TuyaOTAJobTrigger, supervisor: Callable[..., Line], log: Log
) -> None:
    line = supervisor("failed")
    kept = TuyaOTAJobTrigger(**watched.serialize()[1] | {"on_cancel": "keep"})
    kept.task_instance = watched.task_instance

    kill(kept)

    assert "CancelOTATaskByJob" not in service.actions
    assert line.asked == []
    assert "on_cancel is 'keep'" in log.lines[-1]


def test_a_trigger_that_waits_for_the_job_from_before_a_clear_says_so(
    service: Service, watched: TuyaOTAJobTrigger, supervisor: Callable[..., Line], log: Log
) -> None:
    supervisor("failed")
    # As it is stored; a later version has to know it again.
    watched.resume_state = {"drained_by": datetime.now(UTC).isoformat()}

    kill(watched)

    assert "CancelOTATaskByJob" not in service.actions
    assert "it is from before its task was cleared" in log.lines[-1]


def test_ending_in_another_way_than_by_a_kill_waits_for_nothing(watched: TuyaOTAJobTrigger) -> None:
    asyncio.run(watched.cleanup())


def test_the_connection_is_not_read_again_for_a_kill(
    service: Service, watched: TuyaOTAJobTrigger, supervisor: Callable[..., Line], monkeypatch: pytest.MonkeyPatch
) -> None:
    supervisor("failed")
    before = service.actions.count("QueryOTAJob")

    async def wait_and_kill() -> None:
        waiting = asyncio.ensure_future(anext(aiter(watched.run())))
        while service.actions.count("QueryOTAJob") == before:  # noqa: ASYNC110 - the emulator runs in another thread
            await asyncio.sleep(0.01)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        monkeypatch.delenv("AIRFLOW_CONN_TUYA_OTA_DEFAULT")
        await watched.on_kill()

    asyncio.run(wait_and_kill())

    assert states(service) == {"CANCELED"}


async def test_many_that_are_killed_at_once_share_one_client(
    service: Service,
    watched: TuyaOTAJobTrigger,
    supervisor: Callable[..., Line],
    ti: FakeTask,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    supervisor("failed")
    opened: list[AsyncTuyaOTAClient] = []
    real = AsyncTuyaOTAClient.__init__

    def count(self: AsyncTuyaOTAClient, *args: Any, **more: Any) -> None:
        opened.append(self)
        real(self, *args, **more)

    monkeypatch.setattr(AsyncTuyaOTAClient, "__init__", count)
    triggers = [TuyaOTAJobTrigger(**watched.serialize()[1]) for _ in range(20)]
    for trigger in triggers:
        trigger.task_instance = ti  # type: ignore[assignment] # all that the trigger asks of it
    await asyncio.gather(*(trigger.on_kill() for trigger in triggers))

    assert len(opened) == 1
    assert service.actions.count("CancelOTATaskByJob") == 20
