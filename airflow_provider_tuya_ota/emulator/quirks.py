"""Documented contradictions as switches; the default is the reading that the tables of the documents give."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

_CHOICES: dict[str, tuple[Any, ...]] = {
    "verify_job_id": ("jobId", "firmwareId", "absent"),
    "list_shape": ("flat", "wrapped", "single"),
    "error_status": (200, 400),
    "key_case": ("lower_camel", "pascal"),
}


@dataclass(frozen=True, slots=True)
class Quirks:
    """How the emulator reads what the documents leave open.

    :param verify_job_id: CreateOTAVerifyJob answers the job's id under ``jobId`` (table), ``firmwareId`` (example)
        or not.
    :param list_shape: lists flat, wrapped once (the original), or as a bare object when they have one entry.
    :param error_status: HTTP status of a refusing operation.
    :param key_case: spelling of the keys.
    """

    verify_job_id: str = "jobId"
    list_shape: str = "flat"
    error_status: int = 200
    key_case: str = "lower_camel"

    def changed(self, values: dict[str, Any]) -> Quirks:
        """Set some of them.

        :raises ValueError: naming the quirk and its choices.
        """
        for name, value in values.items():
            if name not in _CHOICES:
                raise ValueError(f"unknown quirk {name!r}; known: {', '.join(_CHOICES)}")
            if value not in _CHOICES[name]:
                raise ValueError(f"quirk {name}: {value!r} is not one of {', '.join(map(str, _CHOICES[name]))}")
        return replace(self, **values)

    def as_dict(self) -> dict[str, Any]:
        """Give all of them."""
        return {field.name: getattr(self, field.name) for field in fields(self)}
