"""A run of three hundred waits is marked failed, with two triggerers on one account that grants five cancels a second.

What the platform knows in the end is held against every line that the logs say of a job: none may be stopped and said
to go on, and none may be left out. Other waits of the same triggerers are polled on meanwhile.
"""

from __future__ import annotations

import re
import time
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from airflow_provider_tuya_ota.emulator.gateway.quotas import UPSTREAM_QUOTAS
from tests.campaigns.table import Row

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from airflow_provider_tuya_ota.emulator.simulation.jobs import Job
    from tests.campaigns.field import Case, Field

BYSTANDERS = 4
"""Other waits, each for a firmware of its own; enough that each triggerer very probably has one."""
LONGEST_GAP = 15.0
"""Seconds between two polls of another job."""
STARTED_WITHIN = 1500.0
STOPPED_WITHIN = 300.0
WAITING = ("CONFIRM", "QUEUED", "NOTIFIED")
_LINES = {
    "stopped": re.compile(r"[Jj]ob (\d+): (?:its cancel was sent|\d+ device tasks cancelled)"),
    "goes on": re.compile(r"[Jj]ob (\d+) (?:was not stopped|goes on at the platform)"),
    "not known": re.compile(r"[Ww]hether job (\d+) was stopped"),
    "later": re.compile(r"Job (\d+) is not stopped yet"),
}


def play(field: Field, dag: str, number: int) -> Row:
    """Play it once.

    :param dag: whose one task is mapped over so many devices.
    """
    field.emulator.world.quotas = field.emulator.world.quotas.changed({"enabled": True})
    second = field.start_triggerer()
    try:
        bystanders = [field.start("deferred") for _ in range(BYSTANDERS)]
        case = field.trigger(dag)
        case.wait(lambda: case.states().count("deferred") == number, f"{number} deferred tasks", STARTED_WITHIN)
        return _mark(field, case, bystanders, number)
    finally:
        second.stop()
        field.emulator.world.quotas = field.emulator.world.quotas.changed({"enabled": False})


def _mark(field: Field, case: Case, bystanders: list[Case], number: int) -> Row:
    jobs = [
        job for job in list(field.emulator.world.engine.jobs.values()) if job.firmware.firmware_id == case.firmware_id
    ]
    # Airflow forgets a trigger that no triggerer has begun when its task is killed, and runs nothing of it.
    case.wait(lambda: _begun(case) >= number, "trigger that has begun of each", STARTED_WITHIN)
    # On a busy machine a wait may have been given to the other triggerer before, and its log says so.
    before_all = _logs(field)
    marked = len(field.emulator.log)
    before = time.monotonic()
    case.mark_run("failed")
    wrong = []
    try:
        case.wait(lambda: not _going_on(jobs), "cancel of each", STOPPED_WITHIN)
    except TimeoutError:
        wrong.append(f"{len(_going_on(jobs))} jobs go on")
    lasted = time.monotonic() - before
    # Long enough for the last lines to be written, and for a pause in the polls to show.
    time.sleep(LONGEST_GAP + 2)
    log = list(field.emulator.log)[marked:]
    gap = max(_longest_gap(log, one) for one in bystanders)
    if gap > LONGEST_GAP:
        wrong.append(f"another job was not polled for {gap:.0f} s")
    said = _said(field, before_all)
    wrong += _lies(said, {job.job_id for job in jobs}, _going_on(jobs))
    for one in bystanders:
        one.finish()
        one.wait(lambda one=one: one.state() == "success", "success")  # type: ignore[misc] # bound at once
    cancels = [str(entry["outcome"]) for entry in log if entry["action"] == "CancelOTATaskByJob"]
    figures = "; ".join(
        (
            f"{len(jobs) - len(_going_on(jobs))} of {number} jobs stopped in {lasted:.0f} s",
            f"the account's limit allows {number / UPSTREAM_QUOTAS['CancelOTATaskByJob']:.0f} s",
            f"{len(cancels)} cancels, {len(cancels) - cancels.count('ok')} throttled",
            f"other jobs polled every {gap:.1f} s at the longest",
            f"{len(said['not known'])} of which the logs do not know it",
            f"{len(said['later'])} to be stopped later, with the outcome in the triggerer's log",
        )
    )
    return Row("kill, in Airflow", f"run of {number} marked failed, two triggerers", 1, wrong=wrong, figures=figures)


def _going_on(jobs: Iterable[Job]) -> set[str]:
    return {job.job_id for job in jobs if any(task.status in WAITING for task in job.tasks)}


def _begun(case: Case) -> int:
    """Count the tasks whose trigger has written into their logs."""
    run = case.field.home / "logs" / f"dag_id={case.dag}" / f"run_id={case.run}"
    return len({file.parent for file in run.rglob("attempt=1.log.trigger.*.log")})


def _longest_gap(log: list[dict[str, Any]], case: Case) -> float:
    """Find the longest time without a poll of a job, by itself or in the list of its firmware."""
    job_ids = set(case.jobs())
    polls = [
        entry["at"]
        for entry in log
        if entry["parameters"].get("JobId") in job_ids or entry["parameters"].get("FirmwareId") == case.firmware_id
    ]
    moments = [log[0]["at"], *polls, log[-1]["at"]]
    return float(max(later - earlier for earlier, later in pairwise(moments)))


def _logs(field: Field) -> dict[Path, int]:
    """Find the logs of tasks and triggerers, and how long they are."""
    files = [*(field.home / "logs").rglob("*.log"), *field.home.glob("*.log")]
    return {file: file.stat().st_size for file in files if file.is_file()}


def _said(field: Field, before: dict[Path, int]) -> dict[str, set[str]]:
    """Read what the logs have said since then of what became of which job."""
    texts = [file.read_bytes()[before.get(file, 0) :].decode(errors="replace") for file in _logs(field)]
    return {name: set(pattern.findall("\n".join(texts))) for name, pattern in _LINES.items()}


def _lies(said: dict[str, set[str]], jobs: set[str], going_on: set[str]) -> Iterator[str]:
    for what, found in (
        ("stopped jobs that are said to go on", said["goes on"] & jobs - going_on),
        ("jobs that go on and are said to be stopped", said["stopped"] & going_on),
        ("jobs of which nothing is said", jobs - said["stopped"] - said["goes on"] - said["not known"]),
    ):
        if found:
            yield f"{len(found)} {what}, such as {min(found)}"
