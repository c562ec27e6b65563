"""The emulator as a process and as a context manager."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import signal
import socket
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Self

import uvicorn

from airflow_provider_tuya_ota.emulator import scenario as scenarios
from airflow_provider_tuya_ota.emulator.app import create_app
from airflow_provider_tuya_ota.emulator.clock import Clock
from airflow_provider_tuya_ota.emulator.emulator import DEFAULT_KEY, Emulator
from airflow_provider_tuya_ota.emulator.gateway import AccessKey

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence


class _Server(uvicorn.Server):
    """Tells when it is ready, and leaves signals to whoever started it."""

    def __init__(self, emulator: Emulator, ready: Callable[[], None]) -> None:
        config = uvicorn.Config(
            create_app(emulator),
            log_level="warning",
            access_log=False,
            lifespan="off",
            # The date is the gateway's, which a test may set.
            date_header=False,
            server_header=False,
            timeout_graceful_shutdown=1,
        )
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        self._ready()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        # The original raises the signal again when it has stopped, and the process would not exit with 0.
        yield


def url_of(listener: socket.socket, host: str) -> str:
    """Give the address that a listening socket is reached at."""
    port = listener.getsockname()[1]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


class EmulatorServer:
    """Run an emulator in a thread of this process, on a free port of loopback.

    :param emulator: what to serve; a fresh one by default.
    """

    def __init__(self, emulator: Emulator | None = None) -> None:
        self.emulator = emulator or Emulator()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = url_of(self._listener, "127.0.0.1")
        self._is_ready = threading.Event()
        self._server = _Server(self.emulator, self._is_ready.set)
        self._thread = threading.Thread(target=self._serve, name="tuya-ota-emulator", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        if not self._is_ready.wait(10):
            raise RuntimeError("the emulator did not start within 10 s")
        return self

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True
        self._thread.join(10)
        self._listener.close()

    def _serve(self) -> None:
        asyncio.run(self._server.serve(sockets=[self._listener]))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on; loopback by default")
    parser.add_argument("--port", type=int, default=0, help="port; a free one by default")
    parser.add_argument(
        "--access-key", metavar="ID:SECRET", type=_access_key, default=DEFAULT_KEY, help="accepted pair"
    )
    parser.add_argument("--scenario", metavar="FILE", type=Path, help="TOML or JSON with products and devices")
    parser.add_argument("--speed", type=_speed, default=1.0, help="how many times faster devices live")


def _access_key(text: str) -> AccessKey:
    key_id, colon, secret = text.partition(":")
    if not (key_id and colon and secret):
        raise argparse.ArgumentTypeError("the form is ID:SECRET")
    return AccessKey(key_id, secret)


def _speed(text: str) -> float:
    speed = float(text)
    if not 0 < speed <= 100_000:  # noqa: PLR2004 - faster than this, a day is a second
        raise argparse.ArgumentTypeError("allowed: above 0, up to 100000")
    return speed


def run(arguments: argparse.Namespace) -> int:
    """Serve until SIGINT or SIGTERM.

    :returns: 0 after a clean stop, 2 where it could not start.
    """
    try:
        scenario = scenarios.load(arguments.scenario) if arguments.scenario else scenarios.Scenario()
        family = socket.AF_INET6 if ":" in arguments.host else socket.AF_INET
        listener = socket.create_server((arguments.host, arguments.port), family=family)
    except ValueError as error:
        print(f"tuya-ota emulator: {error}", file=sys.stderr)
        return 2
    except (OSError, OverflowError) as error:
        print(
            f"tuya-ota emulator: cannot listen on {arguments.host} port {arguments.port}: {error}. Choose another"
            " --port, or leave it out for a free one.",
            file=sys.stderr,
        )
        return 2
    emulator = Emulator(arguments.access_key, scenario, Clock(speed=arguments.speed))
    announcement = {
        "url": url_of(listener, arguments.host),
        "access_key_id": emulator.key.access_key_id,
        "access_key_secret": emulator.key.access_key_secret,
        "product_keys": list(emulator.world.products),
    }
    with listener:
        asyncio.run(_serve(emulator, listener, announcement))
    return 0


async def _serve(emulator: Emulator, listener: socket.socket, announcement: Mapping[str, object]) -> None:
    server = _Server(emulator, lambda: print(json.dumps(announcement), flush=True))
    loop = asyncio.get_running_loop()
    for signal_number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(signal_number, server.handle_exit, signal_number, None)
    await server.serve(sockets=[listener])


def main(argv: Sequence[str] | None = None) -> int:
    """Run ``python -m airflow_provider_tuya_ota.emulator``."""
    parser = argparse.ArgumentParser(prog="tuya-ota emulator", description="A stand-in of Tuya's OTA service.")
    add_arguments(parser)
    return run(parser.parse_args(argv))
