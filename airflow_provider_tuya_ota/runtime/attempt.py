"""What Airflow knows of this try of a task, and where the task writes down what must survive it."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from airflow.sdk.execution_time.context import NEVER_EXPIRE

from airflow_provider_tuya_ota.core.errors import OutcomeError, StateUnavailableError
from airflow_provider_tuya_ota.core.flows.effects import OtherIntents, SavedState
from airflow_provider_tuya_ota.core.jobs.intent import OPEN, Attempt, Intent, OnFailedJob, Stage
from airflow_provider_tuya_ota.hooks.airflow_api import repeat
from airflow_provider_tuya_ota.runtime.ledger import Ledger
from airflow_provider_tuya_ota.transports.interfaces import NULL_STORE

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from datetime import datetime

    from airflow.sdk import Context

    from airflow_provider_tuya_ota.core.settings import Settings
    from airflow_provider_tuya_ota.transports.interfaces import StateStore

KEY: Final = "tuya_ota.job"
"""Of the entry in the task state store; people see it in the UI."""


class TaskStateStore:
    """What a task writes down: in Airflow's task state store for itself, in the ledger for all others.

    The store survives retries, crashes, deferral and clearing. Where it was emptied, the ledger still knows; a note
    there that cannot be read is none, so that deleting the entry of the store is all that a person has to do.

    :param store: ``context["task_state_store"]``, or None where Airflow has none.
    :param ledger: None outside of a task that Airflow runs.
    """

    def __init__(self, store: Any, ledger: Ledger | None) -> None:
        self._store = store
        self._ledger = ledger
        self._job_id = ""
        self._in_doubt = False

    def load_state(self) -> SavedState:
        """Give what was written last.

        :raises StateUnavailableError: Airflow's API did not give it; as of the next two, the text says what becomes of
            the job.
        """
        with self._consequences():
            value = stored(self._store, KEY)
            if value is None and self._ledger is not None:
                value = _readable(self._ledger.read())
        self._job_id, self._in_doubt = _job_of(value, OPEN - {Stage.PREPARING})
        return SavedState(value, is_durable=True)

    def save_state(self, value: Any) -> None:
        """Write, never to expire: a note that is gone before a late retry would make a second job.

        The task's own store comes first: what others do not see yet is known to the task, at least.
        """
        # Before its own request is answered, this try writes nothing that says that it may have created a job.
        self._job_id, self._in_doubt = _job_of(value, {Stage.LOST, Stage.ACCEPTED})
        with self._consequences():
            if self._store is not None:
                repeat(lambda: self._store.set(KEY, value, retention=NEVER_EXPIRE), "take the task's note")
            if self._ledger is None:
                return
            self._ledger.write(value)
        if value["stage"] == Stage.CREATED:
            self._ledger.sweep()

    def other_intents(self, mask: str | None) -> OtherIntents:
        """Give what other tasks have written about the same firmware."""
        with self._consequences():
            return OtherIntents() if self._ledger is None else self._ledger.other_intents(mask)

    @contextmanager
    def _consequences(self) -> Iterator[None]:
        """Say in an error of Airflow's API what becomes of the job: this ends the try, wherever the task stands."""
        try:
            yield
        except StateUnavailableError as error:
            outcome = "this try has created nothing"
            if self._job_id:
                outcome = f"job {self._job_id} goes on, and a retry resumes it"
            elif self._in_doubt:
                outcome = "a job may have been created, and a retry looks for it"
            raise StateUnavailableError(
                error.problem, reason=error.reason, outcome=outcome, job_id=self._job_id, in_doubt=self._in_doubt
            ) from None


def _job_of(note: Any, open_stages: Collection[str]) -> tuple[str, bool]:
    """Give the id of the job in a note, empty where there is none, and whether there may be one."""
    if not isinstance(note, dict):
        return "", False
    job_id = str(note.get("entity_id", ""))
    return job_id, not job_id and note.get("stage") in open_stages


def stored(store: Any, key: str) -> Any:
    """Read an entry of the task state store; None where there is none, and where Airflow has no store.

    :raises StateUnavailableError: Airflow's API did not give it.
    """
    return None if store is None else repeat(lambda: store.get(key), "give the task's note")


def _readable(note: Any) -> Any:
    try:
        Intent.from_dict(note)
    except OutcomeError:
        return None
    return note


def state_store_of(context: Context, *, settings: Settings, firmware_id: str) -> StateStore:
    """Give the task's memory; one that forgets where Airflow offers nothing to write to."""
    store = context.get("task_state_store")
    ledger = Ledger.of(context, settings, firmware_id)
    return NULL_STORE if store is None and ledger is None else TaskStateStore(store, ledger)


def noted_job(context: Context) -> tuple[str, bool]:
    """Give the id of the job that the task has written down, empty where there is none, and whether it is certain."""
    store = context.get("task_state_store")
    note = stored(store, KEY)
    if not note:
        return "", False
    intent = Intent.from_dict(note)
    return intent.entity_id, intent.is_certain


def noted_start(context: Context, *, retries: int) -> tuple[str, bool]:
    """Give the id of the job that the task has written down, empty where there is none, and whether one may exist.

    What it wrote before it was cleared is not counted.

    :param retries: of the task, see :func:`attempt_of`.
    """
    store = context.get("task_state_store")
    note = _readable(stored(store, KEY))
    if note is None:
        return "", False
    intent = Intent.from_dict(note)
    most = getattr(context["ti"], "max_tries", None)
    # Another task of the run may have been cleared alone.
    was_cleared = most is None or intent.cleared_after != most - retries
    if was_cleared and intent.clear_number != getattr(context.get("dag_run"), "clear_number", 0):
        return "", False
    return intent.entity_id, intent.stage not in {Stage.NOTHING, Stage.PREPARING}


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
        drain_here=False,
        poll_interval=poll_interval,
    )
