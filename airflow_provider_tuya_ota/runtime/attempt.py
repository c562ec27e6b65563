"""What Airflow knows about this try of a task."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_tuya_ota.core.jobs.intent import Attempt, OnFailedJob

if TYPE_CHECKING:
    from datetime import datetime

    from airflow.sdk import Context


def attempt_of(
    context: Context, *, retries: int, on_failed_job: str, may_cancel: bool, drained_by: datetime, poll_interval: float
) -> Attempt:
    """Describe this try.

    :param retries: of the task. A clear adds them to ``max_tries``, which distinguishes a retry from a clear.
    """
    ti, dag_run = context["ti"], context.get("dag_run")
    tried, most = getattr(ti, "try_number", 1), getattr(ti, "max_tries", None)
    clear_number, cleared_after = last_clear(context, retries=retries)
    return Attempt(
        clear_number=clear_number,
        cleared_after=cleared_after,
        is_retry=tried > (retries if most is None else most) - retries + 1,
        run_started_at=getattr(dag_run, "start_date", None),
        on_failed_job=OnFailedJob(on_failed_job),
        may_cancel=may_cancel,
        drained_by=drained_by,
        drain_here=False,
        poll_interval=poll_interval,
    )


def last_clear(context: Context, *, retries: int) -> tuple[int, int | None]:
    """Give how often the run or a part of it was cleared, and after how many tries this task was cleared.

    :param retries: of the task.
    :returns: the second is None where Airflow does not show it.
    """
    most = getattr(context["ti"], "max_tries", None)
    return getattr(context.get("dag_run"), "clear_number", 0), None if most is None else most - retries
