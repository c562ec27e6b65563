"""One page of a list, with its totals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from airflow_provider_tuya_ota.emulator.encoding import Listing

if TYPE_CHECKING:
    from collections.abc import Sequence

Values = dict[str, Any]


class Described(Protocol):
    """An entity that a list can show."""

    def describe(self) -> dict[str, Any]:
        """Give the fields that a list shows."""


def page_of(found: Sequence[Described], values: Values, key: str, entry_name: str) -> Values:
    """Give the page that ``CurrentPage`` and ``PageSize`` select."""
    number, size = values.get("CurrentPage", 1), values.get("PageSize", 10)
    entries = found[(number - 1) * size : number * size]
    return {
        key: Listing(entry_name, [entry.describe() for entry in entries]),
        "CurrentPage": number,
        "PageSize": size,
        "PageCount": -(-len(found) // size),
        "Total": len(found),
    }
