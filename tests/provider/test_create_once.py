from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from airflow.sdk.exceptions import AirflowTaskTimeout, TaskDeferralTimeout, TaskDeferred
from airflow.sdk.execution_time.context import NEVER_EXPIRE
from airflow.sdk.execution_time.task_runner import RuntimeTaskInstance

from airflow_provider_tuya_ota import killing
from airflow_provider_tuya_ota.attempts import KEY
from airflow_provider_tuya_ota.core.errors import (
    InvalidParameterError,
    JobFailedError,
    TransportError,
    WaitTimeoutError,
)
from airflow_provider_tuya_ota.triggers import job as triggering
from airflow_provider_tuya_ota.triggers.job import TuyaOTAJobTrigger
from tests.provider.conftest import FakeStore
from tests.provider.test_verify_operator import FAILS, make_package, play, verify

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.provider.conftest import FakeTask, Service


@dataclass
class FakeRun:
    clear_number: int = 0
    start_date: datetime = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def store() -> FakeStore:
    return FakeStore()


@pytest.fixture
def dag_run() -> FakeRun:
    return FakeRun(start_date=datetime.now(UTC))


@pytest.fixture
def context(ti: FakeTask, store: FakeStore, dag_run: FakeRun) -> Any:
    return {"ti": ti, "task_state_store": store, "dag_run": dag_run}


@pytest.fixture
def package(service: Service, context: Any, firmware: Path) -> str:
    return make_package(service, context, firmware)


def jobs(service: Service) -> list[str]:
    return list(service.emulator.world.engine.jobs)


def retry(ti: FakeTask) -> None:
    """Let Airflow try again: what the try before pushed is gone."""
    ti.try_number += 1
    ti.xcom.clear()


def clear(ti: FakeTask, dag_run: FakeRun) -> None:
    """Let a person clear the task."""
    dag_run.clear_number += 1
    dag_run.start_date = datetime.now(UTC)
    ti.max_tries = ti.try_number + 3
    ti.try_number += 1


def deferred(operator: Any, context: Any) -> Any:
    with pytest.raises(TaskDeferred) as caught:
        operator.execute(context)
    return caught.value.trigger


def test_the_job_is_written_down_for_ever(service: Service, context: Any, store: FakeStore, package: str) -> None:
    verify(package, retries=3).execute(context)

    assert store.values[KEY]["entity_id"] == jobs(service)[0]
    assert store.retentions == {NEVER_EXPIRE}


def test_a_killed_try_is_gone_on_with(service: Service, context: Any, ti: FakeTask, package: str) -> None:
    first = deferred(verify(package, retries=3, deferrable=True), context)
    retry(ti)

    assert deferred(verify(package, retries=3, deferrable=True), context).job_id == first.job_id == ti.xcom["job_id"]
    assert len(jobs(service)) == 1


def test_a_try_that_died_before_the_id_was_known_is_gone_on_with(
    service: Service, context: Any, ti: FakeTask, store: FakeStore, package: str
) -> None:
    deferred(verify(package, retries=3, deferrable=True), context)
    store.values[KEY]["entity_id"] = ""
    retry(ti)

    deferred(verify(package, retries=3, deferrable=True), context)

    assert store.values[KEY]["entity_id"] == jobs(service)[0]
    assert len(jobs(service)) == 1


def test_a_store_that_cannot_be_written_stops_before_anything_is_sent(
    service: Service, context: Any, store: FakeStore, package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError("the API server is away")

    monkeypatch.setattr(store, "set", broken)

    with pytest.raises(RuntimeError):
        verify(package, retries=3).execute(context)
    assert jobs(service) == []


def test_clearing_stops_the_old_job_and_verifies_anew(
    service: Service, context: Any, ti: FakeTask, dag_run: FakeRun, firmware: Path
) -> None:
    play(service, device_001={"outcome": "silent"}, device_002={"outcome": "silent"})
    package = make_package(service, context, firmware)
    old = deferred(verify(package, retries=3, deferrable=True), context).job_id
    clear(ti, dag_run)

    new = deferred(verify(package, retries=3, deferrable=True), context).job_id

    assert jobs(service) == [old, new]
    assert service.emulator.world.engine.jobs[old].status != "IN_PROGRESS"


def test_a_retry_of_a_failed_verification_fails_again_unless_a_new_job_is_asked_for(
    service: Service, context: Any, ti: FakeTask, firmware: Path
) -> None:
    play(service, device_001=FAILS, device_002=FAILS)
    package = make_package(service, context, firmware)
    for _ in range(2):
        with pytest.raises(JobFailedError, match="device-001 FAILED"):
            verify(package, retries=3).execute(context)
        retry(ti)
    assert len(jobs(service)) == 1

    with pytest.raises(JobFailedError):
        verify(package, retries=3, on_failed_job="new_job").execute(context)
    assert len(jobs(service)) == 2


def test_without_a_store_a_retry_adopts_what_this_run_created(
    service: Service, context: Any, ti: FakeTask, package: str
) -> None:
    del context["task_state_store"]
    first = deferred(verify(package, retries=3, deferrable=True), context)
    retry(ti)

    again = deferred(verify(package, retries=3, deferrable=True), context)

    assert (again.job_id, again.on_cancel, len(jobs(service))) == (first.job_id, "stop", 1)


@pytest.mark.parametrize("changes", [{"on_cancel": "abort"}, {"on_failed_job": "again"}])
def test_a_choice_that_there_is_not_is_refused_before_anything_is_sent(
    service: Service, context: Any, package: str, changes: dict[str, str]
) -> None:
    with pytest.raises(InvalidParameterError, match="Allowed"):
        verify(package, **changes).execute(context)
    assert service.actions == []


def test_a_job_that_is_only_followed_is_never_stopped(service: Service, context: Any, package: str) -> None:
    deferred(verify(package, deferrable=True), context)
    other = {"ti": context["ti"], "task_state_store": FakeStore(), "dag_run": FakeRun()}

    assert deferred(verify(package, deferrable=True), other).on_cancel == "keep"


def out_of_time(operator: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Do what Airflow does when the trigger's time is over."""

    def raises(*_: Any, **__: Any) -> None:
        raise TaskDeferralTimeout

    monkeypatch.setattr(operator, "execute_complete", raises)


def test_airflow_s_own_timeout_ends_in_a_last_look(
    service: Service, context: Any, package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    operator = verify(package, deferrable=True)
    deferred(operator, context)
    service.emulator.clock.advance(600)

    out_of_time(operator, monkeypatch)
    assert operator.resume_execution("execute_complete", {"event": {}}, context) == jobs(service)[0]


def test_airflow_s_own_timeout_stops_what_has_not_begun(
    service: Service, context: Any, firmware: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    play(service, device_001={"outcome": "silent"})
    operator = verify(make_package(service, context, firmware), deferrable=True)
    deferred(operator, context)

    out_of_time(operator, monkeypatch)
    with pytest.raises(WaitTimeoutError, match="1 device tasks cancelled"):
        operator.resume_execution("execute_complete", {"event": {}}, context)


def test_a_wait_ends_before_airflow_breaks_it_off(context: Any, package: str) -> None:
    before = datetime.now(UTC)

    trigger = deferred(verify(package, deferrable=True, timeout=900, execution_timeout=timedelta(seconds=50)), context)

    deadline = datetime.fromisoformat(trigger.patience["deadline"])
    assert timedelta(seconds=40) < deadline - before < timedelta(seconds=46)


# --- killed in a worker ---


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
    now = [time.time()]
    monkeypatch.setattr(time, "time", lambda: now[0])
    now[0] += triggering.LONGEST_CALL + triggering.STOOD_STILL + 10
    kill(watched, ti)
    assert "CANCELED" not in states(service)

    now[0] += triggering.DOUBT + 1
    kill(watched, ti)

    assert states(service) == {"CANCELED"}


def test_a_trigger_without_a_task_stops_nothing(service: Service, watched: TuyaOTAJobTrigger) -> None:
    asyncio.run(watched.on_kill())

    assert "CANCELED" not in states(service)


def test_a_job_that_may_not_be_stopped_is_kept_by_its_trigger(
    service: Service, context: Any, ti: FakeTask, package: str, supervisor: Callable[[Any], None]
) -> None:
    supervisor("failed")

    kill(deferred(verify(package, deferrable=True, on_cancel="keep"), context), ti)

    assert "CancelOTATaskByJob" not in service.actions


def test_a_lost_answer_is_looked_up_and_written_down(
    service: Service, context: Any, store: FakeStore, package: str
) -> None:
    service.emulator.faults.add({"action": "CreateOTAVerifyJob", "kind": "drop_after"})

    deferred(verify(package, deferrable=True), context)

    assert store.values[KEY]["entity_id"] == jobs(service)[0]


def test_a_request_that_never_arrived_leaves_an_intent_and_the_retry_creates(
    service: Service, context: Any, ti: FakeTask, package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("airflow_provider_tuya_ota.core.appearing.SHOW_TIMES", (0.01,))
    service.emulator.faults.add({"action": "CreateOTAVerifyJob", "kind": "drop_before", "nth": 1})
    with pytest.raises(TransportError):
        verify(package, deferrable=True, retries=3).execute(context)
    retry(ti)

    deferred(verify(package, deferrable=True, retries=3), context)

    assert len(jobs(service)) == 1
