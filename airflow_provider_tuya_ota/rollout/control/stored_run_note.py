"""The stored form of a run note, which is read strictly: what is not exactly a note holds the release."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from airflow_provider_tuya_ota.core.errors import InvalidParameterError
from airflow_provider_tuya_ota.core.short_repr import short_repr
from airflow_provider_tuya_ota.rollout.control.change import AdvanceRequest, Change, ChangeVerb
from airflow_provider_tuya_ota.rollout.control.run_note import (
    MOST_CHANGES,
    MOST_DEVICES,
    MOST_WAVES,
    RunNote,
    RunState,
    is_device_name,
)
from airflow_provider_tuya_ota.rollout.control.stored_values import (
    VERSION,
    read_choice,
    read_number,
    read_object,
    read_reason,
    require_release,
    require_version,
    write_reason,
)
from airflow_provider_tuya_ota.rollout.control.unreadable import ControlNoteUnreadableError

if TYPE_CHECKING:
    from airflow_provider_tuya_ota.rollout.control.release_id import ReleaseId

MOST_BYTES: Final = 60_000
"""Bytes of a note as Airflow writes it; its API refuses more than 65,535."""
_NAMES: Final = {"version", "release", "state", "reason", "seq", "excluded", "excluded_number", "advance", "changes"}


def write_run_note(note: RunNote, release: ReleaseId) -> dict[str, Any]:
    """Give what is stored: plain JSON values of at most 60,000 bytes.

    Where the note is larger, the oldest changes are left out first.

    :raises InvalidParameterError: the excluded devices alone are too large.
    """
    changes = [_write_change(change) for change in note.changes]
    while True:
        values = {
            "version": VERSION,
            "release": release.to_dict(),
            "state": note.state.value,
            "reason": write_reason(note.reason),
            "seq": note.seq,
            "excluded": note.excluded_by,
            # A device that an edit by hand loses must not be flashed for it.
            "excluded_number": len(note.excluded_by),
            "advance": _write_advance(note.advance),
            "changes": changes,
        }
        if len(json.dumps(values)) <= MOST_BYTES:
            return values
        if len(changes) == 1:
            problem = f"{len(note.excluded_by)} excluded devices do not fit into the control note"
            allowed = f"names that are {MOST_BYTES} bytes together; a new plan excludes more"
            raise InvalidParameterError(field="devices", problem=problem, allowed=allowed)
        changes = changes[1:]


def read_run_note(value: Any, release: ReleaseId) -> RunNote:
    """Read what is stored.

    :raises ControlNoteUnreadableError: it is no note, of another version or of another release.
    """
    if isinstance(value, dict):
        require_version(value)
    values = read_object("note", value, _NAMES)
    require_release(values["release"], release)
    seq = read_number("seq", values["seq"])
    excluded_by = _read_excluded(values["excluded"], values["excluded_number"], seq)
    state = read_choice("state", values["state"], RunState)
    advance = _read_advance(values["advance"], seq)
    if advance is not None and state is RunState.HOLD:
        raise ControlNoteUnreadableError("cannot be read: it holds, and asks to advance")
    return RunNote(
        state=state,
        reason=read_reason("reason", values["reason"]),
        seq=seq,
        excluded_by=excluded_by,
        advance=advance,
        changes=_read_changes(values["changes"], seq, excluded_by),
    )


def _write_change(change: Change) -> dict[str, Any]:
    return {
        "seq": change.seq,
        "verb": change.verb.value,
        "reason": write_reason(change.reason),
        "wave": change.wave or None,
    }


def _write_advance(advance: AdvanceRequest | None) -> dict[str, Any] | None:
    if advance is None:
        return None
    return {"seq": advance.seq, "wave": advance.wave, "reason": write_reason(advance.reason)}


def _read_excluded(value: Any, number: Any, seq: int) -> dict[str, int]:
    if not isinstance(value, dict) or len(value) > MOST_DEVICES:
        raise ControlNoteUnreadableError(
            f"cannot be read: excluded: {short_repr(value)} is no object of up to {MOST_DEVICES}"
        )
    if wrong := [name for name in value if not is_device_name(name)]:
        raise ControlNoteUnreadableError(f"cannot be read: excluded: {short_repr(wrong[0])} is no name of a device")
    if type(number) is not int or number != len(value):
        raise ControlNoteUnreadableError(
            f"cannot be read: excluded_number: {short_repr(number)}, and {len(value)} devices are excluded"
        )
    return {name: read_number("excluded", by, seq) for name, by in value.items()}


def _read_advance(value: Any, seq: int) -> AdvanceRequest | None:
    if value is None:
        return None
    values = read_object("advance", value, {"seq", "wave", "reason"})
    return AdvanceRequest(
        seq=read_number("advance.seq", values["seq"], seq),
        wave=read_number("advance.wave", values["wave"], MOST_WAVES),
        reason=read_reason("advance.reason", values["reason"]),
    )


def _read_changes(value: Any, seq: int, excluded_by: dict[str, int]) -> tuple[Change, ...]:
    if not isinstance(value, list) or not 1 <= len(value) <= MOST_CHANGES:
        raise ControlNoteUnreadableError(
            f"cannot be read: changes: {short_repr(value)} is no list of 1 to {MOST_CHANGES}"
        )
    changes = tuple(_read_change(one, seq, excluded_by) for one in value)
    numbers = [change.seq for change in changes]
    if numbers != list(range(seq - len(numbers) + 1, seq + 1)):
        raise ControlNoteUnreadableError(f"cannot be read: changes: their numbers do not lead to {seq}")
    return changes


def _read_change(value: Any, seq: int, excluded_by: dict[str, int]) -> Change:
    values = read_object("changes", value, {"seq", "verb", "reason", "wave"})
    number = read_number("changes.seq", values["seq"], seq)
    verb = read_choice("changes.verb", values["verb"], ChangeVerb)
    if (values["wave"] is None) is (verb is ChangeVerb.ADVANCE):
        problem = f"changes.wave: {short_repr(values['wave'])}, and the verb is {verb}"
        raise ControlNoteUnreadableError(f"cannot be read: {problem}")
    return Change(
        seq=number,
        verb=verb,
        reason=read_reason("changes.reason", values["reason"]),
        wave=0 if values["wave"] is None else read_number("changes.wave", values["wave"], MOST_WAVES),
        devices=tuple(sorted(name for name, by in excluded_by.items() if by == number)),
    )
