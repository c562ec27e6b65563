"""Answers as JSON or XML, in the spelling and shape that the quirks set."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from xml.sax.saxutils import escape

if TYPE_CHECKING:
    from airflow_provider_tuya_ota.emulator.quirks import Quirks

IDS: Final = frozenset({"FirmwareId", "JobId", "TaskId"})
RAW: Final = "\x01raw:"
"""Prefix of a text that is sent without quotes: a number in a form that Python would not write."""
_SIZES_OF_LISTS: Final = frozenset({"Total", "PageCount"})


@dataclass(frozen=True, slots=True)
class Listing:
    """A list with the name that the upstream API gives its entries.

    :param shape: overrides the quirk for lists whose example shows a shape of its own.
    """

    entry_name: str
    entries: list[dict[str, Any]]
    shape: str = ""


def to_json(fields: dict[str, Any], quirks: Quirks) -> bytes:
    """Encode an answer as JSON, with keys in the spelling that the quirk sets."""
    text = json.dumps(_shaped(_with_sizes(fields, quirks), quirks), ensure_ascii=False)
    # Half a surrogate pair has no encoding in UTF-8; JSON has an escape for it.
    return re.sub(r'"\\u0001raw:([^"]*)"', r"\1", text).encode("utf-8", "backslashreplace")


def to_xml(root: str, fields: dict[str, Any], quirks: Quirks) -> bytes:
    """Encode an answer as XML, with keys in the spelling of the tables."""
    body = _elements(_with_sizes(fields, quirks))
    return f'<?xml version="1.0" encoding="UTF-8"?><{root}>{body}</{root}>'.encode("utf-8", "xmlcharrefreplace")


def _with_sizes(fields: dict[str, Any], quirks: Quirks) -> dict[str, Any]:
    if quirks.totals == "present" or "Total" not in fields:
        return fields
    if quirks.totals == "absent":
        return {name: value for name, value in fields.items() if name not in _SIZES_OF_LISTS}
    if quirks.totals == "zero":
        return fields | {"Total": 0, "PageCount": 0}
    shown = sum(len(value.entries) for value in fields.values() if isinstance(value, Listing))
    return fields | {"Total": shown, "PageCount": 1}


def _shaped(value: Any, quirks: Quirks) -> Any:
    if isinstance(value, Listing):
        return _list(value, quirks)
    if isinstance(value, dict):
        return {
            _key(name, quirks): _shaped(_field(name, item, quirks), quirks)
            for name, item in value.items()
            if item is not None or quirks.empty_fields != "absent"
        }
    return value


def _field(name: str, value: Any, quirks: Quirks) -> Any:
    if value is None:
        return "" if quirks.empty_fields == "text" else None
    if quirks.ids == "number" and name in IDS and str(value).isdecimal():
        return int(value)
    if quirks.progress == "decimal" and name == "Progress":
        return f"{value}.00"
    return value


def _list(listing: Listing, quirks: Quirks) -> Any:
    entries = [_shaped(entry, quirks) for entry in listing.entries]
    shape = listing.shape or quirks.list_shape
    if shape == "wrapped":
        return {_key(listing.entry_name, quirks): entries}
    if shape == "single" and len(entries) == 1:
        return entries[0]
    return entries


def _key(name: str, quirks: Quirks) -> str:
    if quirks.key_case == "pascal":
        return name
    if quirks.key_case == "lower":
        return name.lower()
    if name == "OSSAccessKeyId":
        return quirks.oss_key
    return name[0].lower() + name[1:]


def _elements(value: Any) -> str:
    if isinstance(value, Listing):
        return "".join(f"<{value.entry_name}>{_elements(entry)}</{value.entry_name}>" for entry in value.entries)
    if isinstance(value, dict):
        return "".join(f"<{name}>{_elements(item)}</{name}>" for name, item in value.items() if item is not None)
    if isinstance(value, bool):
        return "true" if value else "false"
    return escape(str(value))
