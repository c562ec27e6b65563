"""One fault: its kinds, and how it is read from a document."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from airflow_provider_tuya_ota.emulator.documents import Entry, read_table
from airflow_provider_tuya_ota.emulator.gateway.tables import ACTIONS

if TYPE_CHECKING:
    from collections.abc import Mapping

INSTEAD: Final = ("refuse", "drop_before", "status", "outage", "throttle", "redirect", "skew")
"""Kinds that prevent a call from being carried out."""
WITHIN: Final = ("no_id", "odd_ids", "odd_fields", "other_id", "hostile_texts", "endless_list")
"""Kinds that change what the platform answers to a call that it has carried out."""
AFTERWARDS: Final = (
    "drop_after",
    "status_after",
    "refused_after",
    "replay",
    "wrong_status",
    "delay",
    "slow_body",
    "drip",
    "continue",
    "truncate",
    "garbage",
    "huge",
    "deep",
)
"""Kinds that damage or replace the answer on its way, after the call was carried out."""
KINDS: Final = INSTEAD + WITHIN + AFTERWARDS
PARTS: Final = ("status_line", "headers", "between", "body")
"""Parts of an answer that can be sent slowly; ``between`` is a pause after the headers."""
MOST_BYTES: Final = 100_000_000
_STORAGE: Final = ("PostObject", "GetObject")
_DAY: Final = 86400.0
_FAULT: Final = {
    "action": Entry(str, choices=("*", *_STORAGE, *ACTIONS), required=True),
    "kind": Entry(str, choices=KINDS, required=True),
    "nth": Entry(int, 0),
    "probability": Entry(float, 0, 1),
    "where": Entry(dict),
    "status": Entry(int, 200, 599),
    "seconds": Entry(float, -_DAY, _DAY),
    "retry_after": Entry(str),
    "part": Entry(str, choices=PARTS),
    "about": Entry(str, choices=("existing", "inexistent")),
    "text": Entry(str),
    "fields": Entry(list),
    "size": Entry(int, 1, MOST_BYTES),
}
_TAKEN: Final = {
    "status": ("status", "status_after", "refused_after", "wrong_status"),
    "seconds": ("refuse", "outage", "skew", "delay", "slow_body", "drip", "continue"),
    "retry_after": ("status", "outage", "throttle"),
    "part": ("drip",),
    "about": ("other_id",),
    "text": ("odd_ids", "odd_fields", "hostile_texts", "refused_after"),
    "fields": ("odd_fields", "hostile_texts"),
    "size": ("huge", "deep"),
}
"""The kinds that accept a value, by its name."""
ODD_FIELDS: Final = ("list", "object")
ODD_IDS: Final = ("number", "float", "exponent", "bool", "padded", "surrogate", "list")


@dataclass(slots=True)
class Fault:
    """One fault.

    :param action: operation, ``PostObject`` (upload), ``GetObject`` (download), or ``*`` for any.
    :param kind: one of :data:`KINDS`.
    :param nth: the only call that is hit, counted from 1 since the fault was set; 0 hits every call.
    :param probability: share of calls that are hit; the draws follow from the scenario's seed.
    :param where: hits and counts only calls with these parameters; ``User-Agent`` counts as one. The name of a list
        without a number means any of its entries.
    :param status: HTTP status of ``status``, ``status_after``, ``refused_after`` and ``wrong_status``.
    :param seconds: duration of ``delay``, ``slow_body``, ``refuse`` and ``outage``; of ``skew``, how far the gateway's
        clock is ahead; of ``drip`` and ``continue``, the time between two bytes or lines.
    :param retry_after: text of the header ``Retry-After``.
    :param part: part of the answer that ``drip`` sends slowly.
    :param about: whether the other entity of ``other_id`` exists.
    :param text: for ``hostile_texts``, a name in :data:`~.hostile_texts.TEXTS` or the text itself; for ``odd_ids``, one
        of :data:`ODD_IDS`; for ``odd_fields``, ``list`` or ``object``; for ``refused_after``, the code.
    :param fields: fields that ``hostile_texts`` and ``odd_fields`` fill, in the spelling of the vendor's tables; ``*``
        means every text. By default, the fields that may hold any text; of ``odd_fields``, those that decide nothing.
    :param size: bytes of ``huge``, levels of ``deep``.
    """

    action: str
    kind: str
    nth: int = 0
    probability: float = 1.0
    where: dict[str, str] = field(default_factory=dict)
    status: int = 503
    seconds: float = 1.0
    retry_after: str = ""
    part: str = "body"
    about: str = "existing"
    text: str = ""
    fields: list[str] = field(default_factory=list)
    size: int = 1000
    seen: int = field(default=0)

    def fits(self, action: str, parameters: Mapping[str, str]) -> bool:
        """Whether the fault applies to a call with these parameters."""
        return self.action in {action, "*"} and all(
            any(
                name in {wanted, f"{wanted}.{name.rpartition('.')[2]}"} and parameters[name] == value
                for name in parameters
            )
            for wanted, value in self.where.items()
        )


def read_fault(values: dict[str, Any]) -> Fault:
    """Read a fault from a document.

    :raises ValueError: a value is wrong; the message says which and what is allowed.
    """
    fault = Fault(**read_table(values, "fault", _FAULT))
    for name, kinds in _TAKEN.items():
        if name in values and fault.kind not in kinds:
            raise ValueError(f"fault: a {fault.kind} takes no {name}; kinds that do: {', '.join(sorted(kinds))}")
    if fault.seconds < 0 and fault.kind != "skew":
        raise ValueError(f"fault: seconds {fault.seconds:g} is not from 0 to {_DAY:g}")
    if fault.kind in WITHIN and fault.action in _STORAGE:
        raise ValueError(f"fault: {fault.action} answers nothing that a {fault.kind} could change")
    if fault.kind == "odd_ids" and fault.text not in ODD_IDS:
        raise ValueError(f"fault: text {fault.text!r:.80} of an odd_ids is not one of {', '.join(ODD_IDS)}")
    if fault.kind == "odd_fields" and fault.text not in ODD_FIELDS:
        raise ValueError(f"fault: text {fault.text!r:.80} of an odd_fields is not one of {', '.join(ODD_FIELDS)}")
    if not all(isinstance(text, str) for text in (*fault.where.values(), *fault.fields)):
        raise ValueError("fault: where and fields hold texts")
    return fault
