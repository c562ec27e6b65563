"""A form upload in the order that object storage demands, read piece by piece so that memory stays constant.

Source: Alibaba OSS, PostObject: the ``file`` field is last, and what stands behind it is ignored or refused.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, BinaryIO

from airflow_provider_tuya_ota.core.wire.exact_reader import ExactReader

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


@dataclass(frozen=True, slots=True)
class MultipartBody:
    """A form with one file at its end.

    :param fields: name and value in sending order; holds the policy and its signature, hence not in the repr.
    :param file_name: shown to object storage only.
    :param size: bytes of the file.
    :param open_file: opens the file at its beginning.
    :param boundary: a text that occurs nowhere in the file.
    :param methods: digests to take of the file while it is sent, as SignMethod names them.
    """

    fields: Sequence[tuple[str, str]] = field(repr=False)
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
            f'--{self.boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
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
        """Everything behind the file's bytes."""
        return f"\r\n--{self.boundary}--\r\n".encode()

    @property
    def length(self) -> int:
        """Bytes of the whole body: object storage wants to know before it reads."""
        return len(self.prefix) + self.size + len(self.suffix)

    def open(self) -> MultipartReader:
        """Open the whole body for reading; close it afterwards."""
        return MultipartReader(self)


def plain_name(name: str) -> str:
    """Make a file name that fits into one line, into quotes and into any encoding, by ``_`` for what does not."""
    fitting = "".join(one if one.isprintable() and one not in '"\\' else "_" for one in name)
    return fitting[-LONGEST_NAME:]


LONGEST_NAME = 255
"""Characters of a name that are kept, from its end, where the suffix is."""


class MultipartReader:
    """The whole body as a file to read from; it ends where its length says, or not at all."""

    def __init__(self, body: MultipartBody) -> None:
        self._length = body.length
        self._before = body.prefix
        self._file = ExactReader(body.open_file, plain_name(body.file_name), body.size, body.methods)
        self._after = body.suffix

    def __len__(self) -> int:
        return self._length

    def read(self, size: int = -1) -> bytes:
        """Read up to ``size`` bytes, fewer at the seams; all of the rest for a negative size.

        :raises ConfigurationError: the file has more or fewer bytes than it had. Storage never gets the form's end.
        """
        if size < 0:
            return b"".join(iter(lambda: self.read(1 << 16), b""))
        if self._before:
            piece, self._before = self._before[:size], self._before[size:]
            return piece
        if piece := self._file.read(size):
            return piece
        piece, self._after = self._after[:size], self._after[size:]
        return piece

    def digests(self) -> dict[str, str]:
        """Give the file's hex digests by method; nothing as long as the body was not read to its end."""
        return {} if self._after else self._file.digests()

    def close(self) -> None:
        """Close the file."""
        self._file.close()
