"""Small servers on loopback that answer, or fail to, exactly as a test says."""

from __future__ import annotations

import socket
import socketserver
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeAlias

TIME_LIMIT = 10.0
"""Seconds after which a server gives up on a test that went wrong."""


@dataclass
class Received:
    """One request as it came over the wire."""

    head: bytes
    body: bytes = b""
    length: int = 0

    @property
    def target(self) -> str:
        return self.head.split(b" ")[1].decode()

    @property
    def headers(self) -> dict[str, str]:
        lines = self.head.decode().split("\r\n")[1:]
        return {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}


Behaviour: TypeAlias = Callable[[socket.socket, Received], bool]
"""Answer one request; True keeps the connection."""


@dataclass
class Server:
    port: int
    received: list[Received] = field(default_factory=list)
    connections: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def serving(
    behaviour: Behaviour, *, keep_body: bool = True, tls: ssl.SSLContext | None = None, is_deaf: bool = False
) -> Iterator[Server]:
    """Serve until the block ends; every connection has its own thread.

    :param is_deaf: behave at once, whatever the client says.
    """

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            self.request.settimeout(TIME_LIMIT)
            server.connections += 1
            try:
                if is_deaf:
                    behaviour(self.request, Received(b""))
                    return
                with tls.wrap_socket(self.request, server_side=True) if tls else self.request as connection:
                    while (received := _receive(connection, keep_body=keep_body)) is not None:
                        server.received.append(received)
                        if not behaviour(connection, received):
                            return
            except OSError:
                # The client went away, which some tests are about.
                return

    class ThreadingServer(socketserver.ThreadingTCPServer):
        allow_reuse_address = True
        daemon_threads = True
        request_queue_size = 256

    with ThreadingServer(("127.0.0.1", 0), Handler) as listener:
        server = Server(port=listener.server_address[1])
        thread = threading.Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            listener.shutdown()
            thread.join(TIME_LIMIT)


def _receive(connection: socket.socket, *, keep_body: bool) -> Received | None:
    data = b""
    while b"\r\n\r\n" not in data:
        piece = connection.recv(65536)
        if not piece:
            return None
        data += piece
    head, _, rest = data.partition(b"\r\n\r\n")
    received = Received(head)
    expected = int(received.headers.get("content-length", "0"))
    pieces, received.length = [rest], len(rest)
    while received.length < expected:
        piece = connection.recv(1 << 20)
        if not piece:
            break
        received.length += len(piece)
        if keep_body:
            pieces.append(piece)
    received.body = b"".join(pieces)
    return received


def answer(body: bytes = b"{}", status: str = "200 OK", *headers: str, keep: bool = False) -> Behaviour:
    """Answer every request alike."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers]
    lines += [] if keep else ["Connection: close"]
    raw = "\r\n".join([*lines, "", ""]).encode() + body

    def behave(connection: socket.socket, _: Received) -> bool:
        connection.sendall(raw)
        return keep

    return behave


def send(raw: bytes) -> Behaviour:
    """Send these bytes, then close."""

    def behave(connection: socket.socket, _: Received) -> bool:
        connection.sendall(raw)
        return False

    return behave


def break_tls(connection: socket.socket, _: Received) -> bool:
    """Begin an answer under TLS and go on in plain bytes."""
    assert isinstance(connection, ssl.SSLSocket)
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab")
    # Under the TLS layer, so that the client meets bytes that are no TLS record.
    socket.socket.sendall(connection, b"this is no TLS record at all")
    return False


def hang(connection: socket.socket, _: Received) -> bool:
    """Answer nothing until the client goes away."""
    connection.recv(1)
    return False


def hang_up(connection: socket.socket, _: Received) -> bool:
    """Close the connection with a reset at the first byte."""
    connection.recv(1)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()
    return False


def flood(connection: socket.socket, _: Received) -> bool:
    """Answer without end, until the client goes away."""
    connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        connection.sendall(b"x" * (1 << 20))


def trickle(connection: socket.socket, _: Received) -> bool:
    """Answer a byte at a time, never long enough without one."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
    while True:
        connection.sendall(b"x")
        time.sleep(0.05)


def free_port() -> int:
    """Find a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
