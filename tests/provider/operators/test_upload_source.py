"""Firmware files on every kind of storage, and every way in which storage may fail."""

from __future__ import annotations

import os
import socket
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from airflow.sdk import ObjectStoragePath

from airflow_provider_tuya_ota.core.errors import (
    ConfigurationError,
    InvalidParameterError,
    SourceUnavailableError,
    TuyaOTAError,
)
from airflow_provider_tuya_ota.runtime import source as firmware_source
from airflow_provider_tuya_ota.runtime.source import opened_source
from tests.core.test_source_failure import ClientError
from tests.provider.operators.bucket import CONTENT, SOURCE, Bucket, Failing, as_s3, read_all
from tests.provider.operators.test_upload_operator import upload
from tests.provider.triggers.fake_triggerer import Log

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.provider.conftest import Service


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Bucket:
    return as_s3(Bucket(), monkeypatch)


TRANSIENT_ERRORS: list[Callable[[], Exception]] = [
    lambda: ClientError("SlowDown", 503),
    TimeoutError,
    lambda: ConnectionResetError(104, "Connection reset by peer"),
    lambda: OSError(16, "Device or resource busy"),
]


@pytest.mark.parametrize("place", ["at_info", "at_open", "at_read"])
@pytest.mark.parametrize("failure", TRANSIENT_ERRORS)
def test_an_opening_that_fails_for_a_moment_is_repeated_twice(
    bucket: Bucket, place: str, failure: Callable[[], Exception]
) -> None:
    getattr(bucket, place).extend([failure(), failure()])
    pauses: list[float] = []
    log = Log()

    with opened_source(SOURCE, pause=pauses.append, log=log) as file:
        assert file.size == len(CONTENT)

    assert (bucket.asked, len(pauses)) == (3, 2)
    assert 0.5 <= pauses[0] <= 1.0 <= pauses[1] <= 2.0
    assert [line.rpartition("Reading")[2] for line in log.lines] == [f" again in {pause:.1f} s." for pause in pauses]


@pytest.mark.parametrize("place", ["at_info", "at_open", "at_read"])
def test_a_storage_that_goes_on_failing_is_named_and_nothing_was_sent(
    service: Service, context: Any, bucket: Bucket, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    getattr(bucket, place).extend([ClientError("SlowDown", 503) for _ in range(3)])
    monkeypatch.setattr(firmware_source, "opened_source", partial(opened_source, pause=lambda _: None))

    with pytest.raises(SourceUnavailableError, match=r"'s3://firmware/lamp\.bin' could not be read now \(SlowDown\)"):
        upload(SOURCE).execute(context)

    assert bucket.asked == 3
    assert service.actions == []


@pytest.mark.parametrize("place", ["at_info", "at_open", "at_read"])
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
    service: Service, context: Any, bucket: Bucket, place: str, failure: Exception, kind: type[TuyaOTAError]
) -> None:
    getattr(bucket, place).append(failure)

    with pytest.raises(kind, match=r"^source: ") as caught:
        upload(SOURCE).execute(context)

    assert type(caught.value) is kind
    assert bucket.asked == 1
    assert service.actions == []


@pytest.mark.parametrize(
    ("attributes", "said"),
    [
        ({"type": "directory", "size": 0}, "is a directory. Allowed: a file"),
        ({"size": 0}, "is empty. Allowed: 1 to 1,048,576,000 bytes"),
        ({"size": 1_048_576_001}, "is too large. Allowed: at most 1,048,576,000 bytes"),
        ({"size": None}, "its storage does not give its size"),
    ],
)
def test_an_object_that_is_no_firmware_is_refused_before_anything_is_sent(
    service: Service, context: Any, bucket: Bucket, attributes: dict[str, Any], said: str
) -> None:
    bucket.attributes = attributes

    with pytest.raises(ConfigurationError, match=rf"^source: .*{said}"):
        upload(SOURCE).execute(context)

    assert service.actions == []
    assert bucket.read_bytes == 0


@pytest.mark.parametrize("size", [1, 1_048_576_000])
def test_the_smallest_and_the_largest_file_that_the_platform_takes_are_read(bucket: Bucket, size: int) -> None:
    bucket.attributes = {"size": size}

    with opened_source(SOURCE) as file:
        assert file.size == size


@pytest.mark.parametrize("after", [4096, len(CONTENT)])
def test_a_read_that_fails_while_it_is_uploaded_is_repeated_with_fresh_upload_data(
    service: Service, context: Any, bucket: Bucket, after: int
) -> None:
    bucket.after = after
    bucket.at_read.append(ClientError("InternalError", 500))

    upload(SOURCE).execute(context)

    assert (bucket.opened, service.actions.count("GenerateOTAUploadURL")) == (2, 2)
    (stored_firmware,) = service.emulator.world.firmwares.by_id.values()
    assert stored_firmware.size == len(CONTENT)


@pytest.mark.parametrize("place", ["at_info", "at_open", "at_read"])
def test_a_file_that_may_no_longer_be_read_when_it_is_uploaded_again_is_named(bucket: Bucket, place: str) -> None:
    with opened_source(SOURCE) as file:
        assert read_all(file) == len(CONTENT)
        getattr(bucket, place).append(ClientError("AccessDenied", 403))

        with pytest.raises(InvalidParameterError, match="AccessDenied"):
            read_all(file)


def test_a_file_that_nobody_read_is_closed(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = [Failing(bucket, None), Failing(bucket, None)]
    turns = iter(opened)
    monkeypatch.setattr(bucket, "_open", lambda *_, **__: next(turns))

    with opened_source(SOURCE):
        pass
    with pytest.raises(InvalidParameterError, match="has no suffix"), opened_source("s3://firmware/lamp.img"):
        pass

    assert [file.closed for file in opened] == [True, True]


@pytest.mark.parametrize(
    ("failure", "said"),
    [
        (ImportError("No module named 's3fs'"), "Install apache-airflow-providers-amazon"),
        (ValueError("unknown option"), "Install apache-airflow-providers-amazon"),
        (RuntimeError("something else"), "^source: .*something else"),
    ],
)
@pytest.mark.parametrize("place", ["address", "storage"])
def test_a_library_that_cannot_open_its_storage_is_named(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch, place: str, failure: Exception, said: str
) -> None:
    def fail(*_: Any, **__: Any) -> Any:
        raise failure

    if place == "address":
        monkeypatch.setattr(firmware_source, "ObjectStoragePath", fail)
    else:
        monkeypatch.setattr(ObjectStoragePath, "fs", property(fail))

    with pytest.raises(ConfigurationError, match=said):
        refused(SOURCE)


def test_a_storage_is_opened_over_the_connection_that_is_given(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def path(source: str, *, conn_id: str) -> ObjectStoragePath:
        asked.append(conn_id)
        return ObjectStoragePath(source)

    monkeypatch.setattr(firmware_source, "ObjectStoragePath", path)
    with opened_source(SOURCE, conn_id="storage"):
        pass

    assert asked == ["storage"]


def refused(source: str) -> None:
    with opened_source(source):
        pytest.fail("it was opened")


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


@pytest.mark.parametrize("scheme", ["", "file://", "local://"])
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
    tmp_path: Path, make: Callable[[Path], Path], kind: str, scheme: str
) -> None:
    path = make(tmp_path)

    with pytest.raises(InvalidParameterError, match=rf"is {kind}\. Allowed: a file"):
        refused(f"{scheme}{path}")


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

    with opened_source(str(tmp_path / name)) as file:
        assert file.name.isprintable()
    (stored_firmware,) = service.emulator.world.firmwares.by_id.values()
    assert stored_firmware.size == len(CONTENT)


@pytest.mark.parametrize(
    "source", ["/srv/\ud800.bin", "/srv/\x00.bin", "s3://b/\ud800.bin", "x" * 5000, "/srv/x/\n.bin"]
)
def test_a_source_that_no_system_can_name_is_typed(service: Service, context: Any, source: str) -> None:
    with pytest.raises(ConfigurationError, match=r"^source: "):
        upload(source).execute(context)

    assert service.actions == []
