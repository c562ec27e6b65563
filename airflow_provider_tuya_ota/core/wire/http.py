"""One HTTP exchange as data; what is secret in it never shows in a repr."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow_provider_tuya_ota.core.wire.multipart import MultipartBody


@dataclass(frozen=True, slots=True)
class Request:
    """What a transport has to send, byte for byte.

    :param method: HTTP method.
    :param url: absolute and already encoded; carries the signature, hence not in the repr.
    :param headers: beyond those that the transport adds itself.
    :param body: a file upload, or nothing.
    :param longest: seconds in which the exchange must end; None where the connection's timeouts alone bound it.
    """

    method: str
    url: str = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: MultipartBody | None = field(default=None, repr=False)
    longest: float | None = None

    @property
    def endpoint(self) -> str:
        """Host and port, the only part of the address that may be shown."""
        return urlsplit(self.url).netloc


@dataclass(frozen=True, slots=True)
class Response:
    """What came back.

    :param status: HTTP status.
    :param headers: names in lower case; a redirect repeats the signed address in them, hence not in the repr.
    :param body: may hold presigned addresses, hence not in the repr either.
    :param sent: hex digests, by method, of the file that was in the request's body; empty unless all of it was sent.
    """

    status: int
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)
    sent: Mapping[str, str] = field(default_factory=dict)
