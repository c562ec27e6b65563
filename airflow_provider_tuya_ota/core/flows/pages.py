"""Read any paged list, page by page, while the list goes on changing.

This module decides when a list is complete. ``Total`` may be absent, 0, or the page's own count, and a page may hold
fewer items than requested. So a decision that rests on an absence or on a count reads a :class:`Listing`: page by page
until a page brings nothing new, whatever ``Total`` is. A listing with fewer items than its ``Total`` is incomplete:
no caller concludes "none" or "all" from it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

from airflow_provider_tuya_ota.core.errors import (
    IncompleteListError,
    InvalidParameterError,
    InvalidRequestError,
    ProtocolError,
)
from airflow_provider_tuya_ota.core.flows.calls import call
from airflow_provider_tuya_ota.core.flows.effects import ReadContext
from airflow_provider_tuya_ota.core.model.entities import (
    Device,
    DeviceTask,
    Firmware,
    Job,
    ModuleVersion,
    Page,
    Product,
)

if TYPE_CHECKING:
    from airflow_provider_tuya_ota.core.actions import Action
    from airflow_provider_tuya_ota.core.flows.effects import Flow
    from airflow_provider_tuya_ota.core.settings import Settings

Item = TypeVar("Item")

LONGEST_LIST = 150_000
"""Items after which a list that is read as a whole is taken for endless; half as many again as the device tasks of the
largest release. They take about a hundred MiB, and a triggerer reads several lists at the same time."""
SPARSE_PAGES: Final = 50
"""Pages that bring hardly anything new, after which a list is taken for endless: one with a total of a million and one
new item a page would be read for a day. A platform that shows a tenth of the requested items is still read."""
SPARSE: Final = 20
"""A page is sparse if it brings fewer new items than this fraction of its size (one twentieth)."""
LONGEST_READING: Final = 600.0
"""Seconds after which reading a whole list is given up; more if the rate limit of the connection needs more."""
MOST_REQUESTS: Final = 5_000
"""Requests for which the rate limit extends that time; a list of a hundred thousand device tasks takes a thousand."""
DEEPEST: Final = 100_000
"""Items that page numbers reach, as the vendor says of device tasks: a page beyond them is refused although the list
may go on."""
IDENTITY: Final[dict[type, tuple[str, ...]]] = {
    Firmware: ("firmware_id",),
    Job: ("job_id",),
    DeviceTask: ("task_id", "device_name"),
    ModuleVersion: ("device_name", "module_name"),
    Device: ("product_key", "device_name"),
    Product: ("product_key",),
}
"""Fields that identify an item of a list. A platform may give several device tasks one id, so that their device counts
too: one that succeeded must not stand for others that failed."""


def identity_of(item: object) -> tuple[str, ...]:
    """Build what identifies an item in its list."""
    return tuple(getattr(item, name) for name in IDENTITY[type(item)])


@dataclass(frozen=True, slots=True)
class Listing(Generic[Item]):
    """A list that was read until a page brought nothing new.

    :param name: of the operation.
    :param items: each once, in its latest state; a device task as :meth:`.DeviceTask.read_after` says.
    :param missing: how many more items ``Total`` counts; 0 without a ``Total`` or where it counts no more.
    :param total_is_proven: whether an empty page behind the items had a ``Total`` of exactly their number. A ``Total``
        that counts the items of its own page would have been 0 there.
    :param doubles: how many items stood on one page twice, each of which may stand where another one belongs.
    """

    name: str
    items: list[Item]
    missing: int = 0
    total_is_proven: bool = False
    doubles: int = 0

    def require_complete(self) -> list[Item]:
        """Give the items of a complete list.

        :raises IncompleteListError: ``Total`` counts more items than the pages show.
        """
        if self.missing:
            raise IncompleteListError(
                f"{self.name}: the list is incomplete: its Total counts {len(self.items) + self.missing:,} items, its"
                f" pages show {len(self.items):,}. Nothing is concluded from it"
            )
        return self.items

    def require_each_once(self) -> list[Item]:
        """Give the items of a complete list that shows none of them twice on a page.

        :raises IncompleteListError: as for :meth:`require_complete`, or an item was there twice.
        """
        if self.doubles:
            raise IncompleteListError(
                f"{self.name}: the list shows {self.doubles:,} items twice on one page, where others may be missing."
                " Nothing is concluded from it"
            )
        return self.require_complete()


class Reading(Generic[Item]):
    """One reading of a list: page by page to its end, and back to the first page if the list may have changed.

    Page numbers count from the front of a list that goes on changing. An item that is added moves others to later
    pages, where they are read twice. An item that is removed moves others to earlier pages, which the forward reading
    has passed; the backward reading finds them. So an item is missed only if it moves to an earlier page during the
    forward reading and to a later one during the backward reading.

    The backward reading is left out if nothing seems to have moved: each page had the same total, and that many items
    were found. It is also left out if the platform gives tokens, which lead in one direction.

    :attr:`request` is the next request to send; each answer goes to :meth:`take`.

    :param first: requests the page at which to begin.
    :param until_empty: read until a page brings nothing new, whatever the total is; without it a short page ends a list
        that has as many items as its total.
    :param trusts_total: with ``until_empty``, a short page also ends a list that has exactly as many items as its
        total. Only for a list whose total was proven a moment before, see :class:`Listing`.
    :raises InvalidParameterError: the request has no page size, so a full page cannot be recognized.
    """

    def __init__(self, first: Action[Page[Item]], *, until_empty: bool = False, trusts_total: bool = False) -> None:
        asked: Any = first
        if asked.page_size is None:
            raise InvalidParameterError(
                field="page_size (PageSize)",
                problem="is missing",
                allowed="a whole number; every page is asked for with it",
            )
        self.name = first.name
        self._size: int = asked.page_size
        self._first: int = asked.current_page or 1
        self._number = self._first
        self._seen: set[tuple[str, ...]] = set()
        self._totals: set[int | None] = set()
        self._total_forward = self._last_total = 0
        self._doubles = 0
        self._names_next = False
        self._until_empty = until_empty
        self._trusts_total = trusts_total
        self._was_refused = False
        self._is_proven = False
        self._is_returning = False
        self._sparse = 0
        self._request: Action[Page[Item]] | None = replace(asked, current_page=self._first)
        self._fault: ProtocolError | None = None

    @property
    def request(self) -> Action[Page[Item]] | None:
        """The next request; None at the end.

        :raises ProtocolError: the list goes on, and the answer lacks what the next request needs.
        """
        if self._fault is not None:
            raise self._fault
        return self._request

    def take(self, page: Page[Item]) -> list[Item]:
        """Take the answer to the request, and set the next request.

        :returns: the items that were on no page before.
        :raises ProtocolError: the list does not end, and brings hardly anything new.
        """
        fresh = self._new_of(page)
        self._names_next = bool(page.next_token)
        self._last_total = self._last_total if page.total is None else page.total
        # The page that stands for a refused one has no total of the platform's own.
        self._is_proven |= not (page.items or self._was_refused) and page.total == self._reached > 0
        if not self._is_returning:
            self._total_forward = self._last_total if fresh else self._total_forward or self._last_total
            self._doubles += len(page.items) - len({identity_of(item) for item in page.items})
        self._sparse += len(fresh) * SPARSE < self._size
        if self._is_returning:
            self._ask(self._number - 1)
        elif not self._ends_with(page, fresh):
            if self._sparse > SPARSE_PAGES:
                raise self.endless(f"{SPARSE_PAGES} of its pages brought hardly anything new")
            self._ask(self._number + 1, page.next_token)
        elif self._is_settled():
            self._request = None
        else:
            self._is_returning = True
            self._ask(self._number - 1)
        return fresh

    @property
    def missing(self) -> int:
        """How many items the totals count beyond those that were found.

        An item that is added during the backward reading is not missing, and one that a page shows twice may be counted
        twice.
        """
        return max(0, min(self._total_forward, self._last_total) - self._reached - self._doubles)

    @property
    def doubles(self) -> int:
        """How many items of the forward reading stood on one page twice."""
        return self._doubles

    @property
    def total_is_proven(self) -> bool:
        """Whether an empty page had a total of all items that were found, and no page had another one."""
        return self._is_proven and self._totals == {self._reached}

    def page_behind(self) -> Page[Item] | None:
        """Give the empty page that a refused one stands for; :attr:`missing` shows whether the list ends before it.

        :returns: None where the refusal says nothing about the end: before any page was read, for a page that the last
            answer named by its token, and for one that page numbers do not reach.
        """
        self._was_refused = True
        if self._totals == {self._reached}:
            return Page(total=self._reached)
        is_behind = bool(self._totals) and not self._names_next and self._number * self._size <= DEEPEST
        return Page() if is_behind else None

    def endless(self, why: str) -> ProtocolError:
        """Build the error for a list that does not end."""
        total = max((total for total in self._totals if total is not None), default=None)
        counted = "has no total" if total is None else f"has a total of {total:,}"
        return ProtocolError(
            f"{self.name}: the list does not end: up to page {self._number} it has shown {len(self._seen):,} items and"
            f" {counted}; {why}. Nothing is concluded from it"
        )

    def _new_of(self, page: Page[Item]) -> list[Item]:
        self._totals.add(page.total)
        fresh = []
        for item in page.items:
            identity = identity_of(item)
            if identity not in self._seen:
                self._seen.add(identity)
                fresh.append(item)
        return fresh

    @property
    def _reached(self) -> int:
        return (self._first - 1) * self._size + len(self._seen)

    def _ends_with(self, page: Page[Item], fresh: list[Item]) -> bool:
        # The documents describe the total of another list here: it may ask for more pages, but never end the list.
        is_complete = len(page.items) < self._size and self._reached >= (page.total or 0)
        is_counted = self._trusts_total and page.total == self._reached
        return (is_complete and (is_counted or not self._until_empty)) or not fresh

    def _is_settled(self) -> bool:
        asked: Any = self._request
        return self._totals == {self._reached} or bool(getattr(asked, "next_token", None))

    def _ask(self, number: int, token: str = "") -> None:
        asked: Any = self._request
        self._number = number
        changes = {"next_token": token} if token else {}
        try:
            self._request = replace(asked, current_page=number, **changes) if number >= self._first else None
        except InvalidParameterError as error:
            if self._totals == {self._reached}:
                self._request = None
                return
            # Raised by the next request, so that the items of this page are returned first.
            self._fault = ProtocolError(
                f"{self.name}: the list was read up to {len(self._seen):,} items and not to its end: the answer"
                f" lacks what page {number} needs. {error.sentence}"
            )


def read_page(settings: Settings, reading: Reading[Item], request: Action[Page[Item]]) -> Flow[Page[Item]]:
    """Send the next request of a reading. A platform may refuse a page behind the last one instead of showing it empty.

    :raises InvalidRequestError: the platform refused the request, and not for that.
    """
    try:
        return (yield from call(settings, request))
    except InvalidRequestError:
        if (behind := reading.page_behind()) is None:
            raise
        return behind


def every_page(settings: Settings, first: Action[Page[Item]]) -> Flow[list[Item]]:
    """Read a list as far as its totals lead; nothing is decided by what it does not show.

    :param first: asks for the first page, with a page size.
    :raises ProtocolError: the list does not end, in items or in time.
    """
    return (yield from _read(settings, Reading(first))).items


def whole_list(
    settings: Settings,
    first: Action[Page[Item]],
    *,
    first_page: Page[Item] | None = None,
    trusts_total: bool = False,
) -> Flow[Listing[Item]]:
    """Read a list until a page brings nothing new.

    :param first: asks for the first page, with a page size.
    :param first_page: the answer to it, where it was asked for already.
    :param trusts_total: end at a short page too, where its total is exactly the number of items; see :class:`Reading`.
    :raises ProtocolError: the list does not end, in items or in time.
    """
    return _read(settings, Reading(first, until_empty=True, trusts_total=trusts_total), first_page)


def _counting(earlier: Any, later: Any) -> Any:
    return later if not isinstance(earlier, DeviceTask) else later.read_after(earlier)


def _read(settings: Settings, reading: Reading[Item], first_page: Page[Item] | None = None) -> Flow[Listing[Item]]:
    found: dict[tuple[str, ...], Item] = {}
    longest = max(LONGEST_READING, MOST_REQUESTS / settings.requests_per_second)
    began = (yield ReadContext()).steady
    while reading.request is not None:
        if len(found) >= LONGEST_LIST:
            raise reading.endless(f"more than {LONGEST_LIST:,} are not read")
        if ((yield ReadContext()).steady - began).total_seconds() > longest:
            raise reading.endless(f"it was read for {longest:.0f} s")
        page = first_page or (yield from read_page(settings, reading, reading.request))
        first_page = None
        for item in page.items:
            found[identity_of(item)] = _counting(found.get(identity_of(item)), item)
        reading.take(page)
    return Listing(reading.name, list(found.values()), reading.missing, reading.total_is_proven, reading.doubles)
