"""Each byte of a firmware file is read once, and all bytes belong to one version of the file."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_tuya_ota.core.errors import ConfigurationError
from airflow_provider_tuya_ota.runtime import source as firmware_source
from airflow_provider_tuya_ota.runtime.source import opened_source
from tests.provider.operators.bucket import CONTENT, SOURCE, Bucket, Ranged, as_s3, read_all
from tests.provider.operators.test_upload_operator import upload

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from airflow_provider_tuya_ota.core.upload import FirmwareFile
    from tests.provider.conftest import Service


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Bucket:
    return as_s3(Bucket(), monkeypatch)


def test_a_file_of_a_bucket_becomes_a_firmware_and_each_of_its_bytes_is_read_once(
    service: Service, context: Any, bucket: Bucket
) -> None:
    assert upload(SOURCE).execute(context)

    (stored_firmware,) = service.emulator.world.firmwares.by_id.values()
    assert (stored_firmware.size, bucket.opened, bucket.read_bytes) == (len(CONTENT), 1, len(CONTENT))


@pytest.mark.parametrize("first", ["SHA256", "MD5"])
def test_a_file_whose_version_exists_is_read_once_too(
    service: Service, context: Any, bucket: Bucket, first: str
) -> None:
    upload(SOURCE, sign_method=first).execute(context)
    bucket.opened = bucket.read_bytes = 0

    upload(SOURCE).execute(context)

    assert (bucket.opened, bucket.read_bytes) == (1, len(CONTENT))
    assert service.actions.count("PostObject") == 1


def test_each_range_of_an_object_is_fetched_once_and_is_small(
    service: Service, context: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket = as_s3(Ranged(), monkeypatch)

    upload(SOURCE).execute(context)

    starts, ends = zip(*bucket.fetched, strict=True)
    assert (starts[0], *ends) == (*starts, len(bucket.content))
    assert max(end - start for start, end in bucket.fetched) <= 9 * 1024 * 1024


CHANGES = [CONTENT + b"!", CONTENT[:-1], b"", CONTENT[:-1] + b"!"]


@pytest.mark.parametrize("content", CHANGES)
@pytest.mark.parametrize("is_local", [False, True])
@pytest.mark.parametrize("exists", [False, True])
def test_a_file_that_changes_is_refused_before_storage_has_the_whole_of_it(
    service: Service,
    context: Any,
    bucket: Bucket,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    content: bytes,
    is_local: bool,
    exists: bool,
) -> None:
    path = tmp_path / "lamp.bin"
    path.write_bytes(CONTENT)
    # Written long ago, for a clock of the file system may be as coarse as a test is fast.
    os.utime(path, ns=(1, 1))
    source = path if is_local else SOURCE
    if exists:
        upload(source).execute(context)
        service.emulator.log.clear()
    stored = dict(service.emulator.world.storage.objects)

    @contextmanager
    def open_and_change(*arguments: Any, **options: Any) -> Iterator[FirmwareFile]:
        with opened_source(*arguments, **options) as file:
            path.write_bytes(content)
            bucket.content = content
            yield file

    monkeypatch.setattr(firmware_source, "opened_source", open_and_change)

    with pytest.raises(ConfigurationError, match="changed while it was being read"):
        upload(source).execute(context)

    assert service.emulator.world.storage.objects == stored
    assert "CreateOTAFirmware" not in service.actions


@pytest.mark.parametrize("content", CHANGES)
def test_a_file_that_changed_since_the_first_try_is_refused_before_it_is_sent_again(
    tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "lamp.bin"
    path.write_bytes(CONTENT)
    os.utime(path, ns=(1, 1))

    with opened_source(str(path)) as file:
        assert read_all(file) == len(CONTENT)
        path.write_bytes(content)

        with pytest.raises(ConfigurationError, match=r"changed while it was being read|is empty"):
            file.open_file()


@pytest.mark.parametrize(
    "name",
    [
        *("ETag", "etag", "VersionId", "version_id", "generation", "md5Hash", "content_md5", "checksum"),
        *("LastModified", "last_modified", "mtime", "modified", "modificationTime", "updated", "created"),
    ],
)
def test_a_file_is_known_to_have_changed_by_whatever_its_storage_shows_of_that(bucket: Bucket, name: str) -> None:
    bucket.attributes = {"ETag": "the same", name: "before"}

    with opened_source(SOURCE) as file:
        assert read_all(file) == len(CONTENT)
        bucket.attributes[name] = "after"

        with pytest.raises(ConfigurationError, match="changed while it was being read"):
            file.open_file()


def test_another_file_under_the_same_name_is_not_mixed_into_the_one_that_is_read(tmp_path: Path) -> None:
    path, other = tmp_path / "lamp.bin", tmp_path / "other.bin"
    path.write_bytes(CONTENT)
    other.write_bytes(CONTENT)

    with opened_source(str(path)) as file:
        other.rename(path)

        assert read_all(file) == len(CONTENT)
        with pytest.raises(ConfigurationError, match="changed while it was being read"):
            file.open_file()
