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

from tests.campaigns.field import QUIET, Case, Field

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

MANY = 20
FROZEN = 45.0
"""Seconds; after 30 without a heartbeat Airflow gives a triggerer's waits to another one."""


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
    return _other_triggerer(field, number) or _expect_untouched(case)


def _other_triggerer(field: Field, number: int) -> str:
    stopped = field.triggerers()
    for process in stopped:
        process.send_signal(number)
    _, left = psutil.wait_procs(stopped, timeout=60)
    # Whoever started it may not have asked what became of it.
    alive = [process.cmdline() for process in left if process.status() != psutil.STATUS_ZOMBIE]
    field.start_triggerer()
    return f"still there: {alive}" if alive else ""


def triggerer_killed(field: Field, dag: str) -> str:
    return triggerer_stopped(field, dag, signal.SIGKILL)


def other_task_cleared(field: Field, dag: str) -> str:
    """Clear another task of the run, and then kill the process of the one that waits."""
    case = field.start(dag)
    case.clear("other")
    return _worker_lost(case)


def many_killed(field: Field, dag: str) -> str:
    """Mark a run failed of which twenty tasks wait on one connection."""
    case = field.trigger(dag)
    case.wait(lambda: case.states() == ["deferred"] * MANY, "deferred tasks")
    # Airflow forgets a trigger that no triggerer has begun when its task is killed, and runs nothing of it.
    time.sleep(QUIET)
    engine = field.emulator.world.engine
    tasks = [task for task in list(engine.tasks.values()) if task.device.name >= "device-901" and not task.desc]
    waiting = [task for task in tasks if task.status == "NOTIFIED"]
    if len(waiting) != MANY:
        return f"{len(waiting)} devices wait"
    case.mark_run("failed")
    case.wait(lambda: all(task.status == "CANCELED" for task in waiting), "cancel of each")
    return ""


def triggerer_restarted_mid_poll(field: Field, dag: str) -> str:
    """Stop the triggerer while a poll is on its way."""
    case = field.start(dag)
    polls = case.polls()
    field.client.control("POST", "faults", {"action": "ListOTATaskByJob", "kind": "delay", "seconds": 5})
    try:
        case.wait(lambda: case.polls() > polls, "poll that hangs")
        wrong = _other_triggerer(field, signal.SIGTERM)
    finally:
        field.client.control("DELETE", "faults")
    return wrong or _expect_untouched(case)


def triggerer_frozen(field: Field, dag: str) -> str:
    """Freeze a triggerer past its heartbeat while another one takes over, and wake it again."""
    case = field.start(dag)
    frozen = field.triggerer_processes()
    for process in frozen:
        process.suspend()
    try:
        field.start_triggerer()
        time.sleep(FROZEN)
        polls = case.polls()
        case.wait(lambda: case.polls() > polls + 1, "poll by the other triggerer")
    finally:
        for process in frozen:
            process.resume()
    time.sleep(2 * QUIET)
    return _expect_untouched(case)


def out_of_time(field: Field, dag: str) -> str:
    """Let the execution_timeout of a deferred task pass, which Airflow itself does not enforce."""
    case = field.start(dag)
    wrong = _expect_cancelled(case)
    case.wait(lambda: case.state() == "failed", "failure")
    return wrong


def worker_killed(field: Field, dag: str) -> str:
    """Kill the process that carries the task out; Airflow notices the loss and tries again."""
    return _worker_lost(field.start(dag))


def _worker_lost(case: Case) -> str:
    before = set(case.jobs())
    for process in case.field.task_processes():
        process.kill()
    case.wait(lambda: case.try_number() > 1 and case.state() == "running", "second try")
    wrong = _expect_untouched(case)
    return wrong or ("" if set(case.jobs()) == before else "another job")


def worker_frozen(field: Field, dag: str) -> str:
    """Freeze a worker past its heartbeat, and wake it while its task is to be tried again."""
    return _frozen(field.start(dag), "up_for_retry")


def worker_frozen_long(field: Field, dag: str) -> str:
    """Freeze a worker past its heartbeat, and wake it when another one has begun the next try."""
    return _frozen(field.start(dag), "running")


def worker_frozen_creating(field: Field, dag: str) -> str:
    """Freeze a worker past its heartbeat that has asked for a job and not read the answer."""
    slow = {"action": "CreateOTAStaticUpgradeJob", "kind": "delay", "seconds": 5, "nth": 1}
    field.client.control("POST", "faults", slow)
    try:
        case = field.trigger(dag)
        case.wait(case.has_asked, "request for a job")
        return _frozen(case, "up_for_retry")
    finally:
        field.client.control("DELETE", "faults")


def _frozen(case: Case, until: str) -> str:
    frozen = case.field.frozen_worker()
    if len(frozen) != 2:
        return f"{len(frozen)} processes carry the task out"
    try:
        case.wait(lambda: case.state() == until and (until != "running" or case.try_number() > 1), until)
    finally:
        for process in frozen:
            process.resume()
    # The watcher ends the task's process when its next heartbeat is refused.
    psutil.wait_procs(frozen[:1], timeout=60)
    if cancels := case.cancels():
        return f"{cancels} cancels that nobody asked for"
    case.wait(lambda: case.try_number() > 1 and case.is_waiting(), "second try")
    return _expect_untouched(case)


CASES: tuple[tuple[str, Callable[[Field, str], str], Sequence[str]], ...] = (
    ("task marked failed", marked_failed, ("deferred", "blocking")),
    ("task marked success", marked_success, ("deferred", "blocking")),
    ("run marked failed", run_failed, ("deferred",)),
    ("task cleared", cleared, ("deferred", "blocking")),
    ("worker killed", worker_killed, ("blocking",)),
    ("worker frozen", worker_frozen, ("frozen",)),
    ("worker frozen for long", worker_frozen_long, ("frozen",)),
    ("frozen while it creates", worker_frozen_creating, ("frozen", "deferred")),
    ("another task cleared", other_task_cleared, ("blocking",)),
    ("triggerer asked to stop", triggerer_stopped, ("deferred",)),
    ("triggerer killed", triggerer_killed, ("deferred",)),
    ("restarted while it polls", triggerer_restarted_mid_poll, ("deferred",)),
    ("triggerer frozen", triggerer_frozen, ("deferred",)),
    ("execution_timeout", out_of_time, ("hurried",)),
    ("run of many marked failed", many_killed, ("many",)),
)


def campaign(field: Field, rounds: int, *, only: Sequence[str] = ()) -> list[tuple[str, str, str]]:
    """Go through every case.

    :param only: names of cases; all by default.
    :returns: case, mode, and what was wrong, empty where nothing was.
    """
    results = []
    for name, play, modes in CASES * rounds:
        for mode in modes if not only or name in only else ():
            try:
                wrong = play(field, mode)
            except Exception as error:  # noqa: BLE001 - the table shows whatever it is
                wrong = f"{type(error).__name__}: {error}"
            results.append((name, mode, wrong))
    return results
