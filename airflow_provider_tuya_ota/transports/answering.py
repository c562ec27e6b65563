"""A bound on the time in which an answer must be complete, for the blocking transport.

A timeout of a socket begins anew with every byte. So a server that sends a byte now and then, or ``100 Continue`` over
and over, holds whoever reads it for as long as it likes: in the status line, in the headers, in the body.
"""

from __future__ import annotations

import io
import time
from http import HTTPStatus
from http.client import HTTPResponse, parse_headers
from typing import TYPE_CHECKING, Any

from airflow_provider_tuya_ota.transports.limits import longest_answer

if TYPE_CHECKING:
    import socket


class BoundedAnswer(HTTPResponse):
    """An answer that is read to its end within twice the socket's timeout.

    ``http.client`` makes one when a request has been sent, and reads everything from its file. A proxy's answer to
    CONNECT is read in the same way.
    """

    def __init__(self, sock: socket.socket, *arguments: Any, **options: Any) -> None:
        super().__init__(sock, *arguments, **options)
        self.fp.close()
        self.fp = io.BufferedReader(_Bounded(sock))

    def _read_status(self) -> tuple[str, int, str]:
        """Pass over interim answers (RFC 9110, 15.2); ``http.client`` knows ``100 Continue`` alone.

        It takes another one for the answer, and the answer itself for that to the next request.
        """
        while True:
            told: tuple[str, int, str] = super()._read_status()  # type: ignore[misc] # http.client reads the line there
            if not HTTPStatus.SWITCHING_PROTOCOLS < told[1] < HTTPStatus.OK:
                return told
            parse_headers(self.fp)


class _Bounded(io.RawIOBase):
    """The bytes of a socket until a moment; a read waits as long as is left, and no longer than the socket's timeout.

    :raises TimeoutError: the moment has come.
    """

    def __init__(self, sock: socket.socket) -> None:
        super().__init__()
        self._socket = sock
        self._file = sock.makefile("rb", buffering=0)
        self._timeout = sock.gettimeout()
        self._end = None if self._timeout is None else time.monotonic() + longest_answer(self._timeout)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        if self._end is None or self._timeout is None:
            return self._file.readinto(buffer)
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._socket.settimeout(min(self._timeout, left))
        try:
            return self._file.readinto(buffer)
        finally:
            # The connection is kept, and its next request must not find the little that was left.
            self._socket.settimeout(self._timeout)

    def close(self) -> None:
        self._file.close()
        super().close()
