from __future__ import annotations

import dataclasses
import gzip
import time
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

from airflow_provider_tuya_ota.core.errors import ConfigurationError, Delivery, ProtocolError, TransportError
from airflow_provider_tuya_ota.core.secret import Secret
from airflow_provider_tuya_ota.core.wire.http import Request, Response
from airflow_provider_tuya_ota.core.wire.signing import signed_query
from airflow_provider_tuya_ota.transports.aiohttp_transport import AiohttpTransport
from airflow_provider_tuya_ota.transports.limits import LARGEST_REPLY
from tests.transports.servers import (
    TIME_LIMIT,
    Behaviour,
    Received,
    answer,
    flood,
    free_port,
    hang,
    send,
    serving,
    trickle,
)

if TYPE_CHECKING:
    import socket
    from pathlib import Path

    from airflow_provider_tuya_ota.core.settings import Settings
    from tests.transports.conftest import Exchange, Recorder

QUERY = signed_query(
    "GET", {"Action": "X", "Name.1": "a b+*~/'()!%7e灯", "AccessKeyId": "canary-key-id"}, Secret("canary-secret")
)
SIGNATURE = QUERY.rpartition("Signature=")[2]


def get(url: str) -> Request:
    return Request("GET", f"{url}/?{QUERY}", {"Accept": "application/json"})


def ask(exchange: Exchange, settings: Settings, behaviour: Behaviour) -> Response:
    with serving(behaviour) as server:
        (response,) = exchange(settings, [get(server.url)])
        return response


def failure(exchange: Exchange, settings: Settings, behaviour: Behaviour) -> TransportError:
    with serving(behaviour) as server, pytest.raises(TransportError) as caught:
        exchange(settings, [get(server.url)])
    assert len(server.received) == 1
    return caught.value


def test_an_answer_comes_back_with_status_headers_and_body(exchange: Exchange, settings: Settings) -> None:
    response = ask(exchange, settings, answer(b'{"a":1}', "200 OK", "X-Request: 7", "Date: today"))

    assert (response.status, response.body) == (200, b'{"a":1}')
    assert (response.headers["x-request"], response.headers["date"]) == ("7", "today")


@pytest.mark.parametrize("status", ["204 No Content", "400 Bad Request", "403 Forbidden", "500 Oops", "503 Busy"])
def test_any_status_is_an_answer_and_no_error(exchange: Exchange, settings: Settings, status: str) -> None:
    assert ask(exchange, settings, answer(b"", status)).status == int(status[:3])


@pytest.mark.parametrize("location", ["http://127.0.0.1:1/", "/elsewhere", "http://[", "ftp://x", "\x00", ""])
@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "307 Temporary", "308 Permanent"])
def test_a_redirect_is_an_answer_and_not_followed(
    exchange: Exchange, settings: Settings, status: str, location: str
) -> None:
    if location == "\x00":
        location = "http://host/%00?x=\u00e9"
    with serving(answer(b"", status, f"Location: {location}")) as server:
        (response,) = exchange(settings, [get(server.url)])

    assert response.status == int(status[:3])
    assert len(server.received) == 1


def test_the_query_arrives_byte_for_byte_as_signed(exchange: Exchange, settings: Settings) -> None:
    with serving(answer()) as server:
        exchange(settings, [get(server.url)])

    assert server.received[0].target == f"/?{QUERY}"
    assert server.received[0].headers["accept"] == "application/json"
    assert server.received[0].headers["user-agent"].startswith("airflow-provider-tuya-ota/")


def test_a_compressed_answer_is_unpacked(exchange: Exchange, settings: Settings) -> None:
    packed = gzip.compress(b'{"a":1}')

    assert ask(exchange, settings, answer(packed, "200 OK", "Content-Encoding: gzip")).body == b'{"a":1}'


def test_connections_are_kept_and_cookies_are_not(exchange: Exchange, settings: Settings) -> None:
    with serving(answer(b"{}", "200 OK", "Set-Cookie: session=1; Path=/", keep=True)) as server:
        exchange(settings, [get(server.url)] * 3)

    assert server.connections == 1
    assert not any("cookie" in received.headers for received in server.received)


def test_a_refused_connection_was_never_sent(exchange: Exchange, settings: Settings) -> None:
    with pytest.raises(TransportError) as caught:
        exchange(settings, [get(f"http://127.0.0.1:{free_port()}")])

    assert caught.value.delivery is Delivery.NEVER_SENT
    assert caught.value.reason == "Connection refused"
    assert caught.value.endpoint.startswith("127.0.0.1:")


def test_an_unknown_host_was_never_sent(exchange: Exchange, settings: Settings) -> None:
    with pytest.raises(TransportError) as caught:
        exchange(settings, [get("http://no-such-host.invalid")])

    assert caught.value.delivery is Delivery.NEVER_SENT


CUT = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"


@pytest.mark.parametrize(
    "behaviour",
    [
        pytest.param(send(b""), id="closed without an answer"),
        pytest.param(send(b"HTTP/1.1 2"), id="closed in the status line"),
        pytest.param(send(CUT), id="closed in the body"),
        pytest.param(send(b"SSH-2.0-OpenSSH_9.6\r\n"), id="another protocol"),
        pytest.param(
            send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"), id="chunks that cannot be read"
        ),
        pytest.param(
            answer(b"no gzip at all", "200 OK", "Content-Encoding: gzip"), id="compression that cannot be read"
        ),
    ],
)
def test_a_connection_that_breaks_after_the_request_leaves_doubt(
    exchange: Exchange, settings: Settings, behaviour: Behaviour
) -> None:
    error = failure(exchange, settings, behaviour)

    assert error.delivery is Delivery.UNKNOWN
    assert error.in_doubt


def test_no_answer_in_time_leaves_doubt(exchange: Exchange, settings: Settings) -> None:
    error = failure(exchange, dataclasses.replace(settings, read_timeout=0.2), hang)

    assert (error.delivery, error.reason) == (Delivery.UNKNOWN, "no answer in time")


def test_an_answer_that_only_trickles_in_is_no_answer(exchange: Exchange, settings: Settings) -> None:
    began = time.monotonic()

    error = failure(exchange, dataclasses.replace(settings, read_timeout=0.3, connect_timeout=0.3), trickle)

    assert (error.delivery, error.reason) == (Delivery.UNKNOWN, "no answer in time")
    assert time.monotonic() - began < TIME_LIMIT


def test_no_library_sends_a_request_again_by_itself(exchange: Exchange, settings: Settings) -> None:
    def once(connection: socket.socket, received: Received) -> bool:
        if "second" in received.target:
            return False
        return answer(keep=True)(connection, received)

    with serving(once) as server, pytest.raises(TransportError) as caught:
        exchange(settings, [get(server.url), Request("GET", f"{server.url}/?second")])

    assert caught.value.delivery is Delivery.UNKNOWN
    assert [received.target for received in server.received] == [f"/?{QUERY}", "/?second"]


async def test_a_library_that_may_send_a_request_again_is_refused_before_anything_is_sent(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    build = aiohttp.ClientSession.__init__

    def build_without(session: aiohttp.ClientSession, **options: Any) -> None:
        build(session, **options)
        del session._retry_connection

    monkeypatch.setattr(aiohttp.ClientSession, "__init__", build_without)

    with pytest.raises(ConfigurationError, match="may send a request twice"):
        AiohttpTransport(settings)


def test_an_answer_without_end_is_cut(exchange: Exchange, settings: Settings) -> None:
    with serving(flood) as server, pytest.raises(ProtocolError, match=f"longer than {LARGEST_REPLY:,} bytes"):
        exchange(settings, [get(server.url)])


def test_a_small_answer_that_unpacks_without_end_is_cut(exchange: Exchange, settings: Settings) -> None:
    bomb = gzip.compress(b"\0" * (LARGEST_REPLY + 1))

    with pytest.raises(ProtocolError, match="longer than"):
        ask(exchange, settings, answer(bomb, "200 OK", "Content-Encoding: gzip"))


def test_proxies_of_the_environment_are_ignored(
    exchange: Exchange, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{free_port()}")
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)

    assert ask(exchange, settings, answer()).status == 200


def test_credentials_of_the_environment_are_ignored(
    exchange: Exchange, settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login me password canary\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))

    with serving(answer()) as server:
        exchange(settings, [get(server.url)])

    assert "authorization" not in server.received[0].headers


def test_the_proxy_of_the_connection_is_used(exchange: Exchange, settings: Settings) -> None:
    with serving(answer(b"proxied")) as proxy:
        (response,) = exchange(dataclasses.replace(settings, proxy=Secret(proxy.url)), [get("http://ota.invalid:8686")])

    assert response.body == b"proxied"
    assert proxy.received[0].target == f"http://ota.invalid:8686/?{QUERY}"


def test_a_proxy_that_refuses_the_tunnel_delivers_nothing(exchange: Exchange, settings: Settings) -> None:
    with serving(answer(b"", "407 Proxy Authentication Required")) as proxy, pytest.raises(TransportError) as caught:
        exchange(dataclasses.replace(settings, proxy=Secret(proxy.url)), [get("https://ota.invalid:8686")])

    assert caught.value.delivery is Delivery.NEVER_SENT
    assert proxy.received[0].target == "ota.invalid:8686"


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_certificate_authorities_that_cannot_be_read_are_a_configuration_error(
    exchange: Exchange, settings: Settings, tmp_path: Path, content: str | None
) -> None:
    bundle = tmp_path / "ca.pem"
    if content:
        bundle.write_text(content)

    with pytest.raises(ConfigurationError, match="ca_bundle"):
        exchange(dataclasses.replace(settings, ca_bundle=str(bundle)), [])


def chain(error: BaseException | None) -> list[BaseException]:
    return [error, *chain(error.__cause__), *chain(error.__context__)] if error else []


SECRETS = ("canary", SIGNATURE, "Signature=")
HEADER_FAULT = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nno colon\r\nConnection: close\r\n\r\n{}"


@pytest.mark.parametrize("behaviour", [send(b""), hang, send(CUT), flood, send(b"nonsense\r\n\r\n")])
def test_nothing_secret_is_in_an_error_its_chain_or_the_log(
    exchange: Exchange, settings: Settings, behaviour: Behaviour, log: Recorder
) -> None:
    settings = dataclasses.replace(settings, read_timeout=0.3)
    with serving(behaviour) as server, pytest.raises((TransportError, ProtocolError)) as caught:
        exchange(settings, [get(server.url)])

    shown = [f"{error!s} {error!r} {error.__dict__}" for error in chain(caught.value)] + log.lines
    assert not [line for line in shown if any(secret in line for secret in SECRETS)]


@pytest.mark.parametrize("behaviour", [answer(), answer(b"", "302 Found", "Location: /x"), send(HEADER_FAULT)])
def test_nothing_secret_is_in_the_log_of_an_answer(
    exchange: Exchange, settings: Settings, behaviour: Behaviour, log: Recorder
) -> None:
    with serving(behaviour) as server:
        try:
            exchange(settings, [get(server.url)])
        except TransportError as error:
            log.lines.append(repr(chain(error)))

    assert not [line for line in log.lines if any(secret in line for secret in SECRETS)]


def test_nothing_secret_is_said_when_nobody_listens(exchange: Exchange, settings: Settings, log: Recorder) -> None:
    with pytest.raises(TransportError) as caught:
        exchange(settings, [get(f"http://127.0.0.1:{free_port()}")])

    shown = [f"{error!s} {error!r}" for error in chain(caught.value)] + log.lines
    assert not [line for line in shown if any(secret in line for secret in SECRETS)]
