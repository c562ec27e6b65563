"""Contradictions of the documents as switches; the default is the reading of the documents' tables."""

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
    "totals": ("present", "absent", "of_page", "zero"),
    "later_pages": ("shown", "empty", "repeated", "refused"),
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
    "equal_upgrade": ("second_job", "running_job"),
    "planning": ("at_once", "in_parts"),
    "list_order": ("in_order", "any_order"),
}
"""The readings of each quirk, the default first."""
LONGEST_DELAY: Final = 3600.0
LARGEST_PAGE: Final = 200
DELAYS: Final = ("task_delay", "list_delay", "task_list_delay", "query_delay")
_ENTRIES: Final = (
    {name: Entry(type(choices[0]), choices=choices) for name, choices in CHOICES.items()}
    | {name: Entry(float, 0, LONGEST_DELAY) for name in (*DELAYS, "retry_after")}
    | {"page_cap": Entry(int, 0, LARGEST_PAGE)}
)


@dataclass(frozen=True, slots=True)
class Quirks:
    """How the emulator reads what the documents leave open.

    :param job_id: key of the job's id in the answer to a create: ``jobId`` (tables), ``firmwareId`` (the only example),
        or none.
    :param key_case: spelling of the keys: as in the examples, as in the tables, or all lower case.
    :param oss_key: spelling of ``OSSAccessKeyId`` where keys begin in lower case.
    :param list_shape: lists flat, wrapped once (upstream API), or a bare object for one entry.
    :param module_list: a product's modules as a list (table) or, as in the example, one object, with or without the
        comma after it.
    :param totals: whether ``Total`` is the size of the whole list, is absent, is the size of the page, or is 0.
    :param later_pages: whether the pages after the first have their own entries, none, or those of the first page;
        ``refused``: their own, and a page without any is refused.
    :param ids: ids of firmware, jobs and tasks as texts or as numbers.
    :param progress: a task's progress as ``50`` (vendor) or ``50.00`` (upstream API).
    :param empty_fields: fields without a value are absent, null or an empty text.
    :param success_code: whether a success has an empty ``code`` or none.
    :param error_status: HTTP status when an operation refuses.
    :param gateway_errors: keys of a refusal by the gateway; ``business`` is the form that operations use.
    :param nonce_replay: whether a used nonce is refused.
    :param default_format: format of the answer to a request without ``Format``.
    :param common_parameters: whether ``Format``, ``Version`` and ``SignatureVersion`` may be missing.
    :param parameter_names: whether the English tables' spelling (``FirmwareID``) is refused.
    :param methods: HTTP methods that are accepted.
    :param repeated_cancel: whether a cancel for a job that has ended is refused.
    :param planned_cancel: whether cancelling queued tasks ends a job that has no tasks yet.
    :param equal_upgrade: whether an upgrade of the devices of an unfinished job becomes a second job, or is answered
        with that job.
    :param planning: whether a job gets all of its tasks at once, or half of them five seconds later.
    :param list_order: ``in_order``: an entry appears after its delay, in its current state; ``any_order``: each entry
        and each change of its status appears after its own share of the delay, so later ones may appear first.
    :param page_cap: most entries on a page, whatever ``PageSize`` asks for; 0: as many as it asks for.
    :param task_delay: seconds during which a new job is PLANNED and has no device tasks.
    :param list_delay: seconds until a firmware or job appears in lists.
    :param task_list_delay: seconds until a device task appears in lists.
    :param query_delay: seconds until a firmware or job is found by its id.
    :param retry_after: seconds in ``Retry-After`` of a throttled call; 0 sends no header.
    """

    job_id: str = "jobId"
    key_case: str = "lower_camel"
    oss_key: str = "ossAccessKeyId"
    list_shape: str = "flat"
    module_list: str = "list"
    totals: str = "present"
    later_pages: str = "shown"
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
    equal_upgrade: str = "second_job"
    planning: str = "at_once"
    list_order: str = "in_order"
    page_cap: int = 0
    task_delay: float = 0.0
    list_delay: float = 0.0
    task_list_delay: float = 0.0
    query_delay: float = 0.0
    retry_after: float = 0.0

    def changed(self, values: dict[str, Any]) -> Quirks:
        """Set some of them.

        :raises ValueError: a quirk or its value is unknown; the message says what is allowed.
        """
        return replace(self, **read_table(values, "quirks", _ENTRIES))

    def as_dict(self) -> dict[str, Any]:
        """Give all of them."""
        return {field.name: getattr(self, field.name) for field in fields(self)}
