"""An error as plain JSON values: the triggerer sends them, and the worker raises the same error again."""

from __future__ import annotations

from typing import Any

from airflow_provider_tuya_ota.core import errors
from airflow_provider_tuya_ota.core.errors import TuyaOTAError
from airflow_provider_tuya_ota.core.model import outcome_errors


def describe_error(error: TuyaOTAError) -> dict[str, Any]:
    """Give class, message and those fields that are texts or numbers."""
    return {
        "kind": type(error).__name__,
        "message": str(error),
        "fields": {name: value for name, value in vars(error).items() if isinstance(value, str | int | float)},
    }


def rebuild_error(values: dict[str, Any]) -> TuyaOTAError:
    """Rebuild what :func:`describe_error` gave; a class that this version does not know becomes ``TuyaOTAError``."""
    name = str(values.get("kind"))
    kind = getattr(errors, name, None) or getattr(outcome_errors, name, TuyaOTAError)
    if not (isinstance(kind, type) and issubclass(kind, TuyaOTAError)):
        kind = TuyaOTAError
    error = kind.__new__(kind, values.get("message", ""))
    error.__dict__.update(values.get("fields", {}))
    return error
