"""Both transports behind one blocking face, so that each test runs against both."""

from __future__ import annotations

import asyncio
import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeAlias

import pytest

from airflow_provider_tuya_ota.core.settings import Credentials, Settings
from airflow_provider_tuya_ota.transports.aiohttp_transport import AiohttpTransport
from airflow_provider_tuya_ota.transports.requests_transport import RequestsTransport

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from airflow_provider_tuya_ota.core.wire.http import Request, Response

Exchange: TypeAlias = "Callable[[Settings, list[Request]], list[Response]]"
"""Send requests one after the other through one transport."""


def with_requests(settings: Settings, requests: list[Request]) -> list[Response]:
    transport = RequestsTransport(settings)
    try:
        return [transport.send(request) for request in requests]
    finally:
        transport.close()


def with_aiohttp(settings: Settings, requests: list[Request]) -> list[Response]:
    async def run() -> list[Response]:
        transport = AiohttpTransport(settings)
        try:
            return [await transport.send(request) for request in requests]
        finally:
            await transport.close()

    return asyncio.run(run())


@pytest.fixture(params=[with_requests, with_aiohttp], ids=["requests", "aiohttp"])
def exchange(request: pytest.FixtureRequest) -> Exchange:
    chosen: Exchange = request.param
    return chosen


@pytest.fixture
def settings() -> Settings:
    return Settings(
        credentials=Credentials(access_key_id="canary-key-id", access_key_secret="canary-secret"),
        host="127.0.0.1",
        scheme="http",
        connect_timeout=2,
        read_timeout=2,
    )


class Recorder(logging.Handler):
    """Keep every record of every logger, formatted with its traceback."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))


@contextmanager
def recording() -> Iterator[Recorder]:
    root, recorder = logging.getLogger(), Recorder()
    before = root.level
    root.addHandler(recorder)
    root.setLevel(logging.DEBUG)
    try:
        yield recorder
    finally:
        root.setLevel(before)
        root.removeHandler(recorder)


@pytest.fixture
def log() -> Iterator[Recorder]:
    with recording() as recorder:
        yield recorder
