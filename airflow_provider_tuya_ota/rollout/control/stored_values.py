"""Read stored values strictly: anybody with the rights may have put anything into Airflow's state store."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, TypeVar

from airflow_provider_tuya_ota.core.errors import InvalidParameterError
from airflow_provider_tuya_ota.core.short_repr import short_repr
from airflow_provider_tuya_ota.rollout.control.change import Reason
from airflow_provider_tuya_ota.rollout.control.unreadable import ControlNoteUnreadableError

if TYPE_CHECKING:
    from enum import StrEnum

    from airflow_provider_tuya_ota.rollout.control.release_id import ReleaseId

    Choice = TypeVar("Choice", bound=StrEnum)

VERSION: Final = 1
"""Version of the form of both notes."""
LARGEST: Final = 2**53 - 1
"""The largest whole number that every reader of JSON keeps."""
_LONGEST_TIME: Final = 40


def read_object(field: str, value: Any, names: set[str]) -> dict[str, Any]:
    """Give an object with exactly these names.

    :raises ControlNoteUnreadableError: it is another value, or has other names.
    """
    if not isinstance(value, dict):
        raise ControlNoteUnreadableError(f"cannot be read: {field}: {short_repr(value)} is no object")
    if value.keys() != names:
        wrong = (short_repr(name) for name in (*sorted(names), *value) if (name in value) != (name in names))
        found = ", ".join(islice(wrong, 5))
        raise ControlNoteUnreadableError(f"cannot be read: {field}: missing or not known: {found}")
    return value


def require_version(value: dict[str, Any]) -> None:
    """Refuse a note of another version of its form.

    :raises ControlNoteUnreadableError: it has another version, or none.
    """
    found = value.get("version")
    if type(found) is not int or found != VERSION:
        raise ControlNoteUnreadableError(f"has version {short_repr(found)}, and only {VERSION} is known here")


def require_release(value: Any, release: ReleaseId) -> None:
    """Refuse a note that names another release.

    :raises ControlNoteUnreadableError: it does.
    """
    if value != release.to_dict():
        raise ControlNoteUnreadableError(f"names another release: {short_repr(value)}")


def read_number(field: str, value: Any, most: int = LARGEST) -> int:
    """Read a whole number from 1 on.

    :raises ControlNoteUnreadableError: it is none, or beyond the limits.
    """
    if type(value) is not int or not 1 <= value <= most:
        raise ControlNoteUnreadableError(
            f"cannot be read: {field}: {short_repr(value)} is no whole number from 1 to {most}"
        )
    return value


def read_choice(field: str, value: Any, kind: type[Choice]) -> Choice:
    """Read one of several texts.

    :raises ControlNoteUnreadableError: it is none of them.
    """
    try:
        return kind(value)
    except ValueError:
        raise ControlNoteUnreadableError(
            f"cannot be read: {field}: {short_repr(value)} is none of {', '.join(kind)}"
        ) from None


def read_reason(field: str, value: Any) -> Reason:
    """Read who asked, why and when.

    What cannot be shown is replaced, and what is too long is cut: that changes nothing that is done.

    :raises ControlNoteUnreadableError: one of them is missing.
    """
    values = read_object(field, value, {"who", "why", "at"})
    try:
        return Reason(who=values["who"], why=values["why"], at=read_time(f"{field}.at", values["at"]))
    except InvalidParameterError as error:
        raise ControlNoteUnreadableError(f"cannot be read: {field}.{error.field}: {error.problem}") from None


def read_time(field: str, value: Any) -> datetime:
    """Read a time with its offset.

    :raises ControlNoteUnreadableError: it is none.
    """
    try:
        if isinstance(value, str) and len(value) <= _LONGEST_TIME:
            time = datetime.fromisoformat(value)
            if time.tzinfo is not None:
                return time.astimezone(UTC)
    except (ValueError, OverflowError):
        pass  # as for any other text that is no time
    raise ControlNoteUnreadableError(f"cannot be read: {field}: {short_repr(value)} is no time with an offset")


def write_reason(reason: Reason) -> dict[str, str]:
    """Give what is stored for who asked, why and when."""
    return {"who": reason.who, "why": reason.why, "at": reason.at.isoformat()}
