"""A form upload in the order that object storage demands, read piece by piece so that memory stays constant.

Source: Alibaba OSS, PostObject: the ``file`` field is last, and what stands behind it is ignored or refused.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, BinaryIO

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
    """

    fields: Sequence[tuple[str, str]] = field(repr=False)
    file_name: str
    size: int
    open_file: Callable[[], BinaryIO] = field(repr=False)
    boundary: str

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
        name = self.file_name.replace("\\", "_").replace('"', "_").replace("\r", "_").replace("\n", "_")
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


class MultipartReader:
    """The whole body as a file to read from."""

    def __init__(self, body: MultipartBody) -> None:
        self._length = body.length
        self._before = body.prefix
        self._file = body.open_file()
        self._after = body.suffix

    def __len__(self) -> int:
        return self._length

    def read(self, size: int = -1) -> bytes:
        """Read up to ``size`` bytes, fewer at the seams; all of the rest for a negative size."""
        if size < 0:
            return b"".join(iter(lambda: self.read(1 << 16), b""))
        if self._before:
            piece, self._before = self._before[:size], self._before[size:]
            return piece
        if piece := self._file.read(size):
            return piece
        piece, self._after = self._after[:size], self._after[size:]
        return piece

    def close(self) -> None:
        """Close the file."""
        self._file.close()
