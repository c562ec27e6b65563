"""Rules for an answer, so that both HTTP libraries read it in the same way.

requests accepts nearly everything as an answer, and aiohttp refuses much of that. If only one of them would accept an
answer, or they would read it differently, both refuse it, so that blocking and deferred tasks end in the same way.
"""

from __future__ import annotations

import re
import zlib
from http.client import HTTPException
from typing import TYPE_CHECKING, Final

from airflow_provider_tuya_ota.transports.limits import LARGEST_REPLY, refuse_large_reply

if TYPE_CHECKING:
    from collections.abc import Iterable

ENCODINGS: Final = "gzip, deflate"
"""Accepted compression of an answer; others need libraries that not every worker has."""
MOST_HEADERS: Final = 64
"""Of one answer; http.client stops at a hundred, aiohttp at 128."""
LONGEST_HEADER: Final = 8000
"""Bytes of name and value together, and of the text behind a status; aiohttp stops at 8,190."""

TOKEN: Final = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_VALUE: Final = re.compile(rb"[\t\x20-\x7e\x80-\xff]*")
_LENGTH: Final = re.compile(r"[0-9]{1,15}")
_NAMES: Final = re.compile(TOKEN.decode())
_VERSIONS: Final = frozenset({(1, 0), (1, 1)})
_ONCE: Final = ("content-length", "transfer-encoding", "content-encoding")
"""Headers that say how a body is read."""


class OddAnswerError(HTTPException):
    """Not HTTP that both libraries read in the same way; the message holds nothing of the answer."""

    def __init__(self, problem: str) -> None:
        super().__init__(f"the answer is no proper HTTP: {problem}")


def read_head(version: tuple[int, int], status: int, reason: str, pairs: Iterable[tuple[str, bytes]]) -> dict[str, str]:
    """Check the head of an answer.

    :param version: of HTTP.
    :param reason: text behind the status.
    :param pairs: names and values of the headers, in order.
    :returns: values by name in lower case; several values of a name are joined.
    :raises OddAnswerError: see above.
    """
    if version not in _VERSIONS or status < 100 or len(reason) > LONGEST_HEADER:  # noqa: PLR2004 - as HTTP begins
        raise OddAnswerError("its first line")
    headers: dict[str, str] = {}
    repeated = set()
    for count, (name, value) in enumerate(pairs, start=1):
        text = value.decode("utf-8", "replace")
        # What is printable has no odd characters; only the rest is searched for them.
        if not _NAMES.fullmatch(name) or not (text.isprintable() or _VALUE.fullmatch(value)) or count > MOST_HEADERS:
            raise OddAnswerError("a header has odd characters, or there are too many")
        if len(name) + len(value) > LONGEST_HEADER:
            raise OddAnswerError("a header is too long")
        key = name.lower()
        # The libraries keep different blanks where a header continues in the next line.
        text = " ".join(text.split())
        if key in headers:
            repeated.add(key)
            text = f"{headers[key]}, {text}"
        headers[key] = text
    _require_one_way_to_read(version, headers, repeated)
    return headers


def _require_one_way_to_read(version: tuple[int, int], headers: dict[str, str], repeated: set[str]) -> None:
    length, transfer, encoding = map(headers.get, _ONCE)
    if (length is not None and transfer is not None) or not repeated.isdisjoint(_ONCE):
        raise OddAnswerError("it says more than once how its body is to be read")
    if length is not None and not _LENGTH.fullmatch(length):
        raise OddAnswerError("Content-Length")
    if transfer is not None and (transfer.lower() != "chunked" or version == (1, 0)):
        raise OddAnswerError("Transfer-Encoding")
    if encoding is not None and encoding.lower() not in _UNPACK:
        raise OddAnswerError("Content-Encoding")


def unpack(body: bytes, headers: dict[str, str]) -> bytes:
    """Decompress a body.

    :param headers: of the answer, as :func:`read_head` gave them.
    :raises OddAnswerError: it is not compressed as they say, or incomplete.
    :raises ProtocolError: it is larger than a reply may be.
    """
    windows = _UNPACK[headers.get("content-encoding", "").lower()]
    if windows is None or not body:
        return body
    if windows == zlib.MAX_WBITS and (body[0] & 0x0F != zlib.DEFLATED or int.from_bytes(body[:2]) % 31):
        # Some servers send the data without its zlib header (RFC 9110, 8.4.1.2).
        windows = -windows
    unpacker = zlib.decompressobj(windows)
    try:
        plain = unpacker.decompress(body, LARGEST_REPLY + 1)
    except zlib.error:
        plain = b""
    if len(plain) > LARGEST_REPLY:
        raise refuse_large_reply()
    if not unpacker.eof or unpacker.unused_data:
        raise OddAnswerError("its body is not packed as it says, or not whole")
    return plain


_UNPACK: Final = {"": None, "identity": None, "gzip": 16 + zlib.MAX_WBITS, "deflate": zlib.MAX_WBITS}
