"""The report if Airflow's alarm rings while a task waits in a worker, at any point of the wait."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from airflow.sdk.exceptions import AirflowTaskTimeout

from airflow_provider_tuya_ota.client import TuyaOTAClient
from airflow_provider_tuya_ota.core.model.outcome_errors import WaitTimeoutError
from airflow_provider_tuya_ota.notifications import reported
from airflow_provider_tuya_ota.runtime import late_stop
from airflow_provider_tuya_ota.transports.runtime import Runtime
from tests.provider.conftest import FakeStore
from tests.provider.operators.test_create_once import deferred, out_of_time
from tests.provider.operators.test_verify_operator import make_firmware, play, verify
from tests.provider.runtime.test_reports import Quiet

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.provider.conftest import FakeTask, Service

ALARM = AirflowTaskTimeout("Timeout, PID: 4711")
"""As Airflow's handler of SIGALRM raises it in the main thread, once."""


@pytest.fixture
def firmware_id(service: Service, context: Any, firmware: Path) -> str:
    play(service, device_001={"outcome": "silent"})
    return make_firmware(service, context, firmware)


@pytest.fixture
def rings_at(monkeypatch: pytest.MonkeyPatch) -> Callable[[Any, str, int], None]:
    """Let the alarm ring when something is called for the nth time."""

    def ring(owner: Any, name: str, nth: int) -> None:
        own, calls = getattr(owner, name), []

        def called(*values: Any, **named: Any) -> Any:
            calls.append(1)
            if len(calls) == nth:
                raise ALARM
            return own(*values, **named)

        monkeypatch.setattr(owner, name, called)

    return ring


def run(operator: Any, context: Any) -> None:
    """Execute as Airflow's task runner does."""
    try:
        operator.execute(context)
    except AirflowTaskTimeout:
        operator.on_kill()
        raise


def counts(service: Service) -> dict[str, int]:
    (job,) = service.emulator.world.engine.jobs.values()
    return {status: number for status, number in job.counts.items() if number}


def test_an_alarm_between_two_polls_is_reported_with_what_became_of_the_job(
    service: Service, context: Any, ti: FakeTask, firmware_id: str, rings_at: Callable[[Any, str, int], None]
) -> None:
    rings_at(Runtime, "sleep", 3)

    with pytest.raises(WaitTimeoutError):
        run(verify(firmware_id, execution_timeout=timedelta(hours=1)), context)

    report = ti.xcom["ota_release"]
    assert (report["event"], report["job_id"]) == ("timeout", ti.xcom["job_id"])
    assert report["counts"] == counts(service)
    assert report["counts"]["CANCELED"] == 1
    assert f"job {report['job_id']} had not ended when the time to wait was over" in report["error"]
    assert "What had not begun was stopped" in report["error"]
    assert "PID" not in report["text"]
    # The time to wait, which is 20 s, was not over.
    assert report["duration"] < 15


@pytest.mark.parametrize("nth", [3, 4], ids=["before the cancel", "after the cancel"])
def test_an_alarm_while_the_job_is_stopped_leaves_no_report_without_counts(
    service: Service, context: Any, ti: FakeTask, firmware_id: str, rings_at: Callable[[Any, str, int], None], nth: int
) -> None:
    # One conversation each: create, wait, stop, look.
    rings_at(TuyaOTAClient, "run", nth)

    with pytest.raises(WaitTimeoutError):
        run(verify(firmware_id, timeout=0.1, execution_timeout=timedelta(hours=1)), context)

    report = ti.xcom["ota_release"]
    assert (report["event"], report["counts"]) == ("timeout", counts(service))
    assert report["counts"]["CANCELED"] == 1


def test_an_alarm_in_the_last_wait_after_a_deferral_polls_and_stops_the_job_all_the_same(
    service: Service,
    context: Any,
    ti: FakeTask,
    firmware_id: str,
    rings_at: Callable[[Any, str, int], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Only a job that is stored is certainly this task's, and stopped.
    context["task_state_store"] = FakeStore()
    operator = verify(firmware_id, deferrable=True)
    deferred(operator, context)
    out_of_time(operator, monkeypatch)
    rings_at(TuyaOTAClient, "run", 1)

    with pytest.raises(WaitTimeoutError, match="1 device tasks cancelled"):
        operator.resume_execution("execute_complete", {"event": {}}, context)

    report = ti.xcom["ota_release"]
    assert (report["event"], report["counts"]) == ("timeout", counts(service))


def test_an_alarm_stops_nothing_of_a_job_that_is_kept(
    service: Service, context: Any, ti: FakeTask, firmware_id: str, rings_at: Callable[[Any, str, int], None]
) -> None:
    rings_at(Runtime, "sleep", 3)

    with pytest.raises(WaitTimeoutError, match="It goes on at the platform"):
        run(verify(firmware_id, on_cancel="keep", execution_timeout=timedelta(hours=1)), context)

    assert ti.xcom["ota_release"]["counts"] == counts(service)
    assert "CancelOTATaskByJob" not in service.actions


def test_a_kill_after_the_wait_has_failed_finds_nothing_to_stop(context: Any, firmware_id: str) -> None:
    """A person may mark the task while Airflow handles its failure; a retry goes on with the job."""
    operator = verify(firmware_id, timeout=0.1)

    with pytest.raises(WaitTimeoutError):
        operator.execute(context)

    assert operator.running is None


def test_a_second_alarm_leaves_the_stop_to_airflow_and_is_reported_in_words(
    service: Service, context: Any, ti: FakeTask, firmware_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    sleep = Runtime.sleep

    def ring(*_: Any) -> None:
        raise ALARM

    def ring_in_wait(runtime: Runtime, seconds: float) -> None:
        # The create and the thread that stops the job may have to keep the account's limit; no signal interrupts the
        # latter.
        if threading.current_thread() is threading.main_thread() and "job_id" in ti.xcom:
            raise ALARM
        sleep(runtime, seconds)

    monkeypatch.setattr(Runtime, "sleep", ring_in_wait)
    monkeypatch.setattr(late_stop, "stop_jobs", ring)

    with pytest.raises(AirflowTaskTimeout):
        run(verify(firmware_id, execution_timeout=timedelta(hours=1)), context)

    report = ti.xcom["ota_release"]
    assert (report["event"], report["job_id"]) == ("timeout", ti.xcom["job_id"])
    assert report["error"] == "The task's execution_timeout of 3600 s was over."
    assert "CancelOTATaskByJob" in service.actions


@pytest.mark.parametrize(("limit", "said"), [(timedelta(minutes=2), " of 120 s"), (None, "")])
def test_any_task_says_that_its_time_was_over(context: Any, ti: FakeTask, limit: timedelta | None, said: str) -> None:
    context["task"] = Quiet(task_id="check", execution_timeout=limit)

    with pytest.raises(AirflowTaskTimeout), reported(context):
        raise ALARM

    assert ti.xcom["ota_release"]["error"] == f"The task's execution_timeout{said} was over."
