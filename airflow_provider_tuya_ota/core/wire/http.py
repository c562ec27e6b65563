"""One HTTP request and its response as data, with nothing secret in their reprs."""

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
    :param url: absolute and already encoded; not in the repr, because it contains the signature.
    :param headers: in addition to those that the transport adds itself.
    :param body: a file upload; None without a body.
    :param longest: seconds in which the exchange must end; None where only the connection's timeouts limit it.
    """

    method: str
    url: str = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: MultipartBody | None = field(default=None, repr=False)
    longest: float | None = None

    @property
    def endpoint(self) -> str:
        """Host and port: the only part of the address that may be shown."""
        return urlsplit(self.url).netloc


@dataclass(frozen=True, slots=True)
class Response:
    """The answer to a request.

    :param status: HTTP status.
    :param headers: names in lower case; not in the repr, because a redirect repeats the signed address.
    :param body: not in the repr, because it may contain presigned addresses.
    :param sent: hex digests, by method, of the file in the request's body; empty unless all of it was sent.
    """

    status: int
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)
    sent: Mapping[str, str] = field(default_factory=dict)
