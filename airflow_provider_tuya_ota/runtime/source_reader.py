"""Read a firmware file on any storage, and detect that it is written meanwhile."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final, cast

from airflow_provider_tuya_ota.core.actions.firmware import LARGEST_FILE
from airflow_provider_tuya_ota.core.errors import ConfigurationError, InvalidParameterError
from airflow_provider_tuya_ota.core.source_failure import READABLE, assess_read_failure, shown_source
from airflow_provider_tuya_ota.core.wire.redaction import redact

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from airflow.sdk import ObjectStoragePath

CHUNK_SIZE: Final = 64 * 1024
"""Bytes that are read when a file is opened."""
BLOCK: Final = 8 * 1024 * 1024
"""Bytes of one request to object storage. Its library holds two blocks, and by default asks for 50 MiB."""


@dataclass(frozen=True, slots=True)
class Marks:
    """Attributes that change when a file is written. While they stay the same, all bytes that are read are of one file.

    :param size: bytes.
    :param rest: a local file's inode and time of writing; of an object, what its storage gives.
    """

    size: int
    rest: tuple[object, ...]


class SourceReader:
    """Reads a file from its beginning, and fails at its end if it was written meanwhile.

    The constructor reads the first bytes, so a reader exists only for a file that can be read.

    :param path: the file.
    :param source: how to name it.
    :param expected: its marks when it was opened before; None the first time.
    :raises TuyaOTAError: the platform does not take such a file, it was written since, or see
        :func:`~airflow_provider_tuya_ota.core.source_failure.assess_read_failure`.
    """

    def __init__(self, path: Path | ObjectStoragePath, source: str, expected: Marks | None = None) -> None:
        self._source = source
        self._file, self._current_marks, self.marks = (
            _open_local(path, source) if isinstance(path, Path) else _open_stored(path, source)
        )
        try:
            self._require_size()
            self._require_marks(expected or self.marks)
            self._first = self._read(CHUNK_SIZE)
        except BaseException:
            self.close()
            raise

    def read(self, size: int) -> bytes:
        """Read on; empty at the end. A change is detected there, before storage has the whole body.

        :raises TuyaOTAError: as above.
        """
        chunk, self._first = self._first[:size], self._first[size:]
        chunk = chunk or self._read(size)
        if not chunk:
            self._require_marks(self._current_marks())
        return chunk

    def close(self) -> None:
        """Close the file; a failure has no consequence, because the file was only read."""
        with suppress(Exception):
            self._file.close()

    def _read(self, size: int) -> bytes:
        try:
            return self._file.read(size)
        except Exception as error:  # noqa: BLE001 - each storage raises what it likes
            raise assess_read_failure(self._source, error) from None

    def _require_size(self) -> None:
        if 1 <= self.marks.size <= LARGEST_FILE:
            return
        allowed = f"at most {LARGEST_FILE:,} bytes" if self.marks.size else f"1 to {LARGEST_FILE:,} bytes"
        problem = f"{shown_source(self._source)} is {'too large' if self.marks.size else 'empty'}"
        raise InvalidParameterError(field="source", problem=problem, allowed=allowed)

    def _require_marks(self, others: Marks) -> None:
        if others != self.marks:
            raise ConfigurationError(
                f"source: {shown_source(self._source)} changed while it was being read; no firmware was created. Run"
                " the task again when the file is complete."
            )


def no_storage(source: str, error: Exception) -> ConfigurationError:
    """Build the error for an address that no library on this worker can open."""
    scheme = source.partition("://")[0]
    where = _STORAGES.get(scheme, "the Airflow provider of this storage")
    return ConfigurationError(
        f"source: {shown_source(source)} cannot be opened ({redact(str(error))}). Install {where} on the workers, or"
        " give a path."
    )


_STORAGES: Final = {
    "s3": "apache-airflow-providers-amazon[s3fs]",
    "gs": "apache-airflow-providers-google",
    "abfs": "apache-airflow-providers-microsoft-azure",
}
"""By scheme, the distribution that supports it; Airflow itself supports ``file`` only."""


def _open_local(path: Path, source: str) -> tuple[BinaryIO, Callable[[], Marks], Marks]:
    try:
        # Before it is opened: opening a pipe waits for a writer, for ever if there is none.
        _require_file(path.stat().st_mode, source)
        file = path.open("rb", buffering=0)
    except (OSError, ValueError) as error:
        raise assess_read_failure(source, error) from None

    def current_marks() -> Marks:
        # Of the open file: a new file of the same name does not change what is read.
        found = os.fstat(file.fileno())
        return Marks(found.st_size, (found.st_dev, found.st_ino, found.st_mtime_ns))

    return cast("BinaryIO", file), current_marks, current_marks()


_KINDS: Final = {
    stat.S_IFDIR: "a directory",
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


def _require_file(mode: int, source: str) -> None:
    if not stat.S_ISREG(mode):
        kind = _KINDS.get(stat.S_IFMT(mode), "no file")
        raise InvalidParameterError(field="source", problem=f"{shown_source(source)} is {kind}", allowed=READABLE)


def _open_stored(path: ObjectStoragePath, source: str) -> tuple[BinaryIO, Callable[[], Marks], Marks]:
    opened: Any = path
    try:
        # Airflow loads the storage's provider here.
        storage = path.fs
    except (ValueError, ImportError) as error:
        raise no_storage(source, error) from None
    except Exception as error:  # noqa: BLE001 - each storage raises what it likes
        raise assess_read_failure(source, error) from None

    def current_marks() -> Marks:
        try:
            # Some storages answer from an earlier listing.
            storage.invalidate_cache()
            found = storage.info(path.path)
        except Exception as error:  # noqa: BLE001 - each storage raises what it likes
            raise assess_read_failure(source, error) from None
        return _marks(found, source)

    # Before it is opened, so that what is read cannot be older.
    marks = current_marks()
    try:
        return opened.open("rb", block_size=BLOCK), current_marks, marks
    except Exception as error:  # noqa: BLE001 - each storage raises what it likes
        raise assess_read_failure(source, error) from None


def _marks(found: Mapping[str, Any], source: str) -> Marks:
    if found.get("type") == "directory":
        raise InvalidParameterError(field="source", problem=f"{shown_source(source)} is a directory", allowed=READABLE)
    size = found.get("size")
    if not isinstance(size, int):
        raise ConfigurationError(
            f"source: {shown_source(source)} cannot be sent, because its storage does not give its size. Copy it to"
            " another one, or to a path of the workers."
        )
    return Marks(size, tuple((name, str(found.get(name))) for name in _WRITTEN))


_WRITTEN: Final = (
    *("ETag", "etag", "VersionId", "version_id", "generation", "md5Hash", "content_md5", "checksum"),
    *("LastModified", "last_modified", "mtime", "modified", "modificationTime", "updated", "created"),
)
"""Names under which storages show that an object was written. Others change when it is only read."""
