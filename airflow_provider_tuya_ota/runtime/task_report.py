"""The report of a step, pushed before it waits and when it ends."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from airflow.sdk import get_current_context
from airflow.sdk.exceptions import (
    AirflowFailException,
    AirflowRescheduleException,
    AirflowSensorTimeout,
    AirflowSkipException,
    AirflowTaskTimeout,
    TaskDeferralTimeout,
)

from airflow_provider_tuya_ota.core.errors import StateUnavailableError
from airflow_provider_tuya_ota.core.status.event import LONGEST_ERROR, Event, event_of, first_line
from airflow_provider_tuya_ota.core.status.report import ReleaseReport, verdict_fields
from airflow_provider_tuya_ota.core.texts import bounded_line
from airflow_provider_tuya_ota.core.wire.redaction import safe_name
from airflow_provider_tuya_ota.links import run_link
from airflow_provider_tuya_ota.runtime.notify import notify_once
from airflow_provider_tuya_ota.runtime.state_store import job_since_clear
from airflow_provider_tuya_ota.runtime.xcom import pull_report, push_report

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow.sdk import Context

    from airflow_provider_tuya_ota.core.model.verdict import Verdict

_TIMEOUTS: Final = (AirflowSensorTimeout, AirflowTaskTimeout, TaskDeferralTimeout)
_IDS: Final = ("product_key", "version", "firmware_id", "job_id")
_MAY_HAVE_STARTED: Final = (
    "A job may have been created, and a retry looks for it. Look at the firmware's jobs in the vendor's console."
)


class TaskReport:
    """What is known about the running step; a :class:`.ReleaseReport` is made of it.

    :param context: of the task.
    :param task: the operator, whose ``notifiers`` are called.
    :param unrendered: the argument whose template could not be rendered; then no argument is known.
    """

    def __init__(self, context: Context, task: Any, *, unrendered: str = "") -> None:
        self._context = context
        self._task = task
        self._unrendered = unrendered
        self._event: Event | None = None
        self._has_begun = False
        self._is_in_doubt = False
        known = () if unrendered else ("product_key", "firmware_id", "job_id")
        self._fields: dict[str, Any] = {name: _text(task, name) for name in known}
        self._fields["tuya_ota_conn_id"] = "" if unrendered else _conn_id(task)
        self.started_at = datetime.now(UTC)

    def update(self, event: Event | None = None, **fields: Any) -> None:
        """Set fields of the report.

        :param event: of the report, if the step succeeds.
        :param fields: of :class:`.ReleaseReport`.
        """
        self._event = event or self._event
        # A task whose argument is a job id did not start that job.
        self._has_begun |= "job_id" in fields and not hasattr(self._task, "job_id")
        self._fields |= fields

    def set_verdict(self, verdict: Verdict) -> None:
        """Set the state of the job."""
        self._has_begun = True
        self._fields |= verdict_fields(verdict)

    def resume_state(self) -> dict[str, str]:
        """Give the arguments of :meth:`resume`, for the end of a wait in the triggerer."""
        return {"started_at": self.started_at.isoformat(), "link": self._fields.get("link", "")}

    def resume(self, *, job_id: str, started_at: str = "", link: str = "") -> None:
        """Continue the report of a step that waited in the triggerer."""
        self.update(job_id=job_id, link=link)
        if started_at:
            self.started_at = datetime.fromisoformat(started_at)

    def load_state(self) -> str | None:
        """Continue the report that :meth:`leave_waiting` pushed, after a wait that returned no state.

        If Airflow's API does not give the report, log a warning and continue without it.

        :returns: the job's id, empty where the step had none yet; None where no report was pushed or given.
        """
        ti = self._context["ti"]
        try:
            left = pull_report(ti, task_id=ti.task_id, map_index=ti.map_index)
        except StateUnavailableError as error:
            self._task.log.warning("When this step began is unknown: %s", error)
            return None
        if not left:
            return None
        started_at = str(left.get("started_at", ""))
        if job_id := str(left.get("job_id", "")):
            self.resume(job_id=job_id, started_at=started_at, link=left.get("link", ""))
        elif started_at:
            self.started_at = datetime.fromisoformat(started_at)
        return job_id

    def leave_waiting(self, summary: str = "", *, on_cancel: str = "") -> None:
        """Push what is known before a wait: a person or a lost process may end the step during it.

        :param summary: what it waits for, as the end of a sentence, if that is not its job.
        :param on_cancel: what ending the step does to its job.
        """
        self._push(self._build(Event.WAITING, summary=summary, on_cancel=on_cancel))

    def end(self, error: BaseException | None) -> None:
        """Push how the step ended, and call the notifiers unless Airflow tries the task again.

        If a person ended the task, the report from before the wait stays; Airflow's state shows the end.
        """
        if getattr(self._task, "is_ended_from_outside", False):
            return
        cause = _cause(error)
        if (verdict := getattr(cause, "verdict", None) or getattr(self._task, "last_verdict", None)) is not None:
            self.set_verdict(verdict)
        report = self._build(self._event or Event.SUCCEEDED) if cause is None else self._failure(cause)
        self._push(report)
        notify_once(self._context, self._task, report, error)

    def _failure(self, cause: BaseException) -> ReleaseReport:
        if isinstance(cause, StateUnavailableError) and cause.job_id:
            self.update(job_id=cause.job_id)
        self._has_begun |= _has_polled(self._task)
        if not self._has_begun:
            self._find_job()
        self._is_in_doubt |= isinstance(cause, StateUnavailableError) and cause.in_doubt
        if isinstance(cause, _TIMEOUTS) or (isinstance(cause, AirflowSkipException) and hasattr(self._task, "poke")):
            event = Event.TIMEOUT
        elif (self._unrendered or isinstance(cause, AirflowFailException)) and not self._has_begun:
            event = Event.REFUSED
        else:
            event = event_of(cause, has_begun=self._has_begun)
        if self._is_in_doubt and event in {Event.REFUSED, Event.FAILED, Event.TIMEOUT}:
            event = Event.UNCLEAR
        return self._build(event, summary="", error=self._error_line(cause))

    def _find_job(self) -> None:
        """Read which job an earlier try or a request of this try may have started."""
        with suppress(Exception):  # what cannot be read must not hide the error
            job_id, may_exist = job_since_clear(self._context, retries=getattr(self._task, "retries", 0) or 0)
            if job_id:
                self.update(job_id=job_id)
            self._is_in_doubt = may_exist and not job_id

    def _error_line(self, cause: BaseException) -> str:
        if isinstance(cause, AirflowTaskTimeout):
            # Airflow's own text holds only the id of a process.
            limit = getattr(self._task, "execution_timeout", None)
            over = f"The task's execution_timeout{f' of {limit.total_seconds():g} s' if limit else ''} was over."
            return f"{over} {_MAY_HAVE_STARTED}" if self._is_in_doubt else over
        if self._unrendered:
            line = f"The template of {self._unrendered} cannot be rendered: {first_line(cause)}"
            return bounded_line(line, LONGEST_ERROR)
        return first_line(cause)

    def _build(self, event: Event, **changes: Any) -> ReleaseReport:
        fields = {
            "step": _step_name(self._context["ti"]),
            "started_at": self.started_at.isoformat(),
            "duration": (datetime.now(UTC) - self.started_at).total_seconds(),
            "run_link": run_link(self._context["ti"]),
        }
        # An argument that was refused may be something else, even an address with a secret.
        ids: dict[str, Any] = {name: safe_name(self._fields[name]) for name in _IDS if name in self._fields}
        return ReleaseReport(event=event, **self._fields | ids | fields | changes)

    def _push(self, report: ReleaseReport) -> None:
        try:
            push_report(self._context["ti"], report)
        except Exception as error:  # noqa: BLE001 - a report that cannot be stored does not change the outcome
            self._task.log.warning("The report %s could not be pushed: %s", report.text, first_line(error))


@contextmanager
def reported(context: Context, task: Any = None, *, summary: str = "") -> Iterator[TaskReport]:
    """Leave a report however the block ends; see :func:`airflow_provider_tuya_ota.notifications.reported`."""
    report = TaskReport(context, task if task is not None else context["task"])
    report.update(summary=summary)
    try:
        yield report
    except AirflowRescheduleException:
        raise
    except (Exception, AirflowTaskTimeout) as error:
        report.end(error)
        raise
    else:
        report.end(None)


@contextmanager
def rendering(context: Context, task: Any, field: str) -> Iterator[None]:
    """Leave a report if a template raises: Airflow renders templates before it runs the step.

    After a wait in the triggerer Airflow renders again; then the report names the job. A template that skips the step
    has not failed. Rendering for display leaves no report.

    :param field: the argument that is rendered.
    """
    try:
        yield
    except (AirflowSkipException, AirflowRescheduleException):
        raise
    except Exception as error:
        if _is_running():
            report = TaskReport(context, task, unrendered=field)
            with suppress(Exception):  # what cannot be read must not hide the error
                report.load_state()
            report.end(error)
        raise


def _is_running() -> bool:
    try:
        get_current_context()
    except RuntimeError:
        return False
    return True


def _cause(error: BaseException | None) -> BaseException | None:
    """Find the error to report: Airflow's own errors say less than their cause."""
    while isinstance(error, AirflowSensorTimeout | AirflowSkipException) and error.__cause__ is not None:
        error = error.__cause__
    return error


def _has_polled(task: Any) -> bool:
    """Whether a poll of a sensor has succeeded, in this process or before: then no error counts as a refusal."""
    state = getattr(task, "poke_state", None)
    return state is not None and bool(state.wait.has_polled)


def _step_name(ti: Any) -> str:
    task_id, map_index = getattr(ti, "task_id", ""), getattr(ti, "map_index", None)
    return f"{task_id}[{map_index}]" if (-1 if map_index is None else map_index) >= 0 else task_id


def _conn_id(task: Any) -> str:
    """Give the task's connection; an id that has to be redacted is an address, by which nothing is found."""
    conn_id = _text(task, "tuya_ota_conn_id")
    return conn_id if conn_id == safe_name(conn_id) else ""


def _text(task: Any, name: str) -> str:
    value = getattr(task, name, "")
    return value if isinstance(value, str) else ""
