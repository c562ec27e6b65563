"""Reading a file of known size once, with its digests taken on the way."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, BinaryIO

from airflow_provider_tuya_ota.core.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


class ExactReader:
    """Read exactly as many bytes as a file had when it was opened first, or refuse to end.

    :param open_file: opens the file at its beginning; called at once.
    :param name: how to name the file.
    :param size: bytes that it must have.
    :param methods: digests to take of what is read, as SignMethod names them.
    """

    def __init__(self, open_file: Callable[[], BinaryIO], name: str, size: int, methods: Sequence[str]) -> None:
        self._file = open_file()
        self._name = name
        self._size = self._left = size
        self._is_whole = False
        # MD5 is what firmwares of older tools carry; it protects nothing here.
        self._hashes = {method: hashlib.new(method, usedforsecurity=False) for method in methods}

    def read(self, size: int) -> bytes:
        """Read up to ``size`` bytes, none at the end.

        :raises ConfigurationError: the file has more or fewer bytes than it had.
        """
        if self._is_whole:
            return b""
        # The end is asked for, too: a file that checks itself does so there.
        piece = self._file.read(min(size, self._left) or 1)
        if bool(piece) is not bool(self._left):
            raise self._changed("more" if piece else "fewer")
        self._is_whole = not piece
        self._left -= len(piece)
        for digest in self._hashes.values():
            digest.update(piece)
        return piece

    def digests(self) -> dict[str, str]:
        """Give the hex digests by method, lower case; nothing as long as the file was not read to its end."""
        return {method: digest.hexdigest() for method, digest in self._hashes.items()} if self._is_whole else {}

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _changed(self, amount: str) -> ConfigurationError:
        return ConfigurationError(
            f"source: {self._name} changed while it was being read: it has {amount} than the {self._size:,} bytes that"
            " it had; no firmware was created. Run the task again when the file is complete."
        )
