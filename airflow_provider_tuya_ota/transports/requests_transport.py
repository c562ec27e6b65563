"""The blocking transport."""

from __future__ import annotations

import ssl
from http.cookiejar import DefaultCookiePolicy
from typing import TYPE_CHECKING, Any, Final

import requests
import urllib3
from requests.adapters import HTTPAdapter

from airflow_provider_tuya_ota.core.errors import Delivery, TransportError
from airflow_provider_tuya_ota.core.secret import without_frames
from airflow_provider_tuya_ota.core.wire.http import Request, Response
from airflow_provider_tuya_ota.transports import log_filter  # noqa: F401 - signed queries stay out of urllib3's log lines
from airflow_provider_tuya_ota.transports.answering import BoundedAnswer
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
    from airflow_provider_tuya_ota.core.settings import Settings
    from airflow_provider_tuya_ota.core.wire.multipart import MultipartReader


class _Session(requests.Session):
    def get_redirect_target(self, resp: requests.Response) -> None:
        """Ignore redirects: even with ``allow_redirects=False`` requests reads the whole body and parses the target."""


class _HandshakeError(ssl.SSLError):
    """TLS was not agreed on, so nothing of the request was sent; the same failure later leaves doubt."""

    def __init__(self, cause: OSError) -> None:
        super().__init__(*cause.args)
        if isinstance(cause, ssl.SSLError):
            self.words = tls_reason(cause)
        elif isinstance(cause, TimeoutError):
            self.words = "no connection in time"
        else:
            self.words = cause.strerror or "no connection"


class _ExactTarget(urllib3.connection.HTTPConnection):
    """Sends the target that the pseudo-header ``:path`` contains, as HTTP/2 calls it, exactly.

    The pool encodes the target it is given byte by byte, though ours is encoded already, and writes it to its log. So
    it is given the path alone. A connection of another class refuses the pseudo-header, whose name HTTP/1 does not
    allow, and nothing is sent.
    """

    def request(self, method: str, url: str, body: Any = None, headers: Any = None, **options: Any) -> None:
        plain = dict(headers or {})
        super().request(method, plain.pop(TARGET, url), body=body, headers=plain, **options)


class _PlainConnection(_ExactTarget):
    response_class = BoundedAnswer


class _PlainPool(urllib3.connectionpool.HTTPConnectionPool):
    ConnectionCls = _PlainConnection


class _Connection(_ExactTarget, urllib3.connection.HTTPSConnection):
    response_class = BoundedAnswer

    def connect(self) -> None:
        try:
            super().connect()
        except (ssl.SSLError, TimeoutError, ConnectionError) as error:
            raise _HandshakeError(error) from None


class _Pool(urllib3.connectionpool.HTTPSConnectionPool):
    ConnectionCls = _Connection


class _Adapter(HTTPAdapter):
    """Connect so that a failed handshake differs from a lost answer, also through a proxy, and answers are bounded."""

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        super().init_poolmanager(*arguments, blocksize=SENT_AT_ONCE, **options)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def pool_for(self, session: requests.Session, url: str) -> tuple[Any, str]:
        """Return the pool of a host's connections, checked as for each request of the session, and the path."""
        prepared = session.prepare_request(requests.Request("GET", url))
        pool = self.get_connection_with_tls_context(prepared, session.verify)
        self.cert_verify(pool, prepared.url, session.verify, None)  # type: ignore[no-untyped-call] # requests leaves it without annotations
        return pool, prepared.path_url

    def proxy_manager_for(self, proxy: str, **options: Any) -> Any:
        manager = super().proxy_manager_for(proxy, blocksize=SENT_AT_ONCE, **options)
        manager.pool_classes_by_scheme = _POOLS
        return manager


SENT_AT_ONCE: Final = 64 * 1024
"""Bytes of a file that are handed to the socket at once; each time they must leave within ``connect_timeout``.

More asks slow lines for more; urllib3's own 16 KiB cost a large file more work.
"""
TARGET: Final = ":path"
_POOLS: Final = {"http": _PlainPool, "https": _Pool}


class RequestsTransport:
    """Send through ``requests``: no redirects, no proxies, credentials or certificates from the environment.

    :param settings: connection to use.
    :raises ConfigurationError: its ``ca_bundle`` cannot be read.
    """

    def __init__(self, settings: Settings) -> None:
        trust(settings)
        self._session = _Session()
        for scheme in _POOLS:
            self._session.mount(f"{scheme}://", _Adapter())
        self._session.trust_env = False
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=()))
        self._session.verify = settings.ca_bundle or settings.verify_tls
        self._session.headers.update({"User-Agent": USER_AGENT, "Accept-Encoding": ENCODINGS})
        self._headers = dict(self._session.headers)
        if settings.proxy:
            self._session.proxies = dict.fromkeys(("http", "https"), settings.proxy.reveal())
        # An adapter of its own: its pools are kept, and uploads to other hosts must not push them out.
        self._calls = _Adapter()
        self._pools: dict[str, tuple[Any, str]] = {}
        self._timeout = (settings.connect_timeout, settings.read_timeout)

    def send(self, request: Request) -> Response:
        """Exchange one request for one answer.

        :raises TransportError: saying whether the request may have arrived.
        :raises ProtocolError: the answer does not end.
        """
        try:
            return self._exchange(request)
        except BaseException as error:  # noqa: BLE001 - raised below, and none may keep the library's frames
            failure = _translate(error, request) if is_foreign(error) else error
        # Raised outside the handler: the original's text and frames hold the signed address and must not be chained.
        raise without_frames(failure)

    def close(self) -> None:
        """Close the connections."""
        self._session.close()
        self._calls.close()

    def _timeouts(self, request: Request) -> tuple[float, float]:
        connect, read = self._timeout
        if request.longest is None:
            return connect, read
        # A timeout of 0 is none at all.
        return min(connect, request.longest), min(read, request.longest / longest_answer(1))

    def _exchange(self, request: Request) -> Response:
        reader = request.body.open() if request.body else None
        try:
            raw = self._send(request, reader) if reader or self._session.proxies else self._send_prepared(request)
            try:
                pairs = ((name, _bytes(value)) for name, value in raw.headers.iteritems())
                headers = read_head(divmod(raw.version, 10), raw.status, raw.reason, pairs)
                body = bytearray()
                # Not iter_content: it waits until a chunk is full, however slowly it fills.
                while chunk := raw.read1(CHUNK_SIZE, decode_content=False):
                    body += chunk
                    if len(body) > LARGEST_REPLY:
                        raise refuse_large_reply()
                sent = reader.digests() if reader else {}
                return Response(raw.status, headers, unpack(bytes(body), headers), sent)
            finally:
                raw.close()
                raw.release_conn()
        finally:
            if reader:
                reader.close()

    def _send(self, request: Request, reader: MultipartReader | None) -> Any:
        return self._session.request(
            request.method,
            request.url,
            headers=dict(request.headers),
            data=reader,
            timeout=self._timeouts(request),
            allow_redirects=False,
            stream=True,
        ).raw

    def _send_prepared(self, request: Request) -> Any:
        """Send a request without a body over the session's pool of connections.

        A signed address is encoded already. ``Session.request`` would parse and encode it again, which takes half of
        the CPU time of a call.
        """
        base, _, query = request.url.partition("?")
        if base not in self._pools:
            self._pools[base] = self._calls.pool_for(self._session, base)
        pool, path = self._pools[base]
        connect, read = self._timeouts(request)
        return pool.urlopen(
            request.method,
            path,
            headers={**self._headers, **request.headers, TARGET: f"{path}?{query}" if query else path},
            redirect=False,
            assert_same_host=False,
            preload_content=False,
            decode_content=False,
            retries=self._calls.max_retries,
            timeout=urllib3.Timeout(connect=connect, read=read),
        )


def _bytes(value: str) -> bytes:
    """Give a header's value as it came: http.client makes texts of bytes in this way, and keeps ends of lines in it."""
    return value.replace("\r", " ").replace("\n", " ").encode("latin-1")


_BEFORE_SENDING = (
    requests.exceptions.ConnectTimeout,
    requests.exceptions.ProxyError,
    urllib3.exceptions.NewConnectionError,
    urllib3.exceptions.ConnectTimeoutError,
    _HandshakeError,
)


def _translate(error: BaseException, request: Request) -> TransportError:
    causes = _chain(error)
    unsent = any(isinstance(cause, _BEFORE_SENDING) for cause in causes)
    return TransportError(
        _reason(causes),
        endpoint=request.endpoint,
        delivery=Delivery.NEVER_SENT if unsent else Delivery.UNKNOWN,
    )


def _chain(error: BaseException) -> list[BaseException]:
    """Follow causes, contexts, wrapped reasons and arguments down to what the operating system said."""
    found: list[BaseException] = []
    waiting: list[object] = [error]
    while waiting and len(found) < 20:  # noqa: PLR2004 - far deeper than libraries nest
        item = waiting.pop(0)
        if isinstance(item, BaseException) and item not in found:
            found.append(item)
            waiting += [getattr(item, "reason", None), item.__cause__, item.__context__, *item.args]
    return found


def _reason(causes: list[BaseException]) -> str:
    for cause in causes:
        if isinstance(cause, _HandshakeError):
            return cause.words
    for cause in causes:
        if isinstance(cause, OSError) and cause.strerror and not isinstance(cause, requests.RequestException):
            return cause.strerror
    for cause in causes:
        if isinstance(cause, OddAnswerError):
            return str(cause)
    innermost = causes[-1] if causes else None
    names = {"ReadTimeoutError": "no answer in time", "ConnectTimeoutError": "no connection in time"}
    for cause in causes:
        if type(cause).__name__ in names:
            return names[type(cause).__name__]
    if any(isinstance(cause, TimeoutError) for cause in causes):
        return "no answer in time"
    return type(innermost).__name__
