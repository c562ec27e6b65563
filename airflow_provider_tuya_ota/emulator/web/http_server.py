"""The HTTP server: uvicorn, with the ability to refuse connections for a while."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from typing import TYPE_CHECKING, Final

import uvicorn

from airflow_provider_tuya_ota.emulator.web.app import create_app

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterator

    from airflow_provider_tuya_ota.emulator.emulator import Emulator


KEEP_ALIVE: Final = 75
"""Seconds for which an idle connection is kept, as gateways do. After uvicorn's five, a client that polls every five
seconds would send requests into connections that are being closed."""


class HttpServer(uvicorn.Server):
    """Serves an emulator; does not handle signals.

    :param emulator: the emulator to serve.
    :param listener: the listening socket; this object closes it.
    :param ready: called once the server answers requests.
    :param tls: serve https with this context.
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
            # The emulator dates its answers itself, because a test may move the gateway's clock.
            date_header=False,
            server_header=False,
            timeout_graceful_shutdown=1,
            timeout_keep_alive=KEEP_ALIVE,
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
        """Begin to listen, and call ``ready``."""
        await super().startup(sockets=sockets)
        self._ready()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Handle no signals: uvicorn raises each again after it has stopped, so that no exit would be clean."""
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
    # asyncio disables Nagle's algorithm, which delays a request by 40 ms, only for sockets with the protocol TCP.
    return socket.socket(listener.family, listener.type, socket.IPPROTO_TCP, fileno=listener.detach())


def url_of(listener: socket.socket, host: str, *, tls: bool = False) -> str:
    """Give the URL of a listening socket."""
    port = listener.getsockname()[1]
    scheme = "https" if tls else "http"
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"
