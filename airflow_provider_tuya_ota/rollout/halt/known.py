"""What is known of a device's task while a halt settles: one letter, which keeps the first end."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final

from airflow_provider_tuya_ota.core.model.states import WAITING, TaskStatus

if TYPE_CHECKING:
    from collections.abc import Iterable


class Known(StrEnum):
    """What is known of a device's task. In a stored state, a capital letter marks a contradiction."""

    NOTHING = "."
    """No list has shown a task of the device, and the job may still begin one."""
    WAITING = "w"
    """It could be cancelled, and was not when it was listed."""
    FLASHING = "f"
    """The device has reported progress. The platform cancels no such task."""
    SUCCEEDED = "s"
    FAILED = "x"
    CANCELLED = "c"
    NEVER = "n"
    """The job has ended and never began a task for the device."""


LETTERS: Final = frozenset(Known) | {known.upper() for known in Known}
ENDED: Final = frozenset({Known.SUCCEEDED, Known.FAILED, Known.CANCELLED, Known.NEVER})
UNFINISHED: Final = frozenset(Known) - ENDED
STATUSES: Final = {
    Known.SUCCEEDED: TaskStatus.SUCCEEDED,
    Known.FAILED: TaskStatus.FAILED,
    Known.CANCELLED: TaskStatus.CANCELED,
}
_ENDS: Final = {status: known for known, status in STATUSES.items()}
_ORDER: Final = (Known.NOTHING, Known.WAITING, Known.FLASHING)
_WORST: Final = (Known.WAITING, Known.FLASHING, Known.FAILED, Known.CANCELLED, Known.SUCCEEDED)


def known_of(status: TaskStatus) -> Known:
    """Read a status; an undocumented one is watched as that of a device that may be flashing."""
    return Known.WAITING if status in WAITING else _ENDS.get(status, Known.FLASHING)


def worst_of(found: Iterable[Known]) -> Known:
    """Give what counts where a job shows several tasks of one device: no success may hide another task."""
    return min(found, key=_WORST.index)


def after(letter: str, seen: Known) -> str:
    """Give the letter of a device after another list.

    The first end stays. Another end, a status that goes back, and the cancel of a device that had reported progress are
    contradictions: the platform documents none of them.

    :param letter: what was known; a capital where a contradiction was seen before.
    :param seen: what the list shows.
    """
    before = Known(letter.lower())
    if before in ENDED:
        known, is_contradiction = before, seen is not before
    elif seen in ENDED:
        known, is_contradiction = seen, before is Known.FLASHING and seen is Known.CANCELLED
    else:
        known = max(before, seen, key=_ORDER.index)
        is_contradiction = known is not seen
    return known.upper() if is_contradiction or letter.isupper() else known.value
