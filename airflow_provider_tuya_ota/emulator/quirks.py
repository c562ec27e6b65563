"""Documented contradictions as switches; the default is the reading that the tables of the documents give."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any, Final

from airflow_provider_tuya_ota.emulator.documents import Entry, read_table

CHOICES: Final[dict[str, tuple[Any, ...]]] = {
    "job_id": ("jobId", "firmwareId", "absent"),
    "key_case": ("lower_camel", "pascal", "lower"),
    "oss_key": ("ossAccessKeyId", "oSSAccessKeyId", "ossaccessKeyId", "OSSAccessKeyId"),
    "list_shape": ("flat", "wrapped", "single"),
    "module_list": ("list", "object", "invalid_json"),
    "totals": ("present", "absent", "of_page"),
    "ids": ("text", "number"),
    "progress": ("whole", "decimal"),
    "empty_fields": ("absent", "null", "text"),
    "success_code": ("empty", "absent"),
    "error_status": (200, 400),
    "gateway_errors": ("plain", "camel", "business"),
    "nonce_replay": ("refused", "accepted"),
    "default_format": ("JSON", "XML"),
    "common_parameters": ("optional", "required"),
    "parameter_names": ("strict", "lenient"),
    "methods": ("both", "GET", "POST"),
    "repeated_cancel": ("refused", "accepted"),
    "planned_cancel": ("whole_job", "nothing"),
    "list_order": ("in_order", "any_order"),
}
"""By quirk: its readings, the default first."""
LONGEST_DELAY: Final = 3600.0
DELAYS: Final = ("task_delay", "list_delay", "task_list_delay", "query_delay")
_ENTRIES: Final = {name: Entry(type(choices[0]), choices=choices) for name, choices in CHOICES.items()} | {
    name: Entry(float, 0, LONGEST_DELAY) for name in (*DELAYS, "retry_after")
}


@dataclass(frozen=True, slots=True)
class Quirks:
    """How the emulator reads what the documents leave open.

    :param job_id: creating a job answers its id under ``jobId`` (tables), ``firmwareId`` (the one example) or not.
    :param key_case: spelling of the keys: as in the examples, as in the tables, or all lower.
    :param oss_key: what a serialiser makes of ``OSSAccessKeyId`` where keys begin in lower case.
    :param list_shape: lists flat, wrapped once (the original), or as a bare object when they have one entry.
    :param module_list: a product's modules as a list (table), or as the example has them: one object, followed by a
        comma or not.
    :param totals: whether pages tell the size of the whole list, or, as one description can be read, of the page.
    :param ids: ids of firmwares, jobs and tasks as texts or as numbers.
    :param progress: a task's progress as ``50`` (the vendor) or ``50.00`` (the original).
    :param empty_fields: what has no value is left out, null or an empty text.
    :param success_code: ``code`` of a success.
    :param error_status: HTTP status of a refusing operation.
    :param gateway_errors: keys of a refusal at the door; ``business`` is the form that operations refuse in.
    :param nonce_replay: what becomes of a nonce that was used.
    :param default_format: of the answer to a request without ``Format``.
    :param common_parameters: whether ``Format``, ``Version`` and ``SignatureVersion`` may be missing.
    :param parameter_names: whether the English tables' spelling (``FirmwareID``) is refused.
    :param methods: HTTP methods that are served.
    :param repeated_cancel: cancelling what is cancelled already.
    :param planned_cancel: cancelling queued tasks of a job that has none yet ends the job, or leaves it as it is.
    :param list_order: what is late is shown when its delay is over, and then as it is; or each thing, and each change
        of its status, is shown after a share of the delay that is its own, so that later ones may come first.
    :param task_delay: seconds for which a new job is PLANNED and has no device tasks.
    :param list_delay: seconds until a firmware or job appears in lists.
    :param task_list_delay: seconds until a device task appears in lists.
    :param query_delay: seconds until a firmware or job is found by its id.
    :param retry_after: seconds that a throttled caller is told to wait; 0 tells nothing.
    """

    job_id: str = "jobId"
    key_case: str = "lower_camel"
    oss_key: str = "ossAccessKeyId"
    list_shape: str = "flat"
    module_list: str = "list"
    totals: str = "present"
    ids: str = "text"
    progress: str = "whole"
    empty_fields: str = "absent"
    success_code: str = "empty"
    error_status: int = 200
    gateway_errors: str = "plain"
    nonce_replay: str = "refused"
    default_format: str = "JSON"
    common_parameters: str = "optional"
    parameter_names: str = "strict"
    methods: str = "both"
    repeated_cancel: str = "refused"
    planned_cancel: str = "whole_job"
    list_order: str = "in_order"
    task_delay: float = 0.0
    list_delay: float = 0.0
    task_list_delay: float = 0.0
    query_delay: float = 0.0
    retry_after: float = 0.0

    def changed(self, values: dict[str, Any]) -> Quirks:
        """Set some of them.

        :raises ValueError: naming the quirk and its choices.
        """
        return replace(self, **read_table(values, "quirks", _ENTRIES))

    def as_dict(self) -> dict[str, Any]:
        """Give all of them."""
        return {field.name: getattr(self, field.name) for field in fields(self)}
