"""The transport for event loops."""

from __future__ import annotations

import asyncio
import os
import ssl
from typing import TYPE_CHECKING

import aiohttp
from yarl import URL

from airflow_provider_tuya_ota.core.errors import ConfigurationError, Delivery, TransportError, TuyaOTAError
from airflow_provider_tuya_ota.core.secret import without_frames
from airflow_provider_tuya_ota.core.wire.http import Request, Response
from airflow_provider_tuya_ota.transports.http_rules import ENCODINGS, OddAnswerError, read_head, unpack
from airflow_provider_tuya_ota.transports.limits import (
    CHUNK_SIZE,
    LARGEST_REPLY,
    USER_AGENT,
    is_foreign,
    longest_answer,
    refuse_large_reply,
    tls_reason,
    trust,
)

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping

    from airflow_provider_tuya_ota.core.settings import Settings
    from airflow_provider_tuya_ota.core.wire.multipart import MultipartBody


class AiohttpTransport:
    """Send through ``aiohttp``: no redirects, no proxies, credentials or certificates from the environment.

    Build it inside a running event loop.

    :param settings: connection to use.
    :raises ConfigurationError: its ``ca_bundle`` cannot be read, or this aiohttp may send a request twice.
    """

    def __init__(self, settings: Settings) -> None:
        self._proxy = settings.proxy.reveal() if settings.proxy else None
        # send limits the whole exchange: there is no limit for sending a file, but one for the answer.
        self._timeout = aiohttp.ClientTimeout(
            total=None, sock_connect=settings.connect_timeout, sock_read=settings.read_timeout
        )
        self._longest_answer = longest_answer(settings.read_timeout)
        self._longest_exchange = settings.connect_timeout + self._longest_answer
        self._bases: dict[str, URL] = {}
        self._session = aiohttp.ClientSession(
            # No limit: the rate limit bounds the requests, and a hanging answer must not keep others from a connection.
            connector=aiohttp.TCPConnector(ssl=trust(settings) or settings.verify_tls, limit=0),
            headers={"User-Agent": USER_AGENT, "Accept-Encoding": ENCODINGS},
            trust_env=False,
            auto_decompress=False,
            cookie_jar=aiohttp.DummyCookieJar(),
        )
        _send_once(self._session)

    async def send(self, request: Request) -> Response:
        """Send one request and read its answer.

        :raises TransportError: saying whether the request may have arrived.
        :raises ProtocolError: the answer is too large.
        """
        try:
            longest = min(self._longest_exchange, request.longest or self._longest_exchange)
            async with asyncio.timeout(longest) as limit:
                return await self._exchange(request, limit)
        except BaseException as error:  # noqa: BLE001 - raised below, and an error must not keep the library's frames
            failure = _own(error) or (_translate(error, request) if is_foreign(error) else error)
        # Raised outside the handler: text and frames of the original error hold the signed address, so no chaining.
        raise without_frames(failure)

    async def close(self) -> None:
        """Close the connections."""
        await self._session.close()

    async def _exchange(self, request: Request, limit: asyncio.Timeout) -> Response:
        sent: dict[str, str] = {}
        async with self._session.request(
            request.method,
            self._address(request.url),
            headers=_headers(request),
            data=self._pieces(request.body, limit, sent) if request.body else None,
            proxy=self._proxy,
            allow_redirects=False,
            timeout=self._timeout,
        ) as answer:
            version = answer.version or aiohttp.HttpVersion11
            pairs = [(name.decode("latin-1"), value) for name, value in answer.raw_headers]
            lines = read_head(version, answer.status, answer.reason or "", pairs)
            return Response(answer.status, lines, unpack(await _read(answer.content), lines), sent)

    def _address(self, url: str) -> URL:
        base, _, query = url.partition("?")
        if base not in self._bases:
            self._bases[base] = URL(base, encoded=True)
        known = self._bases[base]
        # Already encoded: encoding again would break the signature. Built from parts: yarl would keep a whole address.
        return URL.build(
            scheme=known.scheme, authority=known.raw_authority, path=known.raw_path, query_string=query, encoded=True
        )

    async def _pieces(
        self, body: MultipartBody, limit: asyncio.Timeout, sent: dict[str, str]
    ) -> AsyncGenerator[bytes, None]:
        """Give a file in pieces; each piece that is sent restarts the time limit of the answer.

        :param sent: gets the file's digests with the last piece: the answer may come before the end is read.
        """
        reader = await asyncio.to_thread(body.open)
        try:
            while piece := await asyncio.to_thread(reader.read, CHUNK_SIZE):
                if not limit.expired():
                    limit.reschedule(asyncio.get_running_loop().time() + self._longest_answer)
                sent |= reader.digests()
                yield piece
        finally:
            reader.close()


def _headers(request: Request) -> Mapping[str, str]:
    return {**request.headers, "Content-Length": str(request.body.length)} if request.body else request.headers


async def _read(content: aiohttp.StreamReader) -> bytes:
    """Read a body to its end.

    :raises ProtocolError: it does not end.
    """
    pieces = []
    left = LARGEST_REPLY
    # Not in chunks: most answers are one piece that is there already.
    while piece := await content.readany():
        pieces.append(piece)
        left -= len(piece)
        if left < 0:
            raise refuse_large_reply()
    return b"".join(pieces)


def _send_once(session: aiohttp.ClientSession) -> None:
    """Keep aiohttp from repeating a GET when the connection breaks: here a GET may create something.

    aiohttp has no public setting for that.

    :raises ConfigurationError: this version of aiohttp lacks the setting, so nothing is sent with it.
    """
    if not isinstance(getattr(session, "_retry_connection", None), bool):
        session.detach()
        raise ConfigurationError(
            f"aiohttp {aiohttp.__version__} may send a request twice, and creating twice flashes devices twice: it has"
            " no _retry_connection any more. Install a version that this package was tested with."
        )
    session._retry_connection = False  # noqa: SLF001 - aiohttp offers no other setting, its existence is checked, and a test counts what arrives


_BEFORE_SENDING = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.ClientHttpProxyError)


def _own(error: BaseException) -> TuyaOTAError | None:
    """Unwrap the error of the file: aiohttp wraps every error that stops the reading of a body."""
    return error.__cause__ if isinstance(error.__cause__, TuyaOTAError) else None


def _translate(error: BaseException, request: Request) -> TransportError:
    unsent = isinstance(error, _BEFORE_SENDING)
    return TransportError(
        _reason(error), endpoint=request.endpoint, delivery=Delivery.NEVER_SENT if unsent else Delivery.UNKNOWN
    )


def _reason(error: BaseException) -> str:
    if isinstance(error, aiohttp.ConnectionTimeoutError):
        return "no connection in time"
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return "host name not known"
    if isinstance(error, aiohttp.ClientSSLError):
        # Only an untrusted certificate comes without an error of the operating system.
        cause = error.os_error if isinstance(error, aiohttp.ClientConnectorSSLError) else None
        return tls_reason(cause if isinstance(cause, ssl.SSLError) else ssl.SSLCertVerificationError())
    if isinstance(error, OSError) and error.errno and error.errno > 0:
        # Not error.strerror: aiohttp writes the address into it.
        return os.strerror(error.errno)
    if isinstance(error, aiohttp.ClientResponseError) and not isinstance(error, aiohttp.ClientHttpProxyError):
        error = OddAnswerError(type(error).__name__)
    return str(error) if isinstance(error, OddAnswerError) else type(error).__name__
