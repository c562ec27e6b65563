"""An object storage in memory that fails on request and counts what is read."""

from __future__ import annotations

import hashlib
import io
from contextlib import closing
from typing import TYPE_CHECKING, Any, TypeVar

from airflow.sdk.io import attach, store
from fsspec import AbstractFileSystem  # type: ignore[import-untyped] # it ships no types
from fsspec.spec import AbstractBufferedFile  # type: ignore[import-untyped] # it ships no types

if TYPE_CHECKING:
    import pytest

    from airflow_provider_tuya_ota.core.upload import FirmwareFile

CONTENT = b"\x7fFW" * 5000
SOURCE = "s3://firmware/lamp.bin"


Storage = TypeVar("Storage", bound="Bucket")


class Failing(io.BytesIO):
    """A file whose storage fails after some bytes."""

    def __init__(self, bucket: Bucket, failure: Exception | None) -> None:
        super().__init__(bucket.content)
        self.bucket = bucket
        self.failure = failure
        self.after = bucket.after

    def read(self, size: int | None = -1, /) -> bytes:
        if self.failure and self.tell() >= self.after:
            raise self.failure
        # Pieces as small as a network's.
        piece = super().read(min(size or 0, 4096) if size and size > 0 else size)
        self.bucket.read_bytes += len(piece)
        return piece


class Bucket(AbstractFileSystem):  # type: ignore[misc] # fsspec ships no types
    """A storage that fails as often as the test asks."""

    cachable = False

    def __init__(self) -> None:
        super().__init__()
        self.content = CONTENT
        self.at_info: list[Exception] = []
        self.at_open: list[Exception] = []
        self.at_read: list[Exception] = []
        self.after = 0
        self.asked = self.opened = self.read_bytes = 0
        self.attributes: dict[str, Any] = {}

    def info(self, path: str, **options: Any) -> dict[str, Any]:
        self.asked += 1
        if self.at_info:
            raise self.at_info.pop(0)
        etag = hashlib.sha256(self.content).hexdigest()
        return {
            "name": path,
            "type": "file",
            "size": len(self.content),
            "ETag": etag,
            "asked": self.asked,
        } | self.attributes

    def _open(self, path: str, **options: Any) -> io.BytesIO:
        self.opened += 1
        if self.at_open:
            raise self.at_open.pop(0)
        return Failing(self, self.at_read.pop(0) if self.at_read else None)


def as_s3(bucket: Storage, monkeypatch: pytest.MonkeyPatch) -> Storage:
    """Let Airflow take it for everything of ``s3://``."""
    monkeypatch.setattr(store, "_STORE_CACHE", {})
    attach("s3", fs=bucket)
    return bucket


class Ranges(AbstractBufferedFile):  # type: ignore[misc] # fsspec ships no types
    """A file that is fetched by ranges, as those of S3 are."""

    DEFAULT_BLOCK_SIZE = 50 * 2**20

    def _fetch_range(self, start: int, end: int) -> bytes:
        self.fs.fetched.append((start, min(end, self.size)))
        return bytes(self.fs.content[start:end])


class Ranged(Bucket):
    def __init__(self) -> None:
        super().__init__()
        self.content = bytes(range(256)) * (100 * 1024)
        self.fetched: list[tuple[int, int]] = []

    def _open(self, path: str, **options: Any) -> Any:
        return Ranges(self, path, **options)


def read_all(file: FirmwareFile) -> int:
    with closing(file.open_file()) as opened:
        return sum(len(piece) for piece in iter(lambda: opened.read(1024), b""))
