"""The recorder writes each change of an account to its journal."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

from airflow_provider_tuya_ota.emulator.gateway.check import NONCE_LIFE
from airflow_provider_tuya_ota.emulator.journal import Change
from airflow_provider_tuya_ota.emulator.operations import HANDLERS

if TYPE_CHECKING:
    from airflow_provider_tuya_ota.emulator.clock import Clock
    from airflow_provider_tuya_ota.emulator.journal import Journal
    from airflow_provider_tuya_ota.emulator.simulation.world import World

_VERBS: Final = ("Create", "Modify", "Delete", "Update", "Generate", "Cancel", "Confirm")
CHANGING: Final = frozenset(name for name in HANDLERS if name.startswith(_VERBS))
"""Operations that change the world; GenerateOTAUploadURL is one, because it draws the name of an object."""


class Recorder:
    """Writes the changes of one account.

    :param journal: the file that it writes to.
    :param clock: the account's clocks, which date each change.
    """

    def __init__(self, journal: Journal, clock: Clock) -> None:
        self._journal = journal
        self._clock = clock

    def called(self, world: World, action: str, values: dict[str, Any], origin: str) -> None:
        """Write an operation that was carried out."""
        if action in CHANGING:
            self._write(world, "call", {"action": action, "values": values, "origin": origin})

    def admitted(self, nonce: str) -> None:
        """Write a nonce that was used."""
        now = self._clock.gateway()
        self._journal.use(nonce, now, now - NONCE_LIFE)

    def stored(self, world: World, key: str) -> None:
        """Write an uploaded object."""
        stored = world.storage.objects[key]
        arguments = {name: value for name, value in asdict(stored).items() if name != "content"}
        self._write(world, "object", arguments, stored.content)

    def controlled(self, world: World, name: str, values: Any, rest: list[str]) -> None:
        """Write a command that changed the world."""
        self._write(world, "control", {"name": name, "values": values, "rest": rest})

    def began(self, world: World, document: Any) -> None:
        """Write that the account began with a scenario."""
        self._journal.begin(document, world.birth, self._clock.gateway())

    def began_again(self, world: World) -> None:
        """Write that the account began again with the same scenario."""
        self.began(world, self._journal.scenario)

    def passed(self, world: World) -> None:
        """Write the world's present time."""
        self._journal.note(world.engine.now)

    def close(self) -> None:
        """Write the world's present time, and close the file."""
        self._journal.close(self._clock.world())

    def _write(self, world: World, kind: str, arguments: dict[str, Any], content: bytes | None = None) -> None:
        self._journal.write(Change(world.engine.now, self._clock.gateway(), kind, arguments, content))
