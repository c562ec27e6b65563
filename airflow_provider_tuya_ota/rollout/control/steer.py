"""Change the notes of a release, for the command line, for operators and for the release itself.

Airflow's store has no compare-and-set: of two writers at the same time, the last one wins. So each change is read
again after a pause. A hold and an exclusion that were overwritten are made again. A resume and an advance are not: the
other change may be the reason against them. A halt has a key of its own, which no other change writes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol

from airflow_provider_tuya_ota.core.errors import TuyaOTAError
from airflow_provider_tuya_ota.rollout.control.change import ChangeVerb
from airflow_provider_tuya_ota.rollout.control.halt_note import read_halt_note, write_halt_note
from airflow_provider_tuya_ota.rollout.control.refused import ControlRefusedError
from airflow_provider_tuya_ota.rollout.control.release_control import (
    ControlState,
    ReleaseControl,
    merge_stored,
)
from airflow_provider_tuya_ota.rollout.control.run_note import RunNote, RunState
from airflow_provider_tuya_ota.rollout.control.stored_run_note import read_run_note, write_run_note
from airflow_provider_tuya_ota.rollout.control.unreadable import ControlNoteUnreadableError

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from airflow_provider_tuya_ota.rollout.control.change import Reason
    from airflow_provider_tuya_ota.rollout.control.release_id import ReleaseId

SETTLED: Final = 1.0
"""Seconds after which a change is read again; a writer takes some milliseconds between its read and its write."""
ROUNDS: Final = 3
"""How often a change is made that others overwrite."""
_REPEATED: Final = {ChangeVerb.HOLD, ChangeVerb.EXCLUDE}


class NoteStore(Protocol):
    """Airflow's state store of the asset ``ota-control``."""

    def read(self, key: str) -> Any:
        """Give a stored value; None where there is none.

        :raises TuyaOTAError: the store did not answer.
        """

    def write(self, key: str, value: Any) -> None:
        """Store a value.

        :raises TuyaOTAError: the store did not take it.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Steering:
    """A change that somebody asks for.

    :param verb: hold, resume, advance or exclude.
    :param reason: who asks, why and when.
    :param wave: with advance: number of the wave.
    :param devices: with exclude: the devices.
    :param since: with advance: the same request since this time is this one, made by an earlier try; None where each
        request is a new one.
    """

    verb: ChangeVerb
    reason: Reason
    wave: int = 0
    devices: tuple[str, ...] = ()
    since: datetime | None = None

    def is_made(self, note: RunNote) -> bool:
        """Whether the note shows this change already: the release runs, or the request to advance is there."""
        if self.verb is ChangeVerb.RESUME:
            return note.state is RunState.RUN
        if self.since is None or self.verb is not ChangeVerb.ADVANCE:
            return False
        return any(
            change.verb is self.verb
            and change.wave == self.wave
            and (change.reason.who, change.reason.why) == (self.reason.who, self.reason.why)
            and change.reason.at >= self.since
            for change in note.changes
        )

    def apply(self, note: RunNote) -> RunNote:
        """Give the changed note.

        :raises InvalidParameterError: wave or devices are wrong, or it is a wave of a held release.
        """
        if self.verb is ChangeVerb.ADVANCE:
            return note.advance_wave(self.wave, self.reason)
        if self.verb is ChangeVerb.EXCLUDE:
            return note.exclude(self.devices, self.reason)
        return note.hold(self.reason) if self.verb is ChangeVerb.HOLD else note.resume(self.reason)


@dataclass(frozen=True, slots=True, kw_only=True)
class Steered:
    """What a change has led to.

    :param control: what holds for the release now.
    :param is_changed: False where it was so already, and nothing was written.
    """

    control: ReleaseControl
    is_changed: bool


def read_control(store: NoteStore, release: ReleaseId) -> ReleaseControl:
    """Read what people ask of a release now: the halt last, so that it is not older than the rest.

    A halt that can be read decides, even where the store did not give the other note.

    :raises TuyaOTAError: the store did not answer.
    """
    try:
        run_value = store.read(release.note_key)
    except TuyaOTAError:
        control = merge_stored(release, None, store.read(release.halt_key))
        if control.state is not ControlState.HALT:
            raise
        return control
    return merge_stored(release, run_value, store.read(release.halt_key))


def begin_release(store: NoteStore, release: ReleaseId, reason: Reason) -> ReleaseControl:
    """Store the first note of a release, which runs; a note that is there stays, also an unreadable one.

    :returns: what holds for the release now.
    :raises TuyaOTAError: the store did not answer.
    """
    if store.read(release.note_key) is None:
        store.write(release.note_key, write_run_note(RunNote.begin(reason), release))
    return read_control(store, release)


def halt_release(store: NoteStore, release: ReleaseId, reason: Reason) -> Steered:
    """Halt a release for good; the first halt stays, with who and why.

    It needs no run note: a release that has not begun begins halted.

    :raises ControlRefusedError: the store took the halt and gives something else.
    :raises TuyaOTAError: the store did not answer.
    """
    if _is_halted(store, release):
        return Steered(control=read_control(store, release), is_changed=False)
    store.write(release.halt_key, write_halt_note(reason, release))
    if not _is_halted(store, release):
        raise ControlRefusedError("The halt is not stored: Airflow took it, and does not give it back. Halt again.")
    return Steered(control=read_control(store, release), is_changed=True)


def steer_release(
    store: NoteStore, release: ReleaseId, steering: Steering, *, pause: Callable[[float], None], new_note: bool = False
) -> Steered:
    """Hold or resume a release, advance a wave or exclude devices.

    :param pause: sleeps for some seconds.
    :param new_note: with hold: replace a note that is missing or unreadable by one that holds. Its excluded devices and
        its changes are lost.
    :raises InvalidParameterError: wave or devices are wrong, or it is a wave of a held release.
    :raises ControlRefusedError: the release is halted, its note cannot be read, or others changed it at the same time.
    :raises TuyaOTAError: the store did not answer.
    """
    for _ in range(ROUNDS):
        value = store.read(release.note_key)
        control = merge_stored(release, value, store.read(release.halt_key))
        changed = _changed(control, value, release, steering, new_note=new_note)
        if changed is None:
            return Steered(control=control, is_changed=False)
        store.write(release.note_key, write_run_note(changed, release))
        pause(SETTLED)
        control = read_control(store, release)
        if changed.changes[-1] in control.changes:
            return Steered(control=control, is_changed=True)
        if steering.verb not in _REPEATED:
            break
    raise ControlRefusedError(
        f"The {steering.verb} is lost: somebody else changed the note at the same time. Now: {control.state}"
        f" ({control.who or 'nobody'}: {control.why}). Check the status, and repeat it where it is still right."
    )


def _changed(
    control: ReleaseControl, value: Any, release: ReleaseId, steering: Steering, *, new_note: bool
) -> RunNote | None:
    """Give the note to store; None where the change is made already."""
    if control.state is ControlState.HALT:
        raise ControlRefusedError(
            f"The release was halted by {control.who} ({control.why}) and takes no {steering.verb}. A halt is for good:"
            " begin a new release."
        )
    try:
        note = read_run_note(value, release)
    except ControlNoteUnreadableError:
        if not (new_note and steering.verb is ChangeVerb.HOLD):
            raise ControlRefusedError(
                f"The {steering.verb} is not stored: {control.why}. The release holds meanwhile. A hold with a new note"
                " replaces it; devices that were excluded have to be excluded again."
            ) from None
        return RunNote.begin_held(steering.reason)
    if control.problem and steering.verb is ChangeVerb.RESUME:
        raise ControlRefusedError(
            f"The release is not resumed: {control.why}. Halt it again, or delete the key {release.halt_key} where"
            " nobody halted it."
        )
    return None if steering.is_made(note) else steering.apply(note)


def _is_halted(store: NoteStore, release: ReleaseId) -> bool:
    value = store.read(release.halt_key)
    try:
        if value is not None:
            read_halt_note(value, release)
            return True
    except ControlNoteUnreadableError:
        pass  # so that a halt replaces it
    return False
