"""Pieces of answers that several operations share."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from airflow_provider_tuya_ota.core.errors import ProtocolError
from airflow_provider_tuya_ota.core.models import Created, Page
from airflow_provider_tuya_ota.core.record import Record

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_provider_tuya_ota.core.envelope import Reply

Item = TypeVar("Item")


def required_text(record: Record, key: str, action: str) -> str:
    """Read a text without which the answer is of no use."""
    text = record.text(key)
    if not text:
        raise ProtocolError(f"{action}: the answer has no {key}")
    return text


def nothing(_: Reply) -> None:
    """Read an answer that holds nothing but its success."""


def created(reply: Reply, *id_keys: str, other_than: str | None = None) -> Created:
    """Read what a create operation answered.

    :param id_keys: where the id may stand, the likelier first.
    :param other_than: an id that is known to be something else.
    """
    data = reply.fields.get("Data")
    data = data if isinstance(data, Record) else Record({})
    ids = [data.text(key) for key in id_keys]
    return Created(
        entity_id=next((found for found in ids if found and found != other_than), None),
        utc_create=data.text("UtcCreate"),
        request_id=reply.request_id,
    )


def read_page(reply: Reply, key: str, item_key: str, read: Callable[[Record], Item]) -> Page[Item]:
    """Read one page of a list, whatever its wrapping; ``Total`` may stand beside the list or be missing."""
    return Page(
        items=[read(item) for item in reply.fields.items_of(key, item_key=item_key)],
        total=reply.fields.whole("Total"),
    )
