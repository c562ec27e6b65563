"""One text for one value, so that equal values have equal digests wherever they are computed."""

from __future__ import annotations

import hashlib
import json
from typing import Any, Final, TypeAlias

from airflow_provider_tuya_ota.core.errors import ConfigurationError
from airflow_provider_tuya_ota.core.short_repr import short_repr

Canonical: TypeAlias = Any
"""Texts, numbers, True, False and None, and lists and dictionaries of them."""
_LARGEST: Final = 2**53 - 1
"""The largest whole number that every reader of JSON keeps."""
_SMALLEST: Final = 1e-4
"""Of a fraction; Python and RFC 8785 write smaller ones with different exponents."""


def canonical_json(value: Canonical) -> bytes:
    """Write a value in the form of RFC 8785.

    :raises ConfigurationError: the value has another type, a number that programs write differently, or a text that
        UTF-8 cannot encode.
    """
    text = json.dumps(_normal(value), ensure_ascii=False, separators=(",", ":"))
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise ConfigurationError("A text contains half of a surrogate pair, which cannot be stored.") from None


def digest_of(value: Canonical) -> str:
    """Give the SHA-256 of the canonical text, in hexadecimal digits."""
    return hashlib.sha256(canonical_json(value)).hexdigest()


def _sort_key(key: str) -> bytes:
    # RFC 8785 sorts by the units of UTF-16, which is another order than Python's beyond U+FFFF.
    return key.encode("utf-16-be", "surrogatepass")


def _normal(value: Canonical) -> Canonical:
    """Give the value with whole numbers as such: 60.0 and 60 are the same number, and have the same text."""
    if value is None or isinstance(value, str | bool):
        return value
    if isinstance(value, int | float) and abs(value) <= _LARGEST:
        if value == int(value):
            return int(value)
        if abs(value) >= _SMALLEST:
            return value
    if isinstance(value, list | tuple):
        return list(map(_normal, value))
    if isinstance(value, dict) and all(isinstance(key, str) for key in value):
        return {key: _normal(value[key]) for key in sorted(value, key=_sort_key)}
    raise ConfigurationError(f"{short_repr(value)} has no canonical form.")
