from __future__ import annotations

import http.client
import socket
import ssl
import time
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from airflow_provider_tuya_ota.emulator.clock import Clock
from airflow_provider_tuya_ota.emulator.emulator import Emulator
from airflow_provider_tuya_ota.emulator.messages import ConnectionRefused
from airflow_provider_tuya_ota.emulator.server import EmulatorServer
from airflow_provider_tuya_ota.emulator.web.certificates import KINDS
from tests.emulator.plain_client import PlainClient, in_memory, over_socket

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGE = {"CurrentPage": "1", "PageSize": "10"}


@pytest.fixture
def server() -> Iterator[EmulatorServer]:
    with EmulatorServer() as server:
        yield server


def firmwares(client: PlainClient) -> int:
    return len(client.control("GET", "state")["firmwares"])


def test_a_lost_answer_behind_a_proxy_was_carried_out_all_the_same(client: PlainClient) -> None:
    client.control("POST", "faults", {"action": "CreateOTAFirmware", "kind": "status_after", "status": 504})

    with pytest.raises(ValueError, match="Expecting value"):
        client.create_firmware()

    assert firmwares(client) == 1


def test_a_skewed_call_is_expired_and_dated_by_the_skewed_clock(client: PlainClient) -> None:
    client.control("POST", "faults", {"action": "ListOTAFirmware", "kind": "skew", "seconds": -3600, "nth": 1})
    query = client.sign("GET", client.parameters("ListOTAFirmware", **PAGE))

    status, headers, body = client.send("GET", f"/?{query}", {}, b"")

    assert (status, b"InvalidTimeStamp.Expired" in body) == (400, True)
    dated = time.mktime(time.strptime(headers["date"], "%a, %d %b %Y %H:%M:%S GMT")) - time.timezone
    assert -3605 < dated - time.time() < -3595
    assert client.ask("ListOTAFirmware", **PAGE)[0] == 200
    assert abs(client.control("GET", "clock")["gateway_offset"]) < 1e-6


def test_an_outage_answers_503_to_everything_until_it_is_over() -> None:
    wall = [1_800_000_000.0]
    emulator = Emulator(clock=Clock(lambda: wall[0]))
    client = PlainClient(in_memory(emulator), now=lambda: wall[0])
    emulator.faults.add({"action": "QueryProductList", "kind": "outage", "seconds": 60})

    assert b'"success": true' in client.ask_raw("ListOTAFirmware", **PAGE)
    assert b"Unavailable" in client.ask_raw("QueryProductList", **PAGE)
    emulator.faults.list.clear()
    wall[0] += 59
    assert b"Unavailable" in client.ask_raw("ListOTAFirmware", **PAGE)
    wall[0] += 1
    assert b'"success": true' in client.ask_raw("ListOTAFirmware", **PAGE)


def test_in_memory_nobody_listens_until_the_refusal_is_over() -> None:
    wall = [1_800_000_000.0]
    emulator = Emulator(clock=Clock(lambda: wall[0]))
    client = PlainClient(in_memory(emulator), now=lambda: wall[0])
    emulator.faults.add({"action": "*", "kind": "refuse", "nth": 1, "seconds": 10})

    for pause in (0, 9):
        wall[0] += pause
        with pytest.raises(ConnectionRefused):
            client.ask_raw("ListOTAFirmware", **PAGE)
    wall[0] += 1
    assert b'"success": true' in client.ask_raw("ListOTAFirmware", **PAGE)


def test_over_a_socket_connections_are_really_refused_and_the_same_port_comes_back(server: EmulatorServer) -> None:
    client = PlainClient(over_socket(server.url))
    idle = socket.create_connection((urlsplit(server.url).hostname, urlsplit(server.url).port))
    server.emulator.faults.add({"action": "*", "kind": "refuse", "nth": 1, "seconds": 2.0})

    with pytest.raises((ConnectionError, http.client.HTTPException)):
        client.ask_raw("ListOTAFirmware", **PAGE)
    with pytest.raises(ConnectionRefusedError):
        client.ask_raw("ListOTAFirmware", **PAGE)
    idle.settimeout(10)
    with idle:
        assert not _rest_of(idle)

    deadline = time.monotonic() + 20
    while True:
        try:
            answer = client.ask_raw("ListOTAFirmware", **PAGE)
        except ConnectionRefusedError:
            assert time.monotonic() < deadline
        else:
            break
    assert b'"success": true' in answer


def _rest_of(connection: socket.socket) -> bytes:
    try:
        return connection.recv(100)
    except ConnectionResetError:
        return b""


def test_a_server_that_refuses_can_be_stopped() -> None:
    with EmulatorServer() as server:
        server.emulator.faults.add({"action": "*", "kind": "refuse", "seconds": 3600})
        with pytest.raises((ConnectionError, http.client.HTTPException)):
            PlainClient(over_socket(server.url)).ask_raw("ListOTAFirmware", **PAGE)

    with pytest.raises(ConnectionRefusedError):
        PlainClient(over_socket(server.url)).ask_raw("ListOTAFirmware", **PAGE)


def test_a_slow_body_arrives_whole_in_pieces(server: EmulatorServer) -> None:
    server.emulator.faults.add({"action": "ListOTAFirmware", "kind": "slow_body", "seconds": 0.5, "nth": 1})
    client = PlainClient(over_socket(server.url))
    query = client.sign("GET", client.parameters("ListOTAFirmware", **PAGE))
    connection = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=10)
    connection.request("GET", f"/?{query}")
    answer = connection.getresponse()
    length = int(answer.getheader("content-length") or 0)
    pieces = []
    while piece := answer.read1(10_000):
        pieces.append(piece)
    connection.close()

    assert len(pieces) > 1
    assert len(b"".join(pieces)) == length > 0


@pytest.mark.parametrize("kind", ["delay", "slow_body", "outage", "refuse"])
def test_time_cannot_be_negative_but_for_a_clock(emulator: Emulator, kind: str) -> None:
    with pytest.raises(ValueError, match="seconds"):
        emulator.faults.add({"action": "*", "kind": kind, "seconds": -1})


@pytest.mark.parametrize("kind", KINDS)
def test_tls_is_taken_only_with_the_right_certificate(kind: str) -> None:
    with EmulatorServer(tls=kind) as server:
        context = ssl.create_default_context(cafile=server.ca_bundle)
        client = PlainClient(over_socket(server.url, context))

        if kind == "trusted":
            ticket = client.ticket()
            assert ticket["host"] == server.url
            assert client.ask("ListOTAFirmware", **PAGE)[1]["success"] is True
        else:
            with pytest.raises(ssl.SSLCertVerificationError):
                client.ask_raw("ListOTAFirmware", **PAGE)
