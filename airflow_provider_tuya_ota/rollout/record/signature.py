"""Ed25519 keys, and the seal that closes a record: its digest, and a signature of it if there is a key."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from airflow_provider_tuya_ota.core.short_repr import short_repr
from airflow_provider_tuya_ota.rollout.record.canonical import canonical_bytes
from airflow_provider_tuya_ota.rollout.record.signing_key import is_weak, key_id_of

if TYPE_CHECKING:
    from airflow_provider_tuya_ota.rollout.record.signing_key import SigningKey

VERSION: Final = 1
ALGORITHM: Final = "Ed25519"
_SHAPES: Final = {
    "digest": "[0-9a-f]{64}",
    "key_id": "[0-9a-f]{64}",
    "public_key": "[0-9a-f]{64}",
    "signature": "[0-9a-f]{128}",
}
_UNSIGNED: Final = frozenset({"digest", "kind", "signature", "version"})
_SIGNED: Final = _UNSIGNED | {"algorithm", "key_id", "public_key"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Seal:
    """The last line of a record.

    :param digest: digest of the line of the last entry, which depends on all entries.
    :param key_id: id of the key; empty in an unsigned record.
    :param public_key: the 32 bytes of its public half in hexadecimal digits; empty in an unsigned record.
    :param signature: in hexadecimal digits; empty in an unsigned record.
    """

    digest: str
    key_id: str = ""
    public_key: str = ""
    signature: str = ""

    @property
    def is_signed(self) -> bool:
        """Whether there is a signature; it may still be wrong."""
        return bool(self.signature)

    def is_valid(self) -> bool:
        """Whether its own key has signed it. That says nothing about whose key it is."""
        public_key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(self.public_key))
        if key_id_of(public_key) != self.key_id or is_weak(public_key):
            return False
        try:
            public_key.verify(bytes.fromhex(self.signature), signed_bytes(self.digest, self.key_id))
        except InvalidSignature:
            return False
        return True

    def to_bytes(self) -> bytes:
        """Give its line, without the end of the line."""
        values: dict[str, Any] = {"digest": self.digest, "kind": "seal", "signature": None, "version": VERSION}
        if self.is_signed:
            values |= {
                "algorithm": ALGORITHM,
                "key_id": self.key_id,
                "public_key": self.public_key,
                "signature": self.signature,
            }
        return canonical_bytes(values)

    @classmethod
    def from_values(cls, values: dict[str, Any]) -> Seal:
        """Read the seal from the values of its line.

        :raises ValueError: it is none, or its version is not known here.
        """
        is_signed = values.get("signature") is not None
        if values.keys() != (_SIGNED if is_signed else _UNSIGNED) or values.get("algorithm", ALGORITHM) != ALGORITHM:
            raise ValueError(f"{short_repr(values)} is no seal of {ALGORITHM}, and none without a signature")
        if values["version"] is True or values["version"] != VERSION:
            raise ValueError(f"version {short_repr(values['version'])} of a seal is not known here, only {VERSION}")
        texts = {name: values[name] for name in (_SHAPES if is_signed else ("digest",))}
        for name, text in texts.items():
            if not isinstance(text, str) or not re.fullmatch(_SHAPES[name], text):
                raise ValueError(f"the {name} of the seal is {short_repr(text)}, and not {_SHAPES[name]}")
        return cls(**texts)


def seal_record(digest: str, key: SigningKey | None) -> Seal:
    """Seal the digest of a last entry; without a key, the seal says that the record is unsigned."""
    if key is None:
        return Seal(digest=digest)
    return Seal(
        digest=digest,
        key_id=key.key_id,
        public_key=key.public_key.public_bytes(Encoding.Raw, PublicFormat.Raw).hex(),
        signature=key.sign(signed_bytes(digest, key.key_id)).hex(),
    )


def signed_bytes(digest: str, key_id: str) -> bytes:
    """Give the bytes that are signed; their kind keeps the signature from fitting anything else that the key signs."""
    return canonical_bytes(
        {
            "algorithm": ALGORITHM,
            "digest": digest,
            "key_id": key_id,
            "kind": "tuya-ota release record",
            "version": VERSION,
        }
    )
