"""The report that every end of a step leaves, and who is told of it."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from airflow.providers.common.compat.sdk import conf
from airflow.sdk import get_current_context
from airflow.sdk.exceptions import (
    AirflowFailException,
    AirflowRescheduleException,
    AirflowSensorTimeout,
    AirflowSkipException,
    AirflowTaskTimeout,
    TaskDeferralTimeout,
)
from airflow.sdk.execution_time.context import NEVER_EXPIRE

from airflow_provider_tuya_ota.core.errors import InvalidParameterError, StateUnavailableError
from airflow_provider_tuya_ota.core.status.event import LONGEST_ERROR, Event, event_of, first_line
from airflow_provider_tuya_ota.core.status.report import ReleaseReport, verdict_fields
from airflow_provider_tuya_ota.core.texts import bounded_line
from airflow_provider_tuya_ota.runtime.notify import notify
from airflow_provider_tuya_ota.runtime.xcom import pull_report, push_report

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow.sdk import Context

    from airflow_provider_tuya_ota.core.model.verdict import Verdict

STORE_KEY: Final = "tuya_ota.notified"
"""Of the entry in the task state store that keeps an outcome from being told twice."""
_TIMEOUTS: Final = (AirflowSensorTimeout, AirflowTaskTimeout, TaskDeferralTimeout)


class TaskReport:
    """What the running step knows of itself; its end makes a report of it.

    :param context: of the task.
    :param task: the operator, whose ``notifiers`` are told.
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
        self._values: dict[str, Any] = {name: _text(task, name) for name in known}
        self.started_at = datetime.now(UTC)

    def know(self, event: Event | None = None, **values: Any) -> None:
        """Take down fields of :class:`.ReleaseReport`.

        :param event: how the step ends if it ends well.
        """
        self._event = event or self._event
        # Whoever was given a job's id did not start it.
        self._has_begun |= "job_id" in values and not hasattr(self._task, "job_id")
        self._values |= values

    def see(self, verdict: Verdict) -> None:
        """Take down how the job stands."""
        self._values |= verdict_fields(verdict)

    def resume_state(self) -> dict[str, str]:
        """Give what :meth:`go_on` takes back after a wait elsewhere."""
        return {"started_at": self.started_at.isoformat(), "link": self._values.get("link", "")}

    def go_on(self, *, job_id: str, started_at: str = "", link: str = "") -> None:
        """Take up the report of a step that waited elsewhere."""
        self.know(job_id=job_id, link=link)
        if started_at:
            self.started_at = datetime.fromisoformat(started_at)

    def load_state(self) -> str | None:
        """Take up what :meth:`wait` left, where nothing else came back from the wait.

        :returns: the job's id, empty where the step had none yet; None where nothing was left.
        """
        ti = self._context["ti"]
        left = pull_report(ti, task_id=ti.task_id, map_index=ti.map_index)
        if not left:
            return None
        if job_id := str(left.get("job_id", "")):
            self.go_on(job_id=job_id, started_at=left.get("started_at", ""), link=left.get("link", ""))
        return job_id

    def wait(self, summary: str = "", *, on_cancel: str = "") -> None:
        """Leave what is known before a wait, in the course of which the step may be ended from outside.

        :param summary: what it waits for, as the end of a sentence, where that is not its job.
        :param on_cancel: what ending it does to its job.
        """
        self._push(self._report(Event.WAITING, summary=summary, on_cancel=on_cancel))

    def end(self, error: BaseException | None) -> None:
        """Push how the step ended, and tell the notifiers unless another try follows."""
        told = _cause(error)
        if (verdict := getattr(told, "verdict", None) or getattr(self._task, "last_verdict", None)) is not None:
            self.see(verdict)
        report = self._report(self._event or Event.SUCCEEDED) if told is None else self._failure(told)
        self._push(report)
        notifiers = getattr(self._task, "notifiers", ())
        if notifiers is None or (isinstance(notifiers, list | tuple) and not notifiers):
            return
        if error is not None and _is_tried_again(self._context, self._task, error):
            self._task.log.info("The notifiers are not told yet: Airflow tries this task again")
            return
        self._tell(notifiers, report)

    def _find_start(self) -> None:
        """Read what an earlier try, or a request of this one, may have started, whatever this try ends with."""
        from airflow_provider_tuya_ota.runtime.attempt import noted_start  # noqa: PLC0415 - parsing a Dag needs no protocol

        with suppress(Exception):  # what cannot be read must not hide the error
            job_id, may_exist = noted_start(self._context, retries=getattr(self._task, "retries", 0) or 0)
            if job_id:
                self.know(job_id=job_id)
            self._is_in_doubt = may_exist and not job_id

    def _failure(self, told: BaseException) -> ReleaseReport:
        if isinstance(told, StateUnavailableError) and told.job_id:
            self.know(job_id=told.job_id)
        if not self._has_begun:
            self._find_start()
        self._is_in_doubt |= isinstance(told, StateUnavailableError) and told.in_doubt
        if isinstance(told, _TIMEOUTS) or (isinstance(told, AirflowSkipException) and hasattr(self._task, "poke")):
            event = Event.TIMEOUT
        elif (self._unrendered or isinstance(told, AirflowFailException)) and not self._has_begun:
            event = Event.REFUSED
        else:
            event = event_of(told, has_begun=self._has_begun)
        if self._is_in_doubt and event in {Event.REFUSED, Event.FAILED}:
            event = Event.UNCLEAR
        return self._report(event, summary="", error=self._said(told))

    def _said(self, told: BaseException) -> str:
        if isinstance(told, AirflowTaskTimeout):
            return self._out_of_time()
        if self._unrendered:
            said = f"The template of {self._unrendered} cannot be rendered: {first_line(told)}"
            return bounded_line(said, LONGEST_ERROR)
        return first_line(told)

    def _out_of_time(self) -> str:
        # Airflow's own words are the number of a process.
        limit = getattr(self._task, "execution_timeout", None)
        return f"The task's execution_timeout{f' of {limit.total_seconds():g} s' if limit else ''} was over."

    def _report(self, event: Event, **changes: Any) -> ReleaseReport:
        values = {
            "step": getattr(self._context["ti"], "task_id", ""),
            "started_at": self.started_at.isoformat(),
            "duration": (datetime.now(UTC) - self.started_at).total_seconds(),
            "run_link": run_link(self._context["ti"]),
        }
        return ReleaseReport(event=event, **self._values | values | changes)

    def _push(self, report: ReleaseReport) -> None:
        try:
            push_report(self._context["ti"], report)
        except Exception as error:  # noqa: BLE001 - whatever keeps the report from being stored, the outcome stays what it is
            self._task.log.warning("The report %s could not be pushed: %s", report.text, first_line(error))

    def _tell(self, notifiers: Any, report: ReleaseReport) -> None:
        store = self._context.get("task_state_store")
        outcome: dict[str, Any] = {
            "clear_number": getattr(self._context.get("dag_run"), "clear_number", 0),
            "outcome": [report.event.value, report.firmware_id, report.job_id],
        }
        try:
            is_told = store is not None and store.get(STORE_KEY) == outcome
        except Exception as error:  # noqa: BLE001 - whoever wants to be told is told, twice if need be
            self._task.log.warning("Whether the notifiers were told already cannot be read: %s", first_line(error))
            is_told = False
        if is_told:
            self._task.log.info("The notifiers were told of this outcome by an earlier try")
            return
        with suppress(InvalidParameterError):  # something that is no notifier, which is why the step was refused
            notify(notifiers, self._context, report.to_dict(), self._task.log)
        try:
            if store is not None:
                # Written last: an outcome that is told twice does less harm than one that is never told.
                store.set(STORE_KEY, outcome, retention=NEVER_EXPIRE)
        except Exception as error:  # noqa: BLE001 - telling never changes the outcome
            self._task.log.warning("The notifiers may be told again: %s", first_line(error))


@contextmanager
def reported(context: Context, task: Any = None, *, summary: str = "") -> Iterator[TaskReport]:
    """Leave a report however the block ends; see :func:`airflow_provider_tuya_ota.notifications.reported`."""
    report = TaskReport(context, task if task is not None else context["task"])
    report.know(summary=summary)
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
    """Leave a report where a template raises: Airflow renders them before it runs anything of the step.

    A step that waits elsewhere is rendered once more when it goes on; its job is then told as begun. A template that
    skips the step has not failed, and where templates are rendered only to be looked at nothing ends.

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


def run_link(ti: Any) -> str:
    """Give the address of a task's page in Airflow; empty unless ``[api] base_url`` is set."""
    base = (conf.get("api", "base_url", fallback="") or "").rstrip("/")
    if not base:
        return ""
    dag_id, run_id, task_id = (quote(str(getattr(ti, name, "")), safe="") for name in ("dag_id", "run_id", "task_id"))
    map_index = getattr(ti, "map_index", -1)
    return f"{base}/dags/{dag_id}/runs/{run_id}/tasks/{task_id}" + (f"/mapped/{map_index}" if map_index >= 0 else "")


def _cause(error: BaseException | None) -> BaseException | None:
    """Find what to tell of an error: what Airflow raises in its own words says less than what it was raised from."""
    while isinstance(error, AirflowSensorTimeout | AirflowSkipException) and error.__cause__ is not None:
        error = error.__cause__
    return error


def _is_tried_again(context: Context, task: Any, error: BaseException) -> bool:
    """Foretell what Airflow makes of an error, by the rules of its task runner."""
    from airflow.sdk import RetryAction  # noqa: PLC0415 - only a task that failed and has notifiers needs it

    ti = context["ti"]
    if isinstance(error, AirflowFailException | AirflowSensorTimeout | AirflowSkipException):
        return False
    tried, most = getattr(ti, "try_number", 1), getattr(ti, "max_tries", 0)
    policy = getattr(task, "retry_policy", None)
    if policy is not None:
        with suppress(Exception):  # as Airflow, which logs it and goes by the number of tries
            decision = policy.evaluate(exception=error, try_number=tried, max_tries=most, context=context)
            if decision.action == RetryAction.FAIL:
                return False
    return bool(most) and tried <= most


def _text(task: Any, name: str) -> str:
    value = getattr(task, name, "")
    return value if isinstance(value, str) else ""
