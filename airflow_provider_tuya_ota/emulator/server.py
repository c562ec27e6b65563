"""The emulator as a process and as a context manager."""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import socket
import sys
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Self

from airflow_provider_tuya_ota.emulator import scenario as scenarios
from airflow_provider_tuya_ota.emulator.account import DEFAULT_KEY
from airflow_provider_tuya_ota.emulator.clock import Clock
from airflow_provider_tuya_ota.emulator.emulator import Emulator
from airflow_provider_tuya_ota.emulator.gateway.check import AccessKey
from airflow_provider_tuya_ota.emulator.journal import Journal
from airflow_provider_tuya_ota.emulator.restore import restore
from airflow_provider_tuya_ota.emulator.web.certificates import AUTHORITY, KINDS, make_context
from airflow_provider_tuya_ota.emulator.web.http_server import HttpServer, listen, url_of

if TYPE_CHECKING:
    import ssl
    from collections.abc import Sequence


class EmulatorServer:
    """Run an emulator in a thread of this process, on a free port of loopback.

    :param emulator: the emulator to serve; a new one by default.
    :param tls: serve https with a certificate of this kind (:data:`~.certificates.KINDS`); plain http by default.
    """

    def __init__(self, emulator: Emulator | None = None, *, tls: str | None = None) -> None:
        self.emulator = emulator or Emulator()
        self._folder = tempfile.TemporaryDirectory(prefix="tuya-ota-emulator-")
        listener = listen("127.0.0.1", 0)
        self.url = url_of(listener, "127.0.0.1", tls=tls is not None)
        self._is_ready = threading.Event()
        self._server = HttpServer(self.emulator, listener, self._is_ready.set, _context(tls, Path(self._folder.name)))
        self._thread = threading.Thread(target=self._serve, name="tuya-ota-emulator", daemon=True)

    @property
    def ca_bundle(self) -> str:
        """Path of the authority that callers of an https emulator must trust."""
        return str(Path(self._folder.name) / AUTHORITY)

    def __enter__(self) -> Self:
        self._thread.start()
        if not self._is_ready.wait(10):
            raise RuntimeError("the emulator did not start within 10 s")
        return self

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True
        self._thread.join(10)
        self._folder.cleanup()

    def _serve(self) -> None:
        asyncio.run(self._server.run_until_stopped())


def _context(tls: str | None, folder: Path) -> ssl.SSLContext | None:
    return None if tls is None else make_context(tls, folder)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on; loopback by default")
    parser.add_argument("--port", type=int, default=0, help="port; a free one by default")
    parser.add_argument(
        "--access-key", metavar="ID:SECRET", type=_access_key, default=DEFAULT_KEY, help="accepted pair"
    )
    parser.add_argument("--scenario", metavar="FILE", type=Path, help="TOML or JSON with products and devices")
    parser.add_argument(
        "--state", metavar="FILE", type=Path, help="file to keep the state in; a restart continues from it"
    )
    parser.add_argument("--speed", type=_speed, default=1.0, help="seconds of device time per second")
    parser.add_argument("--tls", choices=KINDS, help="serve https, with a valid certificate or one with this defect")


def _access_key(text: str) -> AccessKey:
    key_id, colon, secret = text.partition(":")
    if not (key_id and colon and secret):
        raise argparse.ArgumentTypeError("the form is ID:SECRET")
    return AccessKey(key_id, secret)


def _speed(text: str) -> float:
    speed = float(text)
    if not 0 < speed <= 100_000:  # noqa: PLR2004 - at this speed a day passes within a second
        raise argparse.ArgumentTypeError("allowed: above 0, up to 100000")
    return speed


def run(arguments: argparse.Namespace) -> int:
    """Serve until SIGINT or SIGTERM.

    :returns: 0 after a clean stop, 2 if it could not start.
    """
    try:
        document = scenarios.load_document(arguments.scenario) if arguments.scenario else None
        emulator = Emulator(arguments.access_key, scenarios.read(document or {}), Clock(speed=arguments.speed))
        if arguments.state:
            emulator.recorder = restore(emulator, Journal(arguments.state), document)
        family = socket.AF_INET6 if ":" in arguments.host else socket.AF_INET
        listener = listen(arguments.host, arguments.port, family=family)
    except ValueError as error:
        print(f"tuya-ota emulator: {error}", file=sys.stderr)
        return 2
    except (OSError, OverflowError) as error:
        why = str(error).removesuffix(".")
        print(
            f"tuya-ota emulator: cannot listen on {arguments.host} port {arguments.port}: {why}. Choose another --port,"
            " or leave it out for a free one.",
            file=sys.stderr,
        )
        return 2
    announcement = {
        "url": url_of(listener, arguments.host, tls=arguments.tls is not None),
        "access_key_id": emulator.key.access_key_id,
        "access_key_secret": emulator.key.access_key_secret,
        "product_keys": list(emulator.world.products),
    }
    with tempfile.TemporaryDirectory(prefix="tuya-ota-emulator-") as folder:
        context = _context(arguments.tls, Path(folder))
        if context is not None:
            announcement["ca_bundle"] = str(Path(folder) / AUTHORITY)
        server = HttpServer(emulator, listener, lambda: print(json.dumps(announcement), flush=True), context)
        asyncio.run(_serve(server))
    if emulator.recorder is not None:
        emulator.recorder.close()
    return 0


async def _serve(server: HttpServer) -> None:
    loop = asyncio.get_running_loop()
    for signal_number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(signal_number, server.handle_exit, signal_number, None)
    await server.run_until_stopped()


def main(argv: Sequence[str] | None = None) -> int:
    """Run ``python -m airflow_provider_tuya_ota.emulator``."""
    parser = argparse.ArgumentParser(prog="tuya-ota emulator", description="An emulator of Tuya's OTA service.")
    add_arguments(parser)
    return run(parser.parse_args(argv))
