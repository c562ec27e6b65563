"""The default name of a firmware."""

from __future__ import annotations

import hashlib
import re
from typing import Final

LONGEST_NAME: Final = 40


def default_name(product_key: str, module: str | None, version: str) -> str:
    """Make a name of at most 40 characters that is unique to this product, module and version.

    A name allows fewer characters than a version. Where one is replaced or cut off, a digest makes the names of two
    versions differ.
    """
    exact = "-".join([product_key, module, version] if module and module != "default" else [product_key, version])
    name = re.sub(r"^(?![A-Za-z0-9])", "p", re.sub(r"[^A-Za-z0-9_()-]", "_", exact))
    if "_" not in exact and len(name) <= LONGEST_NAME and exact.replace(".", "_") == name:
        return name
    return f"{name[: LONGEST_NAME - 9]}-{hashlib.sha256(exact.encode()).hexdigest()[:8]}"
