from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from airflow.sdk.api.datamodels._generated import DagRun
from airflow.sdk.exceptions import TaskDeferralTimeout, TaskDeferred
from airflow.sdk.execution_time.context import NEVER_EXPIRE

from airflow_provider_tuya_ota.core.errors import InvalidParameterError, StateUnavailableError, TransportError
from airflow_provider_tuya_ota.core.model.outcome_errors import JobFailedError, WaitTimeoutError
from airflow_provider_tuya_ota.hooks import airflow_api
from airflow_provider_tuya_ota.runtime import job_wait
from airflow_provider_tuya_ota.runtime.state_store import KEY
from tests.provider.conftest import FakeStore
from tests.provider.operators.test_verify_operator import DEVICES, FAILS, make_firmware, play, verify
from tests.provider.specs import stands_in_for

if TYPE_CHECKING:
    from pathlib import Path

    from airflow_provider_tuya_ota.core.status.job_set_wait import JobSetWait
    from airflow_provider_tuya_ota.runtime.kill import RunningJobs
    from tests.provider.conftest import FakeTask, Service


@stands_in_for(DagRun)
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
def firmware_id(service: Service, context: Any, firmware: Path) -> str:
    return make_firmware(service, context, firmware)


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


def test_the_job_is_written_down_for_ever(service: Service, context: Any, store: FakeStore, firmware_id: str) -> None:
    verify(firmware_id, retries=3).execute(context)

    assert store.values[KEY]["entity_id"] == jobs(service)[0]
    assert store.retentions == {NEVER_EXPIRE}


def test_a_killed_try_is_gone_on_with(service: Service, context: Any, ti: FakeTask, firmware_id: str) -> None:
    first = deferred(verify(firmware_id, retries=3, deferrable=True), context)
    retry(ti)

    again = deferred(verify(firmware_id, retries=3, deferrable=True), context)
    assert again.job.job_id == first.job.job_id == ti.xcom["job_id"]
    # For one list of many jobs.
    assert again.job.firmware_id == firmware_id
    assert len(jobs(service)) == 1


def test_a_try_that_died_before_the_id_was_known_is_gone_on_with(
    service: Service, context: Any, ti: FakeTask, store: FakeStore, firmware_id: str
) -> None:
    deferred(verify(firmware_id, retries=3, deferrable=True), context)
    store.values[KEY]["entity_id"] = ""
    retry(ti)

    deferred(verify(firmware_id, retries=3, deferrable=True), context)

    assert store.values[KEY]["entity_id"] == jobs(service)[0]
    assert len(jobs(service)) == 1


def test_a_store_that_cannot_be_written_stops_before_anything_is_sent(
    service: Service, context: Any, store: FakeStore, firmware_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError("the API server is away")

    monkeypatch.setattr(store, "set", broken)
    monkeypatch.setattr(airflow_api, "PAUSES", (0.0,))

    with pytest.raises(StateUnavailableError, match=r"note; this try has created nothing\. Last answer: RuntimeError"):
        verify(firmware_id, retries=3).execute(context)
    assert jobs(service) == []


def test_clearing_stops_the_old_job_and_verifies_anew(
    service: Service, context: Any, ti: FakeTask, dag_run: FakeRun, firmware: Path
) -> None:
    play(service, device_001={"outcome": "silent"}, device_002={"outcome": "silent"})
    firmware_id = make_firmware(service, context, firmware)
    old = deferred(verify(firmware_id, retries=3, deferrable=True), context).job.job_id
    clear(ti, dag_run)

    new = deferred(verify(firmware_id, retries=3, deferrable=True), context).job.job_id

    assert jobs(service) == [old, new]
    assert service.emulator.world.engine.jobs[old].status != "IN_PROGRESS"


def test_a_retry_of_a_failed_verification_fails_again_unless_a_new_job_is_asked_for(
    service: Service, context: Any, ti: FakeTask, firmware: Path
) -> None:
    play(service, device_001=FAILS, device_002=FAILS)
    firmware_id = make_firmware(service, context, firmware)
    for _ in range(2):
        with pytest.raises(JobFailedError, match="device-001 FAILED"):
            verify(firmware_id, retries=3).execute(context)
        retry(ti)
    assert len(jobs(service)) == 1

    with pytest.raises(JobFailedError):
        verify(firmware_id, retries=3, on_failed_job="new_job").execute(context)
    assert len(jobs(service)) == 2


def test_without_a_store_a_retry_goes_on_with_what_this_run_created_and_does_not_stop_it(
    service: Service, context: Any, ti: FakeTask, firmware_id: str
) -> None:
    del context["task_state_store"]
    first = deferred(verify(firmware_id, retries=3, deferrable=True), context)
    retry(ti)

    again = deferred(verify(firmware_id, retries=3, deferrable=True), context)

    assert (again.job.job_id, again.job.on_cancel, len(jobs(service))) == (first.job.job_id, "keep", 1)


@pytest.mark.parametrize("name", ["on_cancel", "on_failed_job", "deferrable", "wait_for_completion"])
def test_a_choice_that_there_is_not_is_refused_before_anything_is_sent(
    service: Service, context: Any, firmware_id: str, name: str
) -> None:
    with pytest.raises(InvalidParameterError, match=rf"^{name}: 'perhaps' .*Allowed"):
        verify(firmware_id, **{name: "perhaps"}).execute(context)
    assert service.actions == []


def test_a_job_that_is_only_followed_is_never_stopped(service: Service, context: Any, firmware_id: str) -> None:
    service.emulator.clock.freeze(frozen=True)
    deferred(verify(firmware_id, deferrable=True), context)
    other = {"ti": context["ti"], "task_state_store": FakeStore(), "dag_run": FakeRun()}

    assert deferred(verify(firmware_id, deferrable=True), other).job.on_cancel == "keep"


def test_a_job_that_is_only_followed_in_a_worker_is_not_its_own(
    service: Service, context: Any, firmware_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that neither a kill nor a timeout of the task stops it."""
    service.emulator.clock.freeze(frozen=True)
    deferred(verify(firmware_id, deferrable=True), context)
    other: Any = {"ti": context["ti"], "task_state_store": FakeStore(), "dag_run": FakeRun()}
    follower = verify(firmware_id)
    seen: list[RunningJobs | None] = []

    def out_of_time(*_: Any, **__: Any) -> None:
        seen.append(follower.running)
        raise WaitTimeoutError("the time is over", verdict=None)

    monkeypatch.setattr(job_wait, "wait_in_worker", out_of_time)
    with pytest.raises(WaitTimeoutError):
        follower.execute(other)

    assert [(job.job_id, job.is_own) for running in seen if running for job in running.jobs] == [
        (jobs(service)[0], False)
    ]
    assert "CancelOTATaskByJob" not in service.actions


def out_of_time(operator: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Do what Airflow does when the trigger's time is over."""

    def raises(*_: Any, **__: Any) -> None:
        raise TaskDeferralTimeout

    monkeypatch.setattr(operator, "execute_complete", raises)


def test_airflow_s_own_timeout_ends_in_a_last_poll(
    service: Service, context: Any, firmware_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    operator = verify(firmware_id, deferrable=True)
    deferred(operator, context)
    service.emulator.clock.advance(600)

    out_of_time(operator, monkeypatch)
    assert operator.resume_execution("execute_complete", {"event": {}}, context) == jobs(service)[0]


def test_airflow_s_own_timeout_of_a_task_that_has_stored_nothing_is_said_to_be_one(
    service: Service, context: Any, ti: FakeTask, store: FakeStore, firmware_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    operator = verify(firmware_id, deferrable=True)
    deferred(operator, context)
    store.values.clear()
    ti.xcom.clear()
    service.emulator.log.clear()

    out_of_time(operator, monkeypatch)
    with pytest.raises(WaitTimeoutError, match="has not stored which job it waits for"):
        operator.resume_execution("execute_complete", {"event": {}}, context)

    assert (ti.xcom["ota_release"]["event"], service.actions) == ("timeout", [])


def test_airflow_s_own_timeout_makes_no_success_of_a_job_without_a_device_that_was_named(
    service: Service, context: Any, firmware_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    operator = verify(firmware_id, deferrable=True)
    deferred(operator, context)
    service.emulator.clock.advance(600)
    # As if the platform had left one of three out.
    operator.device_names = [*DEVICES, "device-003"]

    out_of_time(operator, monkeypatch)
    with pytest.raises(WaitTimeoutError, match="2 SUCCEEDED"):
        operator.resume_execution("execute_complete", {"event": {}}, context)


def test_airflow_s_own_timeout_stops_what_has_not_begun(
    service: Service, context: Any, firmware: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    play(service, device_001={"outcome": "silent"})
    operator = verify(make_firmware(service, context, firmware), deferrable=True)
    deferred(operator, context)

    out_of_time(operator, monkeypatch)
    with pytest.raises(WaitTimeoutError, match="1 device tasks cancelled"):
        operator.resume_execution("execute_complete", {"event": {}}, context)


def test_a_wait_ends_before_airflow_breaks_it_off(context: Any, firmware_id: str) -> None:
    before = datetime.now(UTC)

    trigger = deferred(
        verify(firmware_id, deferrable=True, timeout=900, execution_timeout=timedelta(seconds=50)), context
    )

    deadline = datetime.fromisoformat(trigger.options["deadline"])
    assert timedelta(seconds=40) < deadline - before < timedelta(seconds=46)


def test_a_blocking_wait_ends_before_airflow_breaks_it_off(
    context: Any, firmware_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    left: list[timedelta] = []

    def wait_in_worker(_: Any, wait: JobSetWait, *__: Any) -> None:
        (one,) = wait.unfinished
        left.append(one.options.deadline - datetime.now(UTC))
        raise KeyboardInterrupt

    monkeypatch.setattr(job_wait, "wait_in_worker", wait_in_worker)
    with pytest.raises(KeyboardInterrupt):
        verify(firmware_id, timeout=900, execution_timeout=timedelta(seconds=50)).execute(context)

    assert timedelta(seconds=30) < left[0] < timedelta(seconds=45)


def test_a_blocking_task_that_has_spent_its_time_before_it_waits_does_not_wait(
    service: Service, context: Any, ti: FakeTask, firmware: Path
) -> None:
    play(service, device_001={"outcome": "silent"})
    firmware_id = make_firmware(service, context, firmware)
    service.emulator.faults.add({"action": "CreateOTAVerifyJob", "kind": "delay", "seconds": 0.5})

    with pytest.raises(WaitTimeoutError):
        verify(firmware_id, execution_timeout=timedelta(seconds=0.3)).execute(context)

    # The time to wait, which is 20 s, was not over.
    assert ti.xcom["ota_release"]["duration"] < 15


def test_a_lost_answer_is_looked_up_and_written_down(
    service: Service, context: Any, store: FakeStore, firmware_id: str
) -> None:
    service.emulator.faults.add({"action": "CreateOTAVerifyJob", "kind": "drop_after"})

    deferred(verify(firmware_id, deferrable=True), context)

    assert store.values[KEY]["entity_id"] == jobs(service)[0]


def test_a_request_that_never_arrived_leaves_an_intent_and_the_retry_creates(
    service: Service, context: Any, ti: FakeTask, firmware_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("airflow_provider_tuya_ota.core.flows.eventually.GRACE_PAUSES", (0.01,))
    service.emulator.faults.add({"action": "CreateOTAVerifyJob", "kind": "drop_before", "nth": 1})
    with pytest.raises(TransportError):
        verify(firmware_id, deferrable=True, retries=3).execute(context)
    retry(ti)

    deferred(verify(firmware_id, deferrable=True, retries=3), context)

    assert len(jobs(service)) == 1
