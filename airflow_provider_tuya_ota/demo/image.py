"""A firmware image for the demo: the same bytes for the same version, on every machine."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

SIZE = 256 * 1024


def write_image(folder: Path, version: str) -> Path:
    """Write the image of a version, and return its path."""
    path = folder / f"demo-{version}.bin"
    blocks = (hashlib.sha256(f"{version}/{number}".encode()).digest() for number in range(SIZE // 32))
    path.write_bytes(b"".join(blocks))
    return path
