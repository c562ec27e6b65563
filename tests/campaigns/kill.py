"""Cancels happen exactly when a person asked, in a real Airflow.

A scheduler, a triggerer and workers run as processes of their own. In each case a task waits for an upgrade of a device
that never says anything; then something happens to the task, or to a process, and the requests that the platform got
are counted.
"""

from __future__ import annotations

import signal
import time
from typing import TYPE_CHECKING

import psutil  # type: ignore[import-untyped] # it ships no types

from tests.campaigns.field import QUIET, Case, Field, open_field

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


def _expect_cancelled(case: Case) -> str:
    case.wait(lambda: case.cancels() > 0, "cancel")
    statuses = {case.field.emulator.world.engine.jobs[job].tasks[0].status for job in case.jobs()[:1]}
    return "" if statuses == {"CANCELED"} and len(case.jobs()) == 1 else f"{statuses}, {len(case.jobs())} jobs"


def _expect_untouched(case: Case) -> str:
    time.sleep(QUIET)
    if case.cancels():
        return f"{case.cancels()} cancels that nobody asked for"
    case.finish()
    case.wait(lambda: case.state() == "success", "success")
    return "" if len(case.jobs()) == 1 and not case.cancels() else f"{len(case.jobs())} jobs, {case.cancels()} cancels"


def marked_failed(field: Field, dag: str) -> str:
    case = field.start(dag)
    case.mark("failed")
    return _expect_cancelled(case)


def marked_success(field: Field, dag: str) -> str:
    case = field.start(dag)
    case.mark("success")
    return _expect_cancelled(case)


def run_failed(field: Field, dag: str) -> str:
    case = field.start(dag)
    case.mark_run("failed")
    return _expect_cancelled(case)


def cleared(field: Field, dag: str) -> str:
    case = field.start(dag)
    case.clear()
    case.wait(lambda: len(case.jobs()) == 2, "second job")
    first, second = (field.emulator.world.engine.jobs[job].tasks[0] for job in case.jobs())
    wrong = "" if first.status == "CANCELED" and second.status != "FAILED" else f"{first.status}, {second.status}"
    time.sleep(QUIET)
    case.finish()
    case.wait(lambda: case.state() == "success", "success")
    return wrong or ("" if len(case.jobs()) == 2 and second.status == "SUCCEEDED" else f"{len(case.jobs())} jobs")


def triggerer_stopped(field: Field, dag: str, number: int = signal.SIGTERM) -> str:
    case = field.start(dag)
    for process in field.triggerers():
        process.send_signal(number)
    psutil.wait_procs(field.triggerers(), timeout=30)
    field.start_triggerer()
    return _expect_untouched(case)


def triggerer_killed(field: Field, dag: str) -> str:
    return triggerer_stopped(field, dag, signal.SIGKILL)


def worker_killed(field: Field, dag: str) -> str:
    """Kill the process that carries the task out; Airflow notices the loss and tries again."""
    case = field.start(dag)
    before = set(case.jobs())
    for process in field.task_processes():
        process.kill()
    case.wait(lambda: case.try_number() > 1 and case.state() == "running", "second try")
    wrong = _expect_untouched(case)
    return wrong or ("" if set(case.jobs()) == before else "another job")


CASES: tuple[tuple[str, Callable[[Field, str], str], Sequence[str]], ...] = (
    ("task marked failed", marked_failed, ("deferred", "blocking")),
    ("task marked success", marked_success, ("deferred", "blocking")),
    ("run marked failed", run_failed, ("deferred",)),
    ("task cleared", cleared, ("deferred", "blocking")),
    ("worker killed", worker_killed, ("blocking",)),
    ("triggerer told to stop", triggerer_stopped, ("deferred",)),
    ("triggerer killed", triggerer_killed, ("deferred",)),
)


def campaign(rounds: int, *, only: Sequence[str] = ()) -> list[tuple[str, str, str]]:
    """Go through every case.

    :param only: names of cases; all by default.
    :returns: case, mode, and what was wrong, empty where nothing was.
    """
    results = []
    with open_field() as field:
        for name, play, modes in CASES * rounds:
            for mode in modes if not only or name in only else ():
                try:
                    wrong = play(field, mode)
                except Exception as error:  # noqa: BLE001 - whatever it is, the table tells it
                    wrong = f"{type(error).__name__}: {error}"
                results.append((name, mode, wrong))
    return results
