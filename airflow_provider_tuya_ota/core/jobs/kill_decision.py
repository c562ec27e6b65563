"""Whether a process that was told to end stops the job that its task waits for: only where a person asked for it.

Airflow tells a worker's process and a trigger to end in the same way whoever wants it: a person, a deployment that
replaces the process, a scheduler that has lost sight of it, another triggerer that has taken the wait over. What tells
them apart is the state of the task, read at that moment. States as Airflow 3.3.2 gives them, tried or read there:

=====================================  ==========================================  =====================================
what has happened                      while a worker runs the task                while it is deferred
=====================================  ==========================================  =====================================
task or run marked failed or success   ``failed``, ``success``                     ``failed``, ``success``
Dag with ``dagrun_timeout``            ``skipped``                                 ``skipped``
task cleared                           ``restarting`` until its process has ended  none, then as any new try
run or Dag deleted                     the task is not known                       the task is not known
process told to end, by nobody's kill  ``running``                                 (nothing is told to the trigger)
heartbeat lost, retries left           ``up_for_retry``, then as any new try
heartbeat lost, none left              ``failed``
scheduler lost, task not adopted       none, then as any new try
wait taken over by a triggerer                                                     ``deferred``
event fired by another triggerer                                                   ``scheduled`` and on
=====================================  ==========================================  =====================================

A new try is ``scheduled``, ``queued`` and ``running``, and decides by itself what becomes of the job: after a retry it
goes on with it, after a clear it stops it. So nothing has to be known here of tries and clears.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

CLEARED: Final = ""
"""What stands for a task that is known and has no state."""


class Where(StrEnum):
    """Which process was told to end."""

    WORKER = "worker"
    TRIGGERER = "triggerer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kill:
    """What a process knows that was told to end.

    :param where: which one it is.
    :param state: of its task; :data:`CLEARED` where the task has none, None where it could not be read or the task is
        not known.
    :param is_own: whether this task certainly created the job; one that it follows is somebody else's, and one that it
        found in a list after a lost answer may be.
    :param on_cancel: ``stop`` or ``keep``, as the author of the Dag wants it.
    :param has_stalled: whether the process stood still a short while ago, so that Airflow may have taken it for dead:
        then even ``failed`` may be Airflow's own doing.
    :param is_out_of_time: whether the task's ``execution_timeout`` is what ends it.
    """

    where: Where
    state: str | None
    is_own: bool = True
    on_cancel: str = "stop"
    has_stalled: bool = False
    is_out_of_time: bool = False


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of the job.

    :param stop: cancel what the job has not begun.
    :param reason: words that follow on "because".
    """

    stop: bool
    reason: str


_BY_A_PERSON: Final = {
    "failed": "its task was marked failed",
    "success": "its task was marked success",
    "skipped": "its task was skipped, as where the time of its run is over",
    "removed": "its task was removed from the Dag",
    "restarting": "its task was cleared",
}


def decide(kill: Kill) -> Decision:
    """Decide, in doubt for the job: a job that goes on can be stopped later, a stopped one is lost."""
    if reason := _kept_in_any_case(kill):
        return Decision(stop=False, reason=reason)
    if kill.is_out_of_time:
        return Decision(stop=True, reason="the execution_timeout of its task is over")
    if kill.state is None:
        return Decision(
            stop=False, reason="Airflow did not tell the state of its task, so nobody is known to have asked to stop it"
        )
    asked = _BY_A_PERSON.get(kill.state)
    if kill.state == CLEARED and kill.where is Where.TRIGGERER:
        asked = _BY_A_PERSON["restarting"]
    if asked:
        return Decision(stop=True, reason=asked)
    return Decision(stop=False, reason=_ELSE.get((kill.where, kill.state)) or _next_try(kill.state))


def _kept_in_any_case(kill: Kill) -> str:
    if not kill.is_own:
        return "it is not certain that its task created it"
    if kill.on_cancel != "stop":
        return f"on_cancel is {kill.on_cancel!r}"
    if kill.has_stalled:
        return (
            f"this {kill.where} stood still for a while, so Airflow may have given its task away without that anybody"
            " asked to stop it"
        )
    return ""


_ELSE: Final = {
    (Where.WORKER, "running"): "its task is running, so nobody asked to stop it",
    (Where.TRIGGERER, "deferred"): "its task is deferred, so another wait has taken over",
}


def _next_try(state: str) -> str:
    return f"its task is {state or 'about to be scheduled'}: the try that comes decides what becomes of it"


def state_in(states: Mapping[str, Mapping[str, Any]], *, run_id: str, task_id: str, map_index: int) -> str | None:
    """Read one task's state out of what Airflow answers, where a mapped task's key is ``<task_id>_<map_index>``.

    :returns: None where the answer does not know the task.
    """
    tasks = states.get(run_id, {})
    key = task_id if map_index < 0 else f"{task_id}_{map_index}"
    return str(tasks[key] or CLEARED) if key in tasks else None
