"""One job for one intent, in a real Airflow whose workers are killed with SIGKILL at random moments."""

from __future__ import annotations

import time
from itertools import count
from random import Random
from typing import TYPE_CHECKING

import psutil  # type: ignore[import-untyped] # it ships no types

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.campaigns.field import Case, Field

CREATE = "CreateOTAStaticUpgradeJob"
MODES = ("deferred", "blocking")


def _a_moment(case: Case, random: Random, longest: float) -> None:
    # A task that defers has done its part in less than a second.
    time.sleep(random.uniform(0.0, longest if case.dag == "blocking" else longest / 5))


def _begins(case: Case, random: Random) -> None:
    """Kill the task somewhere between its first line and its first request."""
    case.wait(lambda: bool(case.field.task_processes()), "process")
    _a_moment(case, random, 3.0)


def _creates(case: Case, random: Random) -> None:
    """Kill the task while the platform is creating its job, or has just done so; the answer is never read."""
    case.wait(case.has_asked, CREATE)
    _a_moment(case, random, 1.5)


def _goes_on(case: Case, random: Random) -> None:
    """Kill the task after the answer: before or after it is written down, pushed, deferred, polled."""
    case.wait(lambda: bool(case.jobs()), "job")
    _a_moment(case, random, 2.0)


MOMENTS: dict[str, tuple[Callable[[Case, Random], None], dict[str, object] | None]] = {
    "as it begins": (_begins, None),
    "while it creates": (_creates, {"action": CREATE, "kind": "delay", "seconds": 2, "nth": 1}),
    "after a lost answer": (_creates, {"action": CREATE, "kind": "drop_after", "nth": 1}),
    "after it has created": (_goes_on, None),
}


def crash(field: Field, mode: str, moment: str, random: Random) -> str | None:
    """Kill every process of a task at a moment, once or twice, and let the device update in the end.

    :returns: what was wrong, empty where nothing was; None where the task was over before it could be killed.
    """
    come, fault = MOMENTS[moment]
    if fault:
        field.client.control("POST", "faults", fault)
    case = field.trigger(mode)
    come(case, random)
    killed = kill_tasks(field)
    field.client.control("DELETE", "faults")
    if random.random() < 0.3:
        case.wait(lambda: case.try_number() > 1 or case.is_waiting(), "second try")
        time.sleep(random.uniform(0.0, 3.0))
        killed += kill_tasks(field)
    case.wait(lambda: case.is_waiting() and bool(case.jobs()) and case.is_notified(), "task that waits")
    case.finish()
    case.wait(lambda: case.state() in {"success", "failed"}, "end")
    if case.state() != "success":
        return f"the task is {case.state()}"
    if len(case.jobs()) != 1 or case.cancels():
        return f"{len(case.jobs())} jobs, {case.cancels()} cancels"
    return "" if killed else None


def kill_tasks(field: Field) -> int:
    """Kill every process that carries a task out.

    :returns: how many there were.
    """
    processes = field.task_processes()
    for process in processes:
        try:
            process.kill()
        except psutil.NoSuchProcess:
            continue
    return len(processes)


def campaign(field: Field, crashes: int, *, seed: int = 1) -> list[tuple[str, str, str]]:
    """Crash again and again.

    :returns: moment, mode, and what was wrong, empty where nothing was.
    """
    results: list[tuple[str, str, str]] = []
    random = Random(seed)  # noqa: S311 - a campaign, repeatable by its seed as far as processes are
    for number in count():
        moment, mode = list(MOMENTS)[number // 2 % len(MOMENTS)], MODES[number % 2]
        try:
            wrong = crash(field, mode, moment, random)
        except Exception as error:  # noqa: BLE001 - the table shows whatever it is
            wrong = f"{type(error).__name__}: {error}"
        if wrong is not None:
            results.append((moment, mode, wrong))
        if len(results) == crashes:
            break
    return results
