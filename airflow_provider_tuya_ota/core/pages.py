"""Turning the pages of any paged list."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, TypeVar

from airflow_provider_tuya_ota.core.errors import InvalidParameterError
from airflow_provider_tuya_ota.core.models import Device, DeviceTask, Firmware, Job, ModuleVersion, Product

if TYPE_CHECKING:
    from airflow_provider_tuya_ota.core.actions import Action
    from airflow_provider_tuya_ota.core.models import Page

Item = TypeVar("Item")

IDENTITY: Final[dict[type, tuple[str, ...]]] = {
    Firmware: ("firmware_id",),
    Job: ("job_id",),
    DeviceTask: ("task_id",),
    ModuleVersion: ("device_name", "module_name"),
    Device: ("product_key", "device_name"),
    Product: ("product_key",),
}
"""What tells two items of a list apart."""


def new_items(page: Page[Item], seen: set[str]) -> list[Item]:
    """Give the items of a page that were not on one before; items move between pages while they are turned.

    :param seen: grows by what is given.
    """
    fresh = []
    for item in page.items:
        identity = "\n".join(getattr(item, name) for name in IDENTITY[type(item)])
        if identity not in seen:
            seen.add(identity)
            fresh.append(item)
    return fresh


def next_page(action: Action[Page[Item]], page: Page[Item], fresh: list[Item]) -> Action[Page[Item]] | None:
    """Give the request for the page after this one.

    :returns: None where the list has ended: the page was not full, or had nothing new.
    :raises InvalidParameterError: the request has no page size, so nobody can tell a full page.
    """
    asked: Any = action
    size = asked.page_size
    if size is None:
        raise InvalidParameterError(
            field="page_size (PageSize)",
            problem="is missing",
            allowed="a whole number; every page is asked for with it",
        )
    if len(page.items) < size or not fresh:
        return None
    following: Action[Page[Item]] = replace(
        asked,
        current_page=(asked.current_page or 1) + 1,
        **({"next_token": page.next_token} if page.next_token else {}),
    )
    return following
