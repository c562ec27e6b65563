"""Reading a firmware file wherever it lies, and noticing when it is written meanwhile."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final, cast

from airflow_provider_tuya_ota.core.actions.firmware import LARGEST_FILE
from airflow_provider_tuya_ota.core.errors import ConfigurationError, InvalidParameterError
from airflow_provider_tuya_ota.core.source_failure import READABLE, failure_of, shown_source
from airflow_provider_tuya_ota.core.wire.redaction import redact

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from airflow.sdk import ObjectStoragePath

CHUNK_SIZE: Final = 64 * 1024
"""Bytes that are read when a file is opened."""
BLOCK: Final = 8 * 1024 * 1024
"""Bytes that object storage is asked for at once. Its library holds two blocks and would ask for 50 MiB by itself."""


@dataclass(frozen=True, slots=True)
class Marks:
    """What differs when a file was written: if none of it does, all bytes read in between are of one file.

    :param size: bytes.
    :param rest: a local file's inode and time of writing; of an object, whatever its storage tells.
    """

    size: int
    rest: tuple[object, ...]


class SourceReader:
    """Read a file from its beginning, and refuse to end if it was written meanwhile.

    Its first bytes are read at once, so that whoever has one knows that the file can be read.

    :param path: the file.
    :param source: how to name it.
    :param expected: its marks when it was opened before; None the first time.
    :raises TuyaOTAError: it is no file that the platform takes, was written since, or see
        :func:`~airflow_provider_tuya_ota.core.source_failure.failure_of`.
    """

    def __init__(self, path: Path | ObjectStoragePath, source: str, expected: Marks | None = None) -> None:
        self._source = source
        self._file, self._poll_job, self.marks = (
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
        """Read on, none at the end; there a change is noticed, before storage has the whole body.

        :raises TuyaOTAError: as above.
        """
        piece, self._first = self._first[:size], self._first[size:]
        piece = piece or self._read(size)
        if not piece:
            self._require_marks(self._poll_job())
        return piece

    def close(self) -> None:
        """Close the file; what fails then has no consequence, for it was only read."""
        with suppress(Exception):
            self._file.close()

    def _read(self, size: int) -> bytes:
        try:
            return self._file.read(size)
        except Exception as error:  # noqa: BLE001 - each storage raises what it likes
            raise failure_of(self._source, error) from None

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
    """Say that nothing on this worker opens addresses like this."""
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
"""By scheme, what brings it; Airflow itself knows ``file`` only."""


def _open_local(path: Path, source: str) -> tuple[BinaryIO, Callable[[], Marks], Marks]:
    try:
        # Before it is opened: a pipe waits for a writer, for ever if there is none.
        _require_file(path.stat().st_mode, source)
        file = path.open("rb", buffering=0)
    except (OSError, ValueError) as error:
        raise failure_of(source, error) from None

    def look() -> Marks:
        # Of the file that is open: another one that takes its name meanwhile changes nothing in what is read.
        found = os.fstat(file.fileno())
        return Marks(found.st_size, (found.st_dev, found.st_ino, found.st_mtime_ns))

    return cast("BinaryIO", file), look, look()


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
        # Airflow looks for the storage's provider no sooner than here.
        storage = path.fs
    except (ValueError, ImportError) as error:
        raise no_storage(source, error) from None
    except Exception as error:  # noqa: BLE001 - each storage raises what it likes
        raise failure_of(source, error) from None

    def look() -> Marks:
        try:
            # Some storages answer from what they listed earlier.
            storage.invalidate_cache()
            found = storage.info(path.path)
        except Exception as error:  # noqa: BLE001 - each storage raises what it likes
            raise failure_of(source, error) from None
        return _marks(found, source)

    # Before it is opened: what is read cannot be older.
    marks = look()
    try:
        return opened.open("rb", block_size=BLOCK), look, marks
    except Exception as error:  # noqa: BLE001 - each storage raises what it likes
        raise failure_of(source, error) from None


def _marks(found: Mapping[str, Any], source: str) -> Marks:
    if found.get("type") == "directory":
        raise InvalidParameterError(field="source", problem=f"{shown_source(source)} is a directory", allowed=READABLE)
    size = found.get("size")
    if not isinstance(size, int):
        raise ConfigurationError(
            f"source: {shown_source(source)} cannot be sent, because its storage does not tell its size. Copy it to"
            " another one, or to a path of the workers."
        )
    return Marks(size, tuple((name, str(found.get(name))) for name in _WRITTEN))


_WRITTEN: Final = (
    *("ETag", "etag", "VersionId", "version_id", "generation", "md5Hash", "content_md5", "checksum"),
    *("LastModified", "last_modified", "mtime", "modified", "modificationTime", "updated", "created"),
)
"""Under which names storages tell that an object was written; not all that they tell, for some tell who has read it."""
