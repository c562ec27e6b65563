"""TLS certificates: a valid one, and one with each usual defect."""

from __future__ import annotations

import ipaddress
import ssl
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

if TYPE_CHECKING:
    from pathlib import Path

    from cryptography.x509 import Certificate, CertificateBuilder

KINDS: Final = ("trusted", "expired", "other_host", "unknown_ca")
"""Kinds of server certificates; all but ``trusted`` must be refused."""
AUTHORITY: Final = "authority.pem"
_NAMES: Final = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]


def make_context(kind: str, folder: Path) -> ssl.SSLContext:
    """Make a server's TLS context, and write the authority that callers should trust to the folder.

    :param kind: one of :data:`KINDS`.
    :param folder: private to the caller; :data:`AUTHORITY` and the server's key are written to it.
    """
    authority_key, server_key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    signing_key = ec.generate_private_key(ec.SECP256R1()) if kind == "unknown_ca" else authority_key
    authority = (
        _unsigned("emulator authority", "emulator authority", authority_key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(authority_key.public_key()), critical=False)
        .add_extension(_KEY_USAGE, critical=True)
        .sign(authority_key, hashes.SHA256())
    )
    names = [x509.DNSName("other.invalid")] if kind == "other_host" else _NAMES
    server = (
        _unsigned("emulator", "emulator authority", server_key.public_key(), expired=kind == "expired")
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signing_key.public_key()), critical=False)
        .sign(signing_key, hashes.SHA256())
    )
    (folder / AUTHORITY).write_bytes(_pem(authority))
    chain = folder / "server.pem"
    chain.touch(mode=0o600)
    chain.write_bytes(_private_pem(server_key) + _pem(server))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain)
    return context


_KEY_USAGE: Final = x509.KeyUsage(
    digital_signature=True,
    key_cert_sign=True,
    crl_sign=True,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    encipher_only=False,
    decipher_only=False,
)


def _unsigned(
    subject: str, issuer: str, key: ec.EllipticCurvePublicKey, *, expired: bool = False
) -> CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=2))
        .not_valid_after(now + timedelta(days=-1 if expired else 30))
    )


def _pem(certificate: Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _private_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
