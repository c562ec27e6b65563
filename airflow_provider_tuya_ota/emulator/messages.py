"""Requests and answers as data; everything but the server works without a socket."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class Request:
    """One request; its repr leaves out what may contain signatures and policies.

    :param method: HTTP method.
    :param path: path without the query.
    :param query: still percent-encoded.
    :param headers: names in lower case.
    :param body: empty for a form upload.
    :param scheme: http or https, as the caller used it.
    :param form: parts of a multipart upload in the order of arrival: name and text, or name and file.
    """

    method: str
    path: str = "/"
    query: str = field(default="", repr=False)
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = field(default=b"", repr=False)
    form: Sequence[tuple[str, str | BinaryIO]] | None = field(default=None, repr=False)
    scheme: str = "http"

    @property
    def origin(self) -> str:
        """Address of the emulator as the caller used it."""
        return f"{self.scheme}://{self.headers.get('host', 'emulator.invalid')}"


@dataclass(frozen=True, slots=True)
class Response:
    """One answer; its repr leaves out the body, which may contain upload policies and signed addresses.

    :param delay: seconds before the server sends it.
    :param trickle: seconds over which the server sends the body.
    :param drip: part that the server sends byte by byte, and the seconds between two bytes; with ``continue`` it never
        sends the answer.
    """

    status: int
    body: bytes = field(default=b"", repr=False)
    content_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)
    delay: float = 0.0
    trickle: float = 0.0
    drip: tuple[str, float] | None = None

    @property
    def duration(self) -> float:
        """Approximate seconds until the last byte is sent."""
        sent = {"status_line": 15, "headers": 150, "between": 1, "body": len(self.body), "continue": math.inf}
        part, seconds = self.drip or ("between", 0.0)
        return self.delay + self.trickle + (sent[part] * seconds if seconds else 0.0)


class ConnectionDropped(Exception):  # noqa: N818 - not an error: a test has set this fault
    """A fault demands that the connection be closed without an answer."""


class ConnectionRefused(ConnectionDropped):
    """A fault demands that every connection be closed and new ones be refused for a while.

    :param seconds: for how long.
    """

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.seconds = seconds


class GatewayError(Exception):
    """The gateway refuses the request before the operation sees it: ``{RequestId, Code, Message}`` with 4xx or 5xx."""

    def __init__(self, code: str, message: str, status: int = 400, retry_after: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status
        self.retry_after = retry_after


class BusinessError(Exception):
    """The operation refuses the call: ``{code, errorMessage, requestId, success: false}``."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
