"""Where a firmware file may lie, and everything that its storage may do."""

from __future__ import annotations

import io
import os
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from airflow.sdk.io import attach, store
from fsspec import AbstractFileSystem  # type: ignore[import-untyped] # it ships no types

from airflow_provider_tuya_ota.core.errors import (
    ConfigurationError,
    InvalidParameterError,
    SourceUnavailableError,
    TuyaOTAError,
)
from airflow_provider_tuya_ota.operators.source import measure
from tests.core.test_source_failure import ClientError
from tests.provider.test_upload_operator import upload

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_provider_tuya_ota.core.uploading import FirmwareFile
    from tests.provider.conftest import Service

CONTENT = b"\x7fFW" * 5000
SOURCE = "s3://firmware/lamp.bin"


class Failing(io.BytesIO):
    """A file whose storage fails after some bytes."""

    def __init__(self, content: bytes, failure: Exception | None, after: int) -> None:
        super().__init__(content)
        self.failure = failure
        self.after = after

    def read(self, size: int | None = -1, /) -> bytes:
        if self.failure and self.tell() >= self.after:
            raise self.failure
        # Pieces as small as a network's.
        return super().read(min(size or 0, 4096) if size and size > 0 else size)


class Bucket(AbstractFileSystem):  # type: ignore[misc] # as above
    """A storage that fails as often as it is told to."""

    cachable = False

    def __init__(self) -> None:
        super().__init__()
        self.content = CONTENT
        self.at_open: list[Exception] = []
        self.at_read: list[Exception] = []
        self.after = 4096
        self.opened = 0

    def _open(self, path: str, **options: Any) -> io.BytesIO:
        self.opened += 1
        if self.at_open:
            raise self.at_open.pop(0)
        return Failing(self.content, self.at_read.pop(0) if self.at_read else None, self.after)


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Bucket:
    fake = Bucket()
    monkeypatch.setattr(store, "_STORE_CACHE", {})
    attach("s3", fs=fake)
    return fake


PASSING: list[Callable[[], Exception]] = [
    lambda: ClientError("SlowDown", 503),
    TimeoutError,
    lambda: ConnectionResetError(104, "Connection reset by peer"),
    lambda: OSError(16, "Device or resource busy"),
]


def test_a_file_of_a_bucket_becomes_a_package(service: Service, context: Any, bucket: Bucket) -> None:
    assert upload(SOURCE).execute(context)

    (package,) = service.emulator.world.packages.by_id.values()
    assert (package.size, bucket.opened) == (len(CONTENT), 2)


@pytest.mark.parametrize("place", ["at_open", "at_read"])
@pytest.mark.parametrize("failure", PASSING)
def test_a_measuring_that_fails_for_a_moment_is_repeated_twice(
    bucket: Bucket, place: str, failure: Callable[[], Exception]
) -> None:
    getattr(bucket, place).extend([failure(), failure()])
    pauses: list[float] = []

    file = measure(SOURCE, pause=pauses.append)

    assert (file.size, bucket.opened, len(pauses)) == (len(CONTENT), 3, 2)
    assert 0.5 <= pauses[0] <= 1.0 <= pauses[1] <= 2.0


@pytest.mark.parametrize("place", ["at_open", "at_read"])
def test_a_storage_that_goes_on_failing_is_named_and_nothing_was_sent(
    service: Service, bucket: Bucket, place: str
) -> None:
    getattr(bucket, place).extend([ClientError("SlowDown", 503) for _ in range(3)])

    with pytest.raises(SourceUnavailableError, match=r"'s3://firmware/lamp\.bin' could not be read now \(SlowDown\)"):
        measure(SOURCE, pause=lambda _: None)

    assert bucket.opened == 3
    assert service.actions == []


@pytest.mark.parametrize("place", ["at_open", "at_read"])
@pytest.mark.parametrize(
    ("failure", "kind"),
    [
        (ClientError("AccessDenied", 403), InvalidParameterError),
        (ClientError("NoSuchKey", 404), InvalidParameterError),
        (FileNotFoundError(2, "No such file or directory"), InvalidParameterError),
        (PermissionError("Access Denied"), InvalidParameterError),
        (ClientError("Odd", 400), ConfigurationError),
        (RuntimeError("something else"), ConfigurationError),
    ],
)
def test_a_failure_that_stays_is_named_at_once(
    bucket: Bucket, place: str, failure: Exception, kind: type[TuyaOTAError]
) -> None:
    getattr(bucket, place).append(failure)

    with pytest.raises(kind, match=r"^source: ") as caught:
        measure(SOURCE)

    assert type(caught.value) is kind
    assert bucket.opened == 1


def test_a_read_that_fails_while_it_is_uploaded_is_repeated_with_fresh_upload_data(
    service: Service, context: Any, bucket: Bucket
) -> None:
    # The first reading measures, the second one uploads.
    bucket.at_read.extend([None, ClientError("InternalError", 500)])  # type: ignore[list-item] # None does not fail

    upload(SOURCE).execute(context)

    assert (bucket.opened, service.actions.count("GenerateOTAUploadURL")) == (3, 2)
    (package,) = service.emulator.world.packages.by_id.values()
    assert package.size == len(CONTENT)


def read_all(file: FirmwareFile) -> int:
    with file.open_file() as opened:
        return sum(len(piece) for piece in iter(lambda: opened.read(1024), b""))


@pytest.mark.parametrize("place", ["at_open", "at_read"])
def test_a_file_that_may_no_longer_be_read_while_it_is_uploaded_is_named(bucket: Bucket, place: str) -> None:
    measured = measure(SOURCE)
    getattr(bucket, place).append(ClientError("AccessDenied", 403))

    with pytest.raises(InvalidParameterError, match="AccessDenied"):
        read_all(measured)


@pytest.mark.parametrize("content", [CONTENT + b"!", CONTENT[:-1], b"", CONTENT[:-1] + b"!"])
def test_a_file_that_changes_is_refused_before_storage_has_the_whole_of_it(
    service: Service, context: Any, bucket: Bucket, monkeypatch: pytest.MonkeyPatch, content: bytes
) -> None:
    def measure_and_change(*arguments: Any, **options: Any) -> Any:
        file = measure(*arguments, **options)
        bucket.content = content
        return file

    monkeypatch.setattr("airflow_provider_tuya_ota.operators.packaging.measure", measure_and_change)

    with pytest.raises(ConfigurationError, match="changed while it was being uploaded"):
        upload(SOURCE).execute(context)

    assert service.emulator.world.storage.objects == {}
    assert "CreateOTAFirmware" not in service.actions


def pipe(folder: Path) -> Path:
    path = folder / "pipe.bin"
    os.mkfifo(path)
    return path


def listening(folder: Path) -> Path:
    path = folder / "socket.bin"
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(str(path))
    return path


def linked(folder: Path) -> Path:
    path = folder / "link.bin"
    path.symlink_to(pipe(folder))
    return path


@pytest.mark.parametrize("as_url", [False, True])
@pytest.mark.parametrize(
    ("make", "kind"),
    [
        (pipe, "a pipe"),
        (linked, "a pipe"),
        (listening, "a socket"),
        (lambda folder: folder, "a directory"),
        (lambda _: Path("/dev/zero"), "a device"),
    ],
)
def test_what_is_no_file_is_refused_and_never_waited_for(
    tmp_path: Path, make: Callable[[Path], Path], kind: str, as_url: bool
) -> None:
    path = make(tmp_path)

    with pytest.raises(InvalidParameterError, match=rf"is {kind}\. Allowed: a file"):
        measure(path.as_uri() if as_url else str(path))


@pytest.mark.parametrize(
    "name",
    [
        'quo"te.bin',
        "new\nline.bin",
        "cr\rlf\n\x1b[31m.bin",
        os.fsdecode(b"sur\xff\xfe.bin"),
        "back\\slash.bin",
        "\u202ebidi.bin",
    ],
)
def test_an_odd_file_name_is_made_plain(service: Service, context: Any, tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(CONTENT)

    upload(tmp_path / name).execute(context)

    assert measure(str(tmp_path / name)).name.isprintable()
    (package,) = service.emulator.world.packages.by_id.values()
    assert package.size == len(CONTENT)


@pytest.mark.parametrize(
    "source", ["/srv/\ud800.bin", "/srv/\x00.bin", "s3://b/\ud800.bin", "x" * 5000, "/srv/x/\n.bin"]
)
def test_a_source_that_no_system_can_name_is_typed(service: Service, context: Any, source: str) -> None:
    with pytest.raises(ConfigurationError, match=r"^source: "):
        upload(source).execute(context)

    assert service.actions == []
