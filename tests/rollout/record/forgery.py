"""Records that a program wrote whose entries are wrong, although their chain is right."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from airflow_provider_tuya_ota.rollout.record.release_record import ReleaseRecord
from airflow_provider_tuya_ota.rollout.record.verify import verify_record

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_provider_tuya_ota.rollout.record.entry import Content
    from airflow_provider_tuya_ota.rollout.record.finding import FindingKind


def rewritten(record: ReleaseRecord, change: Callable[[list[Content]], None]) -> bytes:
    """Give a record with other entries, in a chain of their own and unsigned."""
    contents = [entry.content for entry in record.entries]
    times = {id(entry.content): entry.at for entry in record.entries}
    change(contents)
    again, at = ReleaseRecord(), record.entries[0].at
    for content in contents:
        at = times.get(id(content), at)
        again = again.append(content, at=at)
    return again.seal(None)


def changed(record: ReleaseRecord, kind: type[Any], *, which: int = 0, **fields: Any) -> bytes:
    """Give a record in which one entry of a kind has other values."""

    def change(contents: list[Content]) -> None:
        place = places(record, kind)[which]
        found: Any = contents[place]
        contents[place] = replace(found, **fields)

    return rewritten(record, change)


def without(record: ReleaseRecord, kind: type[Any], *, which: int = 0) -> bytes:
    """Give a record that lacks one entry of a kind."""

    def change(contents: list[Content]) -> None:
        del contents[places(record, kind)[which]]

    return rewritten(record, change)


def with_entry(record: ReleaseRecord, content: Content, *, before: type[Any], which: int = 0) -> bytes:
    """Give a record with one more entry."""
    return rewritten(record, lambda contents: contents.insert(places(record, before)[which], content))


def places(record: ReleaseRecord, kind: type[Any]) -> list[int]:
    return [entry.number for entry in record.entries if isinstance(entry.content, kind)]


def first(record: ReleaseRecord, kind: type[Any], which: int = 0) -> Any:
    return record.entries[places(record, kind)[which]].content


def found(data: bytes, key: Any = None) -> list[tuple[FindingKind, str]]:
    return [(one.kind, one.text) for one in verify_record(data, key).findings]


def texts(data: bytes, kind: FindingKind) -> list[str]:
    return [text for one, text in found(data) if one == kind]
