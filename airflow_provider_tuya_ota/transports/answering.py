"""How the blocking transport reads an answer: in bounded time, and strictly.

Each byte restarts the timeout of a socket. So without another limit, a server that sends single bytes, or repeats
``100 Continue``, could hold up its reader for ever: in the status line, in the headers or in the body.
"""

from __future__ import annotations

import io
import re
import time
from http import HTTPStatus
from http.client import HTTPResponse, RemoteDisconnected, parse_headers
from typing import TYPE_CHECKING, Any, Final

from airflow_provider_tuya_ota.transports.http_rules import LONGEST_HEADER, TOKEN, OddAnswerError
from airflow_provider_tuya_ota.transports.limits import longest_answer

if TYPE_CHECKING:
    import socket


_LONGEST_LINE: Final = 8192
"""Bytes; the limit of aiohttp, except that a header may continue in further lines."""
_BLANK: Final = (b"\r\n", b"\n")
_STATUS: Final = re.compile(rb"(HTTP/1\.[01]) ([1-9][0-9]{2})(?: ([^\r\n]*))?\r?\n")
_HEADER: Final = re.compile(rb"(?:" + TOKEN + rb":[^\0\r\n]*|[ \t][^\0\r\n]*)?\r?\n")
_LENGTH: Final = re.compile(rb"(?i)content-length:[ \t]*[0-9]")
_CHUNK_END: Final = re.compile(rb"\r?\n")
_QUOTED: Final = rb'"(?:[^"\\\x00-\x08\x0a-\x1f\x7f]|\\[\t\x20-\x7e])*"'
_TRAILER: Final = re.compile(rb"(?!(?i:content-length):)" + _HEADER.pattern)
_EXTENSION: Final = rb";" + TOKEN + rb"(?:=(?:" + TOKEN + rb"|" + _QUOTED + rb")?)?"
_CHUNK: Final = re.compile(rb"[0-9A-Fa-f]{1,15}[ \t]*(?:(?:" + _EXTENSION + rb")+\r?\n|\r\n)")


class BoundedAnswer(HTTPResponse):
    """An answer that must end within twice the socket's timeout, and each line of which must be proper HTTP.

    ``http.client`` creates one for each request and reads everything from its ``fp``, a proxy's answer to CONNECT too.
    What ``http.client`` would skip or guess is refused, as in aiohttp.
    """

    def __init__(self, sock: socket.socket, *arguments: Any, **options: Any) -> None:
        super().__init__(sock, *arguments, **options)
        self.fp.close()
        self._bytes = _Bounded(sock)
        self.fp = self._lines = _Lines(self._bytes)

    def _read_status(self) -> tuple[str, int, str]:
        """Skip blank lines and interim answers (RFC 9110, 15.2); ``http.client`` skips only ``100 Continue``.

        It would return another interim answer as the answer, and the answer itself for the next request.
        """
        while True:
            self._lines.expect(None)
            while (line := self._lines.readline(LONGEST_HEADER)) in _BLANK:
                pass
            if not line:
                raise RemoteDisconnected("closed without an answer")
            found = _STATUS.fullmatch(line)
            if found is None:
                raise OddAnswerError("its first line")
            self._lines.expect(_HEADER)
            version, status, reason = found[1].decode(), int(found[2]), (found[3] or b"").decode("latin-1")
            if status >= HTTPStatus.OK or status == HTTPStatus.SWITCHING_PROTOCOLS:
                return version, status, reason
            parse_headers(self._lines)

    def begin(self) -> None:
        """Read the head."""
        super().begin()
        encoding = self.headers.get("transfer-encoding", "")
        if encoding.strip().lower() == "chunked" and not self.chunked:
            # A value in a second line, which http.client does not read.
            self.chunked, self.chunk_left, self.length = True, None, None

    def read1(self, n: int = -1) -> bytes:
        """Read some of the body."""
        piece = super().read1(n)
        if self.length == 0:
            self._require_end()
        return piece

    def _read_next_chunk_size(self) -> int:
        self._lines.expect(_CHUNK)
        size: int = super()._read_next_chunk_size()  # type: ignore[misc] # http.client reads the line there
        return size

    def _read_and_discard_trailer(self) -> None:
        self._lines.expect(_TRAILER)
        super()._read_and_discard_trailer()  # type: ignore[misc] # http.client reads the line there
        self._require_end()

    def _safe_read(self, amt: int) -> bytes:
        if self.chunk_left == 0:
            # http.client skips any two bytes after a chunk.
            self._lines.expect(_CHUNK_END)
            return self._lines.readline(amt)
        data: bytes = super()._safe_read(amt)  # type: ignore[misc] # http.client reads the line there
        return data

    def _require_end(self) -> None:
        """Refuse bytes behind the answer, except the beginning of another answer on a kept connection."""
        if not self._lines.closed:
            self._bytes.is_over = True
            behind = self._lines.peek(1).lstrip(b"\r\n")
            if behind and (self.will_close or not behind.startswith(b"HTTP/1.")):
                raise OddAnswerError("it goes on behind its end")


class _Lines(io.BufferedReader):
    """Lines that must match a rule."""

    _rule: re.Pattern[bytes] | None = None
    _before: bytes | None = None

    def expect(self, rule: re.Pattern[bytes] | None) -> None:
        """Set the rule for the lines from here on."""
        self._rule, self._before = rule, None

    def readline(self, size: int | None = -1, /) -> bytes:
        line = super().readline(size)
        if self._rule is None:
            return line
        is_more = line[:1] in {b" ", b"\t"}
        if is_more and self._before is None and self._rule is _HEADER and line.lstrip(b" ")[:1] not in b"\t\r\n":
            # No header before it could continue, so it is a header that begins with blanks.
            line, is_more = line.lstrip(b" "), False
        is_odd = is_more and (self._before is None or _LENGTH.match(self._before) is not None)
        if is_odd or not self._rule.fullmatch(line) or (len(line) > _LONGEST_LINE and self._rule is not _CHUNK):
            raise OddAnswerError("a line of its head or of its chunks")
        self._before = line
        return line


class _Bounded(io.RawIOBase):
    """The bytes of a socket until a deadline; one read waits at most the socket's timeout.

    :raises TimeoutError: the deadline has passed.
    """

    is_over = False
    """Whether the answer is complete: then no more is read from the socket."""

    def __init__(self, sock: socket.socket) -> None:
        super().__init__()
        self._socket = sock
        self._file = sock.makefile("rb", buffering=0)
        self._timeout = sock.gettimeout()
        self._end = None if self._timeout is None else time.monotonic() + longest_answer(self._timeout)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        if self.is_over:
            return 0
        if self._end is None or self._timeout is None:
            return self._file.readinto(buffer)
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._socket.settimeout(min(self._timeout, left))
        try:
            return self._file.readinto(buffer)
        finally:
            # The next request of a kept connection must not begin with the rest of this deadline.
            self._socket.settimeout(self._timeout)

    def close(self) -> None:
        self._file.close()
        super().close()
