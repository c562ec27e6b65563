"""An emulator that writes down what happens, and goes on from what is written."""

from __future__ import annotations

import sqlite3
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

from airflow_provider_tuya_ota.emulator import control, scenario
from airflow_provider_tuya_ota.emulator.gateway import NONCE_LIFE
from airflow_provider_tuya_ota.emulator.journal import Change
from airflow_provider_tuya_ota.emulator.messages import BusinessError
from airflow_provider_tuya_ota.emulator.operations import HANDLERS
from airflow_provider_tuya_ota.emulator.storage import StoredObject

if TYPE_CHECKING:
    from airflow_provider_tuya_ota.emulator.emulator import Emulator
    from airflow_provider_tuya_ota.emulator.journal import Journal

_VERBS: Final = ("Create", "Modify", "Delete", "Update", "Generate", "Cancel", "Confirm")
CHANGING: Final = frozenset(name for name in HANDLERS if name.startswith(_VERBS))
"""Operations that change the world; asking for an upload draws the name of an object."""


class Recorder:
    """Writes changes of one emulator.

    :param emulator: whose changes.
    :param journal: where to.
    """

    def __init__(self, emulator: Emulator, journal: Journal) -> None:
        self._emulator = emulator
        self._journal = journal

    def called(self, action: str, values: dict[str, Any], origin: str) -> None:
        """Write an operation that was carried out."""
        if action in CHANGING:
            self._write("call", {"action": action, "values": values, "origin": origin})

    def admitted(self, nonce: str) -> None:
        """Write a nonce that was used."""
        now = self._emulator.clock.gateway()
        self._journal.use(nonce, now, now - NONCE_LIFE)

    def stored(self, key: str) -> None:
        """Write an uploaded object."""
        stored = self._emulator.world.storage.objects[key]
        told = {name: value for name, value in asdict(stored).items() if name != "content"}
        self._write("object", told, stored.content)

    def controlled(self, name: str, values: Any, rest: list[str]) -> None:
        """Write a command that changed the world."""
        self._write("control", {"name": name, "values": values, "rest": rest})

    def began(self, document: Any) -> None:
        """Write that the world began again."""
        clock = self._emulator.clock
        self._journal.begin(document, self._emulator.world.birth, clock.gateway())

    def began_again(self) -> None:
        """Write that the world began again with the same scenario."""
        self.began(self._journal.scenario)

    def passed(self) -> None:
        """Note how late it is."""
        self._journal.note(self._emulator.world.engine.now)

    def close(self) -> None:
        """Write how late it is, and close the file."""
        self._journal.close(self._emulator.clock.world())

    def _write(self, kind: str, told: dict[str, Any], content: bytes | None = None) -> None:
        world = self._emulator.world.engine.now
        self._journal.write(Change(world, self._emulator.clock.gateway(), kind, told, content))


def restore(emulator: Emulator, journal: Journal, document: Any) -> Recorder:
    """Let everything that is written happen once more, and go on from there.

    While no emulator ran, no time passed in the world.

    :param document: scenario of an emulator that begins; one that goes on has its own.
    :raises ValueError: the file was begun with another scenario, or holds what cannot happen.
    """
    recorder = Recorder(emulator, journal)
    begun = journal.scenario
    if begun is None:
        recorder.began(document or {})
        return recorder
    if document is not None and document != begun:
        raise ValueError("the state was begun with another scenario; leave --scenario out, or choose another --state")
    try:
        _live_again(emulator, journal, begun)
    except (BusinessError, LookupError, TypeError, AttributeError, ValueError, sqlite3.Error) as error:
        told = f"{type(error).__name__}: {error}"
        raise ValueError(f"state {journal.path} cannot be gone on from ({told}). Choose another file") from None
    return recorder


def _live_again(emulator: Emulator, journal: Journal, begun: Any) -> None:
    world, gateway = journal.birth
    with emulator.clock.pinned(world, gateway):
        emulator.reset(scenario.read(begun))
    for change in journal.changes():
        with emulator.clock.pinned(change.world, change.gateway):
            emulator.world.engine.run()
            _again(emulator, change)
    reached, starts = journal.start_again()
    with emulator.clock.pinned(reached):
        emulator.world.engine.run()
    emulator.clock.advance(reached - emulator.clock.world())
    emulator.world.number_requests_from(starts)
    emulator.gateway.remember(journal.nonces())


def _again(emulator: Emulator, change: Change) -> None:
    told = change.told
    match change.kind:
        case "call":
            HANDLERS[told["action"]](emulator.world, told["values"], told["origin"])
        case "object":
            emulator.world.storage.objects[told["key"]] = StoredObject(**told, content=change.content)
        case _:
            control.carry_out(emulator, told["name"], told["values"], told["rest"])
