"""Strange answers: about another entity, without ids, with odd ids, with hostile texts, or without an end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from airflow_provider_tuya_ota.emulator.faults.hostile_texts import FREE, TEXTS
from airflow_provider_tuya_ota.emulator.gateway.encoding import IDS, RAW, Listing

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_provider_tuya_ota.emulator.faults.fault import Fault
    from airflow_provider_tuya_ota.emulator.operations.page import Values
    from airflow_provider_tuya_ota.emulator.simulation.world import World

INEXISTENT: Final = {"JobId": "9999999999999999999", "FirmwareId": "99999"}
ENDLESS: Final = 2**31 - 1
_BY_ENTRY: Final = {
    "SimpleFirmwareInfo": ("FirmwareId",),
    "SimpleOTAJobInfo": ("JobId",),
    "SimpleOTATaskInfo": ("TaskId", "DeviceName"),
    "DeviceInfo": ("DeviceName", "IotId"),
}
"""The fields that identify an entry, by the kind of entry."""
_ODD: Final[dict[str, Callable[[str], Any]]] = {
    "number": int,
    "float": lambda text: f"{RAW}{text}.0",
    "exponent": lambda text: f"{RAW}{text}e0",
    "bool": lambda _: True,
    "padded": lambda text: f" {text}\n",
    "surrogate": lambda text: f"{text}\ud800",
    "list": lambda text: [text],
}


_ODD_FIELDS: Final[dict[str, Any]] = {"list": [1], "object": {}}
DECIDE_NOTHING: Final = frozenset({"ErrorMessage", "Message", "Progress", "TaskDesc", "SrcVersion"})
"""Fields that a client can only show."""


class StrangeAnswer:
    """The changes that a fault makes to one call.

    :param fault: a fault of one of the kinds ``WITHIN``; None changes nothing.
    :param world: where another entity is found.
    """

    def __init__(self, fault: Fault | None, world: World) -> None:
        self._fault = fault
        self._kind = "" if fault is None else fault.kind
        self._world = world
        self._page = 1

    def values(self, action: str, values: Values) -> Values:
        """Give the parameters to answer instead of those of the call."""
        if not action.startswith(("Query", "List")):
            return values
        if self._kind == "endless_list" and "CurrentPage" in values:
            self._page = values["CurrentPage"]
            return values | {"CurrentPage": 1}
        if self._kind == "other_id":
            others = {name: self._other(name, values[name]) for name in INEXISTENT if name in values}
            # An entity that does not exist has no answer of its own; :meth:`answer` puts its id into this one's.
            return values | {name: other for name, other in others.items() if other != INEXISTENT[name]}
        return values

    def answer(self, action: str, values: Values, fields: Values) -> Values:
        """Give the fields to answer instead.

        :param values: parameters of the call.
        """
        match self._kind:
            case "no_id":
                return _mapped(fields, lambda name, value: _NOTHING if name in IDS else value)
            case "odd_ids":
                return _mapped(fields, lambda name, value: self._odd(value) if name in IDS and value else value)
            case "other_id":
                return _mapped(fields, lambda name, value: self._about(action, values, name, value))
            case "endless_list":
                return self._endless(fields)
            case _:
                return fields

    def texts(self, fields: Values) -> Values:
        """Put the hostile text, or the odd value, into an answer or a refusal."""
        fault = self._fault
        if fault is None or fault.kind not in {"hostile_texts", "odd_fields"}:
            return fields
        text: Any = TEXTS.get(fault.text, fault.text)
        chosen = fault.fields or FREE
        if fault.kind == "odd_fields":
            text = _ODD_FIELDS[fault.text]
            chosen = fault.fields or DECIDE_NOTHING

        def reword(name: str, value: Any) -> Any:
            hit = name in chosen or ("*" in chosen and isinstance(value, str))
            return text if hit and not isinstance(value, (dict, Listing)) else value

        return _mapped(fields, reword)

    def _odd(self, value: str) -> Any:
        assert self._fault is not None  # noqa: S101 - a kind without a fault is impossible
        return _ODD[self._fault.text](value)

    def _about(self, action: str, values: Values, name: str, value: Any) -> Any:
        if name not in INEXISTENT or (action.startswith(("Query", "List")) and value != values.get(name)):
            return value
        return self._other(name, value)

    def _other(self, name: str, wanted: str) -> str:
        things = self._world.engine.jobs if name == "JobId" else self._world.firmwares.by_id
        others = [thing for thing in things if thing != wanted]
        is_one = self._fault is not None and self._fault.about == "existing" and others
        return others[-1] if is_one else INEXISTENT[name]

    def _endless(self, fields: Values) -> Values:
        found = next((name for name, value in fields.items() if isinstance(value, Listing)), None)
        if found is None or "Total" not in fields:
            return fields | {name: self._endless(value) for name, value in fields.items() if isinstance(value, dict)}
        listing = fields[found]
        own = dict.fromkeys(_BY_ENTRY.get(listing.entry_name, ()), str(10**18 + self._page))
        entries = [entry | own for entry in listing.entries[:1]]
        changed = {found: Listing(listing.entry_name, entries, listing.shape), "CurrentPage": self._page}
        return fields | changed | {"Total": ENDLESS, "PageCount": ENDLESS}


_NOTHING: Final = object()


def _mapped(fields: Values, change: Callable[[str, Any], Any]) -> Values:
    """Change fields at every depth; a field that becomes ``_NOTHING`` is left out."""
    made: Values = {}
    for name, value in fields.items():
        now = change(name, value)
        if isinstance(now, dict):
            now = _mapped(now, change)
        elif isinstance(now, Listing):
            now = Listing(now.entry_name, [_mapped(entry, change) for entry in now.entries], now.shape)
        if now is not _NOTHING:
            made[name] = now
    return made
