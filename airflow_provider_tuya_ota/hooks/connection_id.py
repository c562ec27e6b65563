"""Ids of connections: the default one, and the check of any. A Dag file needs no more of the hooks than this."""

from __future__ import annotations

from typing import Any, Final

from airflow_provider_tuya_ota.core.errors import InvalidParameterError
from airflow_provider_tuya_ota.core.short_repr import short_repr

DEFAULT_CONNECTION_ID: Final = "tuya_ota_default"


def require_connection_id(field: str, value: Any) -> str:
    """Refuse what is no id of a connection, before Airflow is asked for it.

    :returns: the id as a plain text.
    :raises InvalidParameterError: naming the argument.
    """
    from airflow_provider_tuya_ota.core.actions.texts import NAME  # noqa: PLC0415 - operators import this module

    problem = NAME.problem(value) if isinstance(value, str) else f"{short_repr(value)} is not a text"
    if problem or not value:
        allowed = "the id of an Airflow connection"
        raise InvalidParameterError(field=field, problem=problem or "is empty", allowed=allowed)
    return str.__str__(value)
