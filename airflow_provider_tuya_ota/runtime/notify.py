"""Calling notifiers in a way that can never fail a release."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any, cast

from airflow.sdk.exceptions import AirflowTaskTimeout

from airflow_provider_tuya_ota.core.errors import ConfigurationError, InvalidParameterError
from airflow_provider_tuya_ota.core.shown import shown
from airflow_provider_tuya_ota.core.wire.redaction import redact

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk import BaseNotifier, Context


def every_notifier(notifiers: Any) -> list[BaseNotifier]:
    """Read a task's notifiers: one, or several.

    :raises InvalidParameterError: something that is no notifier is among them; nothing is sent.
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
                field="notifiers", problem=f"{shown(item)} is no notifier", allowed="Airflow notifiers, one or a list"
            )
    return list(listed)


def require_notifiers(notifiers: Any, log: Any) -> None:
    """Find out before anything is sent whether those who are to be told can be.

    A notifier with a method ``require_ready``, as the webhook of this package has one, is asked by it.

    :raises InvalidParameterError: something that is no notifier is among them.
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


def notify(
    notifiers: BaseNotifier | Sequence[BaseNotifier], context: Context, release: dict[str, Any], log: Any
) -> None:
    """Call each notifier with ``ota_release`` in its context; what it raises is written to the log and forgotten.

    :param notifiers: any Airflow notifiers; their templates may use ``{{ ota_release.text }}``.
    :param context: of the task.
    :param release: see :func:`~airflow_provider_tuya_ota.core.status.report.ReleaseReport`.
    :param log: where a failing notifier is written down.
    """
    for notifier in every_notifier(notifiers):
        try:
            # Rendering replaces a notifier's templates for good, and merging writes into the context.
            copy.copy(notifier)(cast("Context", {**context, "ota_release": release}))
        except (Exception, AirflowTaskTimeout) as error:  # noqa: BLE001 - a notifier may raise anything, and be slow, when the devices are flashed already
            log.warning(
                "Notifier %s failed (%s: %s); the release is not affected",
                type(notifier).__name__,
                type(error).__name__,
                redact(str(error)),
            )
