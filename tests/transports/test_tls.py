from __future__ import annotations

import dataclasses
import ipaddress
import ssl
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from airflow_provider_tuya_ota.core.errors import Delivery, TransportError
from airflow_provider_tuya_ota.core.wire.http import Request
from tests.transports.servers import answer, break_tls, hang_up, serving

if TYPE_CHECKING:
    from pathlib import Path

    from airflow_provider_tuya_ota.core.settings import Settings
    from tests.transports.conftest import Exchange, Recorder


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a certificate for 127.0.0.1 that signs itself, with its key in the same file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "server.pem"
    path.write_bytes(
        made.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return path


@pytest.fixture
def tls(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


def get(port: int) -> Request:
    return Request("GET", f"https://127.0.0.1:{port}/?Action=X&Signature=canary")


def test_a_certificate_that_nobody_vouches_for_stops_before_anything_is_sent(
    exchange: Exchange, settings: Settings, tls: ssl.SSLContext, log: Recorder
) -> None:
    with serving(answer(), tls=tls) as server, pytest.raises(TransportError) as caught:
        exchange(settings, [get(server.port)])

    assert caught.value.delivery is Delivery.NEVER_SENT
    assert server.received == []
    assert "canary" not in f"{caught.value!r} {caught.value.__context__!r} {log.lines}"


def test_a_server_without_tls_is_distinguished_from_a_lost_answer(exchange: Exchange, settings: Settings) -> None:
    with (
        serving(answer(), is_deaf=True) as server,
        pytest.raises(TransportError, match="does not speak TLS there") as caught,
    ):
        exchange(settings, [get(server.port)])

    assert caught.value.delivery is Delivery.NEVER_SENT
    assert "http://" in caught.value.reason


def test_a_server_that_never_shakes_hands_has_been_sent_nothing(exchange: Exchange, settings: Settings) -> None:
    brief = dataclasses.replace(settings, connect_timeout=0.3, read_timeout=0.3)

    with serving(answer()) as server, pytest.raises(TransportError, match="no connection in time") as caught:
        exchange(brief, [get(server.port)])

    assert caught.value.delivery is Delivery.NEVER_SENT


def test_a_server_that_hangs_up_while_shaking_hands_has_been_sent_nothing(
    exchange: Exchange, settings: Settings
) -> None:
    with serving(hang_up, is_deaf=True) as server, pytest.raises(TransportError) as caught:
        exchange(settings, [get(server.port)])

    assert caught.value.delivery is Delivery.NEVER_SENT


def test_a_handshake_that_fails_has_sent_nothing(exchange: Exchange, settings: Settings, tls: ssl.SSLContext) -> None:
    tls.maximum_version = ssl.TLSVersion.TLSv1_2
    tls.set_ciphers("ECDHE-RSA-AES128-GCM-SHA256")

    with serving(answer(), tls=tls) as server, pytest.raises(TransportError, match="TLS could not be agreed") as caught:
        exchange(settings, [get(server.port)])

    assert caught.value.delivery is Delivery.NEVER_SENT
    assert server.received == []


def test_the_connections_own_authorities_are_trusted(
    exchange: Exchange, settings: Settings, tls: ssl.SSLContext, certificate: Path
) -> None:
    with serving(answer(b"safe"), tls=tls) as server:
        (response,) = exchange(dataclasses.replace(settings, ca_bundle=str(certificate)), [get(server.port)])

    assert response.body == b"safe"


@pytest.mark.filterwarnings("ignore::urllib3.exceptions.InsecureRequestWarning")
def test_checking_the_certificate_can_be_switched_off(
    exchange: Exchange, settings: Settings, tls: ssl.SSLContext
) -> None:
    with serving(answer(b"trusting"), tls=tls) as server:
        (response,) = exchange(dataclasses.replace(settings, verify_tls=False), [get(server.port)])

    assert response.body == b"trusting"


def test_tls_that_breaks_after_the_request_leaves_doubt(
    exchange: Exchange, settings: Settings, tls: ssl.SSLContext, certificate: Path
) -> None:
    with serving(break_tls, tls=tls) as server, pytest.raises(TransportError) as caught:
        exchange(dataclasses.replace(settings, ca_bundle=str(certificate)), [get(server.port)])

    assert len(server.received) == 1
    assert caught.value.delivery is Delivery.UNKNOWN
