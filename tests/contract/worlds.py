"""The ways in which client and emulator meet: in memory, and over a socket through each transport."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlsplit

from airflow_provider_tuya_ota.client import AsyncTuyaOTAClient, TuyaOTAClient
from airflow_provider_tuya_ota.core.errors import Delivery, TransportError
from airflow_provider_tuya_ota.core.http import Response
from airflow_provider_tuya_ota.core.settings import Settings
from airflow_provider_tuya_ota.emulator import messages
from airflow_provider_tuya_ota.emulator.server import EmulatorServer
from tests.emulator.stranger import parse_form

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_provider_tuya_ota.core.flow import Flow
    from airflow_provider_tuya_ota.core.http import Request
    from airflow_provider_tuya_ota.emulator.emulator import Emulator

T = TypeVar("T")


class MemoryTransport:
    """Hands requests to an emulator of the same process."""

    def __init__(self, emulator: Emulator) -> None:
        self._emulator = emulator

    def send(self, request: Request) -> Response:
        parts = urlsplit(request.url)
        headers = {name.lower(): value for name, value in request.headers.items()} | {"host": parts.netloc}
        form = None
        if request.body is not None:
            reader = request.body.open()
            form = parse_form(headers, reader.read())
            reader.close()
        try:
            answer = self._emulator.handle(
                messages.Request(request.method, parts.path, parts.query, headers, b"", form)
            )
        except messages.ConnectionDropped:
            raise TransportError("dropped", endpoint=parts.netloc, delivery=Delivery.UNKNOWN) from None
        return Response(answer.status, answer.headers, answer.body)

    def close(self) -> None:
        pass


def settings(url: str) -> Settings:
    return Settings.from_connection_fields(
        host=url,
        login="demo-access-key-id",
        password="demo-access-key-secret",
        extra={"requests_per_second": 1000, "cancels_per_second": 1000},
    )


def in_memory(emulator: Emulator, conversation: Callable[[Settings], Flow[T]]) -> T:
    where = settings("http://127.0.0.1:1")
    with TuyaOTAClient(where, transport=MemoryTransport(emulator)) as client:
        return client.run(conversation(where))


def through_requests(emulator: Emulator, conversation: Callable[[Settings], Flow[T]]) -> T:
    with EmulatorServer(emulator) as server, TuyaOTAClient(settings(server.url)) as client:
        return client.run(conversation(client.settings))


def through_aiohttp(emulator: Emulator, conversation: Callable[[Settings], Flow[T]]) -> T:
    async def talk(url: str) -> T:
        async with AsyncTuyaOTAClient(settings(url)) as client:
            return await client.run(conversation(client.settings))

    with EmulatorServer(emulator) as server:
        return asyncio.run(talk(server.url))


WORLDS = [in_memory, through_requests, through_aiohttp]
