"""A firmware file wherever it lies: measured once, read again for the upload, never held in memory."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final, cast

from airflow.sdk import ObjectStoragePath

from airflow_provider_tuya_ota.core.actions.firmware import FILE_SUFFIXES, LARGEST_FILE
from airflow_provider_tuya_ota.core.errors import ConfigurationError, InvalidParameterError
from airflow_provider_tuya_ota.core.uploading import FirmwareFile

if TYPE_CHECKING:
    from collections.abc import Callable

PIECE = 1024 * 1024
"""Bytes read at once."""


def measure(source: str, *, conn_id: str | None = None, file_suffix: str | None = None) -> FirmwareFile:
    """Read a file once for its size and digests.

    :param source: a path of this machine, or any URL that ``ObjectStoragePath`` opens (``s3://…``, ``gs://…``, ``file://…``).
    :param conn_id: Airflow connection for the URL.
    :param file_suffix: kind of file, where the name does not tell it.
    :raises InvalidParameterError: the file is missing, empty, too large or of a kind that the platform does not take.
    """
    path = _open_path(source, conn_id)

    def opened() -> BinaryIO:
        try:
            return cast("BinaryIO", path.open("rb"))
        except (ValueError, ImportError) as error:
            # Airflow looks for the storage's provider no sooner than here.
            raise _no_storage(source, error) from None
        except OSError as error:
            problem = f"{source!r} cannot be read ({error.strerror or type(error).__name__})"
            raise InvalidParameterError(field="source", problem=problem, allowed=_READABLE) from None

    with opened():
        # A file that is not there is told before a name that does not fit.
        suffix = file_suffix or suffix_of(path.name)
    size, digests = _digest(opened, source)
    return FirmwareFile(
        name=path.name,
        suffix=suffix,
        size=size,
        digests=digests,
        open_file=lambda: cast("BinaryIO", UnchangedReader(opened(), digests["SHA256"], source)),
    )


_READABLE = "a file that the worker running this task can read"


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


def _open_path(source: str, conn_id: str | None) -> Path | ObjectStoragePath:
    if not source or not source.strip():
        raise InvalidParameterError(field="source", problem="is empty", allowed=_READABLE)
    if "://" not in source:
        return Path(source)
    try:
        return ObjectStoragePath(source, conn_id=conn_id)
    except (ValueError, ImportError) as error:
        raise _no_storage(source, error) from None


def _no_storage(source: str, error: Exception) -> ConfigurationError:
    scheme = source.partition("://")[0]
    where = _STORAGES.get(scheme, "the Airflow provider of this storage")
    return ConfigurationError(
        f"source: {source!r} cannot be opened ({error}). Install {where} on the workers, or give a path."
    )


_STORAGES: Final = {
    "s3": "apache-airflow-providers-amazon[s3fs]",
    "gs": "apache-airflow-providers-google",
    "abfs": "apache-airflow-providers-microsoft-azure",
}
"""By scheme, what brings it; Airflow itself knows ``file`` only."""


def _digest(opened: Callable[[], BinaryIO], source: str) -> tuple[int, dict[str, str]]:
    size = 0
    # MD5 is what packages of older tools carry; it protects nothing here.
    hashes = {"SHA256": hashlib.sha256(), "MD5": hashlib.md5(usedforsecurity=False)}
    with opened() as file:
        while piece := file.read(PIECE):
            size += len(piece)
            if size > LARGEST_FILE:
                raise InvalidParameterError(
                    field="source", problem=f"{source!r} is too large", allowed=f"at most {LARGEST_FILE:,} bytes"
                )
            for digest in hashes.values():
                digest.update(piece)
    if size == 0:
        raise InvalidParameterError(
            field="source", problem=f"{source!r} is empty", allowed=f"1 to {LARGEST_FILE:,} bytes"
        )
    return size, {method: digest.hexdigest() for method, digest in hashes.items()}


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
                f"source: {self._source!r} changed while it was being uploaded; no package was created. Run the task"
                " again when the file is complete."
            )
        return piece

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
