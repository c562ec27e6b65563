"""Read a file of known size once and compute its digests meanwhile."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, BinaryIO

from airflow_provider_tuya_ota.core.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


class ExactReader:
    """Read exactly as many bytes as a file had before, or fail.

    :param open_file: opens the file at its beginning; called immediately.
    :param name: name of the file for errors.
    :param size: bytes that the file must have.
    :param methods: digests to compute, by the names of SignMethod.
    """

    def __init__(self, open_file: Callable[[], BinaryIO], name: str, size: int, methods: Sequence[str]) -> None:
        self._file = open_file()
        self._name = name
        self._size = self._left = size
        self._is_whole = False
        # Firmware of older tools has an MD5 digest; it protects nothing here.
        self._hashes = {method: hashlib.new(method, usedforsecurity=False) for method in methods}

    def read(self, size: int) -> bytes:
        """Read up to ``size`` bytes, none at the end.

        :raises ConfigurationError: the file has more or fewer bytes than it had.
        """
        if self._is_whole:
            return b""
        # The end of the file is read, too: some files check themselves there.
        chunk = self._file.read(min(size, self._left) or 1)
        if bool(chunk) is not bool(self._left):
            raise self._changed("more" if chunk else "fewer")
        self._is_whole = not chunk
        self._left -= len(chunk)
        for digest in self._hashes.values():
            digest.update(chunk)
        return chunk

    def digests(self) -> dict[str, str]:
        """Give the hex digests by method, lower case; empty until the file was read to its end."""
        return {method: digest.hexdigest() for method, digest in self._hashes.items()} if self._is_whole else {}

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _changed(self, amount: str) -> ConfigurationError:
        return ConfigurationError(
            f"source: {self._name} changed while it was being read: it has {amount} than the {self._size:,} bytes that"
            " it had before; no firmware was created. Run the task again when the file is complete."
        )
