"""The task state: what a task stores about its job, so that a later try finds the job."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from airflow.sdk.execution_time.context import NEVER_EXPIRE

from airflow_provider_tuya_ota.core.errors import OutcomeError, StateUnavailableError
from airflow_provider_tuya_ota.core.flows.effects import OtherIntents, SavedState
from airflow_provider_tuya_ota.core.jobs.intent import OPEN, Intent, Stage
from airflow_provider_tuya_ota.hooks.airflow_api import repeat
from airflow_provider_tuya_ota.runtime.attempt import last_clear
from airflow_provider_tuya_ota.runtime.ledger import Ledger
from airflow_provider_tuya_ota.transports.interfaces import NULL_STORE

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from airflow.sdk import Context

    from airflow_provider_tuya_ota.core.settings import Settings
    from airflow_provider_tuya_ota.transports.interfaces import StateStore

KEY: Final = "tuya_ota.job"
"""Of the entry in the task state store; people see it in the UI."""


class TaskStateStore:
    """Stores the intent of a task: in Airflow's task state store for itself, in the ledger for all other tasks.

    The store survives retries, crashes, deferral and clearing. If it was emptied, the ledger still has the intent. An
    unreadable intent in the ledger counts as none, so a person only has to delete the store's entry.

    :param store: ``context["task_state_store"]``, or None where Airflow has none.
    :param ledger: None outside of a task that Airflow runs.
    """

    def __init__(self, store: Any, ledger: Ledger | None) -> None:
        self._store = store
        self._ledger = ledger
        self._job_id = ""
        self._in_doubt = False

    def load_state(self) -> SavedState:
        """Read the intent that was stored last.

        :raises StateUnavailableError: Airflow's API did not give it. As in the next two methods, the message says what
            happens to the job.
        """
        with self._consequences():
            value = read_entry(self._store, KEY)
            if value is None and self._ledger is not None:
                value = _readable(self._ledger.read())
        self._job_id, self._in_doubt = _job_of(value, OPEN - {Stage.PREPARING})
        return SavedState(value, is_durable=True)

    def save_state(self, value: Any) -> None:
        """Store an intent. It never expires: without it a late retry would create a second job.

        The task's own store comes first, so that the task knows the intent even if other tasks do not see it yet.
        """
        # This try saves every other stage before its request is sent, so that no job can exist yet.
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
        """Read what other tasks have stored about the same firmware."""
        with self._consequences():
            return OtherIntents() if self._ledger is None else self._ledger.other_intents(mask)

    @contextmanager
    def _consequences(self) -> Iterator[None]:
        """Add to an error of Airflow's API what happens to the job, because the error ends this try."""
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


def _job_of(stored_intent: Any, open_stages: Collection[str]) -> tuple[str, bool]:
    """Give the id of the job in an intent, empty where there is none, and whether there may be a job."""
    if not isinstance(stored_intent, dict):
        return "", False
    job_id = str(stored_intent.get("entity_id", ""))
    return job_id, not job_id and stored_intent.get("stage") in open_stages


def read_entry(store: Any, key: str) -> Any:
    """Read an entry of the task state store; None where there is none, and where Airflow has no store.

    :raises StateUnavailableError: Airflow's API did not give it.
    """
    return None if store is None else repeat(lambda: store.get(key), "give the task's note")


def _readable(stored_intent: Any) -> Any:
    try:
        Intent.from_dict(stored_intent)
    except OutcomeError:
        return None
    return stored_intent


def state_store_of(context: Context, *, settings: Settings, firmware_id: str) -> StateStore:
    """Give the state store of a task; one that stores nothing where Airflow offers none."""
    store = context.get("task_state_store")
    ledger = Ledger.of(context, settings, firmware_id)
    return NULL_STORE if store is None and ledger is None else TaskStateStore(store, ledger)


def stored_job(context: Context) -> tuple[str, bool]:
    """Give the id of the job that the task has stored, empty where there is none, and whether it is certain."""
    stored_intent = read_entry(context.get("task_state_store"), KEY)
    if not stored_intent:
        return "", False
    intent = Intent.from_dict(stored_intent)
    return intent.entity_id, intent.is_own


def job_since_clear(context: Context, *, retries: int) -> tuple[str, bool]:
    """Give the id of the job that the task has stored, empty where there is none, and whether one may exist.

    What it stored before it was cleared does not count.

    :param retries: of the task.
    """
    stored_intent = _readable(read_entry(context.get("task_state_store"), KEY))
    if stored_intent is None:
        return "", False
    intent = Intent.from_dict(stored_intent)
    clear_number, cleared_after = last_clear(context, retries=retries)
    # Another task of the run may have been cleared alone.
    was_cleared = cleared_after is None or intent.cleared_after != cleared_after
    if was_cleared and intent.clear_number != clear_number:
        return "", False
    return intent.entity_id, intent.stage not in {Stage.NOTHING, Stage.PREPARING}
