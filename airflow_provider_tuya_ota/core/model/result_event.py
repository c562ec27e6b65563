"""The result of the wait for one job as plain JSON values: the triggerer sends it, and the worker goes on with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_tuya_ota.core.errors import TriggerEventError
from airflow_provider_tuya_ota.core.model.error_event import describe_error, rebuild_error
from airflow_provider_tuya_ota.core.model.outcome_errors import JobFailedError, WaitEndedError, WaitTimeoutError
from airflow_provider_tuya_ota.core.model.verdict import Outcome, Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow_provider_tuya_ota.core.model.job_results import JobResult


def describe_result(result: JobResult) -> dict[str, Any]:
    """Give ``{"status": success | failure | timeout | unfinished | error, "verdict": …, "message": …}``."""
    match result:
        case Verdict(outcome=Outcome.SUCCEEDED):
            return _event("success", result, "")
        case Verdict():
            return _event("failure", result, result.failure_text())
        case JobFailedError():
            return _event("failure", result.verdict, str(result))
        case WaitTimeoutError():
            return _event("timeout", result.verdict, str(result))
        case WaitEndedError():
            return _event("unfinished", result.verdict, str(result))
    return _event("error", None, str(result)) | {"error": describe_error(result)}


def rebuild_result(event: Mapping[str, Any] | None) -> JobResult:
    """Rebuild what :func:`describe_result` gave.

    :raises TriggerEventError: the event has no form that this version knows.
    """
    values = event or {}
    match values:
        case {"status": "success", "verdict": dict(verdict)}:
            return Verdict.from_dict(verdict)
        case {"status": "failure", "verdict": dict(verdict), "message": str(message)}:
            failed = Verdict.from_dict(verdict)
            says_it = failed.outcome is Outcome.FAILED and failed.failure_text() == message
            return failed if says_it else JobFailedError(message, verdict=failed)
        case {"status": "timeout", "message": str(message)}:
            return WaitTimeoutError(message, verdict=_known(values.get("verdict")))
        case {"status": "unfinished", "message": str(message)}:
            return WaitEndedError(message, verdict=_known(values.get("verdict")))
        case {"status": "error", "error": dict(error)}:
            return rebuild_error(error)
    status = values.get("status")
    raise TriggerEventError(
        f"the triggerer sent an event that this version does not know (status {status!r});"
        " run the same version of airflow-provider-tuya-ota on workers and triggerers, then clear the task"
    )


def _event(status: str, verdict: Verdict | None, message: str) -> dict[str, Any]:
    return {"status": status, "verdict": verdict.to_dict() if verdict else None, "message": message}


def _known(verdict: Any) -> Verdict | None:
    return Verdict.from_dict(verdict) if isinstance(verdict, dict) else None
