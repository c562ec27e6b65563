from __future__ import annotations

import socket
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from airflow_provider_tuya_ota.emulator.server import EmulatorServer
from tests.emulator.plain_client import PlainClient, over_socket

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGE = {"CurrentPage": "1", "PageSize": "10"}


@pytest.fixture
def server() -> Iterator[EmulatorServer]:
    with EmulatorServer() as server:
        yield server


def ask(server: EmulatorServer) -> socket.socket:
    """Send a request, and give the connection on which its answer comes."""
    where = urlsplit(server.url)
    client = PlainClient(over_socket(server.url))
    query = client.sign("GET", client.parameters("ListOTAFirmware", **PAGE))
    connection = socket.create_connection((where.hostname, where.port), timeout=30)
    connection.sendall(f"GET /?{query} HTTP/1.1\r\nHost: {where.netloc}\r\n\r\n".encode())
    return connection


def pieces(connection: socket.socket) -> list[bytes]:
    with connection:
        received = []
        while piece := connection.recv(65_536):
            received.append(piece)
        return received


@pytest.mark.parametrize("part", ["status_line", "headers", "between", "body"])
def test_a_part_of_the_answer_drips_and_the_whole_arrives(server: EmulatorServer, part: str) -> None:
    server.emulator.faults.add({"action": "*", "kind": "drip", "part": part, "seconds": 0.005, "nth": 1})

    received = pieces(ask(server))

    head, _, body = b"".join(received).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"\r\ndate: " in head
    assert b'"success": true' in body
    assert f"content-length: {len(body)}".encode() in head
    places = [len(b"".join(received[:number])) for number in range(1, len(received))]
    line = head.index(b"\r\n") + 2
    where = {
        "status_line": (0, line),
        "headers": (line, len(head) + 4),
        "between": (len(head) + 3, len(head) + 5),
        "body": (len(head) + 4, len(head) + 4 + len(body)),
    }[part]
    assert any(where[0] < place < where[1] for place in places)
    assert PlainClient(over_socket(server.url)).ask("ListOTAFirmware", **PAGE)[1]["success"] is True


def test_a_server_says_continue_for_as_long_as_anybody_listens(server: EmulatorServer) -> None:
    server.emulator.faults.add({"action": "*", "kind": "continue", "seconds": 0.001, "nth": 1})
    received = b""
    with ask(server) as connection:
        while len(received) < 2500:
            received += connection.recv(65_536)

    assert set(received[:2500].split(b"\r\n\r\n")[:-1]) == {b"HTTP/1.1 100 Continue"}
    assert PlainClient(over_socket(server.url)).ask("ListOTAFirmware", **PAGE)[1]["success"] is True


def test_a_server_that_drips_can_be_stopped() -> None:
    with EmulatorServer() as server:
        server.emulator.faults.add({"action": "*", "kind": "continue", "seconds": 0.001})
        connection = ask(server)
        assert connection.recv(10)

    connection.close()
