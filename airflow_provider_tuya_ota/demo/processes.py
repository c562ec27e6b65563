"""Child processes that are always stopped, with SIGINT first."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
from typing import IO, TYPE_CHECKING, Self

import requests

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class DemoError(Exception):
    """The demo cannot continue; the message says why and where to look."""


class ChildProcess:
    """A process in a group of its own.

    :param command: program and arguments.
    :param environment: its environment variables.
    :param log: file for its output; ``subprocess.PIPE`` to read its standard output and to show its standard error.
    :param stop_seconds: seconds that it has to stop after SIGINT, before it is killed.
    """

    def __init__(
        self, command: Sequence[str], environment: Mapping[str, str], log: IO[str] | int, stop_seconds: float = 20.0
    ) -> None:
        self._stop_seconds = stop_seconds
        self.process = subprocess.Popen(  # noqa: S603 - our own program
            list(command),
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=None if log is subprocess.PIPE else subprocess.STDOUT,
            text=True,
            start_new_session=True,
            # A shell starts background jobs with SIGINT ignored, which a child inherits. Airflow stops on SIGINT.
            preexec_fn=_listen_to_sigint,  # noqa: PLW1509 - the demo has no threads yet
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def is_running(self) -> bool:
        """Whether the process is still running."""
        return self.process.poll() is None

    def stop(self) -> None:
        """Send SIGINT, wait, and kill what remains of its group."""
        try:
            if self.is_running:
                self.process.send_signal(signal.SIGINT)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self.process.wait(self._stop_seconds)
        finally:
            # A second Ctrl-C ends the wait early. The group outlives its leader if a child of it still runs.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            if self.process.stdout:
                self.process.stdout.close()


def _listen_to_sigint() -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def free_ports(number: int) -> list[int]:
    """Find free ports; they differ, because each is held open until the last one is found."""
    with contextlib.ExitStack() as held:
        return [held.enter_context(socket.create_server(("127.0.0.1", 0))).getsockname()[1] for _ in range(number)]


def loopback_session() -> requests.Session:
    """Create a session that ignores the proxies of the environment, which cannot reach loopback."""
    session = requests.Session()
    session.trust_env = False
    return session


def is_free(port: int) -> bool:
    """Whether a port of loopback is free."""
    try:
        socket.create_server(("127.0.0.1", port)).close()
    except OSError:
        return False
    return True
