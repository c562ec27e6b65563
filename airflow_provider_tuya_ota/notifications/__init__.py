"""Notifiers that report a release to people and systems.

A Dag file imports the functions below, so what a worker needs is imported when they are called.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractContextManager

    from airflow.sdk import Context

    from airflow_provider_tuya_ota.runtime.task_report import TaskReport

__all__ = ["last_report", "reported"]


def last_report(context: Context, task_ids: Sequence[str]) -> dict[str, Any]:
    """Report on the last step of this run that began, in the form of the XCom ``ota_release``.

    Every operator and sensor of this package leaves a report of its end. A task that a person stops while it waits
    never runs again, and a process that is lost leaves nothing: then, and where the report contradicts the state that
    the task has now, this says what is known instead, and polls the job. Where the stop cancels what has not begun, it
    polls again after 3, 5 and 10 s until nothing of that waits any more; where some does even then, ``text`` says how
    many device tasks, and how to cancel them. A success whose last report was not stored is reported as one where that
    poll shows that its job has succeeded, and a job that the poll shows as failed, with no device task cancelled, as
    ``failed``. Steps of others that succeeded are passed over; one that failed is
    reported.

    Reads states and XCom of the run, and in these cases sends about four requests a poll, for at most two minutes. An
    outage of the platform is no error: the report says that the job could not be polled.

    :param context: of the running task; in a sample Dag that of its last step, a teardown.
    :param task_ids: the run's steps in order; of a mapped one the instance with the worst end is reported.
    :returns: see :class:`~airflow_provider_tuya_ota.core.status.report.ReleaseReport`; ``text`` says it in one line.
    """
    from airflow_provider_tuya_ota.runtime.last_report import last_report as report_last_step  # noqa: PLC0415 - a parsed Dag needs no worker code

    return report_last_step(context, task_ids)


def reported(context: Context, task: Any = None, *, summary: str = "") -> AbstractContextManager[TaskReport]:
    """Leave a report as XCom ``ota_release`` however the block ends, before its error leaves the task.

    A wait that goes on elsewhere (deferral, rescheduling) is no end. ``AirflowFailException`` counts as a refusal
    where no job was started. Works in any task, so that a Dag's own checks are reported as the operators' ends are.

    :param context: of the running task.
    :param task: the operator; the context's own by default.
    :param summary: what became of the job, firmware or step if it ends well, as the end of a sentence.
    """
    from airflow_provider_tuya_ota.runtime.task_report import reported as leave_report  # noqa: PLC0415 - a parsed Dag needs no worker code

    return leave_report(context, task, summary=summary)
