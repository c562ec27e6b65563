"""No notifier keeps a task longer than its ``execution_timeout`` and a bounded time after it."""

from __future__ import annotations

import signal
import threading
import time
from asyncio import CancelledError
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from airflow.sdk import BaseNotifier
from airflow.sdk.exceptions import AirflowTaskTimeout
from airflow.sdk.execution_time.timeout import timeout

from airflow_provider_tuya_ota.notifications import reported
from airflow_provider_tuya_ota.runtime import notify
from tests.provider.runtime.test_reports import Quiet

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow.sdk import Context

    from tests.provider.conftest import FakeTask

SECONDS = 0.1


class Recorded(BaseNotifier):
    """Notes what alarm is set while it runs, and may hang."""

    def __init__(self, alarms: list[float], *, hangs: bool) -> None:
        super().__init__()
        self.alarms = alarms
        self.hangs = hangs

    def notify(self, context: Context) -> None:
        self.alarms.append(signal.getitimer(signal.ITIMER_REAL)[0])
        if self.hangs:
            time.sleep(20)


@pytest.fixture
def alarms() -> list[float]:
    return []


@pytest.fixture
def task(monkeypatch: pytest.MonkeyPatch, ti: FakeTask) -> Iterator[Any]:
    monkeypatch.setattr(notify, "NOTIFIER_SECONDS", SECONDS)
    ti.max_tries = 0
    handler = signal.getsignal(signal.SIGALRM)
    yield Quiet(task_id="check", execution_timeout=timedelta(seconds=SECONDS))
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, handler)


def test_each_notifier_is_interrupted_after_an_alarm_that_a_notifier_has_swallowed(
    context: Any, ti: FakeTask, task: Any, alarms: list[float]
) -> None:
    task.notifiers = [Recorded(alarms, hangs=hangs) for hangs in (True, True, False, True)]
    began = time.monotonic()

    with timeout(SECONDS), reported(context, task):  # type: ignore[no-untyped-call] # Airflow's
        pass

    assert (len(alarms), all(0 < left <= SECONDS for left in alarms)) == (4, True)
    assert time.monotonic() - began < 10
    assert ti.xcom["ota_release"]["event"] == "succeeded"


def test_each_notifier_is_interrupted_after_an_alarm_that_has_ended_the_step(
    context: Any, ti: FakeTask, task: Any, alarms: list[float]
) -> None:
    task.notifiers = [Recorded(alarms, hangs=True), Recorded(alarms, hangs=False)]
    began = time.monotonic()

    with pytest.raises(AirflowTaskTimeout), timeout(SECONDS), reported(context, task):  # type: ignore[no-untyped-call] # Airflow's
        time.sleep(20)

    assert (len(alarms), all(0 < left <= SECONDS for left in alarms)) == (2, True)
    assert time.monotonic() - began < 10
    assert ti.xcom["ota_release"]["event"] == "timeout"


@pytest.mark.parametrize("error", [CancelledError, SystemExit, ValueError])
def test_whatever_a_notifier_raises_the_next_one_is_called(
    context: Any, task: Any, alarms: list[float], error: type[BaseException]
) -> None:
    class Raises(BaseNotifier):
        def notify(self, context: Context) -> None:
            raise error

    task.notifiers = [Raises(), Recorded(alarms, hangs=False)]
    task.execution_timeout = None

    notify.notify(task, context, {"text": "done"})

    assert len(alarms) == 1


def test_an_alarm_that_has_not_rung_stays_as_it_is(context: Any, task: Any, alarms: list[float]) -> None:
    task.notifiers = [Recorded(alarms, hangs=False)]

    with timeout(3600), reported(context, task):  # type: ignore[no-untyped-call] # Airflow's
        pass

    assert 3000 < alarms[0] <= 3600


def test_a_task_without_a_limit_gives_its_notifiers_none(context: Any, task: Any, alarms: list[float]) -> None:
    task.execution_timeout, task.notifiers = None, [Recorded(alarms, hangs=False)]

    with reported(context, task):
        pass

    assert alarms == [0.0]


def test_an_alarm_that_a_notifier_has_swallowed_shows_that_there_is_a_limit(
    context: Any, task: Any, alarms: list[float]
) -> None:
    task.execution_timeout = None
    task.notifiers = [Recorded(alarms, hangs=True), Recorded(alarms, hangs=True)]

    with timeout(SECONDS), reported(context, task):  # type: ignore[no-untyped-call] # Airflow's
        pass

    assert (len(alarms), all(0 < left <= SECONDS for left in alarms)) == (2, True)


def test_only_the_main_thread_has_an_alarm(context: Any, task: Any, alarms: list[float]) -> None:
    task.notifiers = [Recorded(alarms, hangs=False)]

    def run() -> None:
        with reported(context, task):
            pass

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(30)

    assert alarms == [0.0]
