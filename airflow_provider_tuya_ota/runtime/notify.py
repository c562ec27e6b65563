"""Call a task's notifiers; they can never fail a release."""

from __future__ import annotations

import copy
from asyncio import CancelledError
from contextlib import nullcontext, suppress
from typing import TYPE_CHECKING, Any, Final, cast

from airflow.sdk.exceptions import AirflowTaskTimeout
from airflow.sdk.execution_time.context import NEVER_EXPIRE

from airflow_provider_tuya_ota.core.errors import ConfigurationError, InvalidParameterError
from airflow_provider_tuya_ota.core.short_repr import short_repr
from airflow_provider_tuya_ota.core.status.event import first_line
from airflow_provider_tuya_ota.core.wire.redaction import redact
from airflow_provider_tuya_ota.hooks.held_alarm import alarm_held_back
from airflow_provider_tuya_ota.runtime.alarm import bounded_after_alarm
from airflow_provider_tuya_ota.runtime.attempt import last_clear
from airflow_provider_tuya_ota.runtime.retry_forecast import will_be_tried_again

if TYPE_CHECKING:
    from airflow.sdk import BaseNotifier, Context

    from airflow_provider_tuya_ota.core.status.report import ReleaseReport

STORE_KEY: Final = "tuya_ota.notified"
"""Of the entry in the task state store that keeps notifiers from being called twice for one outcome."""
NOTIFIER_SECONDS: Final = 30.0
"""For each notifier after the task's ``execution_timeout``; the webhook takes ten, and reads a connection."""


def every_notifier(notifiers: Any) -> list[BaseNotifier]:
    """Read a task's notifiers: one, or several.

    :raises InvalidParameterError: one of them is no notifier; nothing is sent.
    """
    from airflow.sdk import BaseNotifier  # noqa: PLC0415 - it loads Jinja, and most tasks have no notifier

    if notifiers is None:
        return []
    listed = [notifiers] if isinstance(notifiers, BaseNotifier) else notifiers
    if not isinstance(listed, list | tuple):
        listed = [listed]
    for item in listed:
        if not isinstance(item, BaseNotifier):
            raise InvalidParameterError(
                field="notifiers",
                problem=f"{short_repr(item)} is no notifier",
                allowed="Airflow notifiers, one or a list",
            )
    return list(listed)


def require_notifiers(notifiers: Any, log: Any) -> None:
    """Refuse notifiers that cannot be called, before anything is sent.

    A notifier with a method ``require_ready``, as this package's webhook has, is checked by it.

    :raises InvalidParameterError: one of them is no notifier.
    :raises ConfigurationError: the connection of a webhook does not exist, or has no safe address.
    """
    for notifier in every_notifier(notifiers):
        require_ready = getattr(notifier, "require_ready", None)
        if require_ready is None:
            continue
        try:
            require_ready()
        except ConfigurationError:
            raise
        except Exception as error:  # noqa: BLE001 - a connection that cannot be read now may be read at the end
            log.warning("%s cannot be checked now (%s)", type(notifier).__name__, type(error).__name__)


def notify(task: Any, context: Context, release: dict[str, Any]) -> None:
    """Call each notifier with ``ota_release`` in its context; an error of a notifier is only logged.

    :param task: the operator. Its ``notifiers`` are any Airflow notifiers, whose templates may use
        ``{{ ota_release.text }}``. Failures are written to its log.
    :param context: of the task.
    :param release: see :func:`~airflow_provider_tuya_ota.core.status.report.ReleaseReport`.
    """
    is_limited = getattr(task, "execution_timeout", None) is not None
    for notifier in every_notifier(task.notifiers):
        try:
            # A task without execution_timeout may take as long as it likes.
            with bounded_after_alarm(NOTIFIER_SECONDS) if is_limited else nullcontext():
                # Rendering replaces a notifier's templates for good, and merging writes into the context.
                copy.copy(notifier)(cast("Context", {**context, "ota_release": release}))
        except (Exception, AirflowTaskTimeout, CancelledError, SystemExit) as error:  # noqa: BLE001 - a notifier may raise anything or time out, and must not fail a finished release
            is_limited |= isinstance(error, AirflowTaskTimeout)
            task.log.warning(
                "Notifier %s failed (%s: %s); the release is not affected",
                type(notifier).__name__,
                type(error).__name__,
                redact(str(error)),
            )


def notify_once(context: Context, task: Any, report: ReleaseReport, error: BaseException | None) -> None:
    """Call a task's notifiers when it ends, once for each outcome.

    Another try with the same outcome, for example after the process was lost at its end, calls no notifier.

    :param task: the operator; one without ``notifiers`` calls none.
    :param error: with which the task ends; no notifier is called yet if Airflow tries the task again.
    """
    notifiers = getattr(task, "notifiers", ())
    if notifiers is None or (isinstance(notifiers, list | tuple) and not notifiers):
        return
    if error is not None and will_be_tried_again(context, task, error):
        task.log.info("The notifiers are not called yet: Airflow tries this task again")
        return
    store = context.get("task_state_store")
    # A clear that keeps the run's state raises max_tries, but not clear_number.
    clear_number, cleared_after = last_clear(context, retries=getattr(task, "retries", 0) or 0)
    outcome: dict[str, Any] = {
        "clear_number": clear_number,
        "cleared_after": cleared_after,
        "outcome": [report.event.value, report.firmware_id, report.job_id],
    }
    try:
        with alarm_held_back():
            is_known = store is not None and store.get(STORE_KEY) == outcome
    except Exception as failure:  # noqa: BLE001 - a second notification does less harm than none
        task.log.warning("Whether the notifiers were called already cannot be read: %s", first_line(failure))
        is_known = False
    if is_known:
        task.log.info("An earlier try has called the notifiers with this outcome")
        return
    with suppress(InvalidParameterError):  # one of them is no notifier, so the step was refused
        notify(task, context, report.to_dict())
    try:
        if store is not None:
            # Written last: notifying twice does less harm than never.
            with alarm_held_back():
                store.set(STORE_KEY, outcome, retention=NEVER_EXPIRE)
    except Exception as failure:  # noqa: BLE001 - notifying never changes the outcome
        task.log.warning("The notifiers may be called again: %s", first_line(failure))
