"""Answers as JSON or XML, in the key case and list shape that the quirks ask for."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

if TYPE_CHECKING:
    from airflow_provider_tuya_ota.emulator.quirks import Quirks


@dataclass(frozen=True, slots=True)
class Listing:
    """A list with the name that the original gives its entries."""

    entry_name: str
    entries: list[dict[str, Any]]


def to_json(fields: dict[str, Any], quirks: Quirks) -> bytes:
    """Render an answer; keys are given in the tables' spelling and leave in the quirk's."""
    return json.dumps(_shaped(fields, quirks), ensure_ascii=False).encode()


def to_xml(root: str, fields: dict[str, Any]) -> bytes:
    """Render an answer as XML; the keys stay as the tables spell them."""
    return f'<?xml version="1.0" encoding="UTF-8"?><{root}>{_elements(fields)}</{root}>'.encode()


def _shaped(value: Any, quirks: Quirks) -> Any:
    if isinstance(value, Listing):
        return _list(value, quirks)
    if isinstance(value, dict):
        return {_key(name, quirks): _shaped(item, quirks) for name, item in value.items() if item is not None}
    return value


def _list(listing: Listing, quirks: Quirks) -> Any:
    entries = [_shaped(entry, quirks) for entry in listing.entries]
    if quirks.list_shape == "wrapped":
        return {_key(listing.entry_name, quirks): entries}
    if quirks.list_shape == "single" and len(entries) == 1:
        return entries[0]
    return entries


def _key(name: str, quirks: Quirks) -> str:
    if quirks.key_case == "pascal":
        return name
    if name == "OSSAccessKeyId":
        return "ossAccessKeyId"
    return name[0].lower() + name[1:]


def _elements(value: Any) -> str:
    if isinstance(value, Listing):
        return "".join(f"<{value.entry_name}>{_elements(entry)}</{value.entry_name}>" for entry in value.entries)
    if isinstance(value, dict):
        return "".join(f"<{name}>{_elements(item)}</{name}>" for name, item in value.items() if item is not None)
    if isinstance(value, bool):
        return "true" if value else "false"
    return escape(str(value))
