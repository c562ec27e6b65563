"""Signatures of the API and of object storage, written without the client's code."""

from __future__ import annotations

import base64
import hashlib
import hmac
import string

_PLAIN = frozenset((string.ascii_letters + string.digits + "-_.~").encode())


def encode(text: str) -> str:
    """Percent-encode everything but unreserved characters, with capital hex digits."""
    return "".join(chr(byte) if byte in _PLAIN else f"%{byte:02X}" for byte in text.encode("utf-8"))


def rpc_signature(method: str, parameters: dict[str, str], secret: str) -> str:
    """Sign all parameters but ``Signature``."""
    pairs = sorted((name, value) for name, value in parameters.items() if name != "Signature")
    canonical = "&".join(encode(name) + "=" + encode(value) for name, value in pairs)
    to_sign = "&".join((method.upper(), encode("/"), encode(canonical)))
    return _hmac_sha1(secret + "&", to_sign)


def storage_signature(secret: str, text: str) -> str:
    """Sign a policy or an expiring address; object storage uses the plain secret as the key."""
    return _hmac_sha1(secret, text)


def same(left: str, right: str) -> bool:
    """Compare two signatures in constant time."""
    return hmac.compare_digest(left.encode(), right.encode())


def _hmac_sha1(key: str, text: str) -> str:
    return base64.b64encode(hmac.new(key.encode(), text.encode(), hashlib.sha1).digest()).decode()
