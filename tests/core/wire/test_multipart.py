from __future__ import annotations

import hashlib
import io
import os

import pytest

from airflow_provider_tuya_ota.core.errors import ConfigurationError
from airflow_provider_tuya_ota.core.secret import Secret
from airflow_provider_tuya_ota.core.wire.multipart import MultipartBody, plain_name


def body(content: bytes, size: int, name: str = "lamp.bin") -> MultipartBody:
    return MultipartBody(
        fields=[("key", "k")], file_name=name, size=size, open_file=lambda: io.BytesIO(content), boundary="b"
    )


def test_a_secret_field_is_sent_and_shown_nowhere() -> None:
    fields: list[tuple[str, str | Secret]] = [("key", "k"), ("policy", Secret("canary"))]
    form = MultipartBody(fields=fields, file_name="f", size=0, open_file=lambda: io.BytesIO(b""), boundary="b")

    assert b'name="policy"\r\n\r\ncanary\r\n' in form.open().read()
    assert "canary" not in repr(form) + repr(form.fields)


@pytest.mark.parametrize("piece", [1, 3, 1 << 16, -1])
@pytest.mark.parametrize("content", [b"", b"lamp", bytes(1 << 17)])
def test_exactly_the_announced_length_is_read(content: bytes, piece: int) -> None:
    form = body(content, len(content))
    reader = form.open()

    read = reader.read() if piece < 0 else b"".join(iter(lambda: reader.read(piece), b""))

    assert read == form.prefix + content + form.suffix
    assert len(read) == form.length == len(reader)


@pytest.mark.parametrize("piece", [1, 3, 1 << 16])
@pytest.mark.parametrize(
    ("content", "size", "amount"), [(b"lamps", 4, "more"), (b"lam", 4, "fewer"), (b"x", 0, "more")]
)
def test_a_file_of_another_size_never_gets_its_end(content: bytes, size: int, amount: str, piece: int) -> None:
    form, read = body(content, size), bytearray()
    reader = form.open()

    with pytest.raises(ConfigurationError, match=rf"changed .* it has {amount} than the {size} bytes"):
        read += b"".join(iter(lambda: reader.read(piece), b""))

    assert form.suffix not in read


@pytest.mark.parametrize("piece", [1, 3, 1 << 16])
def test_digests_are_of_the_file_alone_and_reported_when_all_of_the_form_was_read(piece: int) -> None:
    content = b"lamp" * 9
    form = MultipartBody([], "lamp.bin", len(content), lambda: io.BytesIO(content), "b", methods=["MD5", "SHA256"])
    reader, read = form.open(), b""

    while len(read) < form.length:
        assert reader.digests() == {}
        read += reader.read(piece)

    md5 = hashlib.md5(content, usedforsecurity=False).hexdigest()
    assert reader.digests() == {"MD5": md5, "SHA256": hashlib.sha256(content).hexdigest()}


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("lamp 1.2_x\u00e9\u706f.bin", "lamp 1.2_x\u00e9\u706f.bin"),
        ('a"b\\c.bin', "a_b_c.bin"),
        ("a\r\nX: y\x1b\x00.bin", "a__X: y__.bin"),
        (os.fsdecode(b"\xff.bin"), "_.bin"),
        ("\u202e\ud800.bin", "__.bin"),
        ("n" * 300 + ".bin", "n" * 251 + ".bin"),
    ],
)
def test_a_file_name_fits_into_a_line_and_any_encoding(name: str, plain: str) -> None:
    assert plain_name(name) == plain
    assert f'filename="{plain}"'.encode() in body(b"", 0, name).prefix
