"""Airflow that does not answer a worker may have given up its task."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from queue import Queue
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from airflow.sdk.execution_time import task_runner
from airflow.sdk.execution_time.comms import CommsDecoder

from airflow_provider_tuya_ota.polling import stall_detector
from airflow_provider_tuya_ota.polling.stall_detector import DOUBT
from airflow_provider_tuya_ota.runtime import airflow_watch
from airflow_provider_tuya_ota.runtime import kill as killing
from airflow_provider_tuya_ota.runtime.airflow_watch import AirflowWatch

if TYPE_CHECKING:
    from collections.abc import Iterator

HEARTBEAT_TIMEOUT = 80.0


@dataclass
class Clock:
    """Seconds that pass when a test says so."""

    now: float = 1000.0


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(stall_detector, "steady_seconds", lambda: clock.now)
    return clock


class Airflow:
    """Answers one request after the other, each when a test says so."""

    def __init__(self) -> None:
        self.asked = threading.Semaphore(0)
        self.answer = threading.Semaphore(0)
        self.is_down = False

    def ask(self) -> None:
        self.asked.release()
        self.answer.acquire()
        if self.is_down:
            raise ConnectionError


@pytest.fixture
def airflow(monkeypatch: pytest.MonkeyPatch) -> Iterator[Airflow]:
    monkeypatch.setattr("airflow_provider_tuya_ota.runtime.airflow_watch._EVERY", 0.0)
    airflow = Airflow()
    yield airflow
    airflow.answer.release(100_000)


def answered(airflow: Airflow) -> None:
    """Answer the request that waits, and wait for the next one: then the answer was recorded."""
    airflow.answer.release()
    assert airflow.asked.acquire(timeout=10)


def test_airflow_that_answers_is_not_silent(clock: Clock, airflow: Airflow) -> None:
    watch = AirflowWatch(airflow.ask, HEARTBEAT_TIMEOUT)
    assert airflow.asked.acquire(timeout=10)
    for _ in range(5):
        clock.now += HEARTBEAT_TIMEOUT / 8
        answered(airflow)

    clock.now += HEARTBEAT_TIMEOUT / 4
    assert not watch.was_silent()


def test_airflow_that_answers_again_after_a_heartbeat_timeout_was_silent_for_a_minute(
    clock: Clock, airflow: Airflow
) -> None:
    watch = AirflowWatch(airflow.ask, HEARTBEAT_TIMEOUT)
    assert airflow.asked.acquire(timeout=10)
    clock.now += HEARTBEAT_TIMEOUT
    answered(airflow)

    clock.now += DOUBT / 2
    answered(airflow)
    assert watch.was_silent()
    for _ in range(10):
        clock.now += HEARTBEAT_TIMEOUT / 8
        answered(airflow)
    assert not watch.was_silent()


@pytest.mark.parametrize("is_down", [False, True], ids=["hangs", "fails"])
def test_airflow_that_does_not_answer_is_silent(clock: Clock, airflow: Airflow, is_down: bool) -> None:
    watch = AirflowWatch(airflow.ask, HEARTBEAT_TIMEOUT)
    assert airflow.asked.acquire(timeout=10)
    clock.now += HEARTBEAT_TIMEOUT
    airflow.is_down = is_down
    if is_down:
        answered(airflow)

    assert watch.was_silent()


@pytest.mark.parametrize(("seconds", "was_silent"), [(HEARTBEAT_TIMEOUT / 2, False), (HEARTBEAT_TIMEOUT / 2 + 1, True)])
def test_half_a_heartbeat_timeout_without_an_answer_is_no_silence_and_more_is_one(
    clock: Clock, airflow: Airflow, seconds: float, was_silent: bool
) -> None:
    watch = AirflowWatch(airflow.ask, HEARTBEAT_TIMEOUT)
    assert airflow.asked.acquire(timeout=10)
    clock.now += seconds

    assert watch.was_silent() == was_silent


def test_a_thread_that_ends_with_the_process_asks_eight_times_in_a_heartbeat_timeout(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pauses: Queue[float] = Queue()

    def sleep(seconds: float) -> None:
        if threading.current_thread() in before:
            # That of an earlier test.
            time.sleep(seconds)
            return
        pauses.put(seconds)
        threading.Event().wait()

    before = set(threading.enumerate())
    monkeypatch.setattr(airflow_watch, "time", SimpleNamespace(sleep=sleep))
    AirflowWatch(lambda: None, HEARTBEAT_TIMEOUT)

    assert pauses.get(timeout=10) == HEARTBEAT_TIMEOUT / 8
    (thread,) = (one for one in threading.enumerate() if one not in before)
    assert (thread.name, thread.daemon) == ("tuya-ota-airflow-watch", True)


@pytest.mark.parametrize("is_process", [True, False])
def test_a_process_watches_airflow_only_over_a_supervisor_that_two_threads_may_ask(
    monkeypatch: pytest.MonkeyPatch, is_process: bool
) -> None:
    comms: Any = object.__new__(CommsDecoder) if is_process else object()
    monkeypatch.setattr(task_runner, "SUPERVISOR_COMMS", comms, raising=False)
    killing._airflow_watch.cache_clear()

    assert (killing._airflow_watch(("dag", "run", "task", -1)) is not None) == is_process
    killing._airflow_watch.cache_clear()
