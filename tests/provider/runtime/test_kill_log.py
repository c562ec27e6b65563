"""What the log says of a kill in a worker."""

from __future__ import annotations

import os
import signal
import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from airflow_provider_tuya_ota.core.jobs import stop as stopping
from airflow_provider_tuya_ota.runtime import kill as killing
from airflow_provider_tuya_ota.runtime.log_thread import LogThread
from tests.provider.runtime.test_kill import context, states, supervisor, waiting
from tests.provider.triggers.fake_triggerer import Log

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

    from tests.provider.conftest import Service

__all__ = ["context", "supervisor", "waiting"]


def test_what_a_kill_has_stopped_is_counted(waiting: Any, supervisor: Callable[[Any], None]) -> None:
    supervisor("failed")
    log = Log()

    killing.answer_kill(waiting.running, log)

    assert log.lines[-1].endswith("2 device tasks cancelled, 0 are flashing and cannot be stopped")


def test_a_refused_cancel_whose_job_cannot_be_counted_either_is_left_to_a_person(
    service: Service, waiting: Any, supervisor: Callable[[Any], None]
) -> None:
    supervisor("failed")
    killing.answer_kill(waiting.running, Log())
    service.emulator.faults.add({"action": "ListOTATaskByJob", "kind": "redirect"})
    log = Log()

    killing.answer_kill(waiting.running, log)

    assert "was stopped is not known; look at its device tasks in the vendor's console. ListOTATask" in log.lines[-1]


def test_a_log_that_hangs_keeps_no_process_alive() -> None:
    before = set(threading.enumerate())
    log_thread = LogThread(Log())
    (thread,) = set(threading.enumerate()) - before

    assert thread.daemon
    log_thread.close(5)
    assert not thread.is_alive()


def test_a_job_that_may_still_begin_is_cancelled_again(
    service: Service, waiting: Any, supervisor: Callable[[Any], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    supervisor("failed")
    monkeypatch.setattr(stopping, "CANCEL_AGAIN_AFTER", (0.01,))
    (job,) = service.emulator.world.engine.jobs.values()
    monkeypatch.setattr(job, "tasks", [])
    monkeypatch.setattr(job, "status", "PLANNED")
    world = service.emulator.world
    monkeypatch.setattr(world, "quirks", replace(world.quirks, planned_cancel="nothing"))

    killing.answer_kill(waiting.running, Log())

    assert service.actions.count("CancelOTATaskByJob") == 2


def test_a_signal_that_arrives_while_the_log_is_written_stops_the_job_and_is_reported_later(
    service: Service, waiting: Any, supervisor: Callable[[Any], None]
) -> None:
    supervisor("failed")
    lines: list[str] = []
    warned = threading.Event()

    class Log:
        """A log as structlog's are: its lock is not reentrant."""

        lock = threading.Lock()

        def info(self, text: str, *values: Any) -> None:
            with self.lock:
                lines.append(text % values)
                warned.set()

        warning = error = info

    handler = signal.signal(signal.SIGUSR1, lambda *_: killing.answer_kill(waiting.running, Log()))
    try:
        with Log.lock:
            os.kill(os.getpid(), signal.SIGUSR1)
            assert (states(service), lines) == ({"CANCELED"}, [])
    finally:
        signal.signal(signal.SIGUSR1, handler)

    assert warned.wait(10)
    assert lines[0].endswith("because its task was marked failed")
