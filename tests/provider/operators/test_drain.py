"""A cleared task whose old job still has devices, and a job whose time to wait is over."""

from __future__ import annotations

import logging
import time
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from airflow.sdk.exceptions import TaskDeferred

from airflow_provider_tuya_ota.core.errors import NotFoundError, PollingFailedError
from airflow_provider_tuya_ota.core.model.outcome_errors import JobFailedError, WaitTimeoutError
from airflow_provider_tuya_ota.core.model.result_event import describe_result
from airflow_provider_tuya_ota.core.model.verdict import Outcome, Verdict
from airflow_provider_tuya_ota.core.status.poll_events import PollFailed
from airflow_provider_tuya_ota.polling.stall_detector import LoopStallDetector
from airflow_provider_tuya_ota.runtime import drain, job_wait, start
from airflow_provider_tuya_ota.runtime import kill as killing
from airflow_provider_tuya_ota.triggers import job_set as triggering
from airflow_provider_tuya_ota.triggers.job import TuyaOTAJobTrigger
from airflow_provider_tuya_ota.triggers.job_set import DRAINED_BY
from tests.provider.conftest import FakeStore
from tests.provider.operators.test_create_once import FakeRun, clear, deferred, jobs
from tests.provider.operators.test_verify_operator import fired, make_firmware, play, verify
from tests.provider.runtime.test_connection_watch import REFUSED

if TYPE_CHECKING:
    from pathlib import Path

    from airflow_provider_tuya_ota.core.flows.events import FlowEvent
    from airflow_provider_tuya_ota.core.status.job_set_wait import JobSetWait
    from airflow_provider_tuya_ota.operators.job import TuyaOTACreateVerifyJobOperator
    from tests.provider.conftest import FakeTask, Service

FLASHING = 1200.0
"""Seconds in the emulator's world, where five minutes are a second of ours."""


@pytest.fixture
def dag_run() -> FakeRun:
    return FakeRun(start_date=datetime.now(UTC))


@pytest.fixture
def context(ti: FakeTask, dag_run: FakeRun) -> Any:
    return {"ti": ti, "task_state_store": FakeStore(), "dag_run": dag_run}


@pytest.fixture
def seconds() -> float:
    return FLASHING


@pytest.fixture
def cleared(
    service: Service, context: Any, firmware: Path, ti: FakeTask, dag_run: FakeRun, seconds: float
) -> tuple[str, str]:
    """Give a firmware and its job, of a task that was cleared while one device flashes and another is silent."""
    play(service, device_001={"flash_seconds": seconds, "outcome": "fails"}, device_002={"outcome": "silent"})
    firmware_id = make_firmware(service, context, firmware)
    old = deferred(release(firmware_id, deferrable=True), context).job.job_id
    while "IN_PROGRESS" not in statuses(service):
        time.sleep(0.01)
        # Time passes for the devices when the platform is asked.
        service.emulator.world.engine.run()
    clear(ti, dag_run)
    return firmware_id, old


def release(firmware_id: str, **changes: Any) -> TuyaOTACreateVerifyJobOperator:
    return verify(firmware_id, **{"timeout": 30, "retries": 3} | changes)


def statuses(service: Service) -> set[str]:
    return {task.status for task in service.emulator.world.engine.tasks.values()}


def resumed(operator: Any, context: Any, event: Any) -> Any:
    """Go on with an event, up to the next deferral."""
    with pytest.raises(TaskDeferred) as caught:
        operator.execute_complete(context, event=event)
    return caught.value.trigger


def test_a_deferrable_task_waits_for_its_old_job_in_the_triggerer_and_begins_anew_with_all_its_time(
    service: Service, context: Any, cleared: tuple[str, str]
) -> None:
    firmware_id, old = cleared

    waits = deferred(release(firmware_id, deferrable=True, timeout=300), context)

    assert isinstance(waits, TuyaOTAJobTrigger)
    assert (waits.job.job_id, waits.job.on_cancel, jobs(service)) == (old, "keep", [old])
    assert statuses(service) == {"IN_PROGRESS", "CANCELED"}
    event = fired(waits)
    resumed_at = datetime.now(UTC)
    anew = resumed(release(firmware_id, deferrable=True, timeout=300), context, event)
    assert [old, anew.job.job_id] == jobs(service)
    assert DRAINED_BY not in anew.resume_state
    deadline = datetime.fromisoformat(anew.options["deadline"])
    assert deadline >= resumed_at + timedelta(seconds=300)
    assert deadline > datetime.fromisoformat(waits.options["deadline"])


@pytest.mark.parametrize("seconds", [1e6])
def test_an_old_job_that_does_not_end_fails_the_task_by_its_name(
    service: Service, context: Any, cleared: tuple[str, str]
) -> None:
    firmware_id, old = cleared
    waits = deferred(release(firmware_id, deferrable=True, timeout=0.5), context)

    event = fired(waits)

    assert event["status"] == "timeout"
    with pytest.raises(WaitTimeoutError, match=f"job {old}, which this task started before it was cleared, still has"):
        release(firmware_id, deferrable=True).execute_complete(context, event=event)
    assert jobs(service) == [old]
    assert context["ti"].xcom["ota_release"]["event"] == "timeout"


@pytest.mark.parametrize("seconds", [1e6])
@pytest.mark.parametrize("outcome", [Outcome.FAILED, Outcome.SUCCEEDED])
def test_an_old_job_that_ended_before_its_devices_is_waited_for_again(
    service: Service, context: Any, cleared: tuple[str, str], outcome: Outcome
) -> None:
    firmware_id, old = cleared
    waits = deferred(release(firmware_id, deferrable=True), context)
    ids: Any = {"job_id": old, "firmware_id": firmware_id, "job_type": "", "job_status": "", "firmware_status": ""}

    again = resumed(
        release(firmware_id, deferrable=True),
        context,
        describe_result(Verdict(**ids, outcome=outcome)) | {"resume_state": waits.resume_state, "job_id": old},
    )

    assert (again.job.job_id, again.resume_state, again.options["deadline"]) == (
        old,
        waits.resume_state,
        waits.options["deadline"],
    )


def test_an_old_job_that_cannot_be_looked_at_fails_the_task_with_a_report(
    service: Service, context: Any, cleared: tuple[str, str]
) -> None:
    firmware_id, _ = cleared
    waits = deferred(release(firmware_id, deferrable=True, timeout=1.0), context)
    service.emulator.reset()

    with pytest.raises(NotFoundError):
        release(firmware_id, deferrable=True).execute_complete(context, event=fired(waits))
    assert context["ti"].xcom["ota_release"]["event"] == "refused"


@pytest.mark.parametrize("seconds", [1e6])
def test_an_old_job_whose_polls_kept_failing_fails_the_task_with_a_report(
    service: Service, context: Any, cleared: tuple[str, str]
) -> None:
    firmware_id, old = cleared
    waits = deferred(release(firmware_id, deferrable=True), context)
    event = describe_result(PollingFailedError(f"job {old} could not be polled"))

    with pytest.raises(PollingFailedError):
        release(firmware_id, deferrable=True).execute_complete(
            context, event=event | {"job_id": old, "resume_state": waits.resume_state}
        )

    report = context["ti"].xcom["ota_release"]
    assert (report["event"], report["error"], jobs(service)) == ("unreachable", f"job {old} could not be polled", [old])


def test_a_blocking_task_waits_for_its_old_job_in_a_time_of_its_own(
    service: Service, context: Any, cleared: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    firmware_id, old = cleared
    waits: list[tuple[str, timedelta]] = []

    def wait_in_worker(_: Any, wait: JobSetWait, *__: Any) -> None:
        (job_wait,) = wait.unfinished
        waits.append((job_wait.job_id, job_wait.options.deadline - datetime.now(UTC)))
        raise KeyboardInterrupt

    monkeypatch.setattr(job_wait, "wait_in_worker", wait_in_worker)
    with pytest.raises(KeyboardInterrupt):
        release(firmware_id, timeout=60, execution_timeout=timedelta(seconds=50)).execute(context)

    ((job_id, left),) = waits
    assert jobs(service) == [old, job_id]
    # Airflow ends the task 50 seconds after it began, and for at least one of them it waited for the old job.
    assert timedelta(seconds=30) < left < timedelta(seconds=45 - 0.5)


@pytest.mark.parametrize("seconds", [1e6])
def test_being_killed_while_it_waits_for_the_old_job_is_said_and_stops_no_more(
    service: Service, context: Any, cleared: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    firmware_id, old = cleared
    said: list[str] = []
    monkeypatch.setattr(logging.Logger, "warning", lambda _, text, *values, **__: said.append(text % values))
    task = release(firmware_id)

    def killed_here(*_: Any, **__: Any) -> None:
        service.emulator.log.clear()
        killing.answer_kill(task.running, logging.getLogger("test"))  # type: ignore[arg-type] # it is set by now
        raise KeyboardInterrupt

    monkeypatch.setattr(drain, "wait_in_worker", killed_here)
    with pytest.raises(KeyboardInterrupt):
        task.execute(context)

    assert f"while it waited for job {old}, from before this task was cleared" in said[-1]
    assert "no new job was created" in said[-1]
    assert (service.actions, jobs(service)) == ([], [old])


@pytest.mark.parametrize("seconds", [1e6])
def test_a_key_that_is_refused_once_does_not_end_the_wait_for_the_old_job(
    service: Service, context: Any, cleared: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    firmware_id, old = cleared
    events: list[FlowEvent] = []

    def refused(_: Any, wait: JobSetWait, *__: Any) -> None:
        (job_wait,) = wait.unfinished
        events.append(job_wait.record_failure(REFUSED, datetime.now(UTC)))
        raise KeyboardInterrupt

    monkeypatch.setattr(drain, "wait_in_worker", refused)
    with pytest.raises(KeyboardInterrupt):
        release(firmware_id).execute(context)

    assert [type(event) for event in events] == [PollFailed]
    assert jobs(service) == [old]


@pytest.mark.parametrize("seconds", [1e6])
def test_an_old_job_that_ended_before_its_devices_is_waited_for_with_pauses(
    service: Service, context: Any, cleared: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    firmware_id, old = cleared
    done: list[str] = []

    def ended(*_: Any) -> Any:
        done.append("wait")
        return {old: JobFailedError("it was cancelled", verdict=None)}  # type: ignore[arg-type] # nobody reads it

    def pause(seconds: float) -> None:
        done.append(f"pause of {seconds} s")
        if len(done) == 6:
            raise KeyboardInterrupt

    monkeypatch.setattr(drain, "wait_in_worker", ended)
    monkeypatch.setattr(start, "time", SimpleNamespace(monotonic=time.monotonic, sleep=pause))
    with pytest.raises(KeyboardInterrupt):
        release(firmware_id, poll_interval=0.07).execute(context)

    assert done == ["wait", "pause of 0.07 s"] * 3


# --- out of time ---


@pytest.fixture
def late(service: Service, context: Any, firmware: Path) -> TuyaOTAJobTrigger:
    """Give a wait that is over at once, for a job on two devices of which one flashes."""
    play(service, device_001={"flash_seconds": 1e6}, device_002={"outcome": "silent"})
    firmware_id = make_firmware(service, context, firmware)
    trigger = deferred(release(firmware_id, deferrable=True, timeout=1.0), context)
    assert isinstance(trigger, TuyaOTAJobTrigger)
    return trigger


def test_the_triggerer_stops_a_job_whose_time_is_over_and_the_worker_only_reports(
    service: Service, context: Any, late: TuyaOTAJobTrigger
) -> None:
    event = fired(late)

    assert statuses(service) == {"IN_PROGRESS", "CANCELED"}
    assert event["stopped"].endswith("1 device tasks cancelled, 1 are flashing and cannot be stopped")
    service.emulator.log.clear()
    with pytest.raises(WaitTimeoutError, match="1 device tasks cancelled, 1 are flashing") as caught:
        release(late.job.firmware_id, deferrable=True).execute_complete(context, event=event)
    assert "CancelOTATaskByJob" not in service.actions
    assert caught.value.verdict is not None
    assert caught.value.verdict.counts == {"CANCELED": 1, "IN_PROGRESS": 1}


def test_what_the_triggerer_could_not_stop_the_worker_does(
    service: Service, context: Any, late: TuyaOTAJobTrigger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(triggering, "LONGEST_STOP", 0.1)
    service.emulator.faults.add({"action": "CancelOTATaskByJob", "kind": "drop_before", "nth": 1})

    event = fired(late)

    assert (event["status"], "stopped" in event) == ("timeout", False)
    with pytest.raises(WaitTimeoutError, match="1 device tasks cancelled"):
        release(late.job.firmware_id, deferrable=True).execute_complete(context, event=event)
    assert statuses(service) == {"IN_PROGRESS", "CANCELED"}


def test_a_job_that_may_not_be_stopped_goes_on_when_its_time_is_over(service: Service, late: TuyaOTAJobTrigger) -> None:
    event = fired(TuyaOTAJobTrigger(**late.serialize()[1] | {"on_cancel": "keep"}))

    assert (event["status"], "stopped" in event) == ("timeout", False)
    assert "CancelOTATaskByJob" not in service.actions


def test_a_triggerer_that_stood_still_leaves_the_stopping_to_whoever_waits_now(
    service: Service, late: TuyaOTAJobTrigger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(LoopStallDetector, "recently_stalled", lambda _: True)

    event = fired(late)

    assert (event["status"], "stopped" in event) == ("timeout", False)
    assert "CancelOTATaskByJob" not in service.actions
