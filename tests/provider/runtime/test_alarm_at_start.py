"""The report if Airflow's alarm rings after the job exists and before the task waits for it."""

from __future__ import annotations

import signal
import time
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from airflow.sdk.exceptions import AirflowTaskTimeout, TaskDeferred
from airflow.sdk.execution_time.timeout import timeout

from airflow_provider_tuya_ota.core.model.outcome_errors import WaitTimeoutError
from airflow_provider_tuya_ota.runtime import start
from airflow_provider_tuya_ota.runtime.alarm import AlarmGuard, has_alarm_rung, hold_alarm, release_alarm
from tests.provider.conftest import FakeTask
from tests.provider.operators.test_verify_operator import make_firmware, play, verify
from tests.provider.runtime.test_execution_timeout import counts
from tests.provider.triggers.fake_triggerer import Log

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.provider.conftest import Service

LIMIT = timedelta(hours=1)


@pytest.fixture(autouse=True)
def _own_handler() -> Iterator[None]:
    handler = signal.getsignal(signal.SIGALRM)
    yield
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, handler)


@pytest.fixture
def firmware_id(service: Service, context: Any, firmware: Path) -> str:
    play(service, device_001={"outcome": "silent"})
    return make_firmware(service, context, firmware)


def ring_at(monkeypatch: pytest.MonkeyPatch, *at: str) -> list[str]:
    """Let the alarm ring while XComs are pushed for the first time.

    :returns: what has been pushed.
    """
    inner = FakeTask.xcom_push
    pushed: list[str] = []

    def push(task: FakeTask, key: str, value: Any) -> None:
        if key in at and key not in pushed:
            signal.raise_signal(signal.SIGALRM)
        inner(task, key, value)
        pushed.append(key)

    monkeypatch.setattr(FakeTask, "xcom_push", push)
    return pushed


def run(operator: Any, context: Any) -> None:
    """Execute as Airflow's task runner does."""
    try:
        with timeout(3600):  # type: ignore[no-untyped-call] # Airflow's
            operator.execute(context)
    except AirflowTaskTimeout:
        operator.on_kill()
        raise


@pytest.mark.parametrize("key", ["ota_release", "request_id"])
@pytest.mark.parametrize(
    "how", [{"deferrable": True}, {}, {"wait_for_completion": False}], ids=["deferred", "worker", "no wait"]
)
def test_an_alarm_while_the_job_is_pushed_is_reported_with_what_was_stopped(
    service: Service,
    context: Any,
    ti: FakeTask,
    firmware_id: str,
    monkeypatch: pytest.MonkeyPatch,
    key: str,
    how: dict[str, Any],
) -> None:
    pushed = ring_at(monkeypatch, key)

    with pytest.raises(WaitTimeoutError):
        run(verify(firmware_id, execution_timeout=LIMIT, device_names=["device-001"], **how), context)

    report = ti.xcom["ota_release"]
    assert (report["event"], report["job_id"]) == ("timeout", ti.xcom["job_id"])
    assert report["counts"] == counts(service)
    assert report["counts"]["CANCELED"] == 1
    assert "What had not begun was stopped" in report["error"]
    assert "request_id" in pushed
    # The time to wait, which is 20 s, was not over.
    assert report["duration"] < 15


def test_pushes_that_take_too_long_after_the_alarm_are_broken_off_and_the_job_stopped(
    service: Service, context: Any, ti: FakeTask, firmware_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    pushed = ring_at(monkeypatch, "job", "utc_create")

    with pytest.raises(WaitTimeoutError):
        run(verify(firmware_id, execution_timeout=LIMIT, device_names=["device-001"], deferrable=True), context)

    assert "request_id" not in pushed
    assert ti.xcom["ota_release"]["counts"] == counts(service)
    assert counts(service)["CANCELED"] == 1


def test_an_alarm_stops_no_job_that_is_kept(
    service: Service, context: Any, ti: FakeTask, firmware_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ring_at(monkeypatch, "request_id")

    with pytest.raises(WaitTimeoutError, match="It goes on at the platform"):
        run(
            verify(
                firmware_id, execution_timeout=LIMIT, device_names=["device-001"], on_cancel="keep", deferrable=True
            ),
            context,
        )

    assert ti.xcom["ota_release"]["counts"] == counts(service)
    assert "CancelOTATaskByJob" not in service.actions


def test_an_alarm_that_is_not_held_back_ends_the_task(
    service: Service, context: Any, firmware_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(start, "hold_alarm", lambda _: None)
    ring_at(monkeypatch, "request_id")

    with pytest.raises(AirflowTaskTimeout):
        run(verify(firmware_id, execution_timeout=LIMIT, device_names=["device-001"], deferrable=True), context)

    assert "CancelOTATaskByJob" in service.actions


def test_no_alarm_breaks_a_deferral_off(context: Any, firmware_id: str) -> None:
    operator = verify(firmware_id, execution_timeout=LIMIT, device_names=["device-001"], deferrable=True)

    with timeout(3600):  # type: ignore[no-untyped-call] # Airflow's
        with pytest.raises(TaskDeferred):
            operator.execute(context)
        signal.raise_signal(signal.SIGALRM)


def test_an_alarm_that_was_held_back_rings_when_it_is_released_and_once() -> None:
    with timeout(3600):  # type: ignore[no-untyped-call] # Airflow's
        hold_alarm(30)
        signal.raise_signal(signal.SIGALRM)
        assert has_alarm_rung()
        left, _ = signal.getitimer(signal.ITIMER_REAL)
        assert 29 < left <= 30

        with pytest.raises(AirflowTaskTimeout):
            release_alarm()

        assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)
        assert not has_alarm_rung()
        release_alarm()


def test_an_alarm_is_held_back_for_a_time_only() -> None:
    with timeout(3600):  # type: ignore[no-untyped-call] # Airflow's
        hold_alarm(0.05)
        signal.raise_signal(signal.SIGALRM)

        with pytest.raises(AirflowTaskTimeout):
            time.sleep(10)


def test_an_alarm_that_nobody_set_is_not_held_back() -> None:
    signal.signal(signal.SIGALRM, signal.SIG_DFL)

    hold_alarm(30)

    assert signal.getsignal(signal.SIGALRM) is signal.SIG_DFL


def test_the_log_says_how_many_seconds_are_left_after_the_alarm() -> None:
    log = Log()

    def interrupted() -> None:
        raise AirflowTaskTimeout

    with AlarmGuard(60.0, log) as guard:
        guard.run(interrupted, lambda: None)

    (line,) = log.lines
    assert line.startswith("The execution_timeout is over; at most 60 s are left")
