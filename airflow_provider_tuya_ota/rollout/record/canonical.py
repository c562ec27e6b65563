"""The bytes of a value in the form of RFC 8785, and their digest."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, Final

import rfc8785

from airflow_provider_tuya_ota.rollout.record.unreadable import RecordUnreadableError

if TYPE_CHECKING:
    from collections.abc import Iterable

DIGEST: Final = "[0-9a-f]{64}"
"""A SHA-256 as it is written."""


def canonical_bytes(value: Any) -> bytes:
    """Write a value of plain JSON in the form of RFC 8785, which has one text for each value.

    :raises RecordUnreadableError: half of a surrogate pair, a number beyond 2^53 - 1, or one that is not finite.
    """
    try:
        return rfc8785.dumps(value)
    except (rfc8785.CanonicalizationError, UnicodeEncodeError):
        raise RecordUnreadableError(
            "it has a number or a text without a form in RFC 8785: a whole number beyond 2^53 - 1, a number that is"
            " not finite, or half of a surrogate pair"
        ) from None


def digest_of_bytes(written: bytes) -> str:
    """Give the SHA-256 in hexadecimal digits."""
    return hashlib.sha256(written).hexdigest()


def digest_of_devices(names: Iterable[str]) -> str:
    """Give the digest of a set of devices: of the list of their names, sorted by code points, in canonical form."""
    return digest_of_bytes(canonical_bytes(sorted(names)))
