"""A firmware file wherever it lies: measured once, read again for the upload, never held in memory."""

from __future__ import annotations

import hashlib
import logging
import random
import stat
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final, TypeVar, cast

from airflow.sdk import ObjectStoragePath

from airflow_provider_tuya_ota.core.actions.firmware import FILE_SUFFIXES, LARGEST_FILE
from airflow_provider_tuya_ota.core.errors import ConfigurationError, InvalidParameterError, SourceUnavailableError
from airflow_provider_tuya_ota.core.multipart import plain_name
from airflow_provider_tuya_ota.core.redaction import redact
from airflow_provider_tuya_ota.core.retry import Repeat, RetryPolicy
from airflow_provider_tuya_ota.core.source_failure import READABLE, failure_of, shown_source
from airflow_provider_tuya_ota.core.uploading import FirmwareFile

if TYPE_CHECKING:
    from collections.abc import Callable

PIECE = 1024 * 1024
"""Bytes read at once."""


def measure(
    source: str,
    *,
    conn_id: str | None = None,
    file_suffix: str | None = None,
    log: Any = logging.getLogger(__name__),  # noqa: B008 - a logger is the same object each time
    pause: Callable[[float], None] = time.sleep,
) -> FirmwareFile:
    """Read a file once for its size and digests; up to three times where its storage fails for a moment.

    :param source: a path of this machine, or any URL that ``ObjectStoragePath`` opens (``s3://…``, ``gs://…``,
        ``file://…``).
    :param conn_id: Airflow connection for the URL.
    :param file_suffix: kind of file, where the name does not tell it.
    :param log: hears of failed reads.
    :param pause: waits between them.
    :raises InvalidParameterError: it is missing, no file, empty, too large, or of a kind that the platform does not
        take.
    :raises SourceUnavailableError: its storage failed three times.
    :raises ConfigurationError: its storage cannot be used.
    """
    path = _find(source, conn_id)

    def opened() -> BinaryIO:
        _require_file(path, source)
        try:
            return cast("BinaryIO", SourceReader(path.open("rb"), source))
        except (ValueError, ImportError) as error:
            # Airflow looks for the storage's provider no sooner than here.
            raise _no_storage(source, error) from None
        except Exception as error:  # noqa: BLE001 - each storage raises what it likes
            raise failure_of(source, error) from None

    def read() -> tuple[str, int, dict[str, str]]:
        with opened() as file:
            # A file that is not there is told before a name that does not fit.
            suffix = file_suffix or suffix_of(path.name)
            return suffix, *_digest(file, source)

    suffix, size, digests = _patiently(read, log, pause)
    return FirmwareFile(
        name=plain_name(path.name),
        suffix=suffix,
        size=size,
        digests=digests,
        open_file=lambda: cast("BinaryIO", UnchangedReader(opened(), digests["SHA256"], source)),
    )


Result = TypeVar("Result")


def _patiently(read: Callable[[], Result], log: Any, pause: Callable[[float], None]) -> Result:
    policy = RetryPolicy(attempts=3)
    attempt = 0
    while True:
        attempt += 1
        try:
            return read()
        except SourceUnavailableError as error:
            jitter = random.random()  # noqa: S311 - it spreads retries and protects nothing
            delay = policy.delay(error, Repeat.HARMLESS, attempt=attempt, jitter=jitter)
            if delay is None:
                raise
            log.warning("%s Reading again in %.1f s.", error.sentence, delay)
        pause(delay)


def suffix_of(name: str) -> str:
    """Read the kind of file off its name, the longest known suffix first.

    :raises InvalidParameterError: the platform does not take files of this kind.
    """
    known = sorted(FILE_SUFFIXES, key=len, reverse=True)
    found = next((suffix for suffix in known if name.lower().endswith(f".{suffix}")), None)
    if found is None:
        raise InvalidParameterError(
            field="source",
            problem=f"{name!r} has no suffix that the platform takes",
            allowed=f"{', '.join(FILE_SUFFIXES)}; or say file_suffix='bin' if the content is a plain image",
        )
    return found


def _find(source: str, conn_id: str | None) -> Path | ObjectStoragePath:
    if not source or not source.strip():
        raise InvalidParameterError(field="source", problem="is empty", allowed=READABLE)
    if "://" not in source:
        return Path(source)
    try:
        path = ObjectStoragePath(source, conn_id=conn_id)
        return Path(path.path) if path.protocol in {"file", "local"} else path
    except (ValueError, ImportError) as error:
        raise _no_storage(source, error) from None
    except Exception as error:  # noqa: BLE001 - as above
        raise failure_of(source, error) from None


_KINDS: Final = {
    stat.S_IFDIR: "a directory",
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


def _require_file(path: Path | ObjectStoragePath, source: str) -> None:
    """Refuse what is no file before it is opened: a pipe waits for a writer, for ever if there is none."""
    if not isinstance(path, Path):
        return
    try:
        found = path.stat()
    except (OSError, ValueError) as error:
        raise failure_of(source, error) from None
    if not stat.S_ISREG(found.st_mode):
        kind = _KINDS.get(stat.S_IFMT(found.st_mode), "no file")
        raise InvalidParameterError(field="source", problem=f"{shown_source(source)} is {kind}", allowed=READABLE)
    if found.st_size > LARGEST_FILE:
        raise _too_large(source)


def _too_large(source: str) -> InvalidParameterError:
    return InvalidParameterError(
        field="source", problem=f"{shown_source(source)} is too large", allowed=f"at most {LARGEST_FILE:,} bytes"
    )


def _no_storage(source: str, error: Exception) -> ConfigurationError:
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


def _digest(file: BinaryIO, source: str) -> tuple[int, dict[str, str]]:
    size = 0
    # MD5 is what packages of older tools carry; it protects nothing here.
    hashes = {"SHA256": hashlib.sha256(), "MD5": hashlib.md5(usedforsecurity=False)}
    while piece := file.read(PIECE):
        size += len(piece)
        if size > LARGEST_FILE:
            raise _too_large(source)
        for digest in hashes.values():
            digest.update(piece)
    if size == 0:
        raise InvalidParameterError(
            field="source", problem=f"{shown_source(source)} is empty", allowed=f"1 to {LARGEST_FILE:,} bytes"
        )
    return size, {method: digest.hexdigest() for method, digest in hashes.items()}


class SourceReader:
    """Read a file, and tell its storage's errors in words of this package.

    :param file: opened at its beginning.
    :param source: how to name the file.
    """

    def __init__(self, file: Any, source: str) -> None:
        self._file = file
        self._source = source

    def read(self, size: int = -1) -> bytes:
        """Read on.

        :raises TuyaOTAError: see :func:`~airflow_provider_tuya_ota.core.source_failure.failure_of`.
        """
        try:
            piece: bytes = self._file.read(size)
        except Exception as error:  # noqa: BLE001 - each storage raises what it likes
            raise failure_of(self._source, error) from None
        return piece

    def close(self) -> None:
        """Close the file; what fails then has no consequence, for it was only read."""
        with suppress(Exception):
            self._file.close()

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class UnchangedReader:
    """Read a file again and refuse to end if its bytes are not those that were measured.

    :param file: opened at its beginning.
    :param sha256: hex digest that was measured.
    :param source: how to name the file.
    """

    def __init__(self, file: BinaryIO, sha256: str, source: str) -> None:
        self._file = file
        self._expected = sha256
        self._hash = hashlib.sha256()
        self._source = source

    def read(self, size: int = -1) -> bytes:
        """Read on; the end of the file is where a change is noticed, before storage has the whole body."""
        piece = self._file.read(size)
        self._hash.update(piece)
        if not piece and self._hash.hexdigest() != self._expected:
            raise ConfigurationError(
                f"source: {shown_source(self._source)} changed while it was being uploaded; no package was created. Run"
                " the task again when the file is complete."
            )
        return piece

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
