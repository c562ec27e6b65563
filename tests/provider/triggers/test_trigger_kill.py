"""The effect on its job of killing a task that waits in the triggerer."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_tuya_ota.polling import stall_detector
from airflow_provider_tuya_ota.polling import stopper as stopping
from airflow_provider_tuya_ota.transports.clock import steady_seconds
from airflow_provider_tuya_ota.triggers import kill_answer
from airflow_provider_tuya_ota.triggers.job import TuyaOTAJobTrigger
from tests.provider.triggers.fake_triggerer import states

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.provider.conftest import FakeTask, Service
    from tests.provider.triggers.fake_triggerer import Line, Log


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
    assert log.lines[0].startswith(f"Stopping job {watched.job.job_id}, because its task was ")
    assert log.lines[-1] == f"job {watched.job.job_id}: 2 device tasks cancelled, 0 are flashing and cannot be stopped"


@pytest.mark.parametrize("state", ["deferred", "scheduled", "queued", "running", "up_for_retry"])
def test_a_wait_that_goes_on_elsewhere_stops_nothing(
    service: Service, watched: TuyaOTAJobTrigger, supervisor: Callable[..., Line], log: Log, state: str
) -> None:
    supervisor(state)

    kill(watched)

    assert "CancelOTATaskByJob" not in service.actions
    assert log.lines[-1].startswith(f"Job {watched.job.job_id} goes on at the platform, because its task is {state}")
    assert log.lines[-1] not in log.quiet


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
    assert "Airflow did not give the state of its task" in log.lines[-1]


def test_a_triggerer_that_stood_still_stops_nothing_for_a_while(
    service: Service,
    watched: TuyaOTAJobTrigger,
    supervisor: Callable[..., Line],
    log: Log,
    monkeypatch: pytest.MonkeyPatch,
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
    assert "because this triggerer stood still for a while" in log.lines[-1]
    now[0] += stall_detector.DOUBT + 1
    kill(watched)

    assert states(service) == {"CANCELED"}


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("throttle", "Job {} was not stopped; cancel its device tasks in the vendor's console"),
        ("redirect", "Whether job {} was stopped is not known; look at its device tasks in the vendor's console"),
        ("", "Whether job {} was stopped is not known; look at its device tasks in the vendor's console"),
    ],
)
def test_a_job_that_could_not_be_stopped_is_left_to_a_person_by_name(
    service: Service,
    watched: TuyaOTAJobTrigger,
    supervisor: Callable[..., Line],
    monkeypatch: pytest.MonkeyPatch,
    log: Log,
    fault: str,
    said: str,
) -> None:
    supervisor("failed")
    if fault:
        monkeypatch.setattr(stopping, "PAUSE", 0.0)
        monkeypatch.setattr(stopping, "RETRY_SECONDS", 0.1)
        service.emulator.faults.add({"action": "CancelOTATaskByJob", "kind": fault})
    else:
        monkeypatch.setattr(stopping, "cancel_job", lambda *_: 1 / 0)

    kill(watched)

    assert log.lines[-1].startswith(said.format(watched.job.job_id))


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
    # Whoever set it expects this.
    assert log.lines[-1] in log.quiet


def test_a_trigger_that_waits_for_the_job_from_before_a_clear_says_so(
    service: Service, watched: TuyaOTAJobTrigger, supervisor: Callable[..., Line], log: Log
) -> None:
    supervisor("failed")
    # As it is stored; a later version has to know it again.
    watched.resume_state = {"drained_by": datetime.now(UTC).isoformat()}

    kill(watched)

    assert "CancelOTATaskByJob" not in service.actions
    assert "it is from before its task was cleared" in log.lines[-1]


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
