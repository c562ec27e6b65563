"""Documented contradictions as switches; the default is the reading that the tables of the documents give."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

from airflow_provider_tuya_ota.emulator.documents import Entry, read_table

_QUIRKS = {
    "verify_job_id": Entry(str, choices=("jobId", "firmwareId", "absent")),
    "list_shape": Entry(str, choices=("flat", "wrapped", "single")),
    "error_status": Entry(int, choices=(200, 400)),
    "key_case": Entry(str, choices=("lower_camel", "pascal")),
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
        return replace(self, **read_table(values, "quirks", _QUIRKS))

    def as_dict(self) -> dict[str, Any]:
        """Give all of them."""
        return {field.name: getattr(self, field.name) for field in fields(self)}
