"""The journal: every change on disk, so that a restarted emulator continues where it was.

The world follows from its scenario, its seed, and the changes with their times. So only these are written, each before
its request is answered. A killed process loses nothing, and a write costs the same for any number of devices.
"""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

APPLICATION: Final = 0x7075A0
FORM: Final = 3
"""Version of the file; other versions are refused."""
TIDIED: Final = 1000
"""Number of nonces between two deletions of expired ones."""
_TABLES: Final = f"""
BEGIN;
PRAGMA application_id = {APPLICATION};
PRAGMA user_version = {FORM};
CREATE TABLE began (scenario TEXT NOT NULL, world REAL NOT NULL, gateway REAL NOT NULL);
CREATE TABLE reached (world REAL NOT NULL, starts INTEGER NOT NULL);
CREATE TABLE change (
    number INTEGER PRIMARY KEY, world REAL NOT NULL, gateway REAL NOT NULL,
    kind TEXT NOT NULL, arguments TEXT NOT NULL, content BLOB
);
CREATE TABLE nonce (number INTEGER PRIMARY KEY, nonce TEXT NOT NULL, gateway REAL NOT NULL);
COMMIT;
"""


@dataclass(frozen=True, slots=True)
class Change:
    """One change of the world.

    :param world: its device time.
    :param gateway: its gateway time.
    :param kind: call, object or control.
    :param arguments: all that repeating it needs.
    :param content: content of an uploaded object.
    """

    world: float
    gateway: float
    kind: str
    arguments: dict[str, Any]
    content: bytes | None = None


class Journal:
    """A file of changes.

    :param path: created if missing, readable by its owner only.
    :raises ValueError: the file is another program's, of another version, damaged, or in use by another emulator; it
        is not changed.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._used = 0
        try:
            is_new = not path.exists() or path.stat().st_size == 0
            if is_new:
                path.touch()
                path.chmod(0o600)
            self._file = sqlite3.connect(path, timeout=1.0, check_same_thread=False, isolation_level=None)
            # Of two emulators, each would write only some of the changes.
            self._file.execute("PRAGMA locking_mode = EXCLUSIVE")
            if is_new:
                self._file.executescript(_TABLES)
            self._require_ours(path)
            self._file.execute("PRAGMA journal_mode = WAL")
            # The operating system keeps a change that a killed process has written. Waiting for the disk would only
            # protect against power failures, and take a hundred times as long.
            self._file.execute("PRAGMA synchronous = NORMAL")
        except (sqlite3.Error, OSError) as error:
            why = error.strerror if isinstance(error, OSError) else error
            if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_BUSY:
                why = "another emulator is using it"
            raise ValueError(f"state {path} cannot be used: {why}. Choose another file") from None

    def _require_ours(self, path: Path) -> None:
        ((application,),) = self._file.execute("PRAGMA application_id").fetchall()
        ((form,),) = self._file.execute("PRAGMA user_version").fetchall()
        if application != APPLICATION:
            raise ValueError(f"state {path} is another program's database. Choose another file")
        if form != FORM:
            raise ValueError(f"state {path} is of version {form}, and this emulator reads version {FORM}")
        ((verdict, *_), *_) = self._file.execute("PRAGMA quick_check(1)").fetchall()
        if verdict != "ok":
            raise ValueError(f"state {path} is damaged. Choose another file")

    @property
    def scenario(self) -> Any | None:
        """The document that the world was made from; None in a new file."""
        row = self._file.execute("SELECT scenario FROM began").fetchone()
        return None if row is None else json.loads(row[0])

    @property
    def birth(self) -> tuple[float, float]:
        """Device time and gateway time at which the world began."""
        world, gateway = self._file.execute("SELECT world, gateway FROM began").fetchone()
        return world, gateway

    def begin(self, scenario: Any, world: float, gateway: float) -> None:
        """Delete everything and begin with a scenario."""
        with self._file:
            self._file.execute("BEGIN")
            for table in ("began", "reached", "change", "nonce"):
                self._file.execute(f"DELETE FROM {table}")  # noqa: S608 - our own names
            self._file.execute("INSERT INTO began VALUES (?, ?, ?)", (json.dumps(scenario), world, gateway))
            self._file.execute("INSERT INTO reached VALUES (?, 0)", (world,))

    def write(self, change: Change) -> None:
        """Write a change; it survives a kill of this process after this returns."""
        values = (change.world, change.gateway, change.kind, json.dumps(change.arguments), change.content)
        with self._file:
            self._file.execute("BEGIN")
            self._file.execute(
                "INSERT INTO change (world, gateway, kind, arguments, content) VALUES (?, ?, ?, ?, ?)", values
            )
            self._file.execute("UPDATE reached SET world = ?", (change.world,))

    def changes(self) -> Iterator[Change]:
        """Give every change, in order."""
        rows = self._file.execute("SELECT world, gateway, kind, arguments, content FROM change ORDER BY number")
        for world, gateway, kind, arguments, content in rows:
            yield Change(world, gateway, kind, json.loads(arguments), content)

    def note(self, world: float) -> None:
        """Write the present device time."""
        self._file.execute("UPDATE reached SET world = ?", (world,))

    def use(self, nonce: str, gateway: float, oldest: float) -> None:
        """Write a used nonce.

        :param oldest: nonces used before this time may be deleted.
        """
        self._file.execute("INSERT INTO nonce (nonce, gateway) VALUES (?, ?)", (nonce, gateway))
        self._used += 1
        if self._used % TIDIED == 0:
            self._file.execute("DELETE FROM nonce WHERE gateway < ?", (oldest,))

    def nonces(self) -> Iterator[tuple[str, float]]:
        """Give every used nonce with its time, the oldest first."""
        yield from self._file.execute("SELECT nonce, gateway FROM nonce ORDER BY number")

    def start_again(self) -> tuple[float, int]:
        """Count a start.

        :returns: the last device time, and the number of this start.
        """
        self._file.execute("UPDATE reached SET starts = starts + 1")
        world, starts = self._file.execute("SELECT world, starts FROM reached").fetchone()
        return world, starts

    def close(self, world: float) -> None:
        """Write the present device time, and close the file."""
        self._file.execute("UPDATE reached SET world = ?", (world,))
        self._file.close()
