"""One text for one value, so that equal values have equal digests wherever they are computed."""

from __future__ import annotations

import hashlib
import json
from typing import Any, Final, TypeAlias

from airflow_provider_tuya_ota.core.errors import ConfigurationError
from airflow_provider_tuya_ota.core.short_repr import short_repr

Canonical: TypeAlias = Any
"""Texts, whole numbers, True, False and None, and lists and dictionaries of them with ASCII keys."""
_LARGEST: Final = 2**53 - 1
"""The largest whole number that every reader of JSON keeps."""


def canonical_json(value: Canonical) -> bytes:
    """Write a value in the form of RFC 8785.

    Fractions are refused: two programs may write them differently. Keys have to be ASCII, which every program sorts in
    the same order.

    :raises ConfigurationError: the value has another type, or a text that UTF-8 cannot encode.
    """
    _require(value)
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":"))
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise ConfigurationError("A text contains half of a surrogate pair, which cannot be stored.") from None


def digest_of(value: Canonical) -> str:
    """Give the SHA-256 of the canonical text, in hexadecimal digits."""
    return hashlib.sha256(canonical_json(value)).hexdigest()


def _require(value: Canonical) -> None:
    if value is None or isinstance(value, str | bool):
        return
    if isinstance(value, int) and abs(value) <= _LARGEST:
        return
    if isinstance(value, list | tuple):
        for entry in value:
            _require(entry)
        return
    if isinstance(value, dict) and all(isinstance(key, str) and key.isascii() for key in value):
        for entry in value.values():
            _require(entry)
        return
    raise ConfigurationError(f"{short_repr(value)} has no canonical form.")
