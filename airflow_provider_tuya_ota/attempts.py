"""What Airflow knows of this try of a task, and where the task writes down what must survive it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from airflow.sdk.execution_time.context import NEVER_EXPIRE

from airflow_provider_tuya_ota.core.flow import Memo
from airflow_provider_tuya_ota.core.intents import Attempt, OnFailedJob
from airflow_provider_tuya_ota.transports.driver import FORGETFUL

if TYPE_CHECKING:
    from datetime import datetime

    from airflow.sdk import Context

    from airflow_provider_tuya_ota.transports.driver import Memory

KEY: Final = "tuya_ota.job"
"""Of the entry in the task state store; people see it in the UI."""


class TaskMemory:
    """Airflow's task state store, which survives retries, crashes, deferral and clearing.

    :param store: ``context["task_state_store"]``.
    """

    def __init__(self, store: Any) -> None:
        self._store = store

    def recall(self) -> Memo:
        """Give what was written last."""
        return Memo(self._store.get(KEY), is_durable=True)

    def remember(self, value: Any) -> None:
        """Write, never to expire: a note that is gone before a late retry would make a second job."""
        if value is None:
            self._store.delete(KEY)
        else:
            self._store.set(KEY, value, retention=NEVER_EXPIRE)


def memory_of(context: Context) -> Memory:
    """Give the task's memory; one that forgets where Airflow has no task state store."""
    store = context.get("task_state_store")
    return FORGETFUL if store is None else TaskMemory(store)


def attempt_of(
    context: Context, *, retries: int, on_failed_job: str, may_cancel: bool, drained_by: datetime, poll_interval: float
) -> Attempt:
    """Say which try this is.

    :param retries: of the task. Clearing adds them to the tries that are left, which tells a retry from a clear.
    """
    ti, dag_run = context["ti"], context.get("dag_run")
    tried, most = getattr(ti, "try_number", 1), getattr(ti, "max_tries", None)
    return Attempt(
        clear_number=getattr(dag_run, "clear_number", 0),
        cleared_after=None if most is None else most - retries,
        is_retry=tried > (retries if most is None else most) - retries + 1,
        run_started_at=getattr(dag_run, "start_date", None),
        on_failed_job=OnFailedJob(on_failed_job),
        may_cancel=may_cancel,
        drained_by=drained_by,
        poll_interval=poll_interval,
    )
