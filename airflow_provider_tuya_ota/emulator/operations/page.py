"""One page of a list, with its totals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from airflow_provider_tuya_ota.emulator.gateway.encoding import Listing
from airflow_provider_tuya_ota.emulator.messages import BusinessError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow_provider_tuya_ota.emulator.quirks import Quirks

Values = dict[str, Any]


class Described(Protocol):
    """An entity that a list can show."""

    def describe(self) -> dict[str, Any]:
        """Give the fields that a list shows."""


def page_size(values: Values, quirks: Quirks) -> int:
    """Give the number of entries on a full page."""
    size: int = values.get("PageSize", 10)
    return min(size, quirks.page_cap or size)


def page_of(found: Sequence[Described], values: Values, key: str, entry_name: str, quirks: Quirks) -> Values:
    """Give the page that ``CurrentPage`` and ``PageSize`` select.

    :raises BusinessError: the page is behind the last one, and such pages are refused.
    """
    number, size = values.get("CurrentPage", 1), page_size(values, quirks)
    read = 1 if quirks.later_pages == "repeated" else number
    entries = found[(read - 1) * size : read * size]
    if number > 1 and quirks.later_pages == "empty":
        entries = []
    if number > 1 and not entries and quirks.later_pages == "refused":
        raise BusinessError("iot.common.InvalidPageParams", "The page is behind the last one.")
    return {
        key: Listing(entry_name, [entry.describe() for entry in entries]),
        "CurrentPage": number,
        "PageSize": size,
        "PageCount": -(-len(found) // size),
        "Total": len(found),
    }
