"""Decide whether a process that is asked to end cancels its task's job: only if a person asked for that.

Airflow ends a worker's process and a trigger in the same way for a person, for a deployment that replaces the process,
for a scheduler that has lost its heartbeat, and for another triggerer that has taken the wait over. They differ in the
state of the task at that moment. These are the states of Airflow 3.3.2, tried or read there:

=====================================  ==========================================  =====================================
what has happened                      while a worker runs the task                while it is deferred
=====================================  ==========================================  =====================================
task or run marked failed or success   ``failed``, ``success``                     ``failed``, ``success``
Dag with ``dagrun_timeout``            ``skipped``                                 ``skipped``
task cleared                           ``restarting`` until its process has ended  no state, then as any new try
run or Dag deleted                     the task is not known                       the task is not known
process ends without a kill            ``running``                                 (the trigger gets no call)
heartbeat lost, retries left           ``up_for_retry``, then as any new try
heartbeat lost, none left              ``failed``
scheduler lost, task not adopted       no state, then as any new try
wait taken over by a triggerer                                                     ``deferred``
event fired by another triggerer                                                   ``scheduled`` and on
=====================================  ==========================================  =====================================

A new try is ``scheduled``, ``queued`` and ``running``. It decides what happens to the job: a retry resumes it, a
cleared task cancels it. So this decision does not depend on tries and clears.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping


class KilledProcess(StrEnum):
    """Which process is asked to end."""

    WORKER = "worker"
    TRIGGERER = "triggerer"


@dataclass(frozen=True, slots=True)
class TaskState:
    """The state of a task that Airflow knows.

    :param name: e.g. ``running``; None if the task has no state, as right after a clear.
    """

    name: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Kill:
    """What is known to a process that is asked to end.

    :param process: which process it is.
    :param state: state of its task; None if it could not be read or Airflow does not know the task.
    :param is_own: whether the platform named the job in answer to this task's request. A job that the task follows, or
        that a list showed after an answer that was lost or named none, may be another program's.
    :param on_cancel: ``stop`` or ``keep``, as set in the Dag.
    :param has_stalled: whether the process was frozen a short while ago. Airflow may then have taken it for dead, and
        even ``failed`` may be set by Airflow itself.
    :param was_silent: whether Airflow did not answer for a while. Then it may have missed the task's heartbeats.
    :param is_out_of_time: whether the task's ``execution_timeout`` ends it.
    """

    process: KilledProcess
    state: TaskState | None
    is_own: bool = True
    on_cancel: str = "stop"
    has_stalled: bool = False
    was_silent: bool = False
    is_out_of_time: bool = False


@dataclass(frozen=True, slots=True)
class KillDecision:
    """What happens to the job.

    :param stop: whether to cancel the device tasks that have not begun.
    :param reason: a clause that follows "because".
    """

    stop: bool
    reason: str


_SET_BY_A_PERSON: Final = {
    "failed": "its task was marked failed",
    "success": "its task was marked success",
    "skipped": "its task was skipped, as where the time of its run is over",
    "removed": "its task was removed from the Dag",
    "restarting": "its task was cleared",
}


def assess_kill(kill: Kill) -> KillDecision:
    """Decide whether a kill stops the job.

    In doubt the job continues: a running job can be stopped later, a stopped one cannot be resumed.
    """
    if reason := _reason_to_keep(kill):
        return KillDecision(stop=False, reason=reason)
    if kill.is_out_of_time:
        return KillDecision(stop=True, reason="the execution_timeout of its task is over")
    if kill.state is None:
        return KillDecision(
            stop=False, reason="Airflow did not give the state of its task, so nobody is known to have asked to stop it"
        )
    name = kill.state.name
    if name is None:
        return _assess_without_state(kill.process)
    if reason := _SET_BY_A_PERSON.get(name, ""):
        return KillDecision(stop=True, reason=reason)
    return KillDecision(stop=False, reason=_STILL_WAITED_FOR.get((kill.process, name)) or _left_to_next_try(name))


def is_ended_from_outside(kill: Kill) -> bool:
    """Whether a person has ended the task, independent of the job: then its process must not report an outcome.

    In doubt the answer is no, and the process reports its outcome.
    """
    if kill.is_out_of_time or kill.has_stalled or kill.was_silent or kill.state is None:
        return False
    return kill.state.name in _SET_BY_A_PERSON


def _reason_to_keep(kill: Kill) -> str:
    if not kill.is_own:
        return "it is not certain that its task created it"
    if kill.on_cancel != "stop":
        return f"on_cancel is {kill.on_cancel!r}"
    if kill.has_stalled:
        return (
            f"this {kill.process} stood still for a while, so Airflow may have given its task to another process"
            " although nobody asked to stop it"
        )
    if kill.was_silent and not kill.is_out_of_time:
        return "Airflow did not answer for a while, so it may have given up its task although nobody asked to stop it"
    return ""


def _assess_without_state(process: KilledProcess) -> KillDecision:
    # A worker's task is "restarting" after a clear; without a state the scheduler has lost it.
    if process is KilledProcess.TRIGGERER:
        return KillDecision(stop=True, reason=_SET_BY_A_PERSON["restarting"])
    return KillDecision(stop=False, reason=_left_to_next_try("about to be scheduled"))


_STILL_WAITED_FOR: Final = {
    (KilledProcess.WORKER, "running"): "its task is running, so nobody asked to stop it",
    (KilledProcess.TRIGGERER, "deferred"): "its task is deferred, so another wait has taken over",
}


def _left_to_next_try(state: str) -> str:
    return f"its task is {state}: its next try decides what happens to it"


def parse_task_state(
    states: Mapping[str, Mapping[str, Any]], *, run_id: str, task_id: str, map_index: int
) -> TaskState | None:
    """Read the state of one task from Airflow's answer, where a mapped task's key is ``<task_id>_<map_index>``.

    :returns: None if the answer does not know the task.
    """
    tasks = states.get(run_id, {})
    key = task_id if map_index < 0 else f"{task_id}_{map_index}"
    if key not in tasks:
        return None
    # Some answers give an empty text for no state.
    return TaskState(str(tasks[key]) if tasks[key] else None)
