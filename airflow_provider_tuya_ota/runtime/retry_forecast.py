"""Whether Airflow will try a task again after an error, by the rules of its task runner."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from airflow.sdk.exceptions import AirflowFailException, AirflowSensorTimeout, AirflowSkipException

if TYPE_CHECKING:
    from airflow.sdk import Context


def will_be_tried_again(context: Context, task: Any, error: BaseException) -> bool:
    """Whether another try follows.

    :param error: with which the task is about to end.
    """
    from airflow.sdk import RetryAction  # noqa: PLC0415 - only a task that failed and has notifiers needs it

    ti = context["ti"]
    if isinstance(error, AirflowFailException | AirflowSensorTimeout | AirflowSkipException):
        return False
    tried, most = getattr(ti, "try_number", 1), getattr(ti, "max_tries", 0)
    policy = getattr(task, "retry_policy", None)
    if policy is not None:
        with suppress(Exception):  # as in Airflow, which logs it and counts the tries
            decision = policy.evaluate(exception=error, try_number=tried, max_tries=most, context=context)
            if decision.action == RetryAction.FAIL:
                return False
    return bool(most) and tried <= most
