"""What an answer must be so that both libraries read it alike.

requests takes nearly anything for an answer, and aiohttp refuses much of that. An answer that only one of them would
take, or that they would read differently, is refused by both, so that blocking and deferred tasks end alike.
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
"""What may pack an answer; others need libraries that not every worker has."""
MOST_HEADERS: Final = 64
"""Of one answer; http.client stops at a hundred, aiohttp at 128."""
LONGEST_HEADER: Final = 8000
"""Bytes of name and value together, and of the words behind a status; aiohttp stops at 8,190."""

TOKEN: Final = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_VALUE: Final = re.compile(rb"[\t\x20-\x7e\x80-\xff]*")
_LENGTH: Final = re.compile(r"[0-9]{1,15}")
_NAMES: Final = re.compile(TOKEN.decode())
_ONCE: Final = ("content-length", "transfer-encoding", "content-encoding")
"""Headers that say how a body is read."""


class OddAnswerError(HTTPException):
    """An answer is no HTTP that both libraries read alike; its text is for people and holds nothing of the answer."""

    def __init__(self, problem: str) -> None:
        super().__init__(f"the answer is no proper HTTP: {problem}")


def read_head(version: tuple[int, int], status: int, reason: str, pairs: Iterable[tuple[str, bytes]]) -> dict[str, str]:
    """Hold the head of an answer against the rules.

    :param version: of HTTP.
    :param reason: the words behind the status.
    :param pairs: names and values of the headers, in order.
    :returns: values by names in lower case; those of one name are joined.
    :raises OddAnswerError: see above.
    """
    if version not in {(1, 0), (1, 1)} or status < 100 or len(reason) > LONGEST_HEADER:  # noqa: PLR2004 - as HTTP begins
        raise OddAnswerError("its first line")
    headers: dict[str, list[str]] = {}
    for count, (name, value) in enumerate(pairs, start=1):
        if not _NAMES.fullmatch(name) or not _VALUE.fullmatch(value) or count > MOST_HEADERS:
            raise OddAnswerError("a header has odd characters, or there are too many")
        if len(name) + len(value) > LONGEST_HEADER:
            raise OddAnswerError("a header is too long")
        # Blanks differ where a header goes on in the next line.
        headers.setdefault(name.lower(), []).append(" ".join(value.decode("utf-8", "replace").split()))
    _require_one_way_to_read(version, headers)
    return {name: ", ".join(values) for name, values in headers.items()}


def _require_one_way_to_read(version: tuple[int, int], headers: dict[str, list[str]]) -> None:
    lengths, transfers, encodings = (headers.get(name, []) for name in _ONCE)
    if len(lengths) + len(transfers) > 1 or len(encodings) > 1:
        raise OddAnswerError("it says more than once how its body is to be read")
    if any(not _LENGTH.fullmatch(length) for length in lengths):
        raise OddAnswerError("Content-Length")
    if transfers and (transfers[0].lower() != "chunked" or version == (1, 0)):
        raise OddAnswerError("Transfer-Encoding")
    if encodings and encodings[0].lower() not in _UNPACK:
        raise OddAnswerError("Content-Encoding")


def unpack(body: bytes, headers: dict[str, str]) -> bytes:
    """Unpack a body.

    :param headers: of the answer, as :func:`read_head` gave them.
    :raises OddAnswerError: it is not packed as they say, or not whole.
    :raises ProtocolError: it does not end.
    """
    windows = _UNPACK[headers.get("content-encoding", "").lower()]
    if windows is None or not body:
        return body
    if windows == zlib.MAX_WBITS and (body[0] & 0x0F != zlib.DEFLATED or int.from_bytes(body[:2]) % 31):
        # Some servers leave out the frame (RFC 9110, 8.4.1.2).
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
