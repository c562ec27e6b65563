"""Reading of answers that several operations share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar

from airflow_provider_tuya_ota.core.errors import ProtocolError
from airflow_provider_tuya_ota.core.model.entities import Created, Page
from airflow_provider_tuya_ota.core.wire.record import Record

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_provider_tuya_ota.core.wire.reply import Reply

Item = TypeVar("Item")

MOST_ON_A_PAGE: Final = 1_000
"""Items; at most 200 are asked for. A platform may ignore the page size, but reading more items than this would block
the event loop for all other waits."""


def required_id(record: Record, key: str, action: str) -> str:
    """Read an id that the answer must contain."""
    return _required(record.id(key), key, action)


def required_name(record: Record, key: str, action: str) -> str:
    """Read a name or a status that the answer must contain."""
    return _required(record.name(key), key, action)


def required_device(record: Record, key: str, action: str) -> str:
    """Read a device's name that the answer must contain."""
    return _required(record.device(key), key, action)


def required_exact(record: Record, key: str, action: str) -> str:
    """Read a text that is sent back later and that the answer must contain."""
    return _required(record.exact(key), key, action)


def about(record: Record, action: str, **asked: str | None) -> Record:
    """Check that an object is about what was asked for; a field that is absent is not checked.

    :param asked: what was asked for, by its name on the wire; None where it was left open.
    :raises ProtocolError: the object is about something else, so that nothing is concluded from the answer.
    """
    for key, wanted in asked.items():
        if wanted is not None and (other := record.other_than(key, wanted)):
            raise ProtocolError(f"{action}: asked about {key} {wanted}, the answer is about {other}; it does not count")
    return record


def _required(text: str, key: str, action: str) -> str:
    if not text:
        raise ProtocolError(f"{action}: the answer has no {key}")
    return text


def nothing(_: Reply) -> None:
    """Read an answer that contains nothing but its success."""


def created(reply: Reply, *id_keys: str, other_than: str | None = None) -> Created:
    """Read the answer to a create operation.

    :param id_keys: fields that may contain the id, the likelier first.
    :param other_than: an id that is not the one of what was created.
    """
    data = reply.fields.get("Data")
    data = data if isinstance(data, Record) else Record({})
    ids = map(data.id, id_keys)
    return Created(
        entity_id=next((found for found in ids if found and found != other_than), None),
        utc_create=data.name("UtcCreate"),
        request_id=reply.request_id,
    )


def read_page(reply: Reply, key: str, item_key: str, read: Callable[[Record], Item]) -> Page[Item]:
    """Read one page of a list, in any of its forms; ``Total`` is beside the list or missing."""
    return Page(items=read_items(reply.action, reply.fields, key, item_key, read), total=reply.fields.whole("Total"))


def read_items(action: str, record: Record, key: str, item_key: str, read: Callable[[Record], Item]) -> list[Item]:
    """Read the items of one page of a list.

    :raises ProtocolError: there are more than 1,000.
    """
    items = record.items_of(key, item_key=item_key)
    if len(items) > MOST_ON_A_PAGE:
        raise ProtocolError(
            f"{action}: {len(items):,} items on one page, which no documented answer has: at most 200 are asked for."
            " Nothing is concluded from it"
        )
    return [read(item) for item in items]
