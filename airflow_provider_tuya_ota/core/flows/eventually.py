"""Wait until the platform shows what it has just created."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from airflow_provider_tuya_ota.core.flows.effects import Flow, Sleep
from airflow_provider_tuya_ota.core.flows.events import ListIncomplete

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_provider_tuya_ota.core.flows.pages import Listing

Thing = TypeVar("Thing")

GRACE_PAUSES = (2.0, 5.0, 10.0, 20.0, 30.0, 30.0)
"""The grace period: seconds between the polls for something that may appear in a list, a minute and a half together.
Lists may lag by a minute, and a request whose answer was lost may arrive half a minute after it was given up."""


def wait_to_appear(find: Callable[[], Flow[Thing | None]]) -> Flow[Thing | None]:
    """Poll at once, and again after each of the :data:`GRACE_PAUSES`.

    :param find: polls once.
    :returns: what was found, or None after the last poll.
    """
    found = yield from find()
    for seconds in GRACE_PAUSES:
        if found is not None:
            break
        yield Sleep(seconds)
        found = yield from find()
    return found


def wait_until_complete(read: Callable[[], Flow[Listing[Thing]]]) -> Flow[Listing[Thing]]:
    """Read a list at once, and again after each of the :data:`GRACE_PAUSES` while it is incomplete.

    :param read: reads the list.
    :raises IncompleteListError: the last list is incomplete too.
    """
    listing = yield from read()
    for seconds in GRACE_PAUSES:
        if not listing.missing:
            break
        yield ListIncomplete(listing.name, listing.missing, seconds)
        yield Sleep(seconds)
        listing = yield from read()
    listing.require_complete()
    return listing
