"""Keys as people give them: PEM, OpenSSH, or 32 bytes in base64."""

from __future__ import annotations

import binascii
from base64 import b64decode
from typing import TYPE_CHECKING, Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
    load_ssh_private_key,
    load_ssh_public_key,
)

from airflow_provider_tuya_ota.rollout.record.canonical import digest_of_bytes
from airflow_provider_tuya_ota.rollout.record.unreadable import RecordUnreadableError

if TYPE_CHECKING:
    from airflow_provider_tuya_ota.core.secret import Secret

LONGEST_KEY: Final = 20_000
"""Characters of a key; the longest form of one has about 500."""
_ALLOWED: Final = "an Ed25519 key without a password, as PEM, OpenSSH, or 32 bytes in base64"
_PRIME: Final = 2**255 - 19
_ORDER_8: Final = 0x05FC536D880238B13933C6D305ACDFD5F098EFF289F4C345B027B2C28F95E826
_SMALL_ORDER: Final = frozenset({0, 1, _PRIME - 1, _ORDER_8, _PRIME - _ORDER_8})
"""Second coordinates of the points of small order."""


def is_weak(public_key: Ed25519PublicKey) -> bool:
    """Whether signatures of a key prove nothing: it has a small order, or its number is written in a second form.

    With a key of small order, one signature fits many texts, and anybody can make it.
    """
    written = public_key.public_bytes(Encoding.Raw, PublicFormat.Raw)
    second = int.from_bytes(written, "little") % 2**255  # without the sign of the first coordinate
    return second >= _PRIME or second in _SMALL_ORDER


def key_id_of(public_key: Ed25519PublicKey) -> str:
    """Give the id of a key: the SHA-256 of its public half, as ``openssl pkey -pubin -outform DER`` writes it."""
    return digest_of_bytes(public_key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))


class SigningKey:
    """A private key that can sign, and shows only its id.

    :param private_key: the key.
    """

    __slots__ = ("_private_key", "key_id", "public_key")

    def __init__(self, private_key: Ed25519PrivateKey) -> None:
        self._private_key = private_key
        self.public_key = private_key.public_key()
        self.key_id = key_id_of(self.public_key)

    def sign(self, data: bytes) -> bytes:
        """Give the signature of some bytes."""
        return self._private_key.sign(data)

    def __repr__(self) -> str:
        return f"SigningKey({self.key_id})"


def parse_signing_key(given: Secret) -> SigningKey:
    """Read a private key.

    :raises RecordUnreadableError: it is none of the forms, has a password, or is of another algorithm. The error shows
        nothing of it.
    """
    # The text stays in the frame of a function that returns: tools show the locals of frames that an error passed.
    found = _load_private(given)
    if isinstance(found, Ed25519PrivateKey):
        return SigningKey(found)
    raise RecordUnreadableError(f"the key to sign with {found}; give {_ALLOWED}")


def parse_public_key(text: str) -> Ed25519PublicKey:
    """Read a public key.

    :raises RecordUnreadableError: it is none of the forms, or is of another algorithm. The error shows nothing of it,
        because it may be a private key by mistake.
    """
    found = _load_public(text.strip())
    if isinstance(found, Ed25519PublicKey) and not is_weak(found):
        return found
    if isinstance(found, Ed25519PublicKey):
        found = "has a small order, so anybody can make its signatures"
    raise RecordUnreadableError(f"the key to verify with {found}; give the public half of {_ALLOWED}")


def _load_private(given: Secret) -> object:
    text = given.reveal().strip()
    written = text.encode(errors="replace")
    if len(text) > LONGEST_KEY:
        return "is too long"
    if "PUBLIC KEY" in text or text.startswith("ssh-"):
        return "is a public key"
    try:
        if "OPENSSH" in text:
            found: object = load_ssh_private_key(written, password=None)
        elif text.startswith("-----"):
            found = load_pem_private_key(written, password=None)
        else:
            found = Ed25519PrivateKey.from_private_bytes(b64decode(written, validate=True))
    except TypeError:
        return "has a password"
    except (ValueError, binascii.Error, UnsupportedAlgorithm):
        return "has none of the known forms"
    return found if isinstance(found, Ed25519PrivateKey) else "is of another algorithm than Ed25519"


def _load_public(text: str) -> object:
    if len(text) > LONGEST_KEY:
        return "is too long"
    if "PRIVATE KEY" in text:
        return "is a private key, which should leave its place as rarely as possible"
    written = text.encode(errors="replace")
    try:
        if text.startswith("-----"):
            found: object = load_pem_public_key(written)
        elif " " in text:
            found = load_ssh_public_key(written)
        else:
            found = Ed25519PublicKey.from_public_bytes(b64decode(written, validate=True))
    except (ValueError, binascii.Error, UnsupportedAlgorithm):
        return "has none of the known forms"
    return found if isinstance(found, Ed25519PublicKey) else "is of another algorithm than Ed25519"
