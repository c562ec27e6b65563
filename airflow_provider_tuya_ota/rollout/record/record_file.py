"""Read the file of a record, which anybody may have written: strictly, within bounds, and nothing of a part."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, Final, NoReturn, TypeVar

from airflow_provider_tuya_ota.core.short_repr import short_repr
from airflow_provider_tuya_ota.rollout.record.canonical import canonical_bytes, digest_of_bytes
from airflow_provider_tuya_ota.rollout.record.entry import Entry
from airflow_provider_tuya_ota.rollout.record.signature import Seal
from airflow_provider_tuya_ota.rollout.record.unreadable import RecordUnreadableError

Kind = TypeVar("Kind")
MOST_BYTES: Final = 64 * 2**20
"""A release of a million devices needs two thirds of it."""
MOST_ENTRIES: Final = 100_000
MOST_VALUES: Final = 10_000_000
"""Commas, which stand for values: a device takes two to six. Each value takes up to 70 bytes of memory and some
microseconds, so a file of brackets would take gigabytes and minutes."""
MOST_GROUPS: Final = 2_500_000
"""Lists and objects, which take twice the memory of another value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordFile:
    """What a file says; whether it is true is another question.

    :param entries: the entries in their order.
    :param digests: digest of the line of each entry.
    :param not_canonical: places of entries whose line is not in the form of RFC 8785.
    :param seal: the last line; None where the record is still open, or was cut.
    :param is_seal_canonical: whether the line of the seal is in the form of RFC 8785.
    """

    entries: tuple[Entry, ...] = field(repr=False)
    digests: tuple[str, ...] = field(repr=False)
    not_canonical: tuple[int, ...]
    seal: Seal | None
    is_seal_canonical: bool

    def of(self, kind: type[Kind]) -> list[tuple[int, Kind]]:
        """Give the places and contents of the entries of one kind."""
        return [(place, entry.content) for place, entry in enumerate(self.entries) if isinstance(entry.content, kind)]

    def first(self, kind: type[Kind]) -> Kind | None:
        """Give the content of the first entry of a kind; None where there is none."""
        return next((content for _, content in self.of(kind)), None)


def read_record(data: bytes) -> RecordFile:
    """Read a record.

    :raises RecordUnreadableError: it is too long, empty or cut, is not UTF-8 or no JSON, has a name twice in one object
        or a value of another type, or an entry has a kind or version that this version does not know.
    """
    _require_bounds(data)
    entries: list[Entry] = []
    digests: list[str] = []
    not_canonical: list[int] = []
    seal, is_seal_canonical = None, False
    for number, line in enumerate(data[:-1].split(b"\n"), start=1):
        if seal:
            raise RecordUnreadableError("it follows the seal, which is the last line", line=number)
        try:
            found, is_canonical = _read_line(line)
        except RecordUnreadableError as error:
            raise RecordUnreadableError(error.problem, line=number) from None
        except ValueError as error:
            raise RecordUnreadableError(f"{error}", line=number) from None
        if isinstance(found, Seal):
            seal, is_seal_canonical = found, is_canonical
            continue
        if not is_canonical:
            not_canonical.append(len(entries))
        entries.append(found)
        digests.append(digest_of_bytes(line))
    if not entries:
        raise RecordUnreadableError("it has no entry")
    return RecordFile(
        entries=tuple(entries),
        digests=tuple(digests),
        not_canonical=tuple(not_canonical),
        seal=seal,
        is_seal_canonical=is_seal_canonical,
    )


def _require_bounds(data: bytes) -> None:
    if len(data) > MOST_BYTES:
        raise RecordUnreadableError(f"it has more than {MOST_BYTES // 2**20} MiB")
    if not data.endswith(b"\n"):
        raise RecordUnreadableError("it is empty, or ends in the middle of a line")
    if data.count(b"\n") > MOST_ENTRIES:
        raise RecordUnreadableError(f"it has more than {MOST_ENTRIES:,} lines")
    if data.count(b",") > MOST_VALUES:
        raise RecordUnreadableError(f"it has more than {MOST_VALUES:,} values")
    if data.count(b"[") + data.count(b"{") > MOST_GROUPS:
        raise RecordUnreadableError(f"it has more than {MOST_GROUPS:,} lists and objects")


def _read_line(line: bytes) -> tuple[Entry | Seal, bool]:
    values = _values(line)
    is_canonical = canonical_bytes(values) == line
    if isinstance(values, dict) and values.get("kind") == "seal":
        return Seal.from_values(values), is_canonical
    return Entry.from_values(values), is_canonical


def _values(line: bytes) -> Any:
    try:
        return json.loads(line.decode("utf-8"), object_pairs_hook=_object, parse_constant=_constant)
    except UnicodeDecodeError:
        raise ValueError("it is not UTF-8") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"it is no JSON ({error.msg} at character {error.pos})") from None
    except RecursionError:
        raise ValueError("its values are nested too deeply") from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        seen: set[str] = set()
        for twice, _ in pairs:
            if twice in seen:
                raise ValueError(f"the name {short_repr(twice)} is twice in one object")
            seen.add(twice)
    return found


def _constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number in JSON")
