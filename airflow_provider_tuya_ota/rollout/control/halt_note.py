"""The halt note: a part of the control note with a key of its own, which hold and resume never overwrite."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from airflow_provider_tuya_ota.core.short_repr import short_repr
from airflow_provider_tuya_ota.rollout.control.stored_values import (
    VERSION,
    read_reason,
    require_release,
    write_reason,
)
from airflow_provider_tuya_ota.rollout.control.unreadable import ControlNoteUnreadableError

if TYPE_CHECKING:
    from airflow_provider_tuya_ota.rollout.control.change import Reason
    from airflow_provider_tuya_ota.rollout.control.release_id import ReleaseId

HALT: Final = "halt"


def write_halt_note(reason: Reason, release: ReleaseId) -> dict[str, Any]:
    """Give what is stored where somebody halts a release."""
    return {"version": VERSION, "release": release.to_dict(), "state": HALT, "reason": write_reason(reason)}


def read_halt_note(value: Any, release: ReleaseId) -> Reason | None:
    """Read who halted the release, why and when; None where the note halts without saying that readably.

    Every version of its form says ``halt`` and names the release, and that is enough for a halt: a note of a newer
    version halts as well.

    :raises ControlNoteUnreadableError: it does not say halt, or names another release.
    """
    if not isinstance(value, dict) or value.get("state") != HALT:
        raise ControlNoteUnreadableError(f"of a halt cannot be read: {short_repr(value)} does not say halt")
    require_release(value.get("release"), release)
    try:
        return read_reason("reason", value.get("reason"))
    except ControlNoteUnreadableError:
        return None
