"""The socket: uvicorn, taught to be away for a while."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from typing import TYPE_CHECKING

import uvicorn

from airflow_provider_tuya_ota.emulator.app import create_app

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterator

    from airflow_provider_tuya_ota.emulator.emulator import Emulator


class HttpServer(uvicorn.Server):
    """Serves an emulator; leaves signals to whoever started it.

    :param emulator: what to serve.
    :param listener: where; it belongs to this object from here on.
    :param ready: called once, when requests are answered.
    :param tls: makes it https.
    """

    def __init__(
        self,
        emulator: Emulator,
        listener: socket.socket,
        ready: Callable[[], None],
        tls: ssl.SSLContext | None = None,
    ) -> None:
        config = uvicorn.Config(
            create_app(emulator, self._refuse_connections),
            log_level="warning",
            access_log=False,
            lifespan="off",
            # The date is the gateway's, which a test may set.
            date_header=False,
            server_header=False,
            timeout_graceful_shutdown=1,
        )
        config.load()
        config.ssl = tls
        super().__init__(config)
        self._listener = listener
        self._ready = ready
        self._refusal: asyncio.Task[None] | None = None

    async def run_until_stopped(self) -> None:
        """Serve until ``should_exit``."""
        try:
            await self.serve(sockets=[self._listener])
        finally:
            if self._refusal is not None:
                self._refusal.cancel()
            self._listener.close()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to listen, and say so."""
        await super().startup(sockets=sockets)
        self._ready()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave them alone: the original raises the signal again when it has stopped, and no exit would be clean."""
        yield

    def _refuse_connections(self, seconds: float) -> None:
        """Close every connection and refuse new ones for a while."""
        if self._refusal is None or self._refusal.done():
            self._refusal = asyncio.get_running_loop().create_task(self._close_and_reopen(seconds))

    async def _close_and_reopen(self, seconds: float) -> None:
        address, family = self._listener.getsockname()[:2], self._listener.family
        for server in self.servers:
            server.close()
        for connection in list(self.server_state.connections):
            transport = getattr(connection, "transport", None)
            if transport is not None:
                transport.abort()
        await asyncio.sleep(seconds)
        self._listener = listen(*address, family=family)
        await super().startup(sockets=[self._listener])


def listen(host: str, port: int, *, family: socket.AddressFamily | int = socket.AF_INET) -> socket.socket:
    """Open a listening socket.

    :raises OSError: the address is taken or not this machine's.
    """
    listener = socket.create_server((host, port), family=family)
    # Only of sockets that say TCP does asyncio switch off Nagle's delay, which costs 40 ms a request.
    return socket.socket(listener.family, listener.type, socket.IPPROTO_TCP, fileno=listener.detach())


def url_of(listener: socket.socket, host: str, *, tls: bool = False) -> str:
    """Give the address that a listening socket is reached at."""
    port = listener.getsockname()[1]
    scheme = "https" if tls else "http"
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"
