"""A form upload in the order that object storage needs, read in chunks so that memory stays constant.

Source: Alibaba OSS, PostObject: the ``file`` field is last; fields after it are ignored or refused.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, BinaryIO

from airflow_provider_tuya_ota.core.secret import Secret
from airflow_provider_tuya_ota.core.wire.exact_reader import ExactReader

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


@dataclass(frozen=True, slots=True)
class MultipartBody:
    """A form with one file at its end.

    :param fields: names and values in sending order; secret values stay wrapped until they are sent.
    :param file_name: name of the file for object storage.
    :param size: bytes of the file.
    :param open_file: opens the file at its beginning.
    :param boundary: a text that occurs nowhere in the file.
    :param methods: digests to compute while the file is sent, by the names of SignMethod.
    """

    fields: Sequence[tuple[str, str | Secret]] = field(repr=False)
    file_name: str
    size: int
    open_file: Callable[[], BinaryIO] = field(repr=False)
    boundary: str
    methods: Sequence[str] = ()

    @property
    def content_type(self) -> str:
        """Header that announces the boundary."""
        return f"multipart/form-data; boundary={self.boundary}"

    @property
    def prefix(self) -> bytes:
        """Everything before the file's bytes."""
        parts = [
            f'--{self.boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{_plain(value)}\r\n'
            for name, value in self.fields
        ]
        name = plain_name(self.file_name)
        parts.append(
            f'--{self.boundary}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'
            "Content-Type: application/octet-stream\r\n\r\n"
        )
        return "".join(parts).encode()

    @property
    def suffix(self) -> bytes:
        """Everything after the file's bytes."""
        return f"\r\n--{self.boundary}--\r\n".encode()

    @property
    def length(self) -> int:
        """Bytes of the whole body: object storage needs the length first."""
        return len(self.prefix) + self.size + len(self.suffix)

    def open(self) -> MultipartReader:
        """Open the whole body for reading; close it afterwards."""
        return MultipartReader(self)


def _plain(value: str | Secret) -> str:
    return value.reveal() if isinstance(value, Secret) else value


def plain_name(name: str) -> str:
    """Replace by ``_`` what does not fit into one line, into quotes or into every encoding, and keep 255 characters."""
    fitting = "".join(one if one.isprintable() and one not in '"\\' else "_" for one in name)
    return fitting[-LONGEST_NAME:]


LONGEST_NAME = 255
"""Characters of a name that are kept, from its end, because the suffix is there."""


class MultipartReader:
    """The whole body as a file to read from; reading fails where it does not have the length that was announced."""

    def __init__(self, body: MultipartBody) -> None:
        self._length = body.length
        self._before = body.prefix
        self._file = ExactReader(body.open_file, plain_name(body.file_name), body.size, body.methods)
        self._after = body.suffix

    def __len__(self) -> int:
        return self._length

    def read(self, size: int = -1) -> bytes:
        """Read up to ``size`` bytes, fewer where two parts meet; the whole rest for a negative size.

        :raises ConfigurationError: the file has more or fewer bytes than before. Then the end of the form is never
            sent.
        """
        if size < 0:
            return b"".join(iter(lambda: self.read(1 << 16), b""))
        if self._before:
            chunk, self._before = self._before[:size], self._before[size:]
            return chunk
        if chunk := self._file.read(size):
            return chunk
        chunk, self._after = self._after[:size], self._after[size:]
        return chunk

    def digests(self) -> dict[str, str]:
        """Give the file's hex digests by method; empty until the body was read to its end."""
        return {} if self._after else self._file.digests()

    def close(self) -> None:
        """Close the file."""
        self._file.close()
