"""The ways in which client and emulator meet: in memory, and over a socket through each transport."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from airflow_provider_tuya_ota.client import AsyncTuyaOTAClient, TuyaOTAClient
from airflow_provider_tuya_ota.core.errors import Delivery, TransportError
from airflow_provider_tuya_ota.core.settings import Settings
from airflow_provider_tuya_ota.core.wire.http import Response
from airflow_provider_tuya_ota.emulator import messages
from airflow_provider_tuya_ota.emulator.server import EmulatorServer
from airflow_provider_tuya_ota.transports.runtime import Runtime
from tests.emulator.plain_client import parse_form

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_provider_tuya_ota.core.flows.effects import Flow, FlowContext
    from airflow_provider_tuya_ota.core.flows.events import FlowEvent
    from airflow_provider_tuya_ota.core.model.verdict import Verdict
    from airflow_provider_tuya_ota.core.wire.http import Request
    from airflow_provider_tuya_ota.emulator.emulator import Emulator

T = TypeVar("T")


class VirtualWorld(Runtime):
    """Time that passes only when somebody sleeps; client and emulator share it."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now

    def context(self) -> FlowContext:
        now = datetime.fromtimestamp(self.now, UTC)
        return replace(super().context(), now=now, steady=now)

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    async def asleep(self, seconds: float, *, unless: asyncio.Event | None = None) -> None:
        self.now += seconds


class Quiet:
    """Hears nothing."""

    def event(self, event: FlowEvent) -> None:
        pass

    def report(self, verdict: Verdict) -> None:
        pass


class MemoryTransport:
    """Hands requests to an emulator of the same process.

    :param read_timeout: seconds after which an answer counts as lost.
    """

    def __init__(self, emulator: Emulator, read_timeout: float = 30.0) -> None:
        self._emulator = emulator
        self._read_timeout = read_timeout

    def send(self, request: Request) -> Response:
        parts = urlsplit(request.url)
        headers = {name.lower(): value for name, value in request.headers.items()} | {"host": parts.netloc}
        form, sent = None, {}
        if request.body is not None:
            reader = request.body.open()
            form = parse_form(headers, reader.read())
            sent = reader.digests()
            reader.close()
        try:
            answer = self._emulator.handle(
                messages.Request(request.method, parts.path, parts.query, headers, b"", form)
            )
        except messages.ConnectionRefused:
            raise TransportError("refused", endpoint=parts.netloc, delivery=Delivery.NEVER_SENT) from None
        except messages.ConnectionDropped:
            raise TransportError("dropped", endpoint=parts.netloc, delivery=Delivery.UNKNOWN) from None
        if answer.duration > self._read_timeout:
            raise TransportError("no answer in time", endpoint=parts.netloc, delivery=Delivery.UNKNOWN)
        return Response(answer.status, answer.headers, answer.body, sent)

    def close(self) -> None:
        pass


def settings(url: str, **extra: Any) -> Settings:
    made = Settings.from_connection_fields(
        host=url,
        login="demo-access-key-id",
        password="demo-access-key-secret",
        extra=extra,
    )
    # Beyond what a connection may say: the budget counts in real time, and the conversation's time is virtual.
    return replace(made, requests_per_second=1e9, cancels_per_second=1e9)


@dataclass(frozen=True)
class Meeting:
    """One way for client and emulator to meet.

    :param emulator: whom the client talks to.
    :param world: the client's time; real by default.
    :param extra: of the connection.
    """

    emulator: Emulator
    world: Runtime = field(default_factory=Runtime)
    extra: dict[str, Any] = field(default_factory=dict)

    def in_memory(self, conversation: Callable[[Settings], Flow[T]]) -> T:
        where = settings("http://127.0.0.1:1", **self.extra)
        transport = MemoryTransport(self.emulator)
        with TuyaOTAClient(where, transport=transport, listener=Quiet(), runtime=self.world) as client:
            return client.run(conversation(where))

    def through_requests(self, conversation: Callable[[Settings], Flow[T]]) -> T:
        with EmulatorServer(self.emulator) as server:
            where = settings(server.url, **self.extra)
            with TuyaOTAClient(where, listener=Quiet(), runtime=self.world) as client:
                return client.run(conversation(where))

    def through_aiohttp(self, conversation: Callable[[Settings], Flow[T]]) -> T:
        async def talk(url: str) -> T:
            where = settings(url, **self.extra)
            async with AsyncTuyaOTAClient(where, listener=Quiet(), runtime=self.world) as client:
                return await client.run(conversation(where))

        with EmulatorServer(self.emulator) as server:
            return asyncio.run(talk(server.url))


WAYS = ("in_memory", "through_requests", "through_aiohttp")
