"""Calls without a body go over the session's pool of connections, exactly as they were signed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import urllib3

from airflow_provider_tuya_ota.core.wire.http import Request
from airflow_provider_tuya_ota.transports.requests_transport import TARGET, RequestsTransport
from tests.transports.servers import answer, free_port, serving

if TYPE_CHECKING:
    from airflow_provider_tuya_ota.core.settings import Settings
    from tests.transports.conftest import Recorder

# Neither order nor case of an escape is what a library would write.
QUERY = "B=%2f%7e&A=x+y&Signature=canary%3d"


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_target_arrives_as_it_was_signed_and_beside_plain_headers(settings: Settings, method: str) -> None:
    transport = RequestsTransport(settings)
    with serving(answer()) as server:
        transport.send(Request(method, f"{server.url}/?{QUERY}", {"Accept": "application/json"}))
        transport.send(Request(method, server.url))

    transport.close()
    first, second = server.received
    assert (first.target, second.target) == (f"/?{QUERY}", "/")
    assert first.headers["accept"] == "application/json"
    assert not any(name.startswith(":") for name in first.headers)
    assert first.headers.get("content-length") == ("0" if method == "POST" else None)


def test_a_signed_query_never_reaches_the_library_s_log(settings: Settings, log: Recorder) -> None:
    transport = RequestsTransport(settings)
    with serving(answer()) as server:
        transport.send(Request("GET", f"{server.url}/?{QUERY}"))

    transport.close()
    assert any("GET / HTTP" in line for line in log.lines)
    assert not any("canary" in line or "A=x" in line for line in log.lines)


def test_a_connection_that_does_not_know_the_pseudo_header_sends_nothing() -> None:
    connection = urllib3.connection.HTTPConnection("127.0.0.1", free_port())

    with pytest.raises(ValueError, match="Invalid header name"):
        connection.request("GET", "/", headers={TARGET: "/?secret"})


def test_calls_share_a_connection(settings: Settings) -> None:
    transport = RequestsTransport(settings)
    with serving(answer(keep=True)) as server:
        for _ in range(3):
            transport.send(Request("GET", f"{server.url}/?{QUERY}"))
        transport.close()

    assert (len(server.received), server.connections) == (3, 1)
