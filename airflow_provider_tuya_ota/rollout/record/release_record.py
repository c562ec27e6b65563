"""The record while a release runs: it only grows, and ends with a seal."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from airflow_provider_tuya_ota.core.errors import ConfigurationError
from airflow_provider_tuya_ota.rollout.record.begin import ReleaseBegun
from airflow_provider_tuya_ota.rollout.record.entry import Entry
from airflow_provider_tuya_ota.rollout.record.finish import ReleaseEnded
from airflow_provider_tuya_ota.rollout.record.signature import seal_record
from airflow_provider_tuya_ota.rollout.record.values import read, write

if TYPE_CHECKING:
    from datetime import datetime

    from airflow_provider_tuya_ota.rollout.record.entry import Content
    from airflow_provider_tuya_ota.rollout.record.record_file import RecordFile
    from airflow_provider_tuya_ota.rollout.record.signing_key import SigningKey


@dataclass(frozen=True, slots=True)
class ReleaseRecord:
    """The entries so far. Each holds the digest of the one before, so none can be left out, moved or changed.

    :param entries: the entries, which :meth:`append` gives their places.
    :param head: digest of the last one, which names the whole record; empty where there is none.
    """

    entries: tuple[Entry, ...] = field(default=(), repr=False)
    head: str = ""

    def append(self, content: Content, *, at: datetime) -> ReleaseRecord:
        """Give the record with one more entry.

        :param at: the time, with its zone; it is stored in UTC.
        :raises ConfigurationError: the record has ended, does not begin with :class:`ReleaseBegun` or has a second one,
            or the entry has a value that could not be read again.
        """
        self._require_place(content)
        if at.tzinfo is None:
            raise ConfigurationError("release record: the time of an entry needs a zone.")
        entry = Entry(number=len(self.entries), at=at, previous=self.head, content=content)
        written = write(content)
        try:
            again = read(type(content), written, field=entry.kind)
        except ValueError as error:
            raise ConfigurationError(f"release record: the entry cannot be written: {error}.") from None
        if write(again) != written:
            raise ConfigurationError(f"release record: the entry {entry.kind!r} would be read back as another one.")
        return ReleaseRecord((*self.entries, entry), entry.digest())

    def to_bytes(self) -> bytes:
        """Give the lines so far; a record that is still open has no seal."""
        return b"".join(entry.to_bytes() + b"\n" for entry in self.entries)

    def seal(self, key: SigningKey | None) -> bytes:
        """Give the whole file with its seal.

        :param key: signs it; None for a record that says that it is unsigned.
        :raises ConfigurationError: the release has not ended.
        """
        if not self._has_ended:
            raise ConfigurationError("release record: it has no end yet, so it is not sealed.")
        return self.to_bytes() + seal_record(self.head, key).to_bytes() + b"\n"

    @classmethod
    def from_file(cls, file: RecordFile) -> ReleaseRecord:
        """Continue a record that was written before and is still open.

        :raises ConfigurationError: it is sealed, or its chain is broken.
        """
        digests = ("", *file.digests)
        is_whole = not file.not_canonical and all(
            (entry.number, entry.previous) == (number, digests[number]) for number, entry in enumerate(file.entries)
        )
        if file.seal or not is_whole:
            problem = "is sealed" if file.seal else "was changed after it was written"
            raise ConfigurationError(f"release record: it {problem}, so nothing is added to it.")
        return cls(file.entries, digests[-1])

    @property
    def _has_ended(self) -> bool:
        return bool(self.entries) and isinstance(self.entries[-1].content, ReleaseEnded)

    def _require_place(self, content: Content) -> None:
        if self._has_ended:
            raise ConfigurationError("release record: it has ended, so nothing is added to it.")
        if bool(self.entries) == isinstance(content, ReleaseBegun):
            raise ConfigurationError("release record: its first entry, and no other, says who has begun the release.")
