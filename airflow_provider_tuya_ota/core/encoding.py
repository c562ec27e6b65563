"""Parameters to a canonical query: list and boolean forms, RFC 3986 encoding, byte order.

Source: https://www.alibabacloud.com/help/en/marketplace/untitled-document-1740984134232 (encoding) and the curl
examples of CancelOTATaskByDevice and ConfirmOTATask (lists).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Scalar: TypeAlias = str | int | bool
Value: TypeAlias = "Scalar | Sequence[Scalar] | None"


def to_wire(parameters: Mapping[str, Value]) -> dict[str, str]:
    """Flatten parameters: lists become ``Name.1…N``, booleans ``true``/``false``, None is left out."""
    wire: dict[str, str] = {}
    for name, value in parameters.items():
        if value is None:
            continue
        if isinstance(value, str | int):
            wire[name] = _text(value)
        else:
            wire.update({f"{name}.{place}": _text(item) for place, item in enumerate(value, start=1)})
    return wire


def _text(value: Scalar) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def percent_encode(text: str) -> str:
    """Encode as RFC 3986 asks: only ``A-Z a-z 0-9 - _ . ~`` stay, a space is ``%20``."""
    return quote(text, safe="")


def canonical_query(wire: Mapping[str, str]) -> str:
    """Join the parameters sorted by name in byte order, so that ``X.10`` stands before ``X.2``."""
    return "&".join(f"{percent_encode(name)}={percent_encode(wire[name])}" for name in sorted(wire))
