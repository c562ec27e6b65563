"""Both transports read every odd answer in the same way, so that blocking and deferred tasks end in the same way."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_tuya_ota.core.errors import Delivery, TransportError, TuyaOTAError
from airflow_provider_tuya_ota.core.policy.retry import DEFAULT_RETRY, Repeat
from airflow_provider_tuya_ota.core.wire.http import Request
from tests.transports.conftest import with_aiohttp, with_requests
from tests.transports.odd_answers import BODY, ODD, closing
from tests.transports.servers import send, serving

if TYPE_CHECKING:
    import socket

    from airflow_provider_tuya_ota.core.settings import Settings
    from tests.transports.conftest import Exchange
    from tests.transports.servers import Received


def outcome(exchange: Exchange, settings: Settings, raw: bytes) -> Any:
    """Give the answer, or the error with what is decided by it: whether to send again a read, and a create."""
    with serving(send(raw)) as server:
        try:
            (response,) = exchange(settings, [Request("GET", f"{server.url}/")])
        except TuyaOTAError as error:
            delays = [DEFAULT_RETRY.delay(error, repeat, attempt=1, jitter=0.0) for repeat in Repeat]
            return type(error), getattr(error, "delivery", None), error.in_doubt, delays
    return response.status, response.body, response.headers


@pytest.mark.parametrize("name", ODD)
def test_both_transports_make_the_same_of_an_odd_answer(settings: Settings, name: str) -> None:
    hasty = dataclasses.replace(settings, read_timeout=1, connect_timeout=1)

    assert outcome(with_requests, hasty, ODD[name]) == outcome(with_aiohttp, hasty, ODD[name])


REFUSED = [
    "no colon",
    "NUL in the value",
    "blank in the name",
    "long line of 9 kB",
    "65 headers",
    "bare CR in the value",
    "Content-Encoding br",
    "Content-Encoding gzip, more",
    "Content-Encoding gzip, cut",
    "Content-Length twice the same",
    "Content-Length in words",
    "Content-Length too short",
    "chunked and length",
    "Transfer-Encoding unknown",
    "chunk size underscored",
    "a chunk that ends in other bytes",
    "trailers that are none",
    "chunks without last line",
    "bytes behind the answer",
    "HTTP/2.0",
    "status 000",
    "head cut in a header",
]


@pytest.mark.parametrize("name", REFUSED)
def test_an_answer_that_is_no_proper_http_is_lost(exchange: Exchange, settings: Settings, name: str) -> None:
    kind, delivery, is_in_doubt, delays = outcome(exchange, settings, ODD[name])

    assert (kind, delivery, is_in_doubt) == (TransportError, Delivery.UNKNOWN, True)
    assert [delay is None for delay in delays] == [False, True]


TAKEN = [
    "nothing odd",
    "latin-1 in the value",
    "folded",
    "bare LF everywhere",
    "Content-Encoding in capitals",
    "Content-Encoding deflate",
    "Content-Encoding raw deflate",
    "chunked",
    "chunk extension",
    "trailers",
    "no length",
    "folded Transfer-Encoding",
    "a blank line before",
    "64 headers",
    "same header twice",
    "HTTP/1.0",
    "no reason",
    "199 and then the answer",
]


@pytest.mark.parametrize("name", TAKEN)
def test_an_answer_that_is_only_unusual_is_taken(exchange: Exchange, settings: Settings, name: str) -> None:
    assert outcome(exchange, settings, ODD[name])[:2] == (200, BODY)


def test_an_answer_that_was_not_asked_for_is_never_taken_for_the_next_one(
    exchange: Exchange, settings: Settings
) -> None:
    def say(connection: socket.socket, received: Received) -> bool:
        kept = closing(body=b"own").replace(b"close", b"keep-alive")
        connection.sendall(kept + kept.replace(b"own", b"odd") if "first" in received.target else kept)
        return True

    with serving(say) as server:
        answers = exchange(settings, [Request("GET", f"{server.url}/{name}") for name in ("first", "second")])

    assert [answer.body for answer in answers] == [b"own", b"own"]


def test_no_other_packing_is_asked_for_than_can_be_unpacked(exchange: Exchange, settings: Settings) -> None:
    with serving(send(closing())) as server:
        exchange(settings, [Request("GET", server.url)])

    assert server.received[0].headers["accept-encoding"] == "gzip, deflate"
